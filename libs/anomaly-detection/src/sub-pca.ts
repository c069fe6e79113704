/**
 * Sub-PCA: a row with its recent means is projected on the directions that carry most of normal life; what is left over is strange.
 *
 * Shyu et al. 2003, "A Novel Anomaly Detection Scheme Based on Principal Component Classifier", over subsequences as in Aggarwal 2017. Ours stands for
 * the subsequence by three numbers per metric (now, the mean of the last few, the mean of the few before), which costs a tenth of the full window.
 */
import { eigen, gram } from './linear-algebra.ts'
import { RecentRows } from './recent-rows.ts'
import { clip, plain, type RowModel, type Rows, rowOf } from './row-model.ts'

export interface SubPcaOptions {
  /** Rows per mean. Default 5. */
  readonly span?: number
  /** Share of the energy that the kept directions carry. Default 0.9. */
  readonly keep?: number
  /** Standardised values beyond this are cut. Default 8. */
  readonly limit?: number
}

export class SubPca implements RowModel {
  readonly name = 'sub-pca'
  readonly #span: number
  readonly #keep: number
  readonly #limit: number
  #recent: RecentRows | undefined
  #kept = 0
  #vectors = new Float64Array(0)
  #features = new Float64Array(0)
  #rest = new Float64Array(0)

  constructor(options: SubPcaOptions = {}) {
    this.#span = options.span ?? 5
    this.#keep = options.keep ?? 0.9
    this.#limit = options.limit ?? 8
  }

  #start(metrics: number): void {
    // Sums of the last span-1 rows, 2·span-1 rows: with the row at hand they give both means.
    this.#recent = new RecentRows(metrics, this.#limit, [Math.max(1, this.#span - 1), 2 * this.#span - 1])
    this.#features = new Float64Array(3 * metrics)
    this.#rest = new Float64Array(3 * metrics)
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
  }

  score(row: Float64Array, guilt: Float64Array): number {
    const recent = this.#recent
    if (!recent || this.#kept === 0) return Number.NaN
    if (recent.empty) return 0
    const m = recent.metrics
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
    let sum = 0
    for (let j = 0; j < m; j++) {
      const g = rest[j] * rest[j] + rest[m + j] * rest[m + j] + rest[2 * m + j] * rest[2 * m + j]
      guilt[j] = Math.sqrt(g)
      sum += g
    }
    return Math.sqrt(sum)
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
    }
  }
  load(state: ReturnType<SubPca['save']>): void {
    if (!state.recent) return
    this.#start(state.metrics)
    this.#recent?.load(state.recent)
    this.#kept = state.kept
    this.#vectors = Float64Array.from(state.vectors)
  }
}
