/**
 * Isolation Forest over windows of log lines: strange rows are cut off from the others by few random cuts.
 *
 * Liu, Ting and Zhou 2008, "Isolation Forest". Score 2^(-depth / c(n)), 0 to 1. Cuts are made only where the rows of a node differ: most
 * templates are absent from most windows. A value outside what was learned leaves through the side it lies on, so a row that differs in many
 * places at once is found, one that differs in a single place only when that place was drawn; the other members of the ensemble see to those.
 */
import { seededRandom } from '@aegis/domain'
import type { WindowModel } from './window-model.ts'

export interface IsolationForestOptions {
  /** Number of trees. Default 64. */
  readonly trees?: number
  /** Rows each tree is grown from. Default 64. */
  readonly sample?: number
  /** Seed of the cuts. Default 1. */
  readonly seed?: number
}

interface Node {
  /** Feature that is cut; -1 for a leaf. */
  readonly feature: number
  /** Where; for a leaf, the depth its rows would still have needed. */
  readonly cut: number
  readonly low?: Node
  readonly high?: Node
}

export class WindowIsolationForest implements WindowModel {
  readonly name = 'isolation-forest'
  readonly #trees: number
  readonly #sample: number
  readonly #seed: number
  #roots: Node[] = []
  #norm = 1

  constructor(options: IsolationForestOptions = {}) {
    this.#trees = options.trees ?? 64
    this.#sample = options.sample ?? 64
    this.#seed = options.seed ?? 1
  }

  fit(rows: readonly Float64Array[]): void {
    const random = seededRandom(this.#seed)
    const size = Math.min(this.#sample, rows.length)
    const deepest = Math.ceil(Math.log2(Math.max(2, size)))
    this.#norm = Math.max(1e-9, pathOf(size))
    const all = Array.from(rows[0] ?? [], (_, j) => j)
    this.#roots = Array.from({ length: this.#trees }, () => {
      const members = Array.from({ length: size }, () => rows[Math.floor(random() * rows.length)] as Float64Array)
      return grow(members, all, deepest, random)
    })
  }

  score(row: Float64Array): number {
    let total = 0
    for (const root of this.#roots) {
      let node = root
      while (node.feature >= 0) {
        node = ((row[node.feature] as number) < node.cut ? node.low : node.high) as Node
        total++
      }
      total += node.cut
    }
    return this.#roots.length === 0 ? 0 : 2 ** (-total / this.#roots.length / this.#norm)
  }
}

/** `features`: those in which rows may differ; what is the same in all rows of a node is so below it. */
function grow(members: readonly Float64Array[], features: readonly number[], left: number, random: () => number): Node {
  if (left === 0 || members.length < 2) return { feature: -1, cut: pathOf(members.length) }
  const first = members[0] as Float64Array
  const differing = features.filter(j => members.some(row => row[j] !== first[j]))
  if (differing.length === 0) return { feature: -1, cut: pathOf(members.length) }
  const feature = differing[Math.floor(random() * differing.length)] as number
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const row of members) {
    least = Math.min(least, row[feature] as number)
    most = Math.max(most, row[feature] as number)
  }
  const cut = least + random() * (most - least)
  const low = members.filter(row => (row[feature] as number) < cut)
  const high = members.filter(row => (row[feature] as number) >= cut)
  return { feature, cut, low: grow(low, differing, left - 1, random), high: grow(high, differing, left - 1, random) }
}

/** Mean depth of an unsuccessful search among n. */
const pathOf = (n: number): number => (n <= 1 ? 0 : n === 2 ? 1 : 2 * (Math.log(n - 1) + 0.5772156649) - (2 * (n - 1)) / n)
