/**
 * Observations read back from a store to rounds: what an entity measured at one time is a round of its own, which ends when a later time of that entity comes,
 * or when nothing more came between two calls of `rest`. A past that comes a second time says nothing new.
 */

import { keyOf, type Observation } from '@aegis/domain'
import { DeriveSeries, type SeriesInfo } from './derive-series.ts'

export interface PastRound {
  readonly environment: string
  readonly entity: string
  /** Event time of all of it, microseconds. */
  readonly time: number
  readonly values: readonly { readonly series: Omit<SeriesInfo, 'handle'>; readonly value: number }[]
}
interface Entity {
  readonly environment: string
  readonly entity: string
  /** Time of the open round, or of the last one; microseconds. */
  time: number
  /** Nothing came since the last call of `rest`. */
  resting: boolean
  /** Absent when its past has been read. */
  series: DeriveSeries | undefined
}

export class PastRounds {
  #entities = new Map<string, Entity>()

  /** Takes an observation; returns the round that it ends, if any. */
  add(o: Observation): PastRound | undefined {
    const { environment, entity, time } = o
    const key = keyOf(environment, entity)
    let e = this.#entities.get(key)
    if (!e) this.#entities.set(key, (e = { environment, entity, time, resting: false, series: new DeriveSeries() }))
    if (time < e.time || (time === e.time && !e.series)) return undefined
    const ended = time > e.time ? roundOf(e) : undefined
    e.time = time
    e.resting = false
    e.series ??= new DeriveSeries()
    e.series.add(o)
    return ended
  }

  /** Whether something came of the entity's past. */
  knows(environment: string, entity: string): boolean {
    return this.#entities.has(keyOf(environment, entity))
  }

  /** Ends the rounds of those whose past brought nothing since the call before. */
  rest(): PastRound[] {
    const ended: PastRound[] = []
    for (const e of this.#entities.values()) {
      if (!e.series) continue
      const round = e.resting ? roundOf(e) : undefined
      if (e.resting) e.series = undefined
      e.resting = true
      if (round) ended.push(round)
    }
    return ended
  }

  toJSON() {
    return [...this.#entities]
  }
  fromJSON(state: [string, Omit<Entity, 'series'> & { series?: ReturnType<DeriveSeries['toJSON']> }][]): void {
    this.#entities = new Map(
      state.map(([key, { series: saved, ...rest }]) => {
        const series = saved && new DeriveSeries()
        if (saved) series?.fromJSON(saved)
        return [key, { ...rest, series }]
      }),
    )
  }
}

const roundOf = ({ environment, entity, time, series }: Entity): PastRound | undefined => {
  const values = (series?.round(() => true) ?? []).map(({ info: { handle: _handle, ...named }, value }) => ({
    series: named,
    value,
  }))
  return values.length === 0 ? undefined : { environment, entity, time, values }
}
