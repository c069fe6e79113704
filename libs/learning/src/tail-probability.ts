/**
 * Puts scores of any kind on one scale: -ln of the probability that a normal observation scores at least as high. Below the 98th percentile the
 * ranks of the learned scores are used; above it an exponential tail is laid on (the simplest case of Pickands 1975, "Statistical Inference Using
 * Extreme Order Statistics"), so that what was never seen still has an order. 0 is common, 4.6 is one in a hundred, 20 (the cap) is unheard of.
 */
export interface TailOptions {
  /** Share of the scores below the tail. Default 0.98. */
  readonly body?: number
  /** Greatest value. Default 20. */
  readonly cap?: number
  /** Scores kept when it learns as it goes. Default 3000. */
  readonly window?: number
}
/** Steps between the least score and the tail at which the surprise is held: looking it up then takes no search. */
const STEPS = 256

export class TailProbability {
  readonly #body: number
  readonly #cap: number
  readonly #window: number
  /** Learned once: -ln p at even steps from the least score to the tail. */
  #surprise = new Float32Array(0)
  #least = 0
  #perUnit = 0
  #start = 0
  #scale = 1
  /** Learned as it goes: the window in order of time and in order of size. */
  #ring: number[] = []
  #next = 0
  #sorted: number[] = []

  constructor(options: TailOptions = {}) {
    this.#body = options.body ?? 0.98
    this.#cap = options.cap ?? 20
    this.#window = options.window ?? 3000
  }

  fit(scores: ArrayLike<number>): void {
    const sorted = Float64Array.from(scores)
      .filter(s => !Number.isNaN(s))
      .sort()
    const n = sorted.length
    if (n === 0) return
    this.#tail(sorted)
    this.#least = sorted[0]
    this.#perUnit = this.#start > this.#least ? STEPS / (this.#start - this.#least) : 0
    this.#surprise = new Float32Array(STEPS + 1)
    let below = 0
    for (let step = 0; step <= STEPS; step++) {
      const score = this.#perUnit === 0 ? this.#least : this.#least + step / this.#perUnit
      while (below < n && sorted[below] < score) below++
      this.#surprise[step] = rounded(-Math.log((n - below + 1) / (n + 1)))
    }
  }

  #tail(sorted: ArrayLike<number>): void {
    const n = sorted.length
    const from = Math.min(n - 1, Math.floor(this.#body * n))
    this.#start = sorted[Math.min(n - 1, Math.round(this.#body * (n - 1)))]
    let excess = 0
    for (let i = from; i < n; i++) excess += sorted[i] - this.#start
    this.#scale = Math.max(excess / (n - from), 1e-3, 0.05 * Math.abs(this.#start))
  }

  /** How surprising a score is; NaN for none. */
  of(score: number): number {
    if (Number.isNaN(score)) return score
    if (this.#sorted.length > 0) return this.#ofWindow(score)
    if (score > this.#start) return Math.min(this.#cap, -Math.log(1 - this.#body) + (score - this.#start) / this.#scale)
    if (this.#perUnit === 0 || score <= this.#least) return 0
    return this.#surprise[Math.floor((score - this.#least) * this.#perUnit)]
  }

  #ofWindow(score: number): number {
    const n = this.#sorted.length
    if (n < 50) return 0
    if (score > this.#start) return Math.min(this.#cap, -Math.log(1 - this.#body) + (score - this.#start) / this.#scale)
    return -Math.log((n - place(this.#sorted, score) + 1) / (n + 1))
  }

  /** Learns one more score, forgetting the oldest. */
  add(score: number): void {
    if (Number.isNaN(score)) return
    if (this.#ring.length < this.#window) this.#ring.push(score)
    else {
      this.#sorted.splice(place(this.#sorted, this.#ring[this.#next]), 1)
      this.#ring[this.#next] = score
      this.#next = (this.#next + 1) % this.#window
    }
    this.#sorted.splice(place(this.#sorted, score), 0, score)
    if (this.#sorted.length < 200 || this.#next % 8 === 0) this.#tail(this.#sorted)
  }

  save() {
    return {
      least: this.#least,
      perUnit: this.#perUnit,
      surprise: Array.from(this.#surprise, rounded),
      start: this.#start,
      scale: this.#scale,
      ring: this.#ring,
      next: this.#next,
    }
  }
  load(state: ReturnType<TailProbability['save']>): void {
    this.#least = state.least
    this.#perUnit = state.perUnit
    this.#surprise = Float32Array.from(state.surprise)
    this.#start = state.start
    this.#scale = state.scale
    this.#ring = [...state.ring]
    this.#next = state.next
    this.#sorted = [...state.ring].sort((a, b) => a - b)
  }
}

/** Four digits, so that what is loaded again is the same. */
const rounded = (surprise: number): number => Number(surprise.toFixed(4))
/** First index whose value is not below. */
function place(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}
