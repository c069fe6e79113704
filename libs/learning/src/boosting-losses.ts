/** Losses of gradient boosting: where it starts, its slopes row by row, and its mean over rows. `raw` holds `outputs` sums a row, before the link. */

export const softmaxOf = (raw: Float64Array): Float64Array => {
  let most = Number.NEGATIVE_INFINITY
  for (const x of raw) if (x > most) most = x
  const p = raw.map(x => Math.exp(x - most))
  let sum = 0
  for (const x of p) sum += x
  return p.map(x => x / sum)
}

/** Value at the given share of the weight. */
const quantile = (values: ArrayLike<number>, share: number): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

export function startOf(
  loss: string,
  classes: number,
  outputs: number,
  targets: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  given?: number,
) {
  const n = targets.length
  let total = 0
  let sum = 0
  for (let i = 0; i < n; i++) total += weights?.[i] ?? 1
  if (loss === 'softmax') {
    const share = new Float64Array(classes).fill(1e-3)
    for (let i = 0; i < n; i++) share[targets[i]] += (weights?.[i] ?? 1) / Math.max(1e-12, total)
    const log = share.map(Math.log)
    return { base: outputs === 1 ? Float64Array.of(log[1] - log[0]) : log, delta: 0 }
  }
  if (loss === 'huber') {
    const middle = quantile(targets, 0.5)
    const delta =
      given ??
      quantile(
        Float64Array.from(targets, y => Math.abs(y - middle)),
        0.9,
      )
    return { base: Float64Array.of(middle), delta: delta > 0 ? delta : 1 }
  }
  for (let i = 0; i < n; i++) sum += (weights?.[i] ?? 1) * targets[i]
  return { base: Float64Array.of(total > 0 ? sum / total : 0), delta: 0 }
}

/** First and second derivatives of the loss, row by row. */
export function slopes(
  loss: string,
  outputs: number,
  raw: Float64Array,
  targets: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  delta: number,
  g: Float64Array,
  h: Float64Array,
): void {
  const n = targets.length
  for (let i = 0; i < n; i++) {
    const w = weights ? weights[i] : 1
    if (loss !== 'softmax') {
      const off = raw[i] - targets[i]
      g[i] = w * (loss === 'huber' ? Math.max(-delta, Math.min(delta, off)) : off)
      h[i] = w
    } else if (outputs === 1) {
      const p = 1 / (1 + Math.exp(-raw[i]))
      g[i] = w * (p - targets[i])
      h[i] = w * Math.max(p * (1 - p), 1e-16)
    } else {
      const at = i * outputs
      let most = raw[at]
      for (let k = 1; k < outputs; k++) if (raw[at + k] > most) most = raw[at + k]
      let sum = 0
      for (let k = 0; k < outputs; k++) sum += g[at + k] = Math.exp(raw[at + k] - most)
      for (let k = 0; k < outputs; k++) {
        const p = g[at + k] / sum
        g[at + k] = w * (p - (targets[i] === k ? 1 : 0))
        // Twice the diagonal bounds the full matrix, as in XGBoost.
        h[at + k] = w * Math.max(2 * p * (1 - p), 1e-16)
      }
    }
  }
}

export function lossOf(loss: string, outputs: number, raw: Float64Array, targets: ArrayLike<number>, delta: number): number {
  const n = targets.length
  let sum = 0
  for (let i = 0; i < n; i++) {
    if (loss !== 'softmax') {
      const off = Math.abs(raw[i] - targets[i])
      sum += loss === 'huber' && off > delta ? delta * (off - delta / 2) : (off * off) / 2
    } else if (outputs === 1) {
      const z = targets[i] === 1 ? raw[i] : -raw[i]
      sum += z > 0 ? Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z)) - z
    } else {
      const at = i * outputs
      let most = raw[at]
      for (let k = 1; k < outputs; k++) if (raw[at + k] > most) most = raw[at + k]
      let total = 0
      for (let k = 0; k < outputs; k++) total += Math.exp(raw[at + k] - most)
      sum += Math.log(total) + most - raw[at + targets[i]]
    }
  }
  return n > 0 ? sum / n : 0
}
