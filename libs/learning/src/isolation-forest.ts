/**
 * Isolation Forest: strange rows are cut off from the others by few random cuts.
 *
 * Liu, Ting and Zhou 2008, "Isolation Forest". Score 2^(-depth / c(n)), 0 to 1, over random trees on samples of rows. Cuts are made only where the
 * rows of a node differ. A value outside what was learned leaves through the side it lies on, so a row that differs in many places at once is found,
 * one that differs in a single place only when that place was drawn. Guilt is how often, and how early, a column did the cutting.
 */
import { seededRandom } from '@aegis/domain'
import type { OutlierModel } from './outlier-model.ts'

export interface IsolationForestOptions {
  /** Number of trees. Default 100. */
  readonly trees?: number
  /** Rows each tree is grown from. Default 256. */
  readonly sample?: number
  /** Seed of the random cuts. Default 1. */
  readonly seed?: number
}
/** Cuts on a path at most: a tree of as many rows as there can be is no deeper. */
const DEEPEST = 53
/** Columns drawn blindly before those that differ are looked for. */
const DRAWS = 10

export class IsolationForest implements OutlierModel {
  readonly name = 'isolation-forest'
  readonly #trees: number
  readonly #sample: number
  readonly #seed: number
  /** Nodes of all trees: column (-1 for a leaf), cut (for a leaf: what its size adds to the depth), left child; the right one follows it. Small types, so that the forest stays in the cache. */
  #column = new Int16Array(0)
  #cut = new Float32Array(0)
  #left = new Int32Array(0)
  #roots: readonly number[] = []
  #norm = 1
  /** Columns on a row's way through a tree. */
  readonly #path = new Int16Array(DEEPEST)

  constructor(options: IsolationForestOptions = {}) {
    this.#trees = options.trees ?? 100
    this.#sample = options.sample ?? 256
    this.#seed = options.seed ?? 1
  }

  fit(rows: readonly Float64Array[]): void {
    const random = seededRandom(this.#seed)
    const column: number[] = []
    const cut: number[] = []
    const left: number[] = []
    const size = Math.min(this.#sample, rows.length)
    const deepest = Math.ceil(Math.log2(Math.max(2, size)))
    const roots: number[] = []
    const add = () => {
      cut.push(0)
      left.push(-1)
      return column.push(-1) - 1
    }
    /** Rows of the tree that grows; each of its nodes holds a stretch of them. */
    const members = new Int32Array(size)
    for (let t = 0; t < this.#trees; t++) {
      for (let i = 0; i < size; i++) members[i] = Math.floor(random() * rows.length)
      const root = add()
      roots.push(root)
      const open = [{ node: root, from: 0, to: size, depth: 0 }]
      for (let next = open.pop(); next; next = open.pop()) {
        const { node, from, to, depth } = next
        const split = depth < deepest && to - from > 1 ? splitOf(rows, members, from, to, random) : undefined
        if (!split) {
          cut[node] = pathOf(to - from)
          continue
        }
        const low = add()
        add()
        column[node] = split.column
        cut[node] = split.at
        left[node] = low
        open.push(
          { node: low + 1, from: split.middle, to, depth: depth + 1 },
          { node: low, from, to: split.middle, depth: depth + 1 },
        )
      }
    }
    this.load({ column, cut, left, roots, norm: Math.max(1e-9, pathOf(size)) })
  }

  /** NaN before anything was learned. Where `guilt` is given, the weight of each column is written into it. */
  score(row: ArrayLike<number>, guilt?: Float64Array): number {
    if (this.#roots.length === 0) return Number.NaN
    const [path, column, cut, left] = [this.#path, this.#column, this.#cut, this.#left]
    guilt?.fill(0)
    let total = 0
    for (let t = 0; t < this.#roots.length; t++) {
      let node = this.#roots[t]
      let depth = 0
      for (let c = column[node]; c >= 0; c = column[node]) {
        path[depth++] = c
        node = row[c] < cut[node] ? left[node] : left[node] + 1
      }
      const length = depth + cut[node]
      total += length
      if (!guilt) continue
      // The cuts of short paths are the ones that set the row apart.
      const weight = 1 / ((1 + length) * (1 + length))
      while (depth > 0) guilt[path[--depth]] += weight
    }
    return 2 ** (-total / this.#roots.length / this.#norm)
  }

  save() {
    const plain = (values: ArrayLike<number>): number[] => Array.from(values)
    return {
      column: plain(this.#column),
      cut: plain(this.#cut),
      left: plain(this.#left),
      roots: [...this.#roots],
      norm: this.#norm,
    }
  }
  load(state: ReturnType<IsolationForest['save']>): void {
    this.#column = Int16Array.from(state.column)
    this.#cut = Float32Array.from(state.cut)
    this.#left = Int32Array.from(state.left)
    this.#roots = [...state.roots]
    this.#norm = state.norm
  }
}

/** Draws a column in which the rows differ and a cut between its least and greatest value, and puts the rows below it first; undefined where all rows are alike. */
function splitOf(rows: readonly Float64Array[], members: Int32Array, from: number, to: number, random: () => number) {
  const width = rows[members[from]].length
  let differing: number[] | undefined
  for (let attempt = 0; attempt <= DRAWS; attempt++) {
    if (attempt === DRAWS) {
      const first = rows[members[from]]
      const differs = (c: number) => {
        for (let i = from + 1; i < to; i++) if (rows[members[i]][c] !== first[c]) return true
        return false
      }
      differing = Array.from({ length: width }, (_, c) => c).filter(differs)
      if (differing.length === 0) return undefined
    }
    const column = differing ? differing[Math.floor(random() * differing.length)] : Math.floor(random() * width)
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let i = from; i < to; i++) {
      const x = rows[members[i]][column]
      if (x < low) low = x
      if (x > high) high = x
    }
    if (!(high > low)) continue
    const at = low + random() * (high - low)
    let middle = from
    for (let i = from; i < to; i++) {
      const row = members[i]
      if (rows[row][column] >= at) continue
      members[i] = members[middle]
      members[middle++] = row
    }
    return { column, at, middle }
  }
  return undefined
}

/** Mean depth of an unsuccessful search among n. */
const pathOf = (n: number): number => (n <= 1 ? 0 : n === 2 ? 1 : 2 * (Math.log(n - 1) + 0.5772156649) - (2 * (n - 1)) / n)
