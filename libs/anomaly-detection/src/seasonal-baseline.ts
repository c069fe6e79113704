/**
 * Seasonal baseline: how far each metric lies from its median at this time of day, in units of its usual distance there; the worst few metrics count.
 *
 * The seasonal median and MAD of Hochenbaum et al. 2017, "Automatic Anomaly Detection in the Cloud Via Statistical Learning" (S-H-ESD), without its test: each
 * distance becomes a surprise on the metric's own scale. Ours goes by the clock, not by the number of the row, so that gaps and rows left out move nothing, and
 * is few-shot: two days suffice, since a quarter of an hour holds several rows. With less, or without times, it knows one level for all day.
 */
import { plain, type RowModel, type Rows, rowOf } from './row-model.ts'
import { WorstMetrics } from './worst-metrics.ts'

export interface SeasonalOptions {
  /** Length of the season, seconds. Default a day. */
  readonly season?: number
  /** Times of day told apart. Default 96, a quarter of an hour each. */
  readonly slots?: number
}
/** Least usual distance, in spreads of the metric over all. */
const FLOOR = 0.05
/** Two seasons, whose last row comes a step before their end. */
const NEEDED = 1.9

export class SeasonalBaseline implements RowModel {
  readonly name = 'seasonal'
  readonly #season: number
  readonly #most: number
  readonly #worst = new WorstMetrics()
  #slots = 0
  #metrics = 0
  #median = new Float64Array(0)
  #distance = new Float64Array(0)
  #errors = new Float64Array(0)
  #time = 0

  constructor(options: SeasonalOptions = {}) {
    this.#season = options.season ?? 86_400
    this.#most = options.slots ?? 96
  }

  fit(rows: Rows): void {
    const { count, metrics, times } = rows
    const known = times !== undefined && count > 1 && times[count - 1] - times[0] >= NEEDED * this.#season
    this.#slots = known ? this.#most : 1
    this.#metrics = metrics
    this.#errors = new Float64Array(metrics)
    this.#learn(rows)
    const errors = Array.from({ length: metrics }, () => new Float64Array(count))
    for (let i = 0; i < count; i++) {
      this.at(times?.[i] ?? 0)
      this.#judge(rowOf(rows, i))
      for (let j = 0; j < metrics; j++) errors[j][i] = this.#errors[j]
    }
    this.#worst.fit(errors)
  }

  #learn({ count, metrics, values, times }: Rows): void {
    const slots = this.#slots
    const rowsOf: number[][] = Array.from({ length: slots }, () => [])
    for (let i = 0; i < count; i++) rowsOf[this.#slotAt(times?.[i] ?? 0)].push(i)
    const all = Float64Array.from({ length: count }, (_, i) => i)
    this.#median = new Float64Array(slots * metrics)
    this.#distance = new Float64Array(slots * metrics)
    for (let slot = 0; slot < slots; slot++) {
      // A time of day that was never seen is judged by the whole day.
      const own = rowsOf[slot].length >= 2 ? Float64Array.from(rowsOf[slot]) : all
      for (let j = 0; j < metrics; j++) {
        const at = slot * metrics + j
        const sorted = own.map(i => values[i * metrics + j]).sort()
        this.#median[at] = sorted[sorted.length >> 1]
        const off = sorted.map(x => Math.abs(x - this.#median[at])).sort()
        // Bursts that belong to this time of day widen it.
        this.#distance[at] = Math.max(1.4826 * off[off.length >> 1], off[Math.floor(0.95 * (off.length - 1))] / 2, FLOOR)
      }
    }
  }

  #slotAt(seconds: number): number {
    const part = (((seconds % this.#season) + this.#season) % this.#season) / this.#season
    return Math.min(this.#slots - 1, Math.floor(part * this.#slots))
  }

  #judge(row: Float64Array): void {
    const from = this.#slotAt(this.#time) * this.#metrics
    for (let j = 0; j < this.#metrics; j++) this.#errors[j] = Math.abs(row[j] - this.#median[from + j]) / this.#distance[from + j]
  }

  at(seconds: number): void {
    this.#time = seconds
  }
  score(row: Float64Array, guilt: Float64Array): number {
    if (!this.#worst.ready) {
      guilt.fill(0)
      return Number.NaN
    }
    this.#judge(row)
    return this.#worst.score(this.#errors, guilt)
  }
  /** What comes next depends on the time alone. */
  push(): void {}

  save() {
    return {
      slots: this.#slots,
      metrics: this.#metrics,
      median: plain(this.#median),
      distance: plain(this.#distance),
      worst: this.#worst.save(),
      time: this.#time,
    }
  }
  load(state: ReturnType<SeasonalBaseline['save']>): void {
    this.#slots = state.slots
    this.#metrics = state.metrics
    this.#median = Float64Array.from(state.median)
    this.#distance = Float64Array.from(state.distance)
    this.#errors = new Float64Array(state.metrics)
    this.#time = state.time
    if (state.worst.length > 0) this.#worst.load(state.worst)
  }
}
