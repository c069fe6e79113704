/** Whether two samples are of one distribution, without knowing which. */

/**
 * Kolmogorov-Smirnov for two samples: the largest distance of their distribution functions, and the chance of so much under no change. `shareA` and `shareB` are how much of
 * each sample counts as independent: values that follow one another say less than their number (see `independentShare`). Asymptotic with the correction of Stephens 1970;
 * ties make it cautious.
 */
export function kolmogorovSmirnov(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  shareA = 1,
  shareB = 1,
): { readonly distance: number; readonly p: number } {
  if (a.length === 0 || b.length === 0) return { distance: 0, p: 1 }
  const [x, y] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()]
  let [i, j, distance] = [0, 0, 0]
  while (i < x.length && j < y.length) {
    const at = Math.min(x[i] as number, y[j] as number)
    while (i < x.length && (x[i] as number) <= at) i++
    while (j < y.length && (y[j] as number) <= at) j++
    distance = Math.max(distance, Math.abs(i / x.length - j / y.length))
  }
  const [n, m] = [a.length * shareA, b.length * shareB]
  const root = Math.sqrt((n * m) / (n + m))
  return { distance, p: kolmogorovTail((root + 0.12 + 0.11 / root) * distance) }
}
/** P(K > t) of Kolmogorov's distribution. */
function kolmogorovTail(t: number): number {
  if (t < 0.2) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) {
    const term = (k % 2 ? 2 : -2) * Math.exp(-2 * k * k * t * t)
    sum += term
    if (Math.abs(term) < 1e-16) break
  }
  return Math.min(1, Math.max(0, sum))
}

/**
 * Whether a sample lies higher or lower as a whole than another: the mean rank of its values there, two-sided (Mann and Whitney 1947, by the normal curve; ranks are bounded, so
 * that it holds far out as well). Sharper than the distance of the distribution functions where values move together.
 * @param sorted reference, rising
 */
export function rankShift(sorted: ArrayLike<number>, values: ArrayLike<number>, shareA = 1, shareB = 1): number {
  if (sorted.length === 0 || values.length === 0) return 1
  /** How many of the reference are below, or not above. */
  const count = (value: number, orEqual: boolean): number => {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const at = sorted[middle] as number
      if (at < value || (orEqual && at === value)) low = middle + 1
      else high = middle
    }
    return low
  }
  let sum = 0
  for (let i = 0; i < values.length; i++)
    sum += (count(values[i] as number, false) + count(values[i] as number, true)) / 2 / sorted.length - 0.5
  const [n, m] = [sorted.length * shareA, values.length * shareB]
  const z = Math.abs(sum / values.length) * Math.sqrt((12 * n * m) / (n + m))
  return Math.min(1, 2 * upperTail(z))
}
/** P(Z > z) of the normal distribution, for z from 0 on: right to many digits far out too. Continued fraction of Laplace; near the middle a series. */
function upperTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  if (z > 2.5) {
    let fraction = z
    for (let k = 60; k >= 1; k--) fraction = z + k / fraction
    return density / fraction
  }
  let [term, sum] = [z, z]
  for (let k = 1; k < 60; k++) sum += term *= (z * z) / (2 * k + 1)
  return 0.5 - density * sum
}

/**
 * How much of a series counts as independent: 1 for noise, less where each value resembles the one before it. From the autocorrelation of lag 1, as for a process of first
 * order (Bartlett 1935): (1 - r) / (1 + r).
 */
export function independentShare(series: ArrayLike<number>): number {
  const n = series.length
  if (n < 3) return 1
  let mean = 0
  for (let i = 0; i < n; i++) mean += (series[i] as number) / n
  let [with1, own] = [0, 0]
  for (let i = 0; i < n; i++) {
    own += ((series[i] as number) - mean) ** 2
    if (i > 0) with1 += ((series[i] as number) - mean) * ((series[i - 1] as number) - mean)
  }
  const r = own > 0 ? Math.min(0.99, Math.max(0, with1 / own)) : 0
  return (1 - r) / (1 + r)
}

/** Upper edges of bins that hold about as many values each; fewer where values repeat. */
export function quantileEdges(reference: ArrayLike<number>, bins = 10): number[] {
  const sorted = Float64Array.from(reference).sort()
  const edges = Array.from({ length: bins - 1 }, (_, k) => sorted[Math.floor(((k + 1) * sorted.length) / bins)] as number)
  return [...new Set(edges)]
}
/** Population stability index over given bins: under .1 is calm, over .25 another population. Empty bins count half a value. */
export function stabilityIndex(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  edges = quantileEdges(reference),
): number {
  const shares = (values: ArrayLike<number>): number[] => {
    const counts = new Array<number>(edges.length + 1).fill(0.5)
    for (let i = 0; i < values.length; i++) {
      let bin = 0
      while (bin < edges.length && (values[i] as number) > (edges[bin] as number)) bin++
      counts[bin] = (counts[bin] as number) + 1
    }
    const all = values.length + 0.5 * counts.length
    return counts.map(c => c / all)
  }
  if (reference.length === 0 || current.length === 0) return 0
  const [before, after] = [shares(reference), shares(current)]
  return after.reduce((sum, share, k) => sum + (share - (before[k] as number)) * Math.log(share / (before[k] as number)), 0)
}

/** Which of many tests stand when at most a share `q` of those that stand may be chance. Benjamini and Hochberg 1995. */
export function falseDiscoveries(ps: readonly number[], q = 0.05): boolean[] {
  const order = ps.map((p, i) => [p, i] as const).sort((a, b) => a[0] - b[0])
  let last = -1
  for (const [rank, [p]] of order.entries()) if (p <= ((rank + 1) * q) / ps.length) last = rank
  const stands = new Array<boolean>(ps.length).fill(false)
  for (const [, i] of order.slice(0, last + 1)) stands[i] = true
  return stands
}
