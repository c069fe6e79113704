/**
 * A trained entity at work: scores its rows one by one, by the weights and the threshold it was published with. What is missing keeps its last value for a few
 * rows. What it keeps while running (recent rows, held score, drift) is saved without the weights: those are on the `models` stream.
 */

import { Spot } from '@aegis/learning/spot'
import { Companion, SHARE } from './companion.ts'
import type { Ensemble } from './ensemble.ts'
import type { Guilty } from './entity-events.ts'
import { makeDetector } from './make-detector.ts'
import type { Tensors } from './tensorflow.ts'
import type { TrainedEntity } from './train-entity.ts'

export interface EntityScore {
  /** A surprise: normal life is about 1. */
  readonly score: number
  readonly threshold: number
  /** Guiltiest first, with the band each was expected in. */
  readonly guilty: readonly Guilty[]
}
/** Rows for which a missing value is taken to be as it was. */
const CARRY = 5
/** Half-width of the band that is told, in spreads of the metric. */
const BAND = 3
/** What of the level of late is kept from row to row: it is that of the last fifty or so. */
const KEEP = 0.98
/** Spreads by which a level must have moved to be adopted. */
const MOVED = 2

export class EntityModel {
  readonly trained: TrainedEntity
  readonly #detector: Ensemble
  readonly #spot: Spot
  readonly #companion: Companion | undefined
  readonly #columns: ReadonlyMap<string, number>
  #last: Float64Array
  #age: Float64Array
  /** What each metric's new normal lies above its old one, and its level of late above that, in spreads. */
  #offset: Float64Array
  #level: Float64Array

  constructor(trained: TrainedEntity, tensors?: Tensors) {
    const { detector, metrics, alarmsPerDay, rowsPerDay } = trained
    this.trained = trained
    this.#detector = makeDetector(detector, { tensors })
    this.#detector.load(trained.ensemble)
    this.#spot = new Spot({ alarmsPerDay: trained.companion ? SHARE * alarmsPerDay : alarmsPerDay, rowsPerDay })
    this.#companion = trained.companion && new Companion(metrics.length, alarmsPerDay, rowsPerDay)
    if (trained.companion) this.#companion?.load(trained.companion)
    this.#spot.load(trained.spot)
    this.#columns = new Map(metrics.map((metric, j) => [metric, j]))
    this.#last = new Float64Array(metrics.length)
    this.#age = new Float64Array(metrics.length)
    this.#offset = new Float64Array(metrics.length)
    this.#level = new Float64Array(metrics.length)
  }

  /** Scores a row of that time (microseconds, for the time of day) and goes on; undefined where none of its metrics is known. Metrics that came after the training are not looked at. */
  row(values: readonly { readonly metric: string; readonly value: number }[], time?: number): EntityScore | undefined {
    const { mean, spread, metrics } = this.trained
    const row = Float64Array.from(this.#last)
    for (let j = 0; j < row.length; j++) if (++this.#age[j] > CARRY) row[j] = 0
    const raw = new Map<number, number>()
    for (const { metric, value } of values) {
      const j = this.#columns.get(metric)
      if (j === undefined || !Number.isFinite(value)) continue
      row[j] = (value - mean[j]) / spread[j] - this.#offset[j]
      this.#level[j] = KEEP * this.#level[j] + (1 - KEEP) * row[j]
      this.#age[j] = 0
      raw.set(j, value)
    }
    if (raw.size === 0) return undefined
    if (time !== undefined) this.#detector.at(time / 1e6)
    const middle = Float64Array.from(this.#last)
    this.#detector.expected(middle)
    const guilt = new Float64Array(row.length)
    const own = this.#detector.score(row, guilt)
    const threshold = this.#spot.threshold
    this.#spot.push(own)
    const second = this.#companion?.row(row, time === undefined ? undefined : time / 1e6)
    const leads = second !== undefined && second.ratio >= 1 && second.ratio * threshold > own
    if (leads) guilt.set(second.guilt)
    const score = leads ? second.ratio * threshold : own
    this.#detector.push(row)
    this.#last = row
    const most = guilt.reduce((a, b) => Math.max(a, b), 0)
    const guilty = [...raw].map(([j, value]) => ({
      metric: metrics[j],
      value,
      // The guiltiest metric scores as the entity does, the others by their share.
      score: most > 0 ? (score * guilt[j]) / most : score,
      low: (middle[j] + this.#offset[j] - BAND) * spread[j] + mean[j],
      high: (middle[j] + this.#offset[j] + BAND) * spread[j] + mean[j],
    }))
    return { score, threshold, guilty: guilty.sort((a, b) => b.score - a.score || (a.metric < b.metric ? -1 : 1)) }
  }

  /** Takes the levels of late for the new normal: what the rows mean to one another stays as it was learned. */
  adopt(): void {
    for (let j = 0; j < this.#level.length; j++) {
      if (Math.abs(this.#level[j]) < MOVED) continue
      this.#offset[j] += this.#level[j]
      this.#level[j] = 0
    }
    // The rows it remembers are of the old level.
    this.#detector.load(this.trained.ensemble)
    if (this.trained.companion) this.#companion?.load(this.trained.companion)
    this.#last.fill(0)
  }

  save() {
    const companion = this.#companion?.save()
    return {
      ensemble: withoutWeights(this.#detector.save()),
      spot: this.#spot.save(),
      ...(companion && { companion: { ...companion, detector: withoutWeights(companion.detector) } }),
      last: Array.from(this.#last),
      age: Array.from(this.#age),
      offset: Array.from(this.#offset),
      level: Array.from(this.#level),
    }
  }
  /** Goes on from what `save` gave, with the weights it was made with. */
  load(state: ReturnType<EntityModel['save']>): void {
    const { ensemble, companion } = this.trained
    this.#detector.load(withWeights(state.ensemble, ensemble))
    this.#spot.load(state.spot)
    if (state.companion && companion)
      this.#companion?.load({ ...state.companion, detector: withWeights(state.companion.detector, companion.detector) })
    this.#last = Float64Array.from(state.last)
    this.#age = Float64Array.from(state.age)
    this.#offset = Float64Array.from(state.offset)
    this.#level = Float64Array.from(state.level)
  }
}

type Saved = ReturnType<Ensemble['save']>
/** What runs, without what was learned: that is on the `models` stream. */
const withoutWeights = (saved: Saved): Saved => ({
  ...saved,
  members: saved.members.map(m => ({ ...(m as object), weights: undefined })),
  blame: { ...saved.blame, weights: undefined } as unknown as Saved['blame'],
})
const withWeights = (running: Saved, published: Saved): Saved => {
  const known = published.members as { weights?: unknown }[]
  const members = running.members.map((m, k) =>
    known[k].weights === undefined ? m : { ...(m as object), weights: known[k].weights },
  )
  const { blame: learned } = published
  return { ...running, members, blame: learned && { ...learned, ...running.blame, weights: learned.weights } }
}
