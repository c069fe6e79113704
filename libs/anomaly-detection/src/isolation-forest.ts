/**
 * Isolation Forest: strange rows are cut off from the others by few random cuts.
 *
 * Liu, Ting and Zhou 2008, "Isolation Forest". Score 2^(-depth/c(n)) over random trees on samples of rows; guilt is how often, and how early, a
 * metric did the cutting. Ours looks at a row and the mean of the last few.
 */
import { RecentRows } from './recent-rows.ts'
import { clip, plain, type RowModel, type Rows, rowOf } from './row-model.ts'
import { seededRandom } from './seeded-random.ts'

export interface IsolationForestOptions {
  /** Number of trees. Default 100. */
  readonly trees?: number
  /** Rows each tree is grown from. Default 256. */
  readonly sample?: number
  /** Rows in the mean. Default 5. */
  readonly span?: number
  /** Seed of the random cuts. Default 1. */
  readonly seed?: number
}
const LIMIT = 20
/** Cuts on a path at most: a tree of as many rows as there can be is no deeper. */
const DEEPEST = 53

export class IsolationForest implements RowModel {
  readonly name = 'isolation-forest'
  readonly #trees: number
  readonly #sample: number
  readonly #span: number
  readonly #seed: number
  #recent: RecentRows | undefined
  #features = new Float64Array(0)
  /** Nodes of all trees: feature (-1 for a leaf), cut (for a leaf: what its size adds to the depth), left child; the right one follows it. Small types, so that the forest stays in the cache. */
  #feature = new Int16Array(0)
  #cut = new Float32Array(0)
  #left = new Int32Array(0)
  /** While a row is scored: features on its way through a tree, and the weight of each feature. */
  #path = new Int16Array(0)
  #hits = new Float64Array(0)
  #roots: number[] = []
  #norm = 1

  constructor(options: IsolationForestOptions = {}) {
    this.#trees = options.trees ?? 100
    this.#sample = options.sample ?? 256
    this.#span = options.span ?? 5
    this.#seed = options.seed ?? 1
  }

  #start(metrics: number): void {
    this.#recent = new RecentRows(metrics, LIMIT, [Math.max(1, this.#span - 1)])
    this.#features = new Float64Array(2 * metrics)
    this.#hits = new Float64Array(2 * metrics)
  }
  #fill(row: Float64Array, out: Float64Array): void {
    const recent = this.#recent as RecentRows
    const m = recent.metrics
    const near = recent.sum(0)
    for (let j = 0; j < m; j++) {
      const x = clip(row[j], LIMIT)
      out[j] = x
      out[m + j] = this.#span === 1 ? x : (near[j] + x) / this.#span
    }
  }

  fit(rows: Rows): void {
    this.#start(rows.metrics)
    const d = 2 * rows.metrics
    const all = new Float64Array(rows.count * d)
    for (let i = 0; i < rows.count; i++) {
      const row = rowOf(rows, i)
      if (i === 0) this.#recent?.push(row)
      this.#fill(row, all.subarray(i * d, (i + 1) * d))
      this.#recent?.push(row)
    }
    const random = seededRandom(this.#seed)
    const feature: number[] = []
    const cut: number[] = []
    const left: number[] = []
    const size = Math.min(this.#sample, rows.count)
    const deepest = Math.ceil(Math.log2(Math.max(2, size)))
    this.#norm = Math.max(1e-9, pathOf(size))
    this.#roots = []
    const add = () => {
      cut.push(0)
      left.push(-1)
      return feature.push(-1) - 1
    }
    /** Rows of the tree that grows; each of its nodes holds a stretch of them. */
    const members = new Int32Array(size)
    for (let t = 0; t < this.#trees; t++) {
      for (let i = 0; i < size; i++) members[i] = Math.floor(random() * rows.count)
      const root = add()
      this.#roots.push(root)
      const open = [{ node: root, from: 0, to: size, depth: 0 }]
      for (let next = open.pop(); next; next = open.pop()) {
        const { node, from, to, depth } = next
        const split = depth < deepest && to - from > 1 ? this.#split(all, d, members, from, to, random) : undefined
        if (!split) {
          cut[node] = pathOf(to - from)
          continue
        }
        const low = add()
        add()
        feature[node] = split.feature
        cut[node] = split.at
        left[node] = low
        open.push(
          { node: low + 1, from: split.middle, to, depth: depth + 1 },
          { node: low, from, to: split.middle, depth: depth + 1 },
        )
      }
    }
    this.#plant(feature, cut, left)
  }

  /** Draws a feature that differs and a cut between its least and greatest value, and puts the rows below it first; undefined where none was drawn. */
  #split(all: Float64Array, d: number, members: Int32Array, from: number, to: number, random: () => number) {
    for (let attempt = 0; attempt < 10; attempt++) {
      const f = Math.floor(random() * d)
      let low = Number.POSITIVE_INFINITY
      let high = Number.NEGATIVE_INFINITY
      for (let i = from; i < to; i++) {
        const x = all[members[i] * d + f]
        if (x < low) low = x
        if (x > high) high = x
      }
      if (!(high > low)) continue
      const at = low + random() * (high - low)
      let middle = from
      for (let i = from; i < to; i++) {
        const row = members[i]
        if (all[row * d + f] >= at) continue
        members[i] = members[middle]
        members[middle++] = row
      }
      return { feature: f, at, middle }
    }
    return undefined
  }

  #plant(feature: readonly number[], cut: readonly number[], left: readonly number[]): void {
    this.#feature = Int16Array.from(feature)
    this.#cut = Float32Array.from(cut)
    this.#left = Int32Array.from(left)
    this.#path = new Int16Array(DEEPEST)
  }

  score(row: Float64Array, guilt: Float64Array): number {
    const recent = this.#recent
    if (!recent || this.#roots.length === 0) return Number.NaN
    this.#fill(row, this.#features)
    const m = recent.metrics
    const [x, hits, path, feature, cut, left] = [this.#features, this.#hits, this.#path, this.#feature, this.#cut, this.#left]
    hits.fill(0)
    let total = 0
    for (let t = 0; t < this.#roots.length; t++) {
      let node = this.#roots[t]
      let depth = 0
      for (let f = feature[node]; f >= 0; f = feature[node]) {
        path[depth++] = f
        node = x[f] < cut[node] ? left[node] : left[node] + 1
      }
      const length = depth + cut[node]
      total += length
      // The cuts of short paths are the ones that set the row apart.
      const weight = 1 / ((1 + length) * (1 + length))
      while (depth > 0) hits[path[--depth]] += weight
    }
    for (let j = 0; j < m; j++) guilt[j] = hits[j] + hits[m + j]
    return 2 ** (-total / this.#roots.length / this.#norm)
  }

  push(row: Float64Array): void {
    this.#recent?.push(row)
  }

  save() {
    return {
      metrics: this.#recent?.metrics ?? 0,
      recent: this.#recent?.save(),
      feature: plain(this.#feature),
      cut: plain(this.#cut),
      left: plain(this.#left),
      roots: this.#roots,
      norm: this.#norm,
    }
  }
  load(state: ReturnType<IsolationForest['save']>): void {
    if (!state.recent) return
    this.#start(state.metrics)
    this.#recent?.load(state.recent)
    this.#plant(state.feature, state.cut, state.left)
    this.#roots = [...state.roots]
    this.#norm = state.norm
  }
}

/** Mean depth of an unsuccessful search among n. */
const pathOf = (n: number): number => (n <= 1 ? 0 : n === 2 ? 1 : 2 * (Math.log(n - 1) + 0.5772156649) - (2 * (n - 1)) / n)
