/**
 * Thresholds from a budget of alarms. Peaks over a high quantile are fitted with a generalised Pareto distribution, from which the level follows that is
 * passed as often as the budget allows.
 *
 * Siffer et al. 2017, "Anomaly Detection in Streams with Extreme Value Theory" (SPOT, and DSPOT for drift). Ours differs: peaks are those of whole
 * excursions, since an operator counts alarms and not points; parameters come from probability-weighted moments (Hosking and Wallis 1987), which cannot
 * fail to converge; and drift raises the level with the median of late over the median learned, which no event shorter than half the window can move.
 */
export interface SpotOptions {
  /** The one knob: alarms per entity and day one is ready to look at. Default 0.5. */
  readonly alarmsPerDay?: number
  /** Rows in a day. Default 1440, one a minute. */
  readonly rowsPerDay?: number
  /** Share of scores below which nothing is a peak. Default 0.98. */
  readonly quantile?: number
  /** Quiet rows that end an excursion. Default 30. */
  readonly gap?: number
  /** Rows over which drift is judged; 0 for a level that stays. Default 3000. */
  readonly driftWindow?: number
  /** How far the level follows drift: 0 not at all, 1 in proportion. Default 0.2. */
  readonly follow?: number
  /** An alarm lasts while the score is above this share of the threshold. Default 0.75. */
  readonly release?: number
  /** It also ends where the score has fallen to this share of what it last rose to: what is left of it then is the tail of what was. 0: never. Default 0.6. */
  readonly fall?: number
  /** Rows in a row at or below either before it ends. Default 1. */
  readonly quiet?: number
}
/** An alarm that ended above the threshold opens again when the score is this many times what it fell to since. */
const RISE = 1.25

export class Spot {
  readonly #alarmsPerDay: number
  readonly #rowsPerDay: number
  readonly #quantile: number
  readonly #gap: number
  readonly #window: number
  readonly #follow: number
  readonly #release: number
  readonly #fall: number
  readonly #quiet: number
  #on = false
  #below = 0
  #last = 0
  /** What the score last rose to while there was an alarm, and the least since it ended. */
  #top = 0
  #low = 0
  #base = Number.POSITIVE_INFINITY
  #median = 0
  #recent: number[] = []
  #next = 0
  #factor = 1
  #seen = 0

  constructor(options: SpotOptions = {}) {
    this.#alarmsPerDay = options.alarmsPerDay ?? 0.5
    this.#rowsPerDay = options.rowsPerDay ?? 1440
    this.#quantile = options.quantile ?? 0.98
    this.#gap = options.gap ?? 30
    this.#window = options.driftWindow ?? 3000
    this.#follow = options.follow ?? 0.2
    this.#release = options.release ?? 0.75
    this.#fall = options.fall ?? 0.6
    this.#quiet = options.quiet ?? 1
  }

  get threshold(): number {
    return this.#base * this.#factor
  }

  fit(scores: ArrayLike<number>): void {
    const values = Float64Array.from(scores).filter(s => !Number.isNaN(s))
    const n = values.length
    if (n < 20) return
    const sorted = values.slice().sort()
    this.#median = sorted[n >> 1]
    const floor = sorted[Math.floor(this.#quantile * (n - 1))]
    const peaks = excursions(values, floor, this.#gap)
    this.#base = levelOf(peaks, floor, (this.#alarmsPerDay * n) / this.#rowsPerDay)
    this.#recent = Array.from(values.subarray(Math.max(0, n - this.#window)))
    this.#next = 0
    this.#factor = 1
  }

  /** Learns a score; returns whether there is an alarm, by the threshold as it stood before. */
  push(score: number): boolean {
    if (Number.isNaN(score)) return false
    if (this.#on) this.#top = score > this.#last ? score : this.#top
    else this.#low = score < this.threshold * this.#release ? 0 : Math.min(this.#low, score)
    const level = this.#on
      ? Math.max(this.#release * this.threshold, this.#fall * this.#top)
      : Math.max(this.threshold, RISE * this.#low)
    this.#below = score >= level ? 0 : this.#below + 1
    const over = this.#below === 0 || (this.#on && this.#below < this.#quiet)
    if (over !== this.#on) this.#top = this.#low = score
    this.#last = score
    this.#on = over
    if (this.#window === 0) return over
    if (this.#recent.length < this.#window) this.#recent.push(score)
    else {
      this.#recent[this.#next] = score
      this.#next = (this.#next + 1) % this.#window
    }
    if (++this.#seen % 50 === 0 && this.#median > 0) {
      const sorted = Float64Array.from(this.#recent).sort()
      this.#factor = Math.max(1, sorted[sorted.length >> 1] / this.#median) ** this.#follow
    }
    return over
  }

  save() {
    return {
      base: Number.isFinite(this.#base) ? this.#base : null,
      median: this.#median,
      recent: this.#recent,
      next: this.#next,
      factor: this.#factor,
      seen: this.#seen,
      on: this.#on,
      below: this.#below,
      last: this.#last,
      top: this.#top,
      low: this.#low,
    }
  }
  load(state: ReturnType<Spot['save']>): void {
    this.#base = state.base ?? Number.POSITIVE_INFINITY
    this.#median = state.median
    this.#recent = [...state.recent]
    this.#next = state.next
    this.#factor = state.factor
    this.#seen = state.seen
    this.#on = state.on
    this.#below = state.below ?? 0
    this.#last = state.last ?? 0
    this.#top = state.top ?? 0
    this.#low = state.low ?? 0
  }
}

/** The greatest score of each stretch at or above a floor; stretches closer than `gap` are one. Largest first. */
export function excursions(scores: ArrayLike<number>, floor: number, gap: number): Float64Array {
  const peaks: number[] = []
  let last = Number.NEGATIVE_INFINITY
  for (let i = 0; i < scores.length; i++) {
    if (!(scores[i] > floor)) continue
    if (i - last > gap) peaks.push(scores[i])
    else peaks[peaks.length - 1] = Math.max(peaks[peaks.length - 1], scores[i])
    last = i
  }
  return Float64Array.from(peaks).sort().reverse()
}

/** The level passed `allowed` times in as much time as the peaks (largest first) were gathered in. */
export function levelOf(peaks: Float64Array, floor: number, allowed: number): number {
  const n = peaks.length
  if (n < 5 || allowed >= n) return n === 0 ? floor * 1.5 : allowed >= n ? floor : peaks[0]
  // What was seen often enough needs no model.
  if (allowed >= 5) return peaks[Math.min(n - 1, Math.floor(allowed))]
  let first = 0
  let second = 0
  for (let i = 0; i < n; i++) {
    const excess = peaks[i] - floor
    first += excess
    second += (excess * (i + 0.65)) / n // i + 0.65 of n are larger: the weight of the second moment
  }
  first /= n
  second /= n
  const denominator = first - 2 * second
  const shape = denominator > 1e-12 ? 2 - first / denominator : 0
  const scale = denominator > 1e-12 ? (2 * first * second) / denominator : first
  const odds = n / allowed
  // Heavier tails than this come from one odd peak, lighter ones would bound what may happen.
  const xi = Math.max(-0.2, Math.min(0.5, shape))
  return floor + (Math.abs(xi) < 1e-6 ? scale * Math.log(odds) : (scale / xi) * (odds ** xi - 1))
}
