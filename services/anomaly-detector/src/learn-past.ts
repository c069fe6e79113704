import type { DeriveSeries, SeriesValue } from '@aegis/anomaly-detection'
import { type PastRound, PastRounds } from '@aegis/anomaly-detection/past-rounds'
import type { Detector, Observation } from '@aegis/domain'

export interface LearnedRound {
  readonly environment: string
  readonly entity: string
  /** Microseconds. */
  readonly time: number
  readonly values: SeriesValue[]
  /** One of its values lay outside what was usual by then. */
  readonly strange: boolean
}

/**
 * Teaches the detector of single series what was read back from a store, for series that have not been seen for long: round by round as if it had been there,
 * without what it would have flagged. Nobody is told of what happened then.
 */
export class LearnPast {
  readonly #series: DeriveSeries
  readonly #detector: Detector
  readonly #threshold: number
  readonly #past = new PastRounds()

  constructor(series: DeriveSeries, detector: Detector, threshold: number) {
    this.#series = series
    this.#detector = detector
    this.#threshold = threshold
  }

  see(o: Observation): LearnedRound | undefined {
    const ended = this.#past.add(o)
    return ended && this.#learn(ended)
  }
  /** Whether the entity's past was read. */
  knows({ environment, entity }: Observation): boolean {
    return this.#past.knows(environment, entity)
  }
  /** Called at every tick. */
  rest(): LearnedRound[] {
    return this.#past.rest().flatMap(ended => this.#learn(ended) ?? [])
  }

  #learn({ environment, entity, time, values: named }: PastRound): LearnedRound | undefined {
    const values: SeriesValue[] = []
    for (const { series, value } of named) {
      const info = this.#series.ofPast(series)
      if (info) values.push({ info, value })
    }
    if (values.length === 0) return undefined
    const round = {
      time,
      series: Int32Array.from(values, v => v.info.handle),
      values: Float64Array.from(values, v => v.value),
    }
    const flagged = Array.from(this.#detector.score(round), score => score >= this.#threshold)
    this.#detector.learn(round, flagged)
    return { environment, entity, time, values, strange: flagged.includes(true) }
  }

  toJSON() {
    return this.#past.toJSON()
  }
  fromJSON(state: Parameters<PastRounds['fromJSON']>[0]): void {
    this.#past.fromJSON(state)
  }
}
