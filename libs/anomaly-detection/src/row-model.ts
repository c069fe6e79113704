/**
 * What a detector of one entity is made of: a model of its rows. A row holds one standardised number per metric; a model learns from many rows,
 * then says of each new one how strange it is and which metrics are to blame. `train-entity.ts` learns one, `entity-model.ts` puts it to work.
 */

import type { LayersModel } from '@tensorflow/tfjs'

/** Rows in order, one after the other in `values`. */
export interface Rows {
  readonly count: number
  readonly metrics: number
  readonly values: Float64Array
  /** When each row was, seconds; absent where nobody knows. */
  readonly times?: ArrayLike<number>
}

export interface RowModel {
  readonly name: string
  /** Learns from rows taken as mostly normal, and ends as if they had all been pushed. */
  fit(rows: Rows): void
  /** When the next row scored or pushed is, seconds; for models that know of days. */
  at?(seconds: number): void
  /** How strange the row is, given those pushed before it. Writes the share of each metric into `guilt`. Changes nothing that can be seen. */
  score(row: Float64Array, guilt: Float64Array): number
  /** The row has happened: the next one is judged in its light. */
  push(row: Float64Array): void
  /** The rows that will come, in order: a model that is cheaper in batches may score them at once. Each is still scored from its own past only. */
  foresee?(rows: Rows): void
  /** Whether the expected value of each metric is known before its row; written into `out`. */
  expected?(out: Float64Array): void
  /** The networks inside, where there are any. */
  readonly networks?: readonly LayersModel[]
  /** Parameters and recent rows, as plain data. */
  save(): unknown
  load(state: unknown): void
}

export const rowOf = (rows: Rows, index: number): Float64Array =>
  rows.values.subarray(index * rows.metrics, (index + 1) * rows.metrics)

/** Pushes and scores every row in turn: what a model would have said, had it been there. */
export function replay(model: RowModel, rows: Rows, onScore?: (index: number, guilt: Float64Array) => void): Float64Array {
  model.foresee?.(rows)
  const scores = new Float64Array(rows.count)
  const guilt = new Float64Array(rows.metrics)
  for (let i = 0; i < rows.count; i++) {
    const row = rowOf(rows, i)
    if (rows.times) model.at?.(rows.times[i])
    scores[i] = model.score(row, guilt)
    onScore?.(i, guilt)
    model.push(row)
  }
  return scores
}

export const clip = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value))

/** Typed arrays as plain data for snapshots. */
export const plain = (values: ArrayLike<number>): number[] => Array.from(values)

/** Weights as 32-bit floats in base64: a third of their size as decimal digits. */
export const packFloats = (values: ArrayLike<number>): string => Buffer.from(Float32Array.from(values).buffer).toString('base64')
export const unpackFloats = (text: string): Float32Array => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer)
