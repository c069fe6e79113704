/**
 * A trained entity at work: scores its rows one by one, by the weights and the threshold it was published with. What is missing keeps its last value for a few
 * rows. What it keeps while running (recent rows, held score, drift) is saved without the weights: those are on the `models` stream.
 */

import type { Spot } from '@aegis/learning/spot'
import { Companion } from './companion.ts'
import type { Ensemble } from './ensemble.ts'
import type { Guilty } from './entity-events.ts'
import { makeDetector } from './make-detector.ts'
import type { Rows } from './row-model.ts'
import { standardiseRows } from './standardise.ts'
import type { Tensors } from './tensorflow.ts'
import { spotOf, type TrainedEntity } from './train-entity.ts'

export interface EntityScore {
  /** A surprise: normal life is about 1. */
  readonly score: number
  readonly threshold: number
  /** Whether there is an alarm: one goes on below the threshold until what raised it has passed. */
  readonly alarm: boolean
  /** Guiltiest first, with the band each was expected in. */
  readonly guilty: readonly Guilty[]
}
/** What was said of a row, column by column in the order of the metrics. */
export interface RowScore extends Omit<EntityScore, 'guilty'> {
  /** For ranking rows by how strange they are: without a second opinion that says little of the whole. */
  readonly rank: number
  /** Share of each metric; valid until the next row. */
  readonly guilt: Float64Array
  /** What was expected of each, in its own unit; NaN where nothing is. Valid until the next row. */
  readonly expected: Float64Array
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
  readonly #guilt: Float64Array
  readonly #expected: Float64Array
  #last: Float64Array
  #age: Float64Array
  /** What each metric's new normal lies above its old one, and its level of late above that, in spreads. */
  #offset: Float64Array
  #level: Float64Array

  constructor(trained: TrainedEntity, tensors?: Tensors) {
    const { detector, metrics, alarmsPerDay, rowsPerDay, streaming } = trained
    this.trained = trained
    this.#detector = makeDetector(detector, { streaming, tensors })
    this.#detector.load(trained.ensemble)
    this.#companion = trained.companion && new Companion(metrics.length, alarmsPerDay, rowsPerDay)
    if (trained.companion) this.#companion?.load(trained.companion)
    this.#spot = spotOf({ streaming, alarmsPerDay, rowsPerDay, companion: trained.companion !== undefined })
    this.#spot.load(trained.spot)
    this.#columns = new Map(metrics.map((metric, j) => [metric, j]))
    this.#guilt = new Float64Array(metrics.length)
    this.#expected = new Float64Array(metrics.length)
    this.#last = new Float64Array(metrics.length)
    this.#age = new Float64Array(metrics.length)
    this.#offset = new Float64Array(metrics.length)
    this.#level = new Float64Array(metrics.length)
  }

  /** Scores a row of that time (microseconds, for the time of day) and goes on; undefined where none of its metrics is known. Metrics that came after the training are not looked at. */
  row(values: readonly { readonly metric: string; readonly value: number }[], time?: number): EntityScore | undefined {
    const { mean, spread, metrics } = this.trained
    const raw = new Float64Array(metrics.length).fill(Number.NaN)
    let known = 0
    for (const { metric, value } of values) {
      const j = this.#columns.get(metric)
      if (j === undefined || !Number.isFinite(value)) continue
      raw[j] = value
      known++
    }
    if (known === 0) return undefined
    const { score, threshold, alarm, guilt, expected } = this.score(raw, time)
    const most = guilt.reduce((a, b) => Math.max(a, b), 0)
    const guilty: Guilty[] = []
    for (let j = 0; j < raw.length; j++) {
      if (Number.isNaN(raw[j])) continue
      // Where nothing is expected of a metric, it is to be as it was.
      const middle = Number.isNaN(expected[j]) ? mean[j] + this.#offset[j] * spread[j] : expected[j]
      guilty.push({
        metric: metrics[j],
        value: raw[j],
        // The guiltiest metric scores as the entity does, the others by their share.
        score: most > 0 ? (score * guilt[j]) / most : score,
        low: middle - BAND * spread[j],
        high: middle + BAND * spread[j],
      })
    }
    return { score, threshold, alarm, guilty: guilty.sort((a, b) => b.score - a.score || (a.metric < b.metric ? -1 : 1)) }
  }

  /** Scores a row given column by column, NaN where a value is missing, and goes on. */
  score(raw: ArrayLike<number>, time?: number): RowScore {
    const { mean, spread } = this.trained
    const row = Float64Array.from(this.#last)
    for (let j = 0; j < row.length; j++) {
      if (++this.#age[j] > CARRY) row[j] = 0
      if (!Number.isFinite(raw[j])) continue
      row[j] = (raw[j] - mean[j]) / spread[j] - this.#offset[j]
      this.#level[j] = KEEP * this.#level[j] + (1 - KEEP) * row[j]
      this.#age[j] = 0
    }
    if (time !== undefined) this.#detector.at(time / 1e6)
    const expected = this.#expected.fill(Number.NaN)
    this.#detector.expected(expected)
    for (let j = 0; j < expected.length; j++) expected[j] = (expected[j] + this.#offset[j]) * spread[j] + mean[j]
    const guilt = this.#guilt.fill(0)
    const own = this.#detector.score(row, guilt)
    const threshold = this.#spot.threshold
    const over = this.#spot.push(own)
    const second = this.#companion?.row(row, time === undefined ? undefined : time / 1e6)
    const leads = second !== undefined && second.ratio >= 1 && second.ratio * threshold > own
    if (leads) guilt.set(second.guilt)
    const score = leads ? second.ratio * threshold : own
    this.#detector.push(row)
    this.#last = row
    return { score, rank: this.#companion?.ranks ? score : own, threshold, alarm: over || leads, guilt, expected }
  }

  /** Rows that will come: what is cheaper in batches may be worked out at once; each is still scored from its own past only. */
  foresee(rows: Rows): void {
    const { mean, spread } = this.trained
    const scale = { mean: Float64Array.from(mean), spread: Float64Array.from(spread) }
    this.#detector.foresee(standardiseRows(rows, scale))
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
    const { ensemble, companion } = this.trained
    return {
      ensemble: sinceTrained(this.#detector.save(), ensemble),
      spot: this.#spot.save(),
      ...(this.#companion && companion && { companion: sinceTrained(this.#companion.save(), companion) }),
      last: Array.from(this.#last),
      age: Array.from(this.#age),
      offset: Array.from(this.#offset),
      level: Array.from(this.#level),
    }
  }
  /** Goes on from what `save` gave, with the weights it was made with. */
  load(state: ReturnType<EntityModel['save']>): void {
    const { ensemble, companion } = this.trained
    this.#detector.load(withTrained(state.ensemble, ensemble) as typeof ensemble)
    this.#spot.load(state.spot)
    if (state.companion && companion) this.#companion?.load(withTrained(state.companion, companion) as typeof companion)
    this.#last = Float64Array.from(state.last)
    this.#age = Float64Array.from(state.age)
    this.#offset = Float64Array.from(state.offset)
    this.#level = Float64Array.from(state.level)
  }
}

/** What runs is kept without what was learned: that is on the `models` stream. Undefined where nothing changed since. */
const sinceTrained = (running: unknown, trained: unknown): unknown => {
  if (!isObject(running) || !isObject(trained)) return same(running, trained) ? undefined : running
  const changed = Object.entries(running)
    .map(([name, value]) => [name, sinceTrained(value, trained[name])] as const)
    .filter(([, value]) => value !== undefined)
  return changed.length === 0
    ? undefined
    : { since: Array.isArray(running) ? running.length : -1, ...Object.fromEntries(changed) }
}
const withTrained = (changed: unknown, trained: unknown): unknown => {
  if (changed === undefined) return trained
  if (!isObject(changed) || !isObject(trained) || !('since' in changed)) return changed
  const { since, ...own } = changed
  if (since !== -1) return Array.from({ length: Number(since) }, (_, i) => withTrained(own[i], trained[i]))
  const names = [...new Set([...Object.keys(trained), ...Object.keys(own)])]
  return Object.fromEntries(names.map(name => [name, withTrained(own[name], trained[name])]))
}
/** Lists of numbers are one value; what holds others is looked into. */
const isObject = (value: unknown): value is Record<string | number, unknown> =>
  typeof value === 'object' && value !== null && !(Array.isArray(value) && typeof value[0] !== 'object')
const same = (a: unknown, b: unknown): boolean => a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b))
