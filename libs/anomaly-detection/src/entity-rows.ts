/**
 * The recent rows of one entity, to be trained on: one number per metric and round, oldest first, columns by the names of the metrics. Bounded: the oldest rows
 * go, and metrics beyond the limit are left out. Kept as 32-bit floats, whose seven digits are more than a standardised number needs.
 */
import type { Rows } from './row-model.ts'

/** The newest rows of several like entities, one entity after the other, so many of each that there are no more than `most`; columns by their names. */
export function together(all: readonly EntityRows[], most: number): { readonly metrics: readonly string[]; readonly rows: Rows } {
  const metrics = [...new Set(all.flatMap(rows => [...rows.metrics]))]
  const values: Float64Array[] = []
  const times: number[] = []
  for (const one of all) {
    const table = one.table()
    const places = one.metrics.map(metric => metrics.indexOf(metric))
    for (let i = Math.max(0, table.count - Math.ceil(most / all.length)); i < table.count; i++) {
      const row = new Float64Array(metrics.length).fill(Number.NaN)
      places.forEach((place, j) => {
        row[place] = table.values[i * table.metrics + j]
      })
      values.push(row)
      times.push(table.times?.[i] ?? 0)
    }
  }
  const flat = new Float64Array(values.length * metrics.length)
  values.forEach((row, i) => {
    flat.set(row, i * metrics.length)
  })
  return { metrics, rows: { count: values.length, metrics: metrics.length, values: flat, times } }
}

/** Rows an entity of that many metrics is trained on at most: a week of minutes, and no more than a mebibyte of them. */
export const rowsKept = (metrics: number, history = 10_000): number =>
  Math.min(history, Math.max(300, Math.floor(2 ** 20 / (4 * Math.max(1, metrics)))))

export interface EntityRowsOptions {
  /** Rows kept, fewer of many metrics. Default 10,000. */
  readonly history?: number
  /** Metrics kept, the first ones seen. Default 200. */
  readonly metrics?: number
}

export class EntityRows {
  readonly #history: number
  readonly #most: number
  #columns = new Map<string, number>()
  #rows: Float32Array[] = []
  /** Time of the oldest row kept and of the newest, microseconds. */
  #times: number[] = []

  constructor(options: EntityRowsOptions = {}) {
    this.#history = options.history ?? 10_000
    this.#most = options.metrics ?? 200
  }

  get count(): number {
    return this.#rows.length
  }
  get metrics(): readonly string[] {
    return [...this.#columns.keys()]
  }
  get from(): number {
    return this.#times[0] ?? 0
  }
  get to(): number {
    return this.#times[this.#times.length - 1] ?? 0
  }
  /** Usual distance of two rows, seconds: the median, so that gaps and rows left out do not count. 0 with fewer than two rows. */
  get stepSeconds(): number {
    const steps = new Float64Array(Math.max(0, this.#times.length - 1))
    for (let i = 0; i < steps.length; i++) steps[i] = this.#times[i + 1] - this.#times[i]
    return steps.length === 0 ? 0 : steps.sort()[steps.length >> 1] / 1e6
  }

  add(time: number, values: readonly { readonly metric: string; readonly value: number }[]): void {
    for (const { metric } of values)
      if (!this.#columns.has(metric) && this.#columns.size < this.#most) this.#columns.set(metric, this.#columns.size)
    const row = new Float32Array(this.#columns.size).fill(Number.NaN)
    for (const { metric, value } of values) {
      const column = this.#columns.get(metric)
      if (column !== undefined) row[column] = value
    }
    // A past that is read back may come after the first rows of the present.
    let at = this.#times.length
    while (at > 0 && this.#times[at - 1] > time) at--
    this.#rows.splice(at, 0, row)
    this.#times.splice(at, 0, time)
    while (this.#rows.length > rowsKept(this.#columns.size, this.#history)) {
      this.#rows.shift()
      this.#times.shift()
    }
  }

  /** All rows as a table, with their times; NaN where a metric was not there. */
  table(): Rows {
    const metrics = this.#columns.size
    const values = new Float64Array(this.#rows.length * metrics).fill(Number.NaN)
    this.#rows.forEach((row, i) => {
      values.set(row, i * metrics)
    })
    return { count: this.#rows.length, metrics, values, times: this.#times.map(us => us / 1e6) }
  }

  save() {
    const metrics = this.#columns.size
    const values = new Float32Array(this.#rows.length * metrics).fill(Number.NaN)
    this.#rows.forEach((row, i) => {
      values.set(row, i * metrics)
    })
    return { columns: this.metrics, times: this.#times, values: Buffer.from(values.buffer).toString('base64') }
  }
  load(state: ReturnType<EntityRows['save']>): void {
    this.#columns = new Map(state.columns.map((metric, j) => [metric, j]))
    this.#times = [...state.times]
    const bytes = Uint8Array.from(Buffer.from(state.values, 'base64'))
    const values = new Float32Array(bytes.buffer)
    const metrics = this.#columns.size
    this.#rows = this.#times.map((_, i) => values.slice(i * metrics, (i + 1) * metrics))
  }
}
