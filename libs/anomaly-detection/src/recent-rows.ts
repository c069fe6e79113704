import { clip } from './row-model.ts'

/** The last rows of an entity, clipped, with running sums over chosen spans. A row before the first is taken to equal the first. */
export class RecentRows {
  readonly metrics: number
  readonly #depth: number
  readonly #limit: number
  readonly #spans: readonly number[]
  readonly #rows: Float64Array
  readonly #sums: Float64Array[]
  #next = 0
  #pushed = 0

  constructor(metrics: number, limit: number, spans: readonly number[], depth = 1) {
    this.metrics = metrics
    this.#limit = limit
    this.#spans = spans
    this.#depth = Math.max(depth, ...spans)
    this.#rows = new Float64Array(this.#depth * metrics)
    this.#sums = spans.map(() => new Float64Array(metrics))
  }

  get empty(): boolean {
    return this.#pushed === 0
  }
  /** Where the row of `back` pushes ago starts in `rows`; 1 is the last. */
  at(back: number): number {
    return ((this.#next - back + 2 * this.#depth) % this.#depth) * this.metrics
  }
  get rows(): Float64Array {
    return this.#rows
  }
  /** Sum of the last rows of a span, by its place in the list of spans. */
  sum(span: number): Float64Array {
    return this.#sums[span]
  }

  push(row: Float64Array): void {
    const { metrics } = this
    if (this.#pushed === 0) {
      for (let d = 0; d < this.#depth; d++)
        for (let j = 0; j < metrics; j++) this.#rows[d * metrics + j] = clip(row[j], this.#limit)
      this.#resum()
    }
    for (let s = 0; s < this.#spans.length; s++) {
      const sum = this.#sums[s]
      const out = this.at(this.#spans[s])
      for (let j = 0; j < metrics; j++) sum[j] += clip(row[j], this.#limit) - this.#rows[out + j]
    }
    const at = this.#next * metrics
    for (let j = 0; j < metrics; j++) this.#rows[at + j] = clip(row[j], this.#limit)
    this.#next = (this.#next + 1) % this.#depth
    // Running sums gather rounding errors; start them afresh now and then.
    if (++this.#pushed % 4096 === 0) this.#resum()
  }

  #resum(): void {
    for (let s = 0; s < this.#spans.length; s++) {
      const sum = this.#sums[s].fill(0)
      for (let back = 1; back <= this.#spans[s]; back++) {
        const at = this.at(back)
        for (let j = 0; j < this.metrics; j++) sum[j] += this.#rows[at + j]
      }
    }
  }

  save() {
    return {
      rows: Array.from(this.#rows),
      sums: this.#sums.map(s => Array.from(s)),
      next: this.#next,
      pushed: this.#pushed,
    }
  }
  load(state: ReturnType<RecentRows['save']>): void {
    this.#rows.set(state.rows)
    state.sums.forEach((s, i) => {
      this.#sums[i].set(s)
    })
    this.#next = state.next
    this.#pushed = state.pushed
  }
}
