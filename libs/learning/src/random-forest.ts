/**
 * Random forest of classification trees (Breiman 2001): each tree learns from a bootstrap of the rows and looks at a few columns at each node, splits by
 * Gini's impurity, and its leaf answers with the shares of the classes. One tree over all rows and columns is a decision tree.
 */
import { seededRandom } from '@aegis/domain'
import { ColumnBins } from './column-bins.ts'
import { type FitOptions, type SavedTrees, TreeEnsemble, type TreeModel, TreeWriter } from './tree-ensemble.ts'
import { explainTrees } from './tree-shap.ts'

export interface ForestOptions {
  /** Default 100. */
  readonly trees?: number
  /** Levels at most. Default 64. */
  readonly depth?: number
  /** Least rows in a leaf. Default 1. */
  readonly minRows?: number
  /** Columns looked at in a node. Default: square root of all. */
  readonly columns?: number
  /** Each tree draws its rows with repeats. Default true. */
  readonly bootstrap?: boolean
  readonly classes?: number
  readonly seed?: number
}

export class RandomForest implements TreeModel {
  readonly name = 'random forest'
  readonly #options: ForestOptions
  #trees: TreeEnsemble | undefined

  constructor(options: ForestOptions = {}) {
    this.#options = options
  }
  /** One tree over all rows and columns. */
  static decisionTree(options: Omit<ForestOptions, 'trees' | 'columns' | 'bootstrap'> = {}): RandomForest {
    return new RandomForest({ ...options, trees: 1, columns: Number.POSITIVE_INFINITY, bootstrap: false })
  }

  fit(rows: readonly ArrayLike<number>[], targets: ArrayLike<number>, { weights }: FitOptions = {}): void {
    const o = this.#options
    let classes = o.classes ?? 2
    if (o.classes === undefined) for (let i = 0; i < rows.length; i++) classes = Math.max(classes, targets[i] + 1)
    const bins = new ColumnBins(rows)
    const random = seededRandom(o.seed ?? 1)
    const writer = new TreeWriter(classes)
    const count = o.trees ?? 100
    const tree = new GiniTree(bins, targets, classes, writer, {
      depth: o.depth ?? 64,
      minRows: o.minRows ?? 1,
      columns: Math.max(1, Math.min(bins.columns, o.columns ?? Math.round(Math.sqrt(bins.columns)))),
    })
    for (let t = 0; t < count; t++) {
      const weight = new Float64Array(rows.length)
      if (o.bootstrap === false) for (let i = 0; i < rows.length; i++) weight[i] = weights?.[i] ?? 1
      else
        for (let i = 0; i < rows.length; i++) {
          const drawn = Math.floor(random() * rows.length)
          weight[drawn] += weights?.[drawn] ?? 1
        }
      tree.grow(weight, random)
    }
    this.#trees = new TreeEnsemble(writer.save(bins.columns, classes, Array<number>(classes).fill(0), 1 / count))
  }

  raw(row: ArrayLike<number>): Float64Array {
    return this.trees.raw(row)
  }
  predict(row: ArrayLike<number>): Float64Array {
    return this.trees.raw(row)
  }
  explain(row: ArrayLike<number>): Float64Array {
    return explainTrees(this.trees, row)
  }
  get trees(): TreeEnsemble {
    if (!this.#trees) throw new Error(`${this.name} was asked before it learned anything`)
    return this.#trees
  }
  save(): SavedTrees {
    return this.trees.save()
  }
  static load(saved: SavedTrees): RandomForest {
    const forest = new RandomForest()
    forest.#trees = new TreeEnsemble(saved)
    return forest
  }
}

class GiniTree {
  readonly #bins: ColumnBins
  readonly #targets: ArrayLike<number>
  readonly #classes: number
  readonly #writer: TreeWriter
  readonly #limits: { readonly depth: number; readonly minRows: number; readonly columns: number }
  /** Weight per bin and class, and rows per bin, of the column looked at. */
  readonly #sums: Float64Array
  readonly #rows: Int32Array
  readonly #order: Int32Array
  readonly #spare: Int32Array
  readonly #left: Float64Array

  constructor(
    bins: ColumnBins,
    targets: ArrayLike<number>,
    classes: number,
    writer: TreeWriter,
    limits: { depth: number; minRows: number; columns: number },
  ) {
    this.#bins = bins
    this.#targets = targets
    this.#classes = classes
    this.#writer = writer
    this.#limits = limits
    this.#sums = new Float64Array(256 * classes)
    this.#rows = new Int32Array(256)
    this.#order = Int32Array.from({ length: bins.columns }, (_, i) => i)
    this.#spare = new Int32Array(bins.rows)
    this.#left = new Float64Array(classes)
  }

  grow(weight: Float64Array, random: () => number): void {
    const writer = this.#writer
    const members = Int32Array.from({ length: weight.length }, (_, i) => i).filter(i => weight[i] > 0)
    const root = writer.root(0)
    const open = [{ node: root, from: 0, to: members.length, depth: 0 }]
    for (let next = open.pop(); next; next = open.pop()) {
      const { node, from, to, depth } = next
      const totals = new Float64Array(this.#classes)
      for (let i = from; i < to; i++) totals[this.#targets[members[i]]] += weight[members[i]]
      let sum = 0
      for (const x of totals) sum += x
      writer.cover[node] = sum
      for (let k = 0; k < this.#classes; k++) writer.value[node * this.#classes + k] = sum > 0 ? totals[k] / sum : 0
      const pure = totals.some(x => x === sum)
      if (pure || depth >= this.#limits.depth || to - from < 2 * this.#limits.minRows) continue
      const split = this.#bestSplit(members, from, to, weight, totals, sum, random)
      if (!split) continue
      let [low, high] = [from, 0]
      const missing = this.#bins.cuts[split.column].length + 1
      for (let i = from; i < to; i++) {
        const bin = this.#bins.bins[members[i] * this.#bins.columns + split.column]
        if (bin === missing ? split.missingLeft : bin <= split.bin) members[low++] = members[i]
        else this.#spare[high++] = members[i]
      }
      members.set(this.#spare.subarray(0, high), low)
      const [left, right] = writer.split(node, split.column, this.#bins.cuts[split.column][split.bin], split.missingLeft)
      open.push({ node: right, from: low, to, depth: depth + 1 }, { node: left, from, to: low, depth: depth + 1 })
    }
  }

  /** Columns are drawn until enough of them could split; gain is the sum over sides of (sum of squared class weights) / weight. */
  #bestSplit(
    members: Int32Array,
    from: number,
    to: number,
    weight: Float64Array,
    totals: Float64Array,
    sum: number,
    random: () => number,
  ) {
    const { columns, bins, cuts } = this.#bins
    const K = this.#classes
    const [sums, rows, left] = [this.#sums, this.#rows, this.#left]
    let whole = 0
    for (const x of totals) whole += x * x
    let best = whole / sum + 1e-9 * sum
    let found: { column: number; bin: number; missingLeft: boolean } | undefined
    let looked = 0
    for (let drawn = 0; drawn < columns && looked < this.#limits.columns; drawn++) {
      const j = drawn + Math.floor(random() * (columns - drawn))
      ;[this.#order[drawn], this.#order[j]] = [this.#order[j], this.#order[drawn]]
      const c = this.#order[drawn]
      const missing = cuts[c].length + 1
      let [least, most, gone] = [256, -1, 0]
      for (let i = from; i < to; i++) {
        const row = members[i]
        const bin = bins[row * columns + c]
        sums[bin * K + this.#targets[row]] += weight[row]
        rows[bin]++
        if (bin === missing) gone++
        else {
          if (bin < least) least = bin
          if (bin > most) most = bin
        }
      }
      // A column that is the same everywhere is not a look.
      if (least < most) looked++
      for (const missingLeft of gone > 0 ? [false, true] : [false]) {
        let [count, inLeft] = [0, 0]
        left.fill(0)
        const add = (bin: number) => {
          if (rows[bin] === 0) return
          count += rows[bin]
          for (let k = 0; k < K; k++) {
            left[k] += sums[bin * K + k]
            inLeft += sums[bin * K + k]
          }
        }
        if (missingLeft) add(missing)
        for (let bin = least; bin < most; bin++) {
          if (rows[bin] === 0) continue
          add(bin)
          if (count < this.#limits.minRows || to - from - count < this.#limits.minRows) continue
          let [a, b] = [0, 0]
          for (let k = 0; k < K; k++) {
            a += left[k] * left[k]
            b += (totals[k] - left[k]) * (totals[k] - left[k])
          }
          const gain = a / inLeft + b / (sum - inLeft)
          if (gain > best) {
            best = gain
            // Midway to the next value of this node, as far as bins tell.
            let next = bin + 1
            while (rows[next] === 0) next++
            found = { column: c, bin: (bin + next - 1) >> 1, missingLeft }
          }
        }
      }
      if (most >= 0) {
        sums.fill(0, least * K, (most + 1) * K)
        rows.fill(0, least, most + 1)
      }
      sums.fill(0, missing * K, (missing + 1) * K)
      rows[missing] = 0
    }
    return found
  }
}
