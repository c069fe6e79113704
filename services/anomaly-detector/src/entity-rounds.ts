import type { SeriesValue } from '@aegis/anomaly-detection'
import { keyOf } from '@aegis/domain'

export interface EntityRound {
  readonly environment: string
  readonly entity: string
  readonly values: SeriesValue[]
}
/** The values of a round by entity, in the order they were first seen. */
export const byEntity = (values: readonly SeriesValue[]): EntityRound[] => {
  const rounds = new Map<string, EntityRound>()
  for (const v of values) {
    const { environment, entity } = v.info
    const key = keyOf(environment, entity)
    const round = rounds.get(key)
    if (round) round.values.push(v)
    else rounds.set(key, { environment, entity, values: [v] })
  }
  return [...rounds.values()]
}
