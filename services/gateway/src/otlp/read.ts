import { idOf, type LogLine, type Observation, type Span } from '@aegis/domain'
import {
  attributesOf,
  hexId,
  type KeyValue,
  microseconds,
  numberOf,
  type Origin,
  originOf,
  type Resource,
  textOf,
} from './shape.ts'

export interface ReadOptions {
  readonly environment: string
  /** Arrival, microseconds. */
  readonly now: number
  readonly source: string
  /** Applied to every text before it goes anywhere. */
  readonly redact: (text: string) => string
}
interface Read<T> {
  readonly values: T[]
  readonly origins: Origin[]
  /** Items left out, with the reason, for OTLP's partial success answer. */
  rejected: number
  reason: string
}
type Loose = Record<string, never> & { [key: string]: never }
/** Anything that is no list of objects reads as an empty one: what a stranger sends must not throw. */
const list = (value: unknown): Loose[] =>
  Array.isArray(value) ? (value.filter(v => v !== null && typeof v === 'object') as Loose[]) : []
const SEVERITIES = ['', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer']

const redactAll = (attributes: Record<string, string>, redact: (text: string) => string): Record<string, string> => {
  for (const key in attributes) attributes[key] = redact(attributes[key])
  return attributes
}

/** OTLP logs to log lines. Exception attributes become part of the body, so that stack traces are read like any other. */
export const readLogs = (message: object, options: ReadOptions): Read<LogLine> => {
  const out: Read<LogLine> = { values: [], origins: [], rejected: 0, reason: '' }
  for (const rl of list((message as Loose).resourceLogs)) {
    const origin = originOf(rl.resource as Resource, options.environment)
    out.origins.push(origin)
    for (const scope of list(rl.scopeLogs))
      for (const record of list(scope.logRecords)) {
        const attributes = attributesOf(record.attributes as KeyValue[])
        let body = textOf(record.body)
        const stack = attributes['exception.stacktrace']
        if (stack && !body.includes(stack.slice(0, 40))) body = `${body}\n${stack}`
        delete attributes['exception.stacktrace']
        if (origin.instance) attributes['service.instance.id'] = origin.instance
        const time = microseconds(record.timeUnixNano) || microseconds(record.observedTimeUnixNano) || options.now
        const level = Number(record.severityNumber ?? 0)
        const redacted = options.redact(body)
        const span = hexId(record.spanId as never)
        out.values.push({
          id: idOf(origin.environment, origin.entity, origin.instance ?? '', time, redacted, span ?? '', out.values.length),
          environment: origin.environment,
          time,
          entity: origin.entity,
          body: redacted,
          severity: (record.severityText as string) || SEVERITIES[Math.ceil(level / 4)] || null,
          attributes: redactAll(attributes, options.redact),
          trace_id: hexId(record.traceId as never) ?? null,
          span_id: span ?? null,
          observed_time: options.now,
          source: options.source,
        })
      }
  }
  return out
}

/** OTLP metrics to observations. Histograms and summaries give their count and sum as counters; means are made where they are read. */
export const readMetrics = (message: object, options: ReadOptions): Read<Observation> => {
  const out: Read<Observation> = { values: [], origins: [], rejected: 0, reason: '' }
  const put = (origin: Origin, point: Loose, name: string, type: string, unit: string, value: number) => {
    if (!Number.isFinite(value)) {
      out.rejected++
      out.reason = `${name} of ${origin.entity} has a point without a finite value`
      return
    }
    const dimensions = redactAll(attributesOf(point.attributes as KeyValue[]), options.redact)
    if (origin.instance) dimensions.instance = origin.instance
    const time = microseconds(point.timeUnixNano) || options.now
    const key = Object.keys(dimensions)
      .sort()
      .map(k => `${k}=${dimensions[k]}`)
      .join(',')
    out.values.push({
      id: idOf(origin.environment, origin.entity, name, key, time),
      environment: origin.environment,
      time,
      entity: origin.entity,
      metric_name: name,
      metric_type: type,
      unit,
      value,
      dimensions,
    })
  }
  for (const rm of list((message as Loose).resourceMetrics)) {
    const origin = originOf(rm.resource as Resource, options.environment)
    out.origins.push(origin)
    for (const scope of list(rm.scopeMetrics))
      for (const metric of list(scope.metrics)) {
        const name = String(metric.name ?? '')
        const unit = String(metric.unit ?? '')
        for (const point of list((metric.gauge as Loose)?.dataPoints))
          put(origin, point, name, 'gauge', unit, numberOf(point.asDouble ?? point.asInt))
        const sum = metric.sum as Loose | undefined
        const sumType = sum?.isMonotonic ? (Number(sum.aggregationTemporality) === 1 ? 'delta' : 'counter') : 'gauge'
        for (const point of list(sum?.dataPoints))
          put(origin, point, name, sumType, unit, numberOf(point.asDouble ?? point.asInt))
        for (const kind of ['histogram', 'exponentialHistogram', 'summary'] as const) {
          const h = metric[kind] as Loose | undefined
          const type = Number(h?.aggregationTemporality) === 1 ? 'delta' : 'counter'
          for (const point of list(h?.dataPoints)) {
            put(origin, point, `${name}.count`, type, '1', numberOf(point.count))
            if (point.sum !== undefined && point.sum !== null) put(origin, point, `${name}.sum`, type, unit, numberOf(point.sum))
            for (const q of list(point.quantileValues))
              put(
                origin,
                {
                  ...point,
                  attributes: [...list(point.attributes), { key: 'quantile', value: { stringValue: String(q.quantile) } }],
                } as never,
                name,
                'gauge',
                unit,
                numberOf(q.value),
              )
          }
        }
      }
  }
  return out
}

/** OTLP spans. A span without ids cannot be joined to anything and is left out. */
export const readTraces = (message: object, options: ReadOptions): Read<Span> => {
  const out: Read<Span> = { values: [], origins: [], rejected: 0, reason: '' }
  for (const rs of list((message as Loose).resourceSpans)) {
    const origin = originOf(rs.resource as Resource, options.environment)
    out.origins.push(origin)
    for (const scope of list(rs.scopeSpans))
      for (const span of list(scope.spans)) {
        const traceId = hexId(span.traceId as never)
        const spanId = hexId(span.spanId as never)
        if (!traceId || !spanId) {
          out.rejected++
          out.reason = `a span of ${origin.entity} has no trace or span id`
          continue
        }
        const attributes = attributesOf(span.attributes as KeyValue[])
        const start = microseconds(span.startTimeUnixNano) || options.now
        const status = Number((span.status as Loose)?.code ?? 0)
        out.values.push({
          id: idOf(traceId, spanId),
          environment: origin.environment,
          time: start,
          trace_id: traceId,
          span_id: spanId,
          parent_id: hexId(span.parentSpanId as never) ?? null,
          entity: origin.entity,
          operation: String(span.name ?? ''),
          kind: KINDS[Number(span.kind ?? 0)] ?? 'internal',
          duration_us: Math.max(0, microseconds(span.endTimeUnixNano) - start),
          status: status === 2 ? 'error' : status === 1 ? 'ok' : 'unset',
          peer:
            attributes['peer.service'] ||
            attributes['db.system.name'] ||
            attributes['db.system'] ||
            attributes['messaging.system'] ||
            attributes['server.address'] ||
            null,
          status_message: options.redact(String((span.status as Loose)?.message ?? '')) || null,
          attributes: redactAll(attributes, options.redact),
        })
      }
  }
  return out
}
