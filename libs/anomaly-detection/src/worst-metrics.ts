import { TailProbability } from '@aegis/learning/tail-probability'

export interface WorstOptions {
  /** How many of the largest surprises count. Default 5. */
  readonly worst?: number
  /** Most that a single metric can say. Default 40. */
  readonly cap?: number
}

/** Errors per metric to one number: each becomes a surprise on the metric's own scale, and the mean of the few largest counts. */
export class WorstMetrics {
  readonly #worst: number
  readonly #cap: number
  #tails: TailProbability[] = []
  #best = new Float64Array(0)

  constructor({ worst = 5, cap = 40 }: WorstOptions = {}) {
    this.#worst = worst
    this.#cap = cap
  }
  get ready(): boolean {
    return this.#tails.length > 0
  }
  /** Learns from one array of errors per metric. */
  fit(errors: readonly Float64Array[]): void {
    this.#tails = errors.map(e => {
      const tail = new TailProbability({ cap: this.#cap })
      tail.fit(e)
      return tail
    })
    this.#best = new Float64Array(Math.min(this.#worst, errors.length))
  }
  /** `errors` from `at` on, one per metric; their surprises are written into `guilt`. */
  score(errors: Float64Array, guilt: Float64Array, at = 0): number {
    if (this.#worst >= this.#tails.length) return this.#mean(errors, guilt, at)
    const best = this.#best.fill(0)
    const last = best.length - 1
    for (let j = 0; j < this.#tails.length; j++) {
      const surprise = this.#tails[j].of(errors[at + j])
      guilt[j] = surprise
      if (surprise <= best[last]) continue
      let place = last
      while (place > 0 && best[place - 1] < surprise) {
        best[place] = best[place - 1]
        place--
      }
      best[place] = surprise
    }
    let sum = 0
    for (let i = 0; i <= last; i++) sum += best[i]
    return sum / (last + 1)
  }
  #mean(errors: Float64Array, guilt: Float64Array, at: number): number {
    let sum = 0
    for (let j = 0; j < this.#tails.length; j++) sum += guilt[j] = this.#tails[j].of(errors[at + j])
    return sum / this.#tails.length
  }
  save() {
    return this.#tails.map(t => t.save())
  }
  load(state: ReturnType<WorstMetrics['save']>): void {
    this.#tails = state.map(t => {
      const tail = new TailProbability({ cap: this.#cap })
      tail.load(t)
      return tail
    })
    this.#best = new Float64Array(Math.min(this.#worst, state.length))
  }
}
