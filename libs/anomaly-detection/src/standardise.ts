/** Mean and spread per metric, learned once from rows; numbers then count in spreads from the mean. */
import type { Rows } from './row-model.ts'

export interface Scale {
  readonly mean: Float64Array
  readonly spread: Float64Array
}

/** NaN is skipped. A metric that never moved gets a spread of a thousandth of its size, so that its first move is strange whatever its unit. */
export function scaleOf(rows: Rows): Scale {
  const { count, metrics, values } = rows
  const mean = new Float64Array(metrics)
  const spread = new Float64Array(metrics)
  for (let j = 0; j < metrics; j++) {
    let sum = 0
    let n = 0
    for (let i = 0; i < count; i++) {
      const x = values[i * metrics + j]
      if (!Number.isFinite(x)) continue
      sum += x
      n++
    }
    const middle = n > 0 ? sum / n : 0
    let squares = 0
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let i = 0; i < count; i++) {
      const x = values[i * metrics + j]
      if (!Number.isFinite(x)) continue
      squares += (x - middle) ** 2
      if (x < low) low = x
      if (x > high) high = x
    }
    mean[j] = middle
    const deviation = n > 1 ? Math.sqrt(squares / n) : 0
    spread[j] = Math.max(deviation, n > 1 ? 0.015 * (high - low) : 0, 1e-3 * Math.abs(middle), 1e-9)
  }
  return { mean, spread }
}

export function standardise(row: ArrayLike<number>, { mean, spread }: Scale, out: Float64Array): Float64Array {
  for (let j = 0; j < out.length; j++) out[j] = (row[j] - mean[j]) / spread[j]
  return out
}

/** All rows; what is missing is as it was before. */
export function standardiseRows(rows: Rows, scale: Scale): Rows {
  const { count, metrics } = rows
  const values = new Float64Array(rows.values.length)
  for (let i = 0; i < count; i++) {
    const at = i * metrics
    standardise(rows.values.subarray(at, at + metrics), scale, values.subarray(at, at + metrics))
    for (let j = 0; j < metrics; j++) if (!Number.isFinite(values[at + j])) values[at + j] = i > 0 ? values[at + j - metrics] : 0
  }
  return { ...rows, values }
}
