/** Grows one tree of gradient boosting from histograms of gradients and hessians, level by level or where most is gained (see gradient-boosting.ts). */
import type { ColumnBins } from './column-bins.ts'
import type { TreeWriter } from './tree-ensemble.ts'

export interface BoostingOptions {
  /** Default 'softmax'. */
  readonly loss?: 'softmax' | 'squared' | 'huber'
  /** Rounds at most. Default 200. */
  readonly rounds?: number
  /** Share of a step that is taken. Default 0.1. */
  readonly rate?: number
  /** 'depth' grows level by level, 'leaf' always splits where most is gained. Default 'depth'. */
  readonly grow?: 'depth' | 'leaf'
  /** Levels of a tree at most. Default 6, for leaf-wise growth 64. */
  readonly depth?: number
  /** Leaves of a tree at most. Default 31 leaf-wise, no limit depth-wise. */
  readonly leaves?: number
  /** Penalty on squared leaf values. Default 1. */
  readonly penalty?: number
  /** A split must gain more than this. Default 0. */
  readonly minGain?: number
  /** Least sum of hessians in a leaf. Default 1. */
  readonly minWeight?: number
  /** Least rows in a leaf, told from its share of the hessians of its parent. Default 1. */
  readonly minRows?: number
  /** Share of rows that each round is grown from. Default 1. */
  readonly rows?: number
  /** Share of columns that each tree is grown from. Default 1. */
  readonly columns?: number
  /** With validation rows: stops after so many rounds without a lower loss there, and keeps the best. Default 20. */
  readonly patience?: number
  /** Where Huber's loss becomes linear, in units of the target. Default: 0.9 quantile of distances from the median. */
  readonly huberDelta?: number
  /** Classes; default: as many as the targets show. */
  readonly classes?: number
  readonly seed?: number
}

interface Open {
  readonly node: number
  readonly from: number
  readonly to: number
  readonly depth: number
  readonly g: number
  readonly h: number
  readonly histogram: Float64Array
  readonly split: Split | undefined
}
interface Split {
  readonly column: number
  /** Greatest bin that goes left. */
  readonly bin: number
  readonly missingLeft: boolean
  readonly gain: number
  readonly g: number
  readonly h: number
}

export class TreeGrower {
  readonly #bins: ColumnBins
  readonly #writer: TreeWriter
  readonly #options: BoostingOptions
  readonly #pool: Float64Array[] = []
  readonly #spare: Int32Array
  /** Bin that decided at each node, beside the threshold: training rows are sorted without their values. */
  readonly #cutBin: number[] = []
  #leaves: { node: number; from: number; to: number }[] = []
  /** Gradient and hessian of each row, side by side, for the tree that grows. */
  readonly #pairs: Float64Array
  #members: Int32Array = new Int32Array(0)
  #columns: Int32Array = new Int32Array(0)

  constructor(bins: ColumnBins, writer: TreeWriter, options: BoostingOptions) {
    this.#bins = bins
    this.#writer = writer
    this.#options = options
    this.#spare = new Int32Array(bins.rows)
    this.#pairs = new Float64Array(2 * bins.rows)
  }

  grow(
    k: number,
    outputs: number,
    gradient: Float64Array,
    hessian: Float64Array,
    sample: Int32Array,
    random: () => number,
  ): number {
    const { grow = 'depth', rate = 0.1, penalty = 1 } = this.#options
    const leafWise = grow === 'leaf'
    const deepest = this.#options.depth ?? (leafWise ? 64 : 6)
    const most = this.#options.leaves ?? (leafWise ? 31 : Number.POSITIVE_INFINITY)
    const writer = this.#writer
    const root = writer.root(k)
    this.#members = Int32Array.from(sample)
    this.#columns = columnsOf(this.#bins.columns, this.#options.columns ?? 1, random)
    this.#leaves = []
    const pairs = this.#pairs
    let [g, h] = [0, 0]
    for (const i of sample) {
      g += pairs[2 * i] = gradient[i * outputs + k]
      h += pairs[2 * i + 1] = hessian[i * outputs + k]
    }
    const histogram = this.#take()
    this.#fill(histogram, 0, sample.length)
    const open: Open[] = []
    const add = (next: Omit<Open, 'split'>) => {
      writer.cover[next.node] = next.h
      writer.value[next.node] = (-rate * next.g) / (next.h + penalty)
      const split = next.depth < deepest ? this.#bestSplit(next.histogram, next.g, next.h, next.to - next.from) : undefined
      if (split) open.push({ ...next, split })
      else {
        this.#leaves.push({ node: next.node, from: next.from, to: next.to })
        this.#pool.push(next.histogram)
      }
    }
    add({ node: root, from: 0, to: sample.length, depth: 0, g, h, histogram })
    let [leaves, first] = [1, 0]
    while (first < open.length && leaves < most) {
      if (leafWise) {
        let best = first
        for (let i = first + 1; i < open.length; i++) if (open[i].split!.gain > open[best].split!.gain) best = i
        ;[open[first], open[best]] = [open[best], open[first]]
      }
      const next = open[first++]
      const split = next.split!
      const middle = this.#partition(next.from, next.to, split)
      const [left, right] = writer.split(next.node, split.column, this.#bins.cuts[split.column][split.bin], split.missingLeft)
      this.#cutBin[next.node] = split.bin
      leaves++
      const low = { node: left, from: next.from, to: middle, depth: next.depth + 1, g: split.g, h: split.h }
      const high = { node: right, from: middle, to: next.to, depth: next.depth + 1, g: next.g - split.g, h: next.h - split.h }
      const small = this.#take()
      const [less, more] = middle - next.from <= next.to - middle ? [low, high] : [high, low]
      // No histogram is needed below the last level.
      if (next.depth + 1 < deepest) {
        this.#fill(small, less.from, less.to)
        subtract(next.histogram, small)
      }
      add({ ...less, histogram: small })
      add({ ...more, histogram: next.histogram })
    }
    for (; first < open.length; first++) {
      const { node, from, to } = open[first]
      this.#leaves.push({ node, from, to })
      this.#pool.push(open[first].histogram)
    }
    return root
  }

  /** Adds what the tree grown last says to column k of `raw`. */
  addTo(root: number, raw: Float64Array, k: number, outputs: number, all: boolean): void {
    const { value } = this.#writer
    if (all)
      for (const { node, from, to } of this.#leaves)
        for (let i = from; i < to; i++) raw[this.#members[i] * outputs + k] += value[node]
    else for (let i = 0; i < this.#bins.rows; i++) raw[i * outputs + k] += value[this.#leafOfRow(root, i)]
  }
  #leafOfRow(root: number, row: number): number {
    const { feature, left, right, missingLeft } = this.#writer
    const { bins, columns, cuts } = this.#bins
    let node = root
    for (let f = feature[node]; f >= 0; f = feature[node]) {
      const bin = bins[row * columns + f]
      node = (bin > cuts[f].length ? missingLeft[node] === 1 : bin <= this.#cutBin[node]) ? left[node] : right[node]
    }
    return node
  }
  leafOf(root: number, row: ArrayLike<number>): number {
    const { feature, left, right, missingLeft, threshold } = this.#writer
    let node = root
    for (let f = feature[node]; f >= 0; f = feature[node]) {
      const x = row[f]
      node = x < threshold[node] || (Number.isNaN(x) && missingLeft[node] === 1) ? left[node] : right[node]
    }
    return node
  }

  #take(): Float64Array {
    return this.#pool.pop() ?? new Float64Array(2 * this.#bins.offsets[this.#bins.columns])
  }

  /** Sums of gradients and hessians per bin over a stretch of the members. */
  #fill(out: Float64Array, from: number, to: number): void {
    const { slots, columns } = this.#bins
    const members = this.#members
    const pairs = this.#pairs
    const chosen = this.#columns
    out.fill(0)
    if (chosen.length === columns)
      for (let i = from; i < to; i++) {
        const row = members[i]
        const g = pairs[2 * row]
        const h = pairs[2 * row + 1]
        const end = (row + 1) * columns
        for (let at = row * columns; at < end; at++) {
          const slot = slots[at]
          out[slot] += g
          out[slot + 1] += h
        }
      }
    else
      for (let i = from; i < to; i++) {
        const row = members[i]
        const g = pairs[2 * row]
        const h = pairs[2 * row + 1]
        const at = row * columns
        for (let j = 0; j < chosen.length; j++) {
          const slot = slots[at + chosen[j]]
          out[slot] += g
          out[slot + 1] += h
        }
      }
  }

  #bestSplit(histogram: Float64Array, g: number, h: number, rows: number): Split | undefined {
    const { penalty = 1, minGain = 0, minRows = 1 } = this.#options
    if (rows < 2 * minRows) return undefined
    const minWeight = Math.max(this.#options.minWeight ?? 1, ((minRows - 0.5) * h) / rows)
    const { offsets, cuts } = this.#bins
    const chosen = this.#columns
    if (h < 2 * minWeight) return undefined
    const whole = (g * g) / (h + penalty)
    // What rounding alone could make.
    let best = minGain + 1e-9 * (1 + whole)
    let [column, bin, missingLeft, bestG, bestH] = [-1, 0, false, 0, 0]
    for (let j = 0; j < chosen.length; j++) {
      const c = chosen[j]
      const at = offsets[c] << 1
      const count = cuts[c].length
      const missingG = histogram[at + 2 * (count + 1)]
      const missingH = histogram[at + 2 * (count + 1) + 1]
      const ways = missingH > 0 ? 2 : 1
      for (let way = 0; way < ways; way++) {
        let leftG = way === 1 ? missingG : 0
        let leftH = way === 1 ? missingH : 0
        for (let b = 0; b < count; b++) {
          leftG += histogram[at + 2 * b]
          leftH += histogram[at + 2 * b + 1]
          if (leftH < minWeight) continue
          const rightH = h - leftH
          if (rightH < minWeight) break
          const rightG = g - leftG
          const gain = (leftG * leftG) / (leftH + penalty) + (rightG * rightG) / (rightH + penalty) - whole
          if (gain > best) {
            best = gain
            column = c
            bin = b
            missingLeft = way === 1
            bestG = leftG
            bestH = leftH
          }
        }
      }
    }
    return column < 0 ? undefined : { column, bin, missingLeft, gain: best, g: bestG, h: bestH }
  }

  /** Puts those that go left first, keeping the order on both sides; gives where the right ones begin. */
  #partition(from: number, to: number, { column, bin, missingLeft }: Split): number {
    const { bins, columns, cuts } = this.#bins
    const missing = cuts[column].length + 1
    const members = this.#members
    let [low, high] = [from, 0]
    for (let i = from; i < to; i++) {
      const row = members[i]
      const b = bins[row * columns + column]
      if (b === missing ? missingLeft : b <= bin) members[low++] = row
      else this.#spare[high++] = row
    }
    members.set(this.#spare.subarray(0, high), low)
    return low
  }
}

const subtract = (from: Float64Array, what: Float64Array): void => {
  for (let i = 0; i < from.length; i++) from[i] -= what[i]
}
const columnsOf = (count: number, share: number, random: () => number): Int32Array => {
  const all = Int32Array.from({ length: count }, (_, i) => i)
  const kept = Math.max(1, Math.round(share * count))
  if (kept >= count) return all
  for (let i = 0; i < kept; i++) {
    const j = i + Math.floor(random() * (count - i))
    ;[all[i], all[j]] = [all[j], all[i]]
  }
  return all.subarray(0, kept).sort()
}
