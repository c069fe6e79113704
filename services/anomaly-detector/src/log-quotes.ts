import { type Anomaly, type Evidence, keyOf, type LogEvent, type TraceContext } from '@aegis/domain'

/** An anomaly to be told, and the trace of a record behind it. */
export interface Told {
  readonly anomaly: Anomaly
  readonly trace?: TraceContext
}

const QUOTED = 400

export const entityKey = ({ environment, entity }: Pick<LogEvent, 'environment' | 'entity'>): string => keyOf(environment, entity)

/** The line verbatim, cut with a mark when long, with its place in the log. */
export const quoteOf = (event: LogEvent): Evidence => ({
  kind: 'log',
  entity: event.entity,
  text: event.body.length > QUOTED ? `${event.body.slice(0, QUOTED)}…` : event.body,
  time: event.time,
  stream: 'logs.raw',
  partition: event.partition,
  offset: event.offset,
  name: event.template,
})
