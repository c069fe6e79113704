/**
 * A second opinion with a budget of its own. The ensemble's mean is right about what moves many metrics or lasts; a short spike in one metric of forty is
 * lost in it, and so is what only the forecast of a single series sees. So a plain detector goes along, chosen by the number of metrics, and an alarm is
 * raised when either passes its threshold (the OR rule of decision fusion; Varshney 1997, "Distributed Detection and Data Fusion"). Each has a
 * part of the alarms that one is ready to look at.
 */
import { Spot } from '@aegis/learning/spot'
import type { Ensemble } from './ensemble.ts'
import { makeDetector } from './make-detector.ts'
import type { Rows } from './row-model.ts'

/** Metrics from which a single one is lost in the mean. */
const MANY = 4
/** Share of the budget that each of the two has; they often speak of the same event, so that together they keep to the whole. */
export const SHARE = 0.75

export interface Opinion {
  /** Score as a multiple of its threshold; 1 and more is an alarm. */
  readonly ratio: number
  readonly guilt: Float64Array
}

export class Companion {
  readonly #detector: Ensemble
  readonly #spot: Spot
  readonly #guilt: Float64Array
  /** Whether its score is worth as much as the ensemble's for ranking: among many metrics its spikes say little of how strange the whole is. */
  readonly ranks: boolean

  constructor(metrics: number, alarmsPerDay: number, rowsPerDay: number) {
    this.#detector = makeDetector(metrics >= MANY ? 'robust-z' : 'ridge')
    this.#spot = new Spot({ alarmsPerDay: SHARE * alarmsPerDay, rowsPerDay })
    this.#guilt = new Float64Array(metrics)
    this.ranks = metrics < MANY
  }

  /** Goes along with the whole ensemble only: who asks for one detector by its name gets that one. */
  static goesWith(detector: string): boolean {
    return detector === 'ensemble'
  }

  fit(rows: Rows): void {
    this.#detector.fit(rows)
    this.#spot.fit(this.#detector.fitted)
  }

  /** Says what it thinks of the row, and goes on. */
  row(row: Float64Array, seconds?: number): Opinion {
    if (seconds !== undefined) this.#detector.at(seconds)
    const score = this.#detector.score(row, this.#guilt)
    const ratio = score / this.#spot.threshold
    const over = this.#spot.push(score)
    this.#detector.push(row)
    // An alarm that goes on below its threshold is one; what passed it without one is none.
    return { ratio: over ? Math.max(1, ratio) : Math.min(ratio, 1 - Number.EPSILON) || 0, guilt: this.#guilt }
  }

  save() {
    return { detector: this.#detector.save(), spot: this.#spot.save() }
  }
  load(state: ReturnType<Companion['save']>): void {
    this.#detector.load(state.detector)
    this.#spot.load(state.spot)
  }
}
