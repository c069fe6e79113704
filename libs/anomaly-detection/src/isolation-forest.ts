/** Isolation Forest (libs/learning) over a row and the mean of the last few: a level that rose is cut off even where each single value is common. */
import { IsolationForest, type IsolationForestOptions } from '@aegis/learning/isolation-forest'
import { RecentRows } from './recent-rows.ts'
import { clip, type RowModel, type Rows, rowOf } from './row-model.ts'

export interface RowForestOptions extends IsolationForestOptions {
  /** Rows in the mean. Default 5. */
  readonly span?: number
}
const LIMIT = 20

export class RowForest implements RowModel {
  readonly name = 'isolation-forest'
  readonly #forest: IsolationForest
  readonly #span: number
  #recent: RecentRows | undefined
  #features = new Float64Array(0)
  #hits = new Float64Array(0)

  constructor(options: RowForestOptions = {}) {
    this.#forest = new IsolationForest(options)
    this.#span = options.span ?? 5
  }

  #start(metrics: number): void {
    this.#recent = new RecentRows(metrics, LIMIT, [Math.max(1, this.#span - 1)])
    this.#features = new Float64Array(2 * metrics)
    this.#hits = new Float64Array(2 * metrics)
  }
  #fill(row: Float64Array, out: Float64Array): void {
    const recent = this.#recent as RecentRows
    const m = recent.metrics
    const near = recent.sum(0)
    for (let j = 0; j < m; j++) {
      const x = clip(row[j], LIMIT)
      out[j] = x
      out[m + j] = this.#span === 1 ? x : (near[j] + x) / this.#span
    }
  }

  fit(rows: Rows): void {
    this.#start(rows.metrics)
    const width = 2 * rows.metrics
    const all = Array.from({ length: rows.count }, () => new Float64Array(width))
    for (let i = 0; i < rows.count; i++) {
      const row = rowOf(rows, i)
      if (i === 0) this.#recent?.push(row)
      this.#fill(row, all[i])
      this.#recent?.push(row)
    }
    this.#forest.fit(all)
  }

  score(row: Float64Array, guilt: Float64Array): number {
    const recent = this.#recent
    if (!recent) return Number.NaN
    this.#fill(row, this.#features)
    const score = this.#forest.score(this.#features, this.#hits)
    const m = recent.metrics
    for (let j = 0; j < m; j++) guilt[j] = this.#hits[j] + this.#hits[m + j]
    return score
  }

  push(row: Float64Array): void {
    this.#recent?.push(row)
  }

  save() {
    return { metrics: this.#recent?.metrics ?? 0, recent: this.#recent?.save(), forest: this.#forest.save() }
  }
  load(state: ReturnType<RowForest['save']>): void {
    if (!state.recent) return
    this.#start(state.metrics)
    this.#recent?.load(state.recent)
    this.#forest.load(state.forest)
  }
}
