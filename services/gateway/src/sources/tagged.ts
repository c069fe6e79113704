import { idOf, type Observation } from '@aegis/domain'
import { whoseTags } from '../whose.ts'

/** One number as StatsD, Graphite and InfluxDB say it. */
export interface TaggedValue {
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'delta'
  readonly unit: string
  readonly value: number
  readonly tags: Readonly<Record<string, string>>
  /** Microseconds; undefined: now. */
  readonly time?: number
}
/** What machines say of themselves, by the first word of the name. */
const OF_A_MACHINE =
  /^(?:system|cpu|mem|memory|disk|diskio|swap|net|network|netstat|load|processes|kernel|interrupts|sensors|df|uptime|ntpq?)(?:[._]|$)/

/** Whom tags and name are about: the service tagged; the machine for what machines say of themselves; the first part of the name; the machine. */
export const entityOfTags = (name: string, tags: Readonly<Record<string, string>>, hostFirst = false): string => {
  const { service, host } = whoseTags(tags)
  if (service) return service
  if (host && (hostFirst || OF_A_MACHINE.test(name))) return host
  const dot = name.indexOf('.')
  return dot > 0 ? `service:${name.slice(0, dot)}` : (host ?? 'service:unknown')
}

/** The tags `env` and `environment` name the environment; see `entityOfTags` for whom it is about. */
export const taggedObservation = (v: TaggedValue, now: number, defaultEnvironment: string, hostFirst = false): Observation => {
  const { service: _service, env, environment: named, ...dimensions } = v.tags
  const entity = entityOfTags(v.name, v.tags, hostFirst)
  const environment = env || named || defaultEnvironment
  const time = v.time ?? now
  return {
    id: idOf(environment, entity, v.name, JSON.stringify(dimensions), time),
    environment,
    time,
    entity,
    metric_name: v.name,
    metric_type: v.type,
    unit: v.unit,
    value: v.value,
    dimensions,
  }
}
