/**
 * How strange the mix of templates in a window is: Isolation Forest, Local Outlier Factor and an autoencoder over TF-IDF rows, as one score with a
 * threshold of its own.
 *
 * A row holds the root of each template's count, whose noise is the same for few lines and many (Anscombe 1948), times its inverse document
 * frequency over the windows learned, scaled to length 1, so that twice the traffic is the same row. Every second window learned fits the members, the others calibrate them: each member's score is measured in steps from
 * its median to its upper decile there, and their mean is the window's score, none counting more than two and a half thresholds: two must agree. The threshold is where the
 * tail of the calibration scores, taken as exponential beyond the upper decile (peaks over threshold; Siffer et al. 2017 with shape 0), has the
 * chance `risk`.
 *
 * What is kept is only counts: members are fitted again from them, the same each time, when they are needed. So a snapshot stays small.
 */

import { IsolationForest } from '@aegis/learning/isolation-forest'
import { LocalOutlierFactor } from '@aegis/learning/local-outlier-factor'
import type { OutlierModel } from '@aegis/learning/outlier-model'
import { SmallAutoencoder } from '@aegis/learning/small-autoencoder'

export interface WindowEnsembleOptions {
  /** Windows learned before it scores. Default 48. */
  readonly warmUp?: number
  /** Windows kept to learn from. Default 128. */
  readonly windows?: number
  /** Windows learned between fits. Default 64. */
  readonly refit?: number
  /** Chance of a normal window to reach the threshold. Default 1e-4. */
  readonly risk?: number
}

/** Slot of a template (0 to WIDTH - 1) and its lines in the window. */
export type WindowCounts = readonly (readonly [slot: number, lines: number])[]
export interface WindowScore {
  /** Mean of the members, in steps from their median to their upper decile. */
  readonly score: number
  readonly threshold: number
  readonly members: Readonly<Record<string, number>>
}

export const WIDTH = 64
/** What a member can say at most, in thresholds: less than three, so that none decides alone. */
const MOST = 2.5
/** The same in steps, while there is no threshold yet. */
const MOST_STEPS = 10
const MEMBERS: readonly (() => OutlierModel)[] = [
  () => new IsolationForest({ trees: 64, sample: 64 }),
  () => new LocalOutlierFactor(),
  () => new SmallAutoencoder(),
]

interface Fitted {
  readonly idf: Float64Array
  readonly members: readonly { model: OutlierModel; middle: number; step: number }[]
  readonly threshold: number
}

export class WindowEnsemble {
  readonly #warmUp: number
  readonly #windows: number
  readonly #refit: number
  readonly #risk: number
  /** Newest windows learned, with those the members in use were fitted on. */
  #recent: WindowCounts[] = []
  /** Windows learned since the fit, or in all before the first one. */
  #since = 0
  #isFitted = false
  #fitted: Fitted | undefined

  constructor(options: WindowEnsembleOptions = {}) {
    this.#warmUp = options.warmUp ?? 48
    this.#windows = options.windows ?? 128
    this.#refit = options.refit ?? 64
    this.#risk = options.risk ?? 1e-4
  }

  /** Undefined while too little was learned; `bar` raises the threshold. Changes nothing that can be seen. */
  score(counts: WindowCounts, bar = 1): WindowScore | undefined {
    if (!this.#isFitted) return undefined
    this.#fitted ??= fit(this.#recent.slice(0, this.#recent.length - this.#since).slice(-this.#windows), this.#risk)
    return scoreOf(rowOf(counts, this.#fitted.idf), this.#fitted, bar * this.#fitted.threshold)
  }

  /** Learns from a window that was not flagged. */
  learn(counts: WindowCounts): void {
    this.#recent.push(counts)
    this.#since++
    if (this.#since >= (this.#isFitted ? this.#refit : this.#warmUp)) {
      this.#isFitted = true
      this.#fitted = undefined
      this.#since = 0
    }
    if (this.#recent.length > this.#windows + this.#since) this.#recent.shift()
  }

  toJSON() {
    return { recent: this.#recent, since: this.#since, isFitted: this.#isFitted }
  }
  static fromJSON(state: ReturnType<WindowEnsemble['toJSON']>, options: WindowEnsembleOptions = {}): WindowEnsemble {
    const ensemble = new WindowEnsemble(options)
    ensemble.#recent = [...state.recent]
    ensemble.#since = state.since
    ensemble.#isFitted = state.isFitted
    return ensemble
  }
}

function fit(windows: readonly WindowCounts[], risk: number): Fitted {
  const idf = new Float64Array(WIDTH)
  for (const counts of windows) for (const slot of new Set(counts.map(([slot]) => slot))) idf[slot] = (idf[slot] as number) + 1
  for (let j = 0; j < WIDTH; j++) idf[j] = Math.log((1 + windows.length) / (1 + (idf[j] as number))) + 1
  const rows = windows.map(counts => rowOf(counts, idf))
  const learned = rows.filter((_, i) => i % 2 === 0)
  const held = rows.filter((_, i) => i % 2 === 1)
  const members = MEMBERS.map(make => {
    const model = make()
    model.fit(learned)
    const scores = held.map(row => model.score(row)).sort((a, b) => a - b)
    const middle = quantile(scores, 0.5)
    // Windows that are all alike leave no step; a hundredth of the level stands in, so that score stays finite.
    return { model, middle, step: Math.max(quantile(scores, 0.9) - middle, 0.01 * Math.abs(middle), 1e-3) }
  })
  const fitted = { idf, members, threshold: 0 }
  const scores = held.map(row => scoreOf(row, fitted, MOST_STEPS / MOST).score).sort((a, b) => a - b)
  const edge = quantile(scores, 0.9)
  // The middle excess over ln 2 is the scale of an exponential tail, and no strange window that was learned unnoticed can move it far.
  const scale =
    (quantile(
      scores.filter(score => score > edge),
      0.5,
    ) -
      edge) /
    Math.LN2
  return { ...fitted, threshold: edge + Math.max(scale, 0.5) * Math.log(0.1 / risk) }
}

function scoreOf(row: Float64Array, fitted: Fitted, threshold: number): WindowScore {
  const members: Record<string, number> = {}
  for (const { model, middle, step } of fitted.members) members[model.name] = (model.score(row) - middle) / step
  const score = Object.values(members).reduce((sum, x) => sum + Math.min(x, MOST * threshold), 0) / fitted.members.length
  return { score, threshold, members }
}

/** TF-IDF of a window, length 1; all zero for an empty one. */
function rowOf(counts: WindowCounts, idf: Float64Array): Float64Array {
  const row = new Float64Array(WIDTH)
  for (const [slot, lines] of counts) row[slot] = (row[slot] as number) + lines
  let length = 0
  for (let j = 0; j < WIDTH; j++) {
    row[j] = Math.sqrt(row[j] as number) * (idf[j] as number)
    length += (row[j] as number) ** 2
  }
  if (length > 0) for (let j = 0; j < WIDTH; j++) row[j] = (row[j] as number) / Math.sqrt(length)
  return row
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? 0
