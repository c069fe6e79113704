/**
 * Lets a score rise at once and fall slowly: the mean of the last two rows, held with a half-life that grows with how much was strange lately. An event
 * is then one hill instead of many needles, and a single noisy row stays low. Causal.
 */
export interface HoldOptions {
  /** Half-life when nothing was strange before, rows. Default 6. */
  readonly shortest?: number
  /** Longest half-life, rows. Default 40. */
  readonly longest?: number
  /** Rows the half-life grows by for each strange row of late. Default 0.5. */
  readonly growth?: number
  /** Surprise from which a row counts as strange. Default 2.5 (one in twelve). */
  readonly strange?: number
}

export class HoldScore {
  readonly #shortest: number
  readonly #longest: number
  readonly #growth: number
  readonly #strange: number
  #last = Number.NaN
  #held = 0
  #lately = 0

  constructor(options: HoldOptions = {}) {
    this.#shortest = options.shortest ?? 6
    this.#longest = options.longest ?? 40
    this.#growth = options.growth ?? 0.5
    this.#strange = options.strange ?? 2.5
  }

  /** What the held score would be with this one; changes nothing. */
  peek(score: number): number {
    if (Number.isNaN(score)) return score
    const mean = Number.isNaN(this.#last) ? score : (this.#last + score) / 2
    const lately = 0.98 * this.#lately + (mean > this.#strange ? 1 : 0)
    const halfLife = Math.min(this.#longest, this.#shortest + this.#growth * lately)
    return Math.max(mean, this.#held * 0.5 ** (1 / halfLife))
  }
  push(score: number): number {
    if (Number.isNaN(score)) return score
    const held = this.peek(score)
    const mean = Number.isNaN(this.#last) ? score : (this.#last + score) / 2
    this.#lately = 0.98 * this.#lately + (mean > this.#strange ? 1 : 0)
    this.#held = held
    this.#last = score
    return held
  }
  save() {
    return {
      last: Number.isNaN(this.#last) ? null : this.#last,
      held: this.#held,
      lately: this.#lately,
    }
  }
  load(state: ReturnType<HoldScore['save']>): void {
    this.#last = state.last ?? Number.NaN
    this.#held = state.held
    this.#lately = state.lately
  }
}
