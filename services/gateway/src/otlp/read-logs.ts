import { idOf, type LogLine } from '@aegis/domain'
import { severityNamed } from '@aegis/log-mining'
import { kubernetesOf, measures, whose } from '../whose.ts'
import { type Read, type ReadOptions, redactAll } from './read.ts'
import {
  type AnyValue,
  attributesOf,
  bodyOf,
  enumOf,
  idOfBytes,
  type Loose,
  microseconds,
  type Origin,
  originOf,
  plainOf,
  Refused,
  walk,
  wrongTime,
} from './shape.ts'

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const NUMBERS = ['', ...LEVELS.flatMap(level => [level, `${level}2`, `${level}3`, `${level}4`])]
const OF_NUMBER = NUMBERS.map((_, n) => (n === 0 ? null : (severityNamed(LEVELS[Math.ceil(n / 4) - 1]) ?? null)))
/** Attributes under which shippers leave the level of a record that has no severity. */
const LEVEL_NAMES = ['level', 'severity', 'log.level', 'loglevel', 'levelname', 'severity_text', 'detected_level']
/** Attributes under which they leave the text of a record without a body. */
const TEXT_NAMES = ['message', 'msg', 'log', 'event.name']
/** What of a resource says who wrote a line, apart from others of the same service; it goes with the line. */
const WRITER = [
  'service.namespace',
  'service.instance.id',
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.pod.uid',
  'k8s.container.name',
  'k8s.container.restart_count',
  'container.id',
  'container.name',
  'host.name',
  'process.pid',
  'log.file.path',
  'log.file.name',
  'log.iostream',
]

/**
 * The number is what severity means, and the text is the word of the source (OpenTelemetry's data model): it counts where there is no number. Null where neither
 * says anything, and then the line itself is asked.
 */
const severityOf = (record: Loose, attributes: Record<string, string>): string | null => {
  const n = enumOf(record.severityNumber, NUMBERS)
  if (n !== undefined && n >= 1 && n <= 24) return OF_NUMBER[n]
  const text = record.severityText ?? (typeof record.severityNumber === 'string' ? record.severityNumber : undefined)
  const said = [text, ...LEVEL_NAMES.map(name => attributes[name])]
  for (const word of said)
    if (word) {
      const severity = severityNamed(word)
      if (severity) return severity
    }
  return null
}
/** The exception in the attributes becomes part of the text, so that stack traces are read like any other. */
const withException = (body: string, attributes: Record<string, string>): string => {
  const stack = attributes['exception.stacktrace']
  const type = attributes['exception.type']
  if (stack === undefined && type === undefined) return body
  delete attributes['exception.stacktrace']
  const text = stack || [type, attributes['exception.message']].filter(Boolean).join(': ')
  if (text === '' || body.includes(text.slice(0, 40))) return body
  return body === '' ? text : `${body}\n${text}`
}

const kubernetesIn = (body: AnyValue | undefined, attributes: Record<string, string>): Record<string, string> => {
  const plain = body?.kvlistValue ? (plainOf(body) as { kubernetes?: unknown }).kubernetes : undefined
  return kubernetesOf(plain ?? fromJson(attributes.kubernetes), attributes)
}
const fromJson = (text: string | undefined): unknown => {
  try {
    return text ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

/** OTLP logs to log lines. */
export const readLogs = (message: object, options: ReadOptions): Read<LogLine> => {
  const refused = new Refused()
  const values: LogLine[] = []
  const origins: Origin[] = []
  for (const { resource, scopes } of walk(
    message,
    ['resourceLogs', 'scopeLogs', 'instrumentationLibraryLogs', 'logRecords'],
    refused,
  )) {
    const origin = originOf(resource, options.environment)
    origins.push(origin)
    const ofResource: Record<string, string> = {}
    for (const name of WRITER) if (origin.attributes[name]) ofResource[name] = options.redact(origin.attributes[name])
    // A collector that reads for others names itself in the resource, and them in the record.
    const isMeasurer = measures(origin.entity)
    for (const { scope, values: records, place } of scopes) {
      const common: Record<string, string> = { ...ofResource, ...(scope.name ? { 'otel.scope.name': String(scope.name) } : {}) }
      for (let i = 0; i < records.length; i++) {
        const record = records[i]
        const given = microseconds(record.timeUnixNano)
        const wrong = given === 0 ? undefined : wrongTime(given, options.now, record.timeUnixNano)
        if (wrong) {
          refused.add(`${place}[${i}].timeUnixNano: ${wrong}`)
          continue
        }
        const attributes = attributesOf(record.attributes)
        const severity = severityOf(record, attributes)
        let body = bodyOf(record.body as AnyValue)
        if (body === '') body = TEXT_NAMES.map(name => attributes[name]).find(Boolean) ?? (String(record.eventName ?? '') || '')
        body = withException(body, attributes)
        if (body === '' && Object.keys(attributes).length > 0) body = JSON.stringify(attributes)
        if (body === '') {
          refused.add(`${place}[${i}] has neither body nor attributes`)
          continue
        }
        if (record.eventName && !attributes['event.name']) attributes['event.name'] = String(record.eventName)
        const kubernetes = origin.entity ? undefined : kubernetesIn(record.body as AnyValue, attributes)
        if (kubernetes) for (const name in kubernetes) attributes[name] ??= kubernetes[name]
        const entity = isMeasurer ? (whose(attributes) ?? origin.entity) : origin.entity
        redactAll(attributes, options.redact)
        for (const name in common) attributes[name] ??= common[name]
        const observed = given === 0 ? microseconds(record.observedTimeUnixNano) : 0
        // Without a time of its own it is an event of when it was first read; a time in the line stands before that (see ParseLogs).
        const read = observed > 0 && !wrongTime(observed, options.now, observed) ? Math.min(observed, options.now) : options.now
        const time = given || read
        const redacted = options.redact(body)
        const span = idOfBytes(record.spanId, 8)
        values.push({
          id: idOf(
            origin.environment,
            entity ?? options.source,
            origin.instance ?? '',
            time,
            redacted,
            span ?? '',
            values.length,
          ),
          environment: origin.environment,
          time,
          entity: entity ?? null,
          body: redacted,
          severity,
          attributes,
          trace_id: idOfBytes(record.traceId, 16) ?? null,
          span_id: span ?? null,
          observed_time: given === 0 ? read : options.now,
          source: options.source,
        })
      }
    }
  }
  return { values, origins, rejected: refused.rejected, reason: refused.reason }
}
