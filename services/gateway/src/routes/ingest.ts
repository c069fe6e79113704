import {
  type Change,
  changes,
  idOf,
  issuesExternal,
  type LogLine,
  logsRaw,
  metricsRaw,
  type Observation,
  readTraceparent,
  type Stream,
} from '@aegis/domain'
import { severityNamed } from '@aegis/log-mining'
import type { ServiceContext } from '@aegis/runtime'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { wrongTime } from '../otlp/shape.ts'
import type { TakeOptions } from '../otlp/take.ts'
import { alert, entity, issue, issueOf, issueOfAlert } from '../read-issues.ts'
import type { Door } from './door.ts'
import { readItems, refusal } from './items.ts'

/** Microseconds, or ISO 8601; a time of another unit would be one of 1970. */
const time = z
  .union([z.number().int(), z.string().transform(text => Date.parse(text) * 1000)])
  .superRefine((us, on) => {
    const wrong = wrongTime(us, Number.POSITIVE_INFINITY, us, 'microseconds')
    if (wrong) on.addIssue({ code: 'custom', message: wrong })
  })
  .optional()
/** Values that are no text are written as JSON has them. */
const words = z
  .record(
    z.string(),
    z.unknown().transform(v => (typeof v === 'string' ? v : JSON.stringify(v ?? ''))),
  )
  .default({})
const logLine = z.object({
  body: z.string().min(1),
  entity: entity.nullish(),
  environment: z.string().optional(),
  time,
  severity: z.union([z.string(), z.number()]).nullish(),
  attributes: words,
  trace_id: z.string().nullish(),
  span_id: z.string().nullish(),
})
const change = z.object({
  entity,
  kind: z.enum(['deploy', 'config', 'scale', 'flag']),
  before: z.string().default(''),
  after: z.string(),
  author: z.string().nullable().default(null),
  source: z.string().default('api'),
  environment: z.string().optional(),
  time,
})
const observation = z.object({
  entity,
  metric_name: z.string().min(1),
  value: z.number(),
  metric_type: z.enum(['gauge', 'counter', 'delta']).default('gauge'),
  unit: z.string().default(''),
  environment: z.string().optional(),
  time,
  dimensions: words,
})

/** Plain JSON for programs without an SDK. Answers only when the broker has the records, item by item. */
export const ingestRoutes = (app: FastifyInstance, context: ServiceContext, door: Door, options: TakeOptions): void => {
  const direct = <In, T>(
    path: string,
    item: z.ZodType<In>,
    stream: Stream<T>,
    make: (value: In, now: number, source: string) => T,
    list?: string,
    remark: (values: readonly T[]) => object = () => ({}),
  ) =>
    app.post(
      path,
      { schema: { tags: ['ingest'], summary: `One ${stream.name} value or a list of them, as JSON or one a line.` } },
      (request, reply) =>
        door.accept(request, async () => {
          const read = readItems((await door.plain(request)).toString(), item, list)
          const now = context.now()
          const values = read.values.map(v => make(v, now, request.ip))
          if (values.length > 0) await context.publish(stream, values, readTraceparent(request.headers.traceparent as string))
          if (read.rejected.length === 0) return reply.code(202).send({ accepted: values.length, ...remark(values) })
          return reply
            .code(values.length > 0 ? 202 : 400)
            .send({ accepted: values.length, ...remark(values), ...refusal(read.rejected) })
        }),
    )
  direct('/api/v1/logs', logLine, logsRaw, (v, now, source): LogLine => {
    const environment = v.environment ?? options.environment
    const time = v.time ?? now
    const body = options.redact(v.body)
    // A word nobody knows says nothing of how bad it is, and the line itself is asked; it stays in sight.
    const severity = v.severity === undefined || v.severity === null ? null : (severityNamed(v.severity) ?? null)
    const attributes = severity === null && v.severity ? { ...v.attributes, severity: String(v.severity) } : v.attributes
    return {
      id: idOf(environment, v.entity ?? source, time, body),
      environment,
      time,
      entity: v.entity ?? null,
      body,
      severity,
      attributes,
      trace_id: v.trace_id ?? null,
      span_id: v.span_id ?? null,
      observed_time: now,
      source,
    }
  })
  direct('/api/v1/observations', observation, metricsRaw, (v, now): Observation => {
    const environment = v.environment ?? options.environment
    const time = v.time ?? now
    return { ...v, id: idOf(environment, v.entity, v.metric_name, JSON.stringify(v.dimensions), time), environment, time }
  })
  direct('/api/v1/changes', change, changes, (v, now): Change => {
    const environment = v.environment ?? options.environment
    const time = v.time ?? now
    const [before, after] = [options.redact(v.before), options.redact(v.after)]
    return { ...v, id: idOf(environment, v.entity, v.kind, before, after, time), environment, time, before, after }
  })
  direct('/api/v1/issues', issue, issuesExternal, (v, now) => issueOf(v, { ...options, now }))
  // What a webhook receiver of Alertmanager is sent: { alerts: [...] }.
  direct(
    '/api/v1/alerts',
    alert,
    issuesExternal,
    (v, now) => issueOfAlert(v, { ...options, now }),
    'alerts',
    values => {
      const nobody = values.filter(v => v.entity === null).map(v => v.name)
      if (nobody.length === 0) return {}
      const names = [...new Set(nobody)].join(', ')
      return {
        message: `${nobody.length} name nobody (${names}): kept with their environment, no incident; add a label such as service, deployment, pod or node`,
      }
    },
  )
}
