/**
 * Chances that mean what they say. Temperature: all logits divided by one number (Guo et al. 2017, "On calibration of modern neural networks"). Isotonic:
 * a rising step line per class by pooling adjacent violators (Zadrozny and Elkan 2002), shares made to add up to 1.
 */
import { softmaxOf } from './boosting-losses.ts'

const logits = (chances: ArrayLike<number>): Float64Array => Float64Array.from(chances, p => Math.log(Math.max(1e-12, p)))

/** The number that logits are divided by: least mean log loss by golden-section search over its logarithm, from 1/20 to 20. 1 where there is nothing to learn from. */
export function fitTemperature(chances: readonly ArrayLike<number>[], targets: ArrayLike<number>): number {
  if (chances.length === 0) return 1
  const rows = chances.map(logits)
  const loss = (log: number): number => {
    const t = Math.exp(log)
    let sum = 0
    rows.forEach((row, i) => {
      sum -= Math.log(Math.max(1e-12, softmaxOf(row.map(x => x / t))[targets[i]]))
    })
    return sum
  }
  const golden = (Math.sqrt(5) - 1) / 2
  let [low, high] = [-Math.log(20), Math.log(20)]
  let [a, b] = [high - golden * (high - low), low + golden * (high - low)]
  let [lossA, lossB] = [loss(a), loss(b)]
  for (let i = 0; i < 40; i++)
    if (lossA <= lossB) {
      ;[high, b, lossB] = [b, a, lossA]
      a = high - golden * (high - low)
      lossA = loss(a)
    } else {
      ;[low, a, lossA] = [a, b, lossB]
      b = low + golden * (high - low)
      lossB = loss(b)
    }
  return Math.exp((low + high) / 2)
}
export const temper = (chances: ArrayLike<number>, temperature: number): Float64Array =>
  softmaxOf(logits(chances).map(x => x / temperature))

/** Steps of a rising line: from x on it is y; between steps it is drawn straight, as in scikit-learn. */
export interface IsotonicLine {
  readonly x: readonly number[]
  readonly y: readonly number[]
}
/** Weighted least squares among all rising functions. */
export function fitIsotonic(xs: ArrayLike<number>, ys: ArrayLike<number>): IsotonicLine {
  const order = Array.from({ length: xs.length }, (_, i) => i).sort((a, b) => xs[a] - xs[b])
  const pools: { from: number; to: number; sum: number; weight: number }[] = []
  for (const i of order) {
    const last = pools.at(-1)
    if (last && last.to === xs[i] && last.from === xs[i]) {
      last.sum += ys[i]
      last.weight++
    } else pools.push({ from: xs[i], to: xs[i], sum: ys[i], weight: 1 })
  }
  const merged: typeof pools = []
  for (const pool of pools) {
    merged.push({ ...pool })
    for (
      let [a, b] = [merged.at(-2), merged.at(-1)!];
      a && a.sum / a.weight >= b.sum / b.weight;
      [a, b] = [merged.at(-2), merged.at(-1)!]
    ) {
      merged.pop()
      a.to = b.to
      a.sum += b.sum
      a.weight += b.weight
    }
  }
  const [x, y]: [number[], number[]] = [[], []]
  for (const { from, to, sum, weight } of merged) {
    x.push(from)
    y.push(sum / weight)
    if (to !== from) {
      x.push(to)
      y.push(sum / weight)
    }
  }
  return { x, y }
}
export function isotonicAt({ x, y }: IsotonicLine, at: number): number {
  if (x.length === 0) return at
  if (at <= x[0]) return y[0]
  for (let i = 1; i < x.length; i++) if (at <= x[i]) return y[i - 1] + ((y[i] - y[i - 1]) * (at - x[i - 1])) / (x[i] - x[i - 1])
  return y[y.length - 1]
}
/** A line per class, one against the rest. */
export const fitIsotonicClasses = (chances: readonly ArrayLike<number>[], targets: ArrayLike<number>): readonly IsotonicLine[] =>
  Array.from({ length: chances[0]?.length ?? 0 }, (_, k) =>
    fitIsotonic(
      chances.map(p => p[k]),
      Float64Array.from(targets, y => (y === k ? 1 : 0)),
    ),
  )
export const isotonicChances = (lines: readonly IsotonicLine[], chances: ArrayLike<number>): Float64Array => {
  const p = Float64Array.from(lines, (line, k) => isotonicAt(line, chances[k]))
  let sum = 0
  for (const x of p) sum += x
  return sum > 0 ? p.map(x => x / sum) : p.fill(1 / p.length)
}
