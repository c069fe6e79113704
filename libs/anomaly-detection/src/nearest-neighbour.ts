/**
 * Streaming nearest neighbour: how far the last `span` rows lie from the most similar stretch of the past that does not overlap them.
 *
 * The left matrix profile of Yeh et al. 2016, "Matrix Profile I", with the diagonal recurrence of STOMP (Zhu et al. 2016): the distance of two stretches
 * follows from that of the stretches one row earlier, so a row costs one pass over the past, whatever the span. Ours does not normalise each
 * stretch: in operations the level is part of what is strange.
 */
import { clip, plain, type RowModel, type Rows, rowOf } from './row-model.ts'

export interface NearestNeighbourOptions {
  /** Rows in a stretch. Default 50. */
  readonly span?: number
  /** Rows of the past held. Default 3000. */
  readonly history?: number
  /** Standardised values beyond this are cut. Default 20. */
  readonly limit?: number
}

export class NearestNeighbour implements RowModel {
  readonly name = 'nearest-neighbour'
  readonly #span: number
  readonly #history: number
  readonly #limit: number
  #metrics = 0
  /** The past, oldest first; when full, the first half is dropped. */
  #past = new Float64Array(0)
  #count = 0
  /** For each row of the past: squared distance of the stretch that ends there from the one that ends now. */
  #distances = new Float64Array(0)
  #next = new Float64Array(0)

  constructor(options: NearestNeighbourOptions = {}) {
    this.#span = options.span ?? 50
    this.#history = options.history ?? 3000
    this.#limit = options.limit ?? 20
  }

  #start(metrics: number): void {
    this.#metrics = metrics
    const room = this.#history + (this.#history >> 1)
    this.#past = new Float64Array(room * metrics)
    this.#distances = new Float64Array(room)
    this.#next = new Float64Array(room)
    this.#count = 0
  }

  fit(rows: Rows): void {
    this.#start(rows.metrics)
    for (let i = Math.max(0, rows.count - this.#history); i < rows.count; i++) this.#append(rowOf(rows, i))
    this.#sum()
  }

  /** Distances from scratch; the recurrence goes on from there. */
  #sum(): void {
    for (let i = 0; i < this.#count; i++) {
      let sum = 0
      for (let back = 0; back < this.#span && back <= i; back++) sum += this.#between(this.#count - 1 - back, i - back)
      this.#distances[i] = sum
    }
  }

  #append(row: Float64Array): void {
    const m = this.#metrics
    for (let j = 0; j < m; j++) this.#past[this.#count * m + j] = clip(row[j], this.#limit)
    this.#count++
  }

  #between(a: number, b: number): number {
    const m = this.#metrics
    let sum = 0
    for (let j = 0; j < m; j++) {
      const e = this.#past[a * m + j] - this.#past[b * m + j]
      sum += e * e
    }
    return sum
  }

  /** Writes the distances as they are once `row` has come into `#next`; returns where the least lies, or -1. */
  #advance(row: Float64Array): number {
    const n = this.#count
    const m = this.#metrics
    const w = this.#span
    const past = this.#past
    const leaving = n - w
    let best = Number.POSITIVE_INFINITY
    let at = -1
    for (let i = n - 1; i >= 0; i--) {
      let sum = i > 0 ? this.#distances[i - 1] : 0
      for (let j = 0; j < m; j++) {
        const e = clip(row[j], this.#limit) - past[i * m + j]
        sum += e * e
      }
      if (leaving >= 0 && i - w >= 0) sum -= this.#between(leaving, i - w)
      this.#next[i] = Math.max(sum, 0)
      if (sum < best && i >= w - 1 && i <= n - w) {
        best = sum
        at = i
      }
    }
    return at
  }

  score(row: Float64Array, guilt: Float64Array): number {
    guilt.fill(0)
    if (this.#metrics === 0 || this.#count < 3 * this.#span) return Number.NaN
    const at = this.#advance(row)
    if (at < 0) return Number.NaN
    const m = this.#metrics
    for (let back = 0; back < this.#span; back++)
      for (let j = 0; j < m; j++) {
        const now = back === 0 ? clip(row[j], this.#limit) : this.#past[(this.#count - back) * m + j]
        const e = now - this.#past[(at - back) * m + j]
        guilt[j] += e * e
      }
    for (let j = 0; j < m; j++) guilt[j] = Math.sqrt(guilt[j] / this.#span)
    return Math.sqrt(this.#next[at] / this.#span)
  }

  push(row: Float64Array): void {
    if (this.#metrics === 0) return
    this.#advance(row)
    const swap = this.#distances
    this.#distances = this.#next
    this.#next = swap
    this.#append(row)
    this.#distances[this.#count - 1] = 0
    if (this.#count * this.#metrics < this.#past.length) return
    const drop = this.#history >> 1
    this.#past.copyWithin(0, drop * this.#metrics, this.#count * this.#metrics)
    this.#count -= drop
    this.#sum()
  }

  save() {
    return {
      metrics: this.#metrics,
      past: plain(this.#past.subarray(0, this.#count * this.#metrics)),
      distances: plain(this.#distances.subarray(0, this.#count)),
    }
  }
  load(state: ReturnType<NearestNeighbour['save']>): void {
    if (state.metrics === 0) return
    this.#start(state.metrics)
    this.#past.set(state.past)
    this.#distances.set(state.distances)
    this.#count = state.distances.length
  }
}
