/**
 * Exact Shapley values of trees: how much each column moved an answer away from the expected one.
 *
 * Lundberg et al. 2020, "From local explanations to global understanding with explainable AI for trees". Path-dependent: a column that is not known is
 * averaged over both ways by the cover of the training rows (algorithm 2, O(leaves * depth^2)). Interventional: it is taken from background rows.
 * Values of output k and the expected value add up to the answer.
 */
import type { TreeEnsemble } from './tree-ensemble.ts'

/** SHAP values by output: entry k * (features + 1) + f, the last of each output its expected value. */
export function explainTrees(trees: TreeEnsemble, row: ArrayLike<number>): Float64Array {
  const { features, outputs, roots, output, width, scale } = trees
  const phi = new Float64Array(outputs * (features + 1))
  for (let k = 0; k < outputs; k++) phi[k * (features + 1) + features] = trees.base[k]
  let depth = 0
  for (const root of roots) depth = Math.max(depth, depthOf(trees, root))
  // The path of level d is kept behind those of the levels above it, so that no copy is made on the way back.
  const size = ((depth + 2) * (depth + 3)) / 2
  const path = {
    feature: new Int32Array(size),
    zero: new Float64Array(size),
    one: new Float64Array(size),
    weight: new Float64Array(size),
  }
  const expected = new Float64Array(width)
  for (let t = 0; t < roots.length; t++) {
    expected.fill(0)
    expectedOf(trees, roots[t], 1, expected)
    for (let k = 0; k < width; k++) phi[(output[t] + k) * (features + 1) + features] += scale * expected[k]
    walk(trees, row, phi, output[t], roots[t], 0, 0, 1, 1, -1, path)
  }
  return phi
}

const depthOf = (trees: TreeEnsemble, node: number): number =>
  trees.feature[node] < 0 ? 0 : 1 + Math.max(depthOf(trees, trees.left[node]), depthOf(trees, trees.right[node]))

const expectedOf = (trees: TreeEnsemble, node: number, share: number, out: Float64Array): void => {
  if (trees.feature[node] < 0) {
    for (let k = 0; k < trees.width; k++) out[k] += share * trees.value[node * trees.width + k]
    return
  }
  const [left, right] = sharesOf(trees, node)
  expectedOf(trees, trees.left[node], share * left, out)
  expectedOf(trees, trees.right[node], share * right, out)
}
const sharesOf = (trees: TreeEnsemble, node: number): readonly [number, number] => {
  const [a, b] = [trees.cover[trees.left[node]], trees.cover[trees.right[node]]]
  return a + b > 0 ? [a / (a + b), b / (a + b)] : [0.5, 0.5]
}

interface Path {
  readonly feature: Int32Array
  readonly zero: Float64Array
  readonly one: Float64Array
  readonly weight: Float64Array
}

/** `at` is where this level's path begins; it holds `length` elements before the one added now. */
function walk(
  trees: TreeEnsemble,
  row: ArrayLike<number>,
  phi: Float64Array,
  output: number,
  node: number,
  length: number,
  above: number,
  zero: number,
  one: number,
  feature: number,
  path: Path,
): void {
  const at = above + length
  for (let i = 0; i < length; i++) {
    path.feature[at + i] = path.feature[above + i]
    path.zero[at + i] = path.zero[above + i]
    path.one[at + i] = path.one[above + i]
    path.weight[at + i] = path.weight[above + i]
  }
  extend(path, at, length, zero, one, feature)
  let count = length + 1
  const split = trees.feature[node]
  if (split < 0) {
    const { width, features, value, scale } = trees
    for (let i = 1; i < count; i++) {
      const w = unwoundSum(path, at, count - 1, i) * (path.one[at + i] - path.zero[at + i]) * scale
      for (let k = 0; k < width; k++) phi[(output + k) * (features + 1) + path.feature[at + i]] += w * value[node * width + k]
    }
    return
  }
  const goesLeft = trees.goesLeft(node, row[split])
  const [hot, cold] = goesLeft ? [trees.left[node], trees.right[node]] : [trees.right[node], trees.left[node]]
  const [leftShare, rightShare] = sharesOf(trees, node)
  let [zeroHere, oneHere] = [1, 1]
  for (let i = 1; i < count; i++)
    if (path.feature[at + i] === split) {
      zeroHere = path.zero[at + i]
      oneHere = path.one[at + i]
      unwind(path, at, count - 1, i)
      count--
      break
    }
  walk(trees, row, phi, output, hot, count, at, zeroHere * (goesLeft ? leftShare : rightShare), oneHere, split, path)
  walk(trees, row, phi, output, cold, count, at, zeroHere * (goesLeft ? rightShare : leftShare), 0, split, path)
}

function extend(
  { feature: f, zero: z, one: o, weight: w }: Path,
  at: number,
  length: number,
  zero: number,
  one: number,
  feature: number,
): void {
  f[at + length] = feature
  z[at + length] = zero
  o[at + length] = one
  w[at + length] = length === 0 ? 1 : 0
  for (let i = length - 1; i >= 0; i--) {
    w[at + i + 1] += (one * w[at + i] * (i + 1)) / (length + 1)
    w[at + i] = (zero * w[at + i] * (length - i)) / (length + 1)
  }
}

/** Takes element i out of a path whose last one has number `last`. */
function unwind({ feature: f, zero: z, one: o, weight: w }: Path, at: number, last: number, i: number): void {
  const [zero, one] = [z[at + i], o[at + i]]
  let next = w[at + last]
  for (let j = last - 1; j >= 0; j--)
    if (one !== 0) {
      const was = w[at + j]
      w[at + j] = (next * (last + 1)) / ((j + 1) * one)
      next = was - (w[at + j] * zero * (last - j)) / (last + 1)
    } else w[at + j] = zero === 0 ? 0 : (w[at + j] * (last + 1)) / (zero * (last - j))
  for (let j = i; j < last; j++) {
    f[at + j] = f[at + j + 1]
    z[at + j] = z[at + j + 1]
    o[at + j] = o[at + j + 1]
  }
}

function unwoundSum({ zero: z, one: o, weight: w }: Path, at: number, last: number, i: number): number {
  const [zero, one] = [z[at + i], o[at + i]]
  let next = w[at + last]
  let total = 0
  for (let j = last - 1; j >= 0; j--)
    if (one !== 0) {
      const share = (next * (last + 1)) / ((j + 1) * one)
      total += share
      next = w[at + j] - (share * zero * (last - j)) / (last + 1)
    } else if (zero !== 0) total += (w[at + j] * (last + 1)) / (zero * (last - j))
  return total
}

/** Interventional SHAP: as `explainTrees`, where what is not known of the row comes from each of the background rows, and the mean is taken. */
export function explainAgainst(
  trees: TreeEnsemble,
  row: ArrayLike<number>,
  background: readonly ArrayLike<number>[],
): Float64Array {
  const { features, outputs, roots, output, width, scale, value } = trees
  const phi = new Float64Array(outputs * (features + 1))
  for (const other of background) {
    const answer = trees.raw(other)
    for (let k = 0; k < outputs; k++) phi[k * (features + 1) + features] += answer[k] / background.length
    const inRow = new Set<number>()
    const inOther = new Set<number>()
    /** At a leaf only columns where both differ count: a of them taken from the row, b from the other. */
    const visit = (t: number, node: number): void => {
      const f = trees.feature[node]
      if (f < 0) {
        const [a, b] = [inRow.size, inOther.size]
        for (const [set, sign, n] of [
          [inRow, 1, a - 1],
          [inOther, -1, a],
        ] as const)
          for (const column of set)
            for (let k = 0; k < width; k++)
              phi[(output[t] + k) * (features + 1) + column] +=
                (sign * scale * weightOf(n, a + b) * value[node * width + k]) / background.length
        return
      }
      const [x, y] = [trees.goesLeft(node, row[f]), trees.goesLeft(node, other[f])]
      const child = (left: boolean) => (left ? trees.left[node] : trees.right[node])
      if (x === y) return visit(t, child(x))
      if (inRow.has(f)) return visit(t, child(x))
      if (inOther.has(f)) return visit(t, child(y))
      inRow.add(f)
      visit(t, child(x))
      inRow.delete(f)
      inOther.add(f)
      visit(t, child(y))
      inOther.delete(f)
    }
    for (let t = 0; t < roots.length; t++) visit(t, roots[t])
  }
  return phi
}
/** n! (m - n - 1)! / m! */
const weightOf = (n: number, m: number): number => {
  let w = 1 / m
  for (let i = 1; i <= n; i++) w *= i / (m - i)
  return w
}
