/**
 * Trees of all kinds as flat typed arrays: how they answer, and how they are written down and read back.
 *
 * A row goes left at a node where its value is below the threshold, right otherwise; a missing one (NaN) goes the way the node says. The trees of one
 * output are summed, or averaged where `scale` says so, on top of a base.
 */
import { AegisError } from '@aegis/domain'

/** Plain data, fit for JSON. Children are numbers of nodes and always greater than their parent; a leaf has feature -1. */
export interface SavedTrees {
  readonly features: number
  readonly outputs: number
  /** Values per leaf: 1 where each tree serves one output, as many as outputs where it serves all. */
  readonly width: number
  readonly scale: number
  readonly base: readonly number[]
  readonly roots: readonly number[]
  /** Which output each tree serves, 0 where it serves all. */
  readonly output: readonly number[]
  readonly feature: readonly number[]
  readonly threshold: readonly number[]
  readonly left: readonly number[]
  readonly right: readonly number[]
  readonly missingLeft: readonly number[]
  readonly cover: readonly number[]
  readonly value: readonly number[]
}

/** Nodes that are still being written. */
export class TreeWriter {
  readonly roots: number[] = []
  readonly output: number[] = []
  readonly feature: number[] = []
  readonly threshold: number[] = []
  readonly left: number[] = []
  readonly right: number[] = []
  readonly missingLeft: number[] = []
  readonly cover: number[] = []
  readonly value: number[] = []
  readonly width: number

  constructor(width: number) {
    this.width = width
  }
  root(output: number): number {
    this.output.push(output)
    const node = this.leaf()
    this.roots.push(node)
    return node
  }
  leaf(): number {
    const node = this.feature.push(-1) - 1
    this.threshold.push(0)
    this.left.push(-1)
    this.right.push(-1)
    this.missingLeft.push(0)
    this.cover.push(0)
    for (let i = 0; i < this.width; i++) this.value.push(0)
    return node
  }
  split(node: number, feature: number, threshold: number, missingLeft: boolean): readonly [number, number] {
    const [left, right] = [this.leaf(), this.leaf()]
    this.feature[node] = feature
    this.threshold[node] = threshold
    this.missingLeft[node] = missingLeft ? 1 : 0
    this.left[node] = left
    this.right[node] = right
    return [left, right]
  }
  /** Forgets all trees after the first `count`. */
  cut(count: number): void {
    if (count >= this.roots.length) return
    const nodes = this.roots[count]
    for (const list of [this.feature, this.threshold, this.left, this.right, this.missingLeft, this.cover]) list.length = nodes
    this.value.length = nodes * this.width
    this.roots.length = count
    this.output.length = count
  }
  save(features: number, outputs: number, base: readonly number[], scale: number): SavedTrees {
    const { width, roots, output, feature, threshold, left, right, missingLeft, cover, value } = this
    return { features, outputs, width, scale, base, roots, output, feature, threshold, left, right, missingLeft, cover, value }
  }
}

export class TreeEnsemble {
  readonly features: number
  readonly outputs: number
  readonly width: number
  readonly scale: number
  readonly base: Float64Array
  readonly roots: Int32Array
  readonly output: Int32Array
  readonly feature: Int32Array
  readonly threshold: Float64Array
  readonly left: Int32Array
  readonly right: Int32Array
  readonly missingLeft: Uint8Array
  readonly cover: Float64Array
  readonly value: Float64Array

  /** Throws INPUT_INVALID where numbers are not finite or nodes do not hang together: what came from disk or a stream is not trusted. */
  constructor(saved: SavedTrees) {
    const no = (why: string) =>
      new AegisError('INPUT_INVALID', `saved trees cannot be used: ${why}; train the model again or take another version`)
    const nodes = saved.feature?.length
    for (const key of ['threshold', 'left', 'right', 'missingLeft', 'cover'] as const)
      if (saved[key]?.length !== nodes) throw no(`${key} has not ${nodes} entries`)
    if (saved.value?.length !== nodes * saved.width) throw no('value has not an entry for each node')
    if (saved.base?.length !== saved.outputs || saved.output?.length !== saved.roots?.length) throw no('outputs do not match')
    if (saved.width !== 1 && saved.width !== saved.outputs) throw no('width is neither 1 nor the number of outputs')
    for (const key of ['base', 'threshold', 'cover', 'value'] as const)
      for (const x of saved[key]) if (!Number.isFinite(x)) throw no(`${key} holds ${x}`)
    if (!Number.isFinite(saved.scale)) throw no(`scale is ${saved.scale}`)
    const node = (n: number, above: number) => Number.isInteger(n) && n > above && n < nodes
    for (const root of saved.roots) if (!node(root, -1)) throw no(`root ${root} is no node`)
    for (const o of saved.output) if (!(Number.isInteger(o) && o >= 0 && o < saved.outputs)) throw no(`output ${o} is none`)
    for (let i = 0; i < nodes; i++) {
      const f = saved.feature[i]
      if (f === -1) continue
      if (!(Number.isInteger(f) && f >= 0 && f < saved.features)) throw no(`feature ${f} is none`)
      if (!node(saved.left[i], i) || !node(saved.right[i], i)) throw no(`node ${i} has no proper children`)
    }
    this.features = saved.features
    this.outputs = saved.outputs
    this.width = saved.width
    this.scale = saved.scale
    this.base = Float64Array.from(saved.base)
    this.roots = Int32Array.from(saved.roots)
    this.output = Int32Array.from(saved.output)
    this.feature = Int32Array.from(saved.feature)
    this.threshold = Float64Array.from(saved.threshold)
    this.left = Int32Array.from(saved.left)
    this.right = Int32Array.from(saved.right)
    this.missingLeft = Uint8Array.from(saved.missingLeft)
    this.cover = Float64Array.from(saved.cover)
    this.value = Float64Array.from(saved.value)
  }

  /** The leaf a row falls into. */
  leafOf(root: number, row: ArrayLike<number>): number {
    let node = root
    for (let f = this.feature[node]; f >= 0; f = this.feature[node])
      node = this.goesLeft(node, row[f]) ? this.left[node] : this.right[node]
    return node
  }
  goesLeft(node: number, x: number): boolean {
    return x < this.threshold[node] || (Number.isNaN(x) && this.missingLeft[node] === 1)
  }

  /** A number per output, before any link function. */
  raw(row: ArrayLike<number>): Float64Array {
    const { roots, output, width, value, scale } = this
    const sum = Float64Array.from(this.base)
    for (let t = 0; t < roots.length; t++) {
      const at = this.leafOf(roots[t], row) * width
      for (let k = 0; k < width; k++) sum[output[t] + k] += scale * value[at + k]
    }
    return sum
  }

  save(): SavedTrees {
    const plain = (values: ArrayLike<number>): number[] => Array.from(values)
    return {
      features: this.features,
      outputs: this.outputs,
      width: this.width,
      scale: this.scale,
      base: plain(this.base),
      roots: plain(this.roots),
      output: plain(this.output),
      feature: plain(this.feature),
      threshold: plain(this.threshold),
      left: plain(this.left),
      right: plain(this.right),
      missingLeft: plain(this.missingLeft),
      cover: plain(this.cover),
      value: plain(this.value),
    }
  }
}

/** What is learned from labelled rows by trees. Every implementation passes `tree-model.contract.ts`. */
export interface TreeModel {
  readonly name: string
  /** Rows of one length, NaN where a value is missing; a target per row (class number from 0, or value). The same rows in the same order give the same model. */
  fit(rows: readonly ArrayLike<number>[], targets: ArrayLike<number>, options?: FitOptions): void
  /** Chances of the classes, or one value. Finite. Changes nothing. Throws before `fit`. */
  predict(row: ArrayLike<number>): Float64Array
  /** SHAP values (see tree-shap.ts): for output k of `raw`, entry k * (features + 1) + f; the last of each is the expected value. They add up to `raw`. */
  explain(row: ArrayLike<number>): Float64Array
  /** What `explain` adds up to: chances for forests, sums before the link for boosting (one for two classes). */
  raw(row: ArrayLike<number>): Float64Array
}
export interface FitOptions {
  /** A weight per row; all 1 unless given. */
  readonly weights?: ArrayLike<number>
  /** Rows that are not learned from, to see when to stop. */
  readonly validation?: { readonly rows: readonly ArrayLike<number>[]; readonly targets: ArrayLike<number> }
}

/** Weights that make classes count alike: n / (classes * n of the class), as scikit-learn's "balanced". */
export const balancedWeights = (targets: ArrayLike<number>): Float64Array => {
  const counts = new Map<number, number>()
  for (let i = 0; i < targets.length; i++) counts.set(targets[i], (counts.get(targets[i]) ?? 0) + 1)
  return Float64Array.from(targets, y => targets.length / (counts.size * counts.get(y)!))
}
