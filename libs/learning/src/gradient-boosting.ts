/**
 * Histogram gradient boosting: each tree takes a Newton step down the loss.
 *
 * Chen and Guestrin 2016, "XGBoost" (second-order gain, depth-wise growth, row and column subsampling, default directions for missing values); Ke et al.
 * 2017, "LightGBM" (histograms, leaf-wise growth). The histogram of a greater child is its parent's less its sibling's. Losses: softmax (one tree a class
 * and round; a single logistic one for two classes), squared, and Huber with unit hessian (Friedman 2001, Greedy function approximation, 4.4).
 */
import { seededRandom } from '@aegis/domain'
import { lossOf, slopes, softmaxOf, startOf } from './boosting-losses.ts'
import { ColumnBins } from './column-bins.ts'
import { type BoostingOptions, TreeGrower } from './grow-tree.ts'
import { type FitOptions, type SavedTrees, TreeEnsemble, type TreeModel, TreeWriter } from './tree-ensemble.ts'
import { explainTrees } from './tree-shap.ts'

export type { BoostingOptions } from './grow-tree.ts'
export interface SavedBoosting {
  readonly loss: 'softmax' | 'squared' | 'huber'
  readonly classes: number
  readonly trees: SavedTrees
}

export class GradientBoosting implements TreeModel {
  readonly name: string
  readonly #options: BoostingOptions
  #loss: 'softmax' | 'squared' | 'huber'
  #classes = 1
  #trees: TreeEnsemble | undefined

  constructor(options: BoostingOptions = {}) {
    this.#options = options
    this.#loss = options.loss ?? 'softmax'
    this.name = `${options.grow ?? 'depth'}-wise gradient boosting, ${this.#loss}`
  }

  fit(rows: readonly ArrayLike<number>[], targets: ArrayLike<number>, { weights, validation }: FitOptions = {}): void {
    const o = this.#options
    const n = rows.length
    const softmax = this.#loss === 'softmax'
    let classes = o.classes ?? 1
    if (softmax && o.classes === undefined) for (let i = 0; i < n; i++) classes = Math.max(classes, targets[i] + 1)
    this.#classes = softmax ? Math.max(2, classes) : 1
    const outputs = softmax && this.#classes > 2 ? this.#classes : 1
    const random = seededRandom(o.seed ?? 1)
    const bins = new ColumnBins(rows)
    const writer = new TreeWriter(1)
    const { base, delta } = startOf(this.#loss, this.#classes, outputs, targets, weights, o.huberDelta)
    const raw = new Float64Array(n * outputs)
    for (let i = 0; i < n; i++) raw.set(base, i * outputs)
    const held = validation && new Float64Array(validation.rows.length * outputs)
    for (let i = 0; held && i < held.length; i += outputs) held.set(base, i)
    const grower = new TreeGrower(bins, writer, o)
    const gradient = new Float64Array(n * outputs)
    const hessian = new Float64Array(n * outputs)
    let [best, bestRound] = [Number.POSITIVE_INFINITY, 0]
    for (let round = 0; round < (o.rounds ?? 200); round++) {
      slopes(this.#loss, outputs, raw, targets, weights, delta, gradient, hessian)
      const sample = sampleOf(n, o.rows ?? 1, random)
      for (let k = 0; k < outputs; k++) {
        const root = grower.grow(k, outputs, gradient, hessian, sample, random)
        grower.addTo(root, raw, k, outputs, sample.length === n)
        if (held)
          for (let i = 0; i < validation.rows.length; i++)
            held[i * outputs + k] += writer.value[grower.leafOf(root, validation.rows[i])]
      }
      if (!held) continue
      const loss = lossOf(this.#loss, outputs, held, validation.targets, delta)
      if (loss < best - 1e-12) [best, bestRound] = [loss, round + 1]
      else if (round + 1 - bestRound >= (o.patience ?? 20)) break
    }
    if (held) writer.cut(bestRound * outputs)
    this.#trees = new TreeEnsemble(writer.save(bins.columns, outputs, Array.from(base), 1))
  }

  raw(row: ArrayLike<number>): Float64Array {
    return this.#fitted.raw(row)
  }
  predict(row: ArrayLike<number>): Float64Array {
    const raw = this.#fitted.raw(row)
    if (this.#loss !== 'softmax') return raw
    if (this.#classes > 2) return softmaxOf(raw)
    const p = 1 / (1 + Math.exp(-raw[0]))
    return Float64Array.of(1 - p, p)
  }
  explain(row: ArrayLike<number>): Float64Array {
    return explainTrees(this.#fitted, row)
  }
  get trees(): TreeEnsemble {
    return this.#fitted
  }
  get #fitted(): TreeEnsemble {
    if (!this.#trees) throw new Error(`${this.name} was asked before it learned anything`)
    return this.#trees
  }

  save(): SavedBoosting {
    return { loss: this.#loss, classes: this.#classes, trees: this.#fitted.save() }
  }
  static load(saved: SavedBoosting): GradientBoosting {
    const model = new GradientBoosting({ loss: saved.loss })
    model.#classes = saved.classes
    model.#trees = new TreeEnsemble(saved.trees)
    return model
  }
}

/** A share of the rows without repeats, in order; all of them for 1. */
const sampleOf = (n: number, share: number, random: () => number): Int32Array => {
  const all = Int32Array.from({ length: n }, (_, i) => i)
  if (share >= 1) return all
  const kept = all.filter(() => random() < share)
  return kept.length > 0 ? kept : all
}
