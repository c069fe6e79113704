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

export class IsolationForest implements RowModel {
  readonly name = 'isolation-forest'
  readonly #trees: number
  readonly #sample: number
  readonly #span: number
  readonly #seed: number
  #recent: RecentRows | undefined
  #features = new Float64Array(0)
  /** Nodes of all trees: feature (-1 for a leaf), cut (for a leaf: what its size adds to the depth), left child; the right one follows it. */
  #feature = new Int32Array(0)
  #cut = new Float64Array(0)
  #left = new Int32Array(0)
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
    const grow = (node: number, members: number[], depth: number): void => {
      for (let attempt = 0; attempt < 10 && depth < deepest && members.length > 1; attempt++) {
        const f = Math.floor(random() * d)
        let low = Number.POSITIVE_INFINITY
        let high = Number.NEGATIVE_INFINITY
        for (const i of members) {
          const x = all[i * d + f]
          if (x < low) low = x
          if (x > high) high = x
        }
        if (!(high > low)) continue
        const at = low + random() * (high - low)
        const child = feature.length
        feature.push(-1, -1)
        cut.push(0, 0)
        left.push(-1, -1)
        feature[node] = f
        cut[node] = at
        left[node] = child
        grow(
          child,
          members.filter(i => all[i * d + f] < at),
          depth + 1,
        )
        grow(
          child + 1,
          members.filter(i => all[i * d + f] >= at),
          depth + 1,
        )
        return
      }
      cut[node] = pathOf(members.length)
    }
    this.#roots = []
    for (let t = 0; t < this.#trees; t++) {
      const root = feature.length
      this.#roots.push(root)
      feature.push(-1)
      cut.push(0)
      left.push(-1)
      grow(
        root,
        Array.from({ length: size }, () => Math.floor(random() * rows.count)),
        0,
      )
    }
    this.#feature = Int32Array.from(feature)
    this.#cut = Float64Array.from(cut)
    this.#left = Int32Array.from(left)
  }

  score(row: Float64Array, guilt: Float64Array): number {
    const recent = this.#recent
    if (!recent || this.#roots.length === 0) return Number.NaN
    this.#fill(row, this.#features)
    const m = recent.metrics
    guilt.fill(0)
    let total = 0
    for (const root of this.#roots) {
      let node = root
      let depth = 0
      while (this.#feature[node] >= 0) {
        node = this.#left[node] + (this.#features[this.#feature[node]] < this.#cut[node] ? 0 : 1)
        depth++
      }
      const length = depth + this.#cut[node]
      total += length
      // The cuts of short paths are the ones that set the row apart.
      const weight = 1 / (1 + length) ** 2
      for (let at = root; this.#feature[at] >= 0; ) {
        guilt[this.#feature[at] % m] += weight
        at = this.#left[at] + (this.#features[this.#feature[at]] < this.#cut[at] ? 0 : 1)
      }
    }
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
    this.#feature = Int32Array.from(state.feature)
    this.#cut = Float64Array.from(state.cut)
    this.#left = Int32Array.from(state.left)
    this.#roots = [...state.roots]
    this.#norm = state.norm
  }
}

/** Mean depth of an unsuccessful search among n. */
const pathOf = (n: number): number => (n <= 1 ? 0 : n === 2 ? 1 : 2 * (Math.log(n - 1) + 0.5772156649) - (2 * (n - 1)) / n)
