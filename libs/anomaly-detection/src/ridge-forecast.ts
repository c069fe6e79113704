/**
 * Ridge vector auto-regression: each metric is predicted from the last two rows and the mean of the last ten of *all* metrics, and a row is as
 * strange as its few worst predicted metrics.
 *
 * Lütkepohl 2005, "New Introduction to Multiple Time Series Analysis", with the ridge of Hoerl and Kennard 1970. Ours differs in that residuals
 * are turned into tail probabilities per metric, so that a quiet metric counts as much as a loud one. With one metric it is plain auto-regression.
 */
import { cholesky, gram, solve } from '@aegis/learning/linear-algebra'
import { RecentRows } from './recent-rows.ts'
import { clip, plain, type RowModel, type Rows, rowOf } from './row-model.ts'
import { WorstMetrics } from './worst-metrics.ts'

export interface RidgeOptions {
  /** Single rows looked back at. Default 2. */
  readonly lags?: number
  /** Rows in the mean looked back at. Default 10. */
  readonly span?: number
  /** Weight of the penalty, per row learned from. Default 0.01. */
  readonly penalty?: number
  /** How many of the worst metrics make the score. Default 5. */
  readonly worst?: number
  /** Standardised values beyond this are cut. Default 10. */
  readonly limit?: number
}

export class RidgeForecast implements RowModel {
  readonly name = 'ridge'
  readonly #lags: number
  readonly #span: number
  readonly #penalty: number
  readonly #worst: WorstMetrics
  readonly #limit: number
  #recent: RecentRows | undefined
  #weights = new Float64Array(0)
  #features = new Float64Array(0)
  #errors = new Float64Array(0)
  #predicted = new Float64Array(0)

  constructor(options: RidgeOptions = {}) {
    this.#lags = options.lags ?? 2
    this.#span = options.span ?? 10
    this.#penalty = options.penalty ?? 0.01
    this.#worst = new WorstMetrics(options)
    this.#limit = options.limit ?? 10
  }

  #width(metrics: number): number {
    return metrics * (this.#lags + 1) + 1
  }

  #fill(out: Float64Array): void {
    const recent = this.#recent as RecentRows
    const m = recent.metrics
    for (let lag = 1; lag <= this.#lags; lag++) {
      const at = recent.at(lag)
      for (let j = 0; j < m; j++) out[(lag - 1) * m + j] = recent.rows[at + j]
    }
    const sum = recent.sum(0)
    const at = this.#lags * m
    for (let j = 0; j < m; j++) out[at + j] = sum[j] / this.#span
    out[at + m] = 1
  }

  #start(metrics: number): void {
    this.#recent = new RecentRows(metrics, this.#limit, [this.#span], this.#lags)
    this.#features = new Float64Array(this.#width(metrics))
    this.#predicted = new Float64Array(metrics)
    this.#errors = new Float64Array(metrics)
  }

  fit(rows: Rows): void {
    const m = rows.metrics
    const d = this.#width(m)
    this.#start(m)
    const all = d + m
    // One pass gives both the features' products and their products with the targets.
    const sums = gram(rows.count, all, (i, f) => {
      const row = rowOf(rows, i)
      if (i === 0) this.#recent?.push(row)
      this.#fill(f)
      for (let j = 0; j < m; j++) f[d + j] = clip(row[j], this.#limit)
      this.#recent?.push(row)
    })
    const normal = new Float64Array(d * d)
    for (let a = 0; a < d; a++) {
      for (let b = 0; b < d; b++) normal[a * d + b] = sums[a * all + b]
      if (a < d - 1) normal[a * d + a] += this.#penalty * rows.count + 1
    }
    const lower = cholesky(normal, d)
    this.#weights = new Float64Array(m * d)
    for (let j = 0; j < m; j++) this.#weights.set(solve(lower, d, sums.subarray((d + j) * all, (d + j) * all + d)), j * d)
    // How large errors are in normal life, per metric.
    const errors = Array.from({ length: m }, () => new Float64Array(rows.count))
    this.#start(m)
    for (let i = 0; i < rows.count; i++) {
      const row = rowOf(rows, i)
      if (i === 0) this.#recent?.push(row)
      this.#fill(this.#features)
      const predicted = this.#predict(m)
      for (let j = 0; j < m; j++) errors[j][i] = Math.abs(clip(row[j], this.#limit) - predicted[j])
      this.#recent?.push(row)
    }
    this.#worst.fit(errors)
  }

  /** Predictions of all metrics, four at a time: the features are then read once for four sums. */
  #predict(metrics: number): Float64Array {
    const d = this.#width(metrics)
    const w = this.#weights
    const f = this.#features
    const out = this.#predicted
    let j = 0
    for (; j + 3 < metrics; j += 4) {
      const at0 = j * d
      const at1 = at0 + d
      const at2 = at1 + d
      const at3 = at2 + d
      let a0 = 0
      let a1 = 0
      let a2 = 0
      let a3 = 0
      for (let k = 0; k < d; k++) {
        const x = f[k]
        a0 += w[at0 + k] * x
        a1 += w[at1 + k] * x
        a2 += w[at2 + k] * x
        a3 += w[at3 + k] * x
      }
      out[j] = a0
      out[j + 1] = a1
      out[j + 2] = a2
      out[j + 3] = a3
    }
    for (; j < metrics; j++) {
      let a = 0
      for (let k = 0; k < d; k++) a += w[j * d + k] * f[k]
      out[j] = a
    }
    return out
  }

  score(row: Float64Array, guilt: Float64Array): number {
    const recent = this.#recent
    if (!recent || !this.#worst.ready) return Number.NaN
    if (recent.empty) return 0
    this.#fill(this.#features)
    const predicted = this.#predict(recent.metrics)
    for (let j = 0; j < predicted.length; j++) this.#errors[j] = Math.abs(clip(row[j], this.#limit) - predicted[j])
    return this.#worst.score(this.#errors, guilt)
  }

  push(row: Float64Array): void {
    this.#recent?.push(row)
  }

  expected(out: Float64Array): void {
    const m = this.#recent?.metrics ?? 0
    if (m === 0 || this.#weights.length === 0) return
    this.#fill(this.#features)
    out.set(this.#predict(m))
  }

  save() {
    return {
      metrics: this.#recent?.metrics ?? 0,
      recent: this.#recent?.save(),
      weights: plain(this.#weights),
      worst: this.#worst.save(),
    }
  }
  load(state: ReturnType<RidgeForecast['save']>): void {
    if (!state.recent) return
    this.#start(state.metrics)
    this.#recent?.load(state.recent)
    this.#weights = Float64Array.from(state.weights)
    this.#worst.load(state.worst)
  }
}
