/** A series as it comes, point by point: its last values, what is usual of it, and eight features of the window that ends at a point. */
import { leastSpread } from '@aegis/domain'

/** Points a window holds. */
export const WINDOW = 16
/** Points after which the oldest count no more: usual values may move. */
const MEMORY = 1000
/** Strange points in a row after which they are the usual ones. */
const NEW_NORMAL = 30

export const FEATURES = ['mean', 'std', 'min', 'max', 'median', 'rate_of_change', 'slope', 'normalized_value'] as const
export const FEATURE_COUNT = FEATURES.length

export interface SavedSeries {
  readonly values: readonly number[]
  readonly mean: number
  readonly variance: number
  readonly count: number
}

export class SeriesFeatures {
  readonly #metric: string
  #values: number[] = []
  #mean = 0
  #variance = 0
  #strangeInARow = 0
  /** Points that were learned. */
  count = 0

  constructor(metric: string) {
    this.#metric = metric
  }

  get mean(): number {
    return this.#mean
  }
  /** What one step of the usual size is; never 0. */
  get spread(): number {
    return Math.max(Math.sqrt(this.#variance), leastSpread(this.#metric, this.#mean))
  }
  /** How many usual steps a value lies from the usual one. */
  distance(value: number): number {
    return Math.abs(value - this.#mean) / this.spread
  }

  /**
   * Features of the window that would end with this value, in usual steps, so that series of one metric can be held against each other whatever their size.
   * @param into FEATURE_COUNT numbers, in the order of FEATURES
   */
  describe(value: number, into: Float64Array): void {
    const window = this.#values.slice(-(WINDOW - 1))
    window.push(value)
    const n = window.length
    const [mean, spread] = [this.#mean, this.spread]
    let sum = 0
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (const x of window) {
      sum += x
      if (x < low) low = x
      if (x > high) high = x
    }
    const m = sum / n
    let squares = 0
    let rise = 0
    let across = 0
    for (let i = 0; i < n; i++) {
      squares += (window[i] - m) ** 2
      rise += (i - (n - 1) / 2) * (window[i] - m)
      across += (i - (n - 1) / 2) ** 2
    }
    const before = n > 1 ? window[n - 2] : value
    const sorted = Float64Array.from(window).sort()
    into[0] = (m - mean) / spread
    into[1] = Math.sqrt(squares / n) / spread
    into[2] = (low - mean) / spread
    into[3] = (high - mean) / spread
    into[4] = ((sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2 - mean) / spread
    into[5] = (value - before) / spread
    into[6] = across === 0 ? 0 : ((rise / across) * n) / spread
    into[7] = (value - mean) / spread
  }

  /** Takes the point up; what is strange is not learned, until it has come so often that it is usual. */
  learn(value: number, strange: boolean): void {
    this.#strangeInARow = strange ? this.#strangeInARow + 1 : 0
    if (strange && this.#strangeInARow < NEW_NORMAL) return
    if (this.#strangeInARow >= NEW_NORMAL) {
      // Another level, not a longer fault: learned anew from here.
      this.count = 0
      this.#variance = 0
      this.#values = []
      this.#strangeInARow = 0
    }
    this.#values.push(value)
    if (this.#values.length > 2 * WINDOW) this.#values = this.#values.slice(-WINDOW)
    this.count++
    const weight = 1 / Math.min(this.count, MEMORY)
    const step = value - this.#mean
    if (this.count === 1) this.#mean = value
    else {
      this.#mean += weight * step
      this.#variance = (1 - weight) * (this.#variance + weight * step * step)
    }
  }

  save(): SavedSeries {
    return { values: this.#values.slice(-WINDOW), mean: this.#mean, variance: this.#variance, count: this.count }
  }
  static load(metric: string, saved: SavedSeries): SeriesFeatures {
    const series = new SeriesFeatures(metric)
    series.#values = [...saved.values]
    series.#mean = saved.mean
    series.#variance = saved.variance
    series.count = saved.count
    return series
  }
}
