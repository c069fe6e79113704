/**
 * Two detectors of the level of each metric on its own, the cheapest there are.
 *
 * EWMA (Roberts 1959, "Control Chart Tests Based on Geometric Moving Averages"): distance of a fast average from a slow one, in units of a slow average
 * of that distance. Robust z (Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers"): distance of a short mean from the median, in units of the
 * MAD, both of a long window, looked up anew every few rows. Ours cuts what it learns from, so that an anomaly does not widen its own yardstick.
 */
import { RecentRows } from './recent-rows.ts'
import { packFloats, plain, type RowModel, type Rows, rowOf, unpackFloats } from './row-model.ts'

export interface EwmaOptions {
  /** Half-life of the fast average, rows. Default 2. */
  readonly fast?: number
  /** Half-life of the slow average and of the spread, rows. Default 200. */
  readonly slow?: number
}

export class Ewma implements RowModel {
  readonly name = 'ewma'
  readonly #fast: number
  readonly #slow: number
  #level = new Float64Array(0)
  #short = new Float64Array(0)
  #spread = new Float64Array(0)
  #seen = 0

  constructor(options: EwmaOptions = {}) {
    this.#fast = 1 - 0.5 ** (1 / (options.fast ?? 2))
    this.#slow = 1 - 0.5 ** (1 / (options.slow ?? 200))
  }

  fit(rows: Rows): void {
    this.#level = new Float64Array(rows.metrics)
    this.#short = new Float64Array(rows.metrics)
    this.#spread = new Float64Array(rows.metrics)
    this.#seen = 0
    for (let i = 0; i < rows.count; i++) this.push(rowOf(rows, i))
  }

  score(row: Float64Array, guilt: Float64Array): number {
    if (this.#seen === 0) return Number.NaN
    let sum = 0
    for (let j = 0; j < this.#level.length; j++) {
      const short = this.#short[j] + this.#fast * (row[j] - this.#short[j])
      const g = Math.abs(short - this.#level[j]) / (this.#spread[j] + 0.02)
      guilt[j] = g
      sum += Math.min(g, 50) ** 2
    }
    return Math.sqrt(sum / this.#level.length)
  }

  push(row: Float64Array): void {
    if (this.#level.length === 0) return
    // While young, plain means: a slow average that starts from one value takes too long to forget it.
    const slow = Math.max(this.#slow, 1 / ++this.#seen)
    for (let j = 0; j < this.#level.length; j++) {
      this.#short[j] = this.#seen === 1 ? row[j] : this.#short[j] + this.#fast * (row[j] - this.#short[j])
      const reach = 4 * (this.#spread[j] + 0.02)
      const off = Math.abs(this.#short[j] - this.#level[j])
      this.#spread[j] += slow * ((this.#seen < 20 ? off : Math.min(off, reach)) - this.#spread[j])
      const step = row[j] - this.#level[j]
      this.#level[j] += slow * (this.#seen < 20 ? step : Math.max(-reach, Math.min(reach, step)))
    }
  }

  expected(out: Float64Array): void {
    out.set(this.#level)
  }
  save() {
    return {
      level: plain(this.#level),
      short: plain(this.#short),
      spread: plain(this.#spread),
      seen: this.#seen,
    }
  }
  load(state: ReturnType<Ewma['save']>): void {
    this.#level = Float64Array.from(state.level)
    this.#short = Float64Array.from(state.short)
    this.#spread = Float64Array.from(state.spread)
    this.#seen = state.seen
  }
}

export interface RobustZOptions {
  /** Rows in the short mean. Default 1. */
  readonly span?: number
  /** Rows in the long window. Default 1500. */
  readonly window?: number
  /** Rows between two looks at the median: sorting is what costs. Default 1000; less while young. */
  readonly every?: number
}
const LIMIT = 1e6

export class RobustZ implements RowModel {
  readonly name = 'robust-z'
  readonly #span: number
  readonly #window: number
  readonly #every: number
  #recent: RecentRows | undefined
  /** Values of each metric in turn, as 32-bit floats: seven digits are more than a standardised number needs. */
  #ring: Float32Array = new Float32Array(0)
  #metrics = 0
  #pushed = 0
  #median = new Float64Array(0)
  #spread = new Float64Array(0)

  constructor(options: RobustZOptions = {}) {
    this.#span = options.span ?? 1
    this.#window = options.window ?? 1500
    this.#every = options.every ?? 1000
  }

  #start(metrics: number): void {
    this.#metrics = metrics
    this.#recent = new RecentRows(metrics, LIMIT, [Math.max(1, this.#span - 1)])
    this.#ring = new Float32Array(this.#window * metrics)
    this.#median = new Float64Array(metrics)
    this.#spread = new Float64Array(metrics)
    this.#pushed = 0
  }

  fit(rows: Rows): void {
    this.#start(rows.metrics)
    // Only the last window is held, so looking at the median on the way would be in vain.
    for (let i = Math.max(0, rows.count - this.#window); i < rows.count; i++) this.#keep(rowOf(rows, i))
    this.#look()
  }

  #keep(row: Float64Array): void {
    const at = this.#pushed % this.#window
    for (let j = 0; j < this.#metrics; j++) this.#ring[j * this.#window + at] = row[j]
    this.#pushed++
    this.#recent?.push(row)
  }

  #look(): void {
    const n = Math.min(this.#pushed, this.#window)
    if (n === 0) return
    for (let j = 0; j < this.#metrics; j++) {
      const sorted = this.#ring.slice(j * this.#window, j * this.#window + n).sort()
      const median = sorted[n >> 1]
      for (let i = 0; i < n; i++) sorted[i] = Math.abs(sorted[i] - median)
      sorted.sort()
      this.#median[j] = median
      this.#spread[j] = Math.max(1.4826 * sorted[n >> 1], sorted[Math.floor(0.9 * (n - 1))] / 1.7, 0.01)
    }
  }

  score(row: Float64Array, guilt: Float64Array): number {
    const recent = this.#recent
    if (!recent || this.#pushed < 5) return Number.NaN
    const sum = recent.sum(0)
    let total = 0
    for (let j = 0; j < this.#metrics; j++) {
      const short = this.#span === 1 ? row[j] : (sum[j] + row[j]) / this.#span
      const g = Math.abs(short - this.#median[j]) / this.#spread[j]
      guilt[j] = g
      total += Math.min(g, 100) ** 2
    }
    return Math.sqrt(total / this.#metrics)
  }

  push(row: Float64Array): void {
    if (this.#metrics === 0) return
    this.#keep(row)
    if (this.#pushed % Math.min(this.#every, 1 + (this.#pushed >> 3)) === 0) this.#look()
  }

  expected(out: Float64Array): void {
    out.set(this.#median)
  }
  save() {
    return {
      metrics: this.#metrics,
      recent: this.#recent?.save(),
      ring: packFloats(this.#ring),
      pushed: this.#pushed,
      median: plain(this.#median),
      spread: plain(this.#spread),
    }
  }
  load(state: ReturnType<RobustZ['save']>): void {
    if (!state.recent) return
    this.#start(state.metrics)
    this.#recent?.load(state.recent)
    this.#ring = unpackFloats(state.ring)
    this.#pushed = state.pushed
    this.#median = Float64Array.from(state.median)
    this.#spread = Float64Array.from(state.spread)
  }
}
