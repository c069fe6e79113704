import { type ExternalIssue, idOf, type LogLine } from '@aegis/domain'
import type { StatsdCheck, StatsdEvent } from './statsd-line.ts'
import { entityOfTags } from './tagged.ts'

export interface OtherOptions {
  readonly environment: string
  readonly now: number
  readonly redact: (text: string) => string
}
/** By status of a service check: well ends what it opened. */
const CHECKED = ['low', 'medium', 'high', 'low'] as const

/**
 * Service checks and events of DogStatsD. Checks, and events of errors and warnings, are known problems (a check that is well, or a success with the key of an
 * earlier event, ends them); any other event is a line of whom it is about.
 */
export const readOther = (
  v: StatsdCheck | StatsdEvent,
  { environment: own, now, redact }: OtherOptions,
): { issue: ExternalIssue } | { line: LogLine } => {
  const { env, environment: named, ...attributes } = v.tags
  const environment = env || named || own
  const time = v.seconds === undefined ? now : v.seconds * 1_000_000
  const name = v.kind === 'check' ? v.name : v.title
  const entity = entityOfTags(v.kind === 'check' ? name : '', v.tags, true)
  const issue = (kind: string, id: string, state: string, severity: string, summary: string) => ({
    issue: { id, environment, time, entity, kind, name, state, severity, summary: redact(summary), attributes },
  })
  if (v.kind === 'check') {
    const id = idOf(environment, entity, 'probe', name, JSON.stringify(attributes))
    return issue('probe', id, v.status === 0 ? 'resolved' : 'firing', CHECKED[v.status], v.message || name)
  }
  const id = idOf(environment, entity, 'event', v.key ?? name)
  const summary = v.text === '' ? v.title : `${v.title}: ${v.text}`
  if (v.alert === 'error') return issue('event', id, 'firing', v.isLow ? 'low' : 'high', summary)
  if (v.alert === 'warning') return issue('event', id, 'firing', v.isLow ? 'low' : 'medium', summary)
  if (v.alert === 'success' && v.key) return issue('event', id, 'resolved', 'low', summary)
  const body = redact(summary)
  return {
    line: {
      id: idOf(environment, entity, time, body),
      environment,
      time,
      entity,
      body,
      severity: 'INFO',
      attributes,
      trace_id: null,
      span_id: null,
      observed_time: now,
      source: 'statsd',
    },
  }
}
