/**
 * Sub-PCA: a row with its recent means is projected on the directions that carry most of normal life; what is left over is strange.
 *
 * Shyu et al. 2003, "A Novel Anomaly Detection Scheme Based on Principal Component Classifier", over subsequences as in Aggarwal 2017. Ours stands for
 * the subsequence by three numbers per metric (now, the mean of the last few, the mean of the few before), which costs a tenth of the full window, and
 * hears what is left over metric by metric: surprises on each metric's own scale, the mean of the largest, none of them loud alone.
 */
import { eigen, gram } from '@aegis/learning/linear-algebra'
import { RecentRows } from './recent-rows.ts'
import { clip, plain, type RowModel, type Rows, rowOf } from './row-model.ts'
import { WorstMetrics } from './worst-metrics.ts'

export interface SubPcaOptions {
  /** Rows per mean. Default 5. */
  readonly span?: number
  /** Share of the energy that the kept directions carry. Default 0.9. */
  readonly keep?: number
  /** Standardised values beyond this are cut. Default 20. */
  readonly limit?: number
}

export class SubPca implements RowModel {
  readonly name = 'sub-pca'
  readonly #span: number
  readonly #keep: number
  readonly #limit: number
  readonly #worst = new WorstMetrics({ worst: 15, cap: 10 })
  #recent: RecentRows | undefined
  #kept = 0
  #vectors = new Float64Array(0)
  #features = new Float64Array(0)
  #rest = new Float64Array(0)
  #errors = new Float64Array(0)

  constructor(options: SubPcaOptions = {}) {
    this.#span = options.span ?? 5
    this.#keep = options.keep ?? 0.9
    this.#limit = options.limit ?? 20
  }

  #start(metrics: number): void {
    // Sums of the last span-1 rows, 2·span-1 rows: with the row at hand they give both means.
    this.#recent = new RecentRows(metrics, this.#limit, [Math.max(1, this.#span - 1), 2 * this.#span - 1])
    this.#features = new Float64Array(3 * metrics)
    this.#rest = new Float64Array(3 * metrics)
    this.#errors = new Float64Array(metrics)
  }

  #fill(row: Float64Array, out: Float64Array): void {
    const recent = this.#recent as RecentRows
    const m = recent.metrics
    const near = recent.sum(0)
    const far = recent.sum(1)
    for (let j = 0; j < m; j++) {
      const x = clip(row[j], this.#limit)
      const last = this.#span === 1 ? 0 : near[j]
      out[j] = x
      out[m + j] = (last + x) / this.#span
      out[2 * m + j] = (far[j] - last) / this.#span
    }
  }

  fit(rows: Rows): void {
    this.#start(rows.metrics)
    const d = 3 * rows.metrics
    const sums = gram(rows.count, d, (i, f) => {
      const row = rowOf(rows, i)
      if (i === 0) this.#recent?.push(row)
      this.#fill(row, f)
      this.#recent?.push(row)
    })
    const { values, vectors } = eigen(
      sums.map(v => v / rows.count),
      d,
    )
    const total = values.reduce((a, b) => a + b, 0)
    let energy = 0
    this.#kept = 0
    while (this.#kept < d && energy < this.#keep * total) energy += values[this.#kept++]
    this.#vectors = vectors.slice(0, this.#kept * d)
    const errors = Array.from({ length: rows.metrics }, () => new Float64Array(rows.count))
    this.#start(rows.metrics)
    for (let i = 0; i < rows.count; i++) {
      const row = rowOf(rows, i)
      if (i === 0) this.#recent?.push(row)
      this.#leaveOver(row)
      for (let j = 0; j < rows.metrics; j++) errors[j][i] = this.#errors[j]
      this.#recent?.push(row)
    }
    this.#worst.fit(errors)
  }

  /** How much of each metric is left over, into `#errors`. */
  #leaveOver(row: Float64Array): void {
    const m = row.length
    const d = 3 * m
    const f = this.#features
    const rest = this.#rest
    this.#fill(row, f)
    rest.set(f)
    const v = this.#vectors
    for (let k = 0; k < this.#kept; k++) {
      const at = k * d
      let a = 0
      for (let i = 0; i < d; i++) a += v[at + i] * f[i]
      for (let i = 0; i < d; i++) rest[i] -= a * v[at + i]
    }
    for (let j = 0; j < m; j++)
      this.#errors[j] = Math.sqrt(rest[j] * rest[j] + rest[m + j] * rest[m + j] + rest[2 * m + j] * rest[2 * m + j])
  }

  score(row: Float64Array, guilt: Float64Array): number {
    if (!this.#recent || !this.#worst.ready) return Number.NaN
    if (this.#recent.empty) return 0
    this.#leaveOver(row)
    return this.#worst.score(this.#errors, guilt)
  }

  push(row: Float64Array): void {
    this.#recent?.push(row)
  }

  save() {
    return {
      metrics: this.#recent?.metrics ?? 0,
      recent: this.#recent?.save(),
      kept: this.#kept,
      vectors: plain(this.#vectors),
      worst: this.#worst.save(),
    }
  }
  load(state: ReturnType<SubPca['save']>): void {
    if (!state.recent) return
    this.#start(state.metrics)
    this.#recent?.load(state.recent)
    this.#kept = state.kept
    this.#vectors = Float64Array.from(state.vectors)
    // Models published before metrics were heard one by one say nothing here; the next training mends that.
    this.#worst.load(state.worst ?? [])
  }
}
