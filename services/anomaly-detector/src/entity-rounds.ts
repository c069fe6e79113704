import type { SeriesValue } from '@aegis/anomaly-detection'
import { keyOf, workloadOf } from '@aegis/domain'

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
/**
 * What a model is trained for: the instances of one workload are alike, so that one model serves them all, and a new one is known from its first row.
 * Every other entity is its own.
 */
export const likeOf = (entity: string): string => {
  const [kind, name] = [entity.slice(0, entity.indexOf(':')), entity.slice(entity.indexOf(':') + 1)]
  return kind === 'pod' || kind === 'container' ? `${kind}:${workloadOf(name)}` : entity
}
