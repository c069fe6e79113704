/**
 * K-means windows: how far a row and the mean of the last few lie from the nearest of the states normal life was seen in.
 *
 * Lloyd 1982, "Least Squares Quantization in PCM", on subsequences as in Yairi et al. 2001. Ours starts from rows spread evenly over time, so the
 * result needs no randomness, and stands for the subsequence by now and the recent mean.
 */
import { RecentRows } from './recent-rows.ts'
import { clip, plain, type RowModel, type Rows, rowOf } from './row-model.ts'

export interface KMeansOptions {
  /** Number of states. Default 64. */
  readonly states?: number
  /** Rows in the mean. Default 5. */
  readonly span?: number
  /** Rounds of Lloyd's algorithm. Default 6. */
  readonly rounds?: number
  /** Standardised values beyond this are cut. Default 6. */
  readonly limit?: number
}

export class KMeansWindows implements RowModel {
  readonly name = 'k-means'
  readonly #states: number
  readonly #span: number
  readonly #rounds: number
  readonly #limit: number
  #recent: RecentRows | undefined
  #centres = new Float64Array(0)
  #count = 0
  #features = new Float64Array(0)
  #nearest = 0

  constructor(options: KMeansOptions = {}) {
    this.#states = options.states ?? 64
    this.#span = options.span ?? 5
    this.#rounds = options.rounds ?? 6
    this.#limit = options.limit ?? 6
  }

  #start(metrics: number): void {
    this.#recent = new RecentRows(metrics, this.#limit, [Math.max(1, this.#span - 1)])
    this.#features = new Float64Array(2 * metrics)
  }
  #fill(row: Float64Array, out: Float64Array): void {
    const recent = this.#recent as RecentRows
    const m = recent.metrics
    const near = recent.sum(0)
    for (let j = 0; j < m; j++) {
      const x = clip(row[j], this.#limit)
      out[j] = x
      out[m + j] = this.#span === 1 ? x : (near[j] + x) / this.#span
    }
  }

  /** Squared distance to the nearest centre, which is remembered. A row is given up as soon as it is farther than the best so far. */
  #distance(f: Float64Array, at: number): number {
    const d = this.#features.length
    const c = this.#centres
    let best = Number.POSITIVE_INFINITY
    const first = this.#nearest
    for (let n = -1; n < this.#count; n++) {
      // The last answer is tried first: rows change slowly.
      const k = n < 0 ? first : n
      if (n === first) continue
      const start = k * d
      let sum = 0
      for (let i = 0; i < d; ) {
        const end = Math.min(d, i + 16)
        for (; i < end; i++) {
          const e = f[at + i] - c[start + i]
          sum += e * e
        }
        if (sum >= best) break
      }
      if (sum < best) {
        best = sum
        this.#nearest = k
      }
    }
    return best
  }

  fit(rows: Rows): void {
    this.#start(rows.metrics)
    const d = 2 * rows.metrics
    const all = new Float64Array(rows.count * d)
    for (let i = 0; i < rows.count; i++) {
      const row = rowOf(rows, i)
      if (i === 0) this.#recent?.push(row)
      this.#fill(row, all.subarray(i * d, (i + 1) * d))
      this.#recent?.push(row)
    }
    this.#count = Math.min(this.#states, rows.count)
    this.#centres = new Float64Array(this.#count * d)
    for (let k = 0; k < this.#count; k++) {
      const i = Math.floor(((k + 0.5) * rows.count) / this.#count)
      this.#centres.set(all.subarray(i * d, (i + 1) * d), k * d)
    }
    const stride = Math.max(1, Math.floor(rows.count / 8000))
    this.#nearest = 0
    for (let round = 0; round < this.#rounds; round++) {
      const sums = new Float64Array(this.#count * d)
      const sizes = new Float64Array(this.#count)
      for (let i = round % stride; i < rows.count; i += stride) {
        this.#distance(all, i * d)
        const k = this.#nearest
        sizes[k]++
        for (let j = 0; j < d; j++) sums[k * d + j] += all[i * d + j]
      }
      for (let k = 0; k < this.#count; k++)
        if (sizes[k] > 0) for (let j = 0; j < d; j++) this.#centres[k * d + j] = sums[k * d + j] / sizes[k]
    }
    this.#nearest = 0
  }

  score(row: Float64Array, guilt: Float64Array): number {
    const recent = this.#recent
    if (!recent || this.#count === 0) return Number.NaN
    if (recent.empty) return 0
    this.#fill(row, this.#features)
    const distance = this.#distance(this.#features, 0)
    const m = recent.metrics
    const start = this.#nearest * 2 * m
    for (let j = 0; j < m; j++)
      guilt[j] = Math.hypot(this.#features[j] - this.#centres[start + j], this.#features[m + j] - this.#centres[start + m + j])
    return Math.sqrt(distance)
  }

  push(row: Float64Array): void {
    this.#recent?.push(row)
  }

  save() {
    return {
      metrics: this.#recent?.metrics ?? 0,
      recent: this.#recent?.save(),
      centres: plain(this.#centres),
      count: this.#count,
    }
  }
  load(state: ReturnType<KMeansWindows['save']>): void {
    if (!state.recent) return
    this.#start(state.metrics)
    this.#recent?.load(state.recent)
    this.#centres = Float64Array.from(state.centres)
    this.#count = state.count
    this.#nearest = 0
  }
}
