import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
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
  type TraceContext,
  tracesSpans,
} from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { NoticeChanges } from '../notice-changes.ts'
import { decodeProtobuf, type Signal } from '../otlp/proto.ts'
import { type ReadOptions, readLogs, readMetrics, readTraces } from '../otlp/read.ts'
import { alert, entity, issue, issueOf, issueOfAlert } from '../read-issues.ts'
import { remoteWriteRoute } from './remote-write.ts'

const unzip = { gzip: promisify(gunzip), deflate: promisify(inflate) } as Record<
  string,
  (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
>

export interface IngestOptions {
  readonly environment: string
  readonly maxBodyBytes: number
  readonly maxInFlightBytes: number
  readonly redact: (text: string) => string
  readonly notice: NoticeChanges
}

const logLine = z.object({
  body: z.string(),
  entity: entity.optional(),
  environment: z.string().optional(),
  time: z.number().int().optional(),
  severity: z.string().optional(),
  attributes: z.record(z.string(), z.string()).default({}),
  trace_id: z.string().optional(),
  span_id: z.string().optional(),
})
const change = z.object({
  entity,
  kind: z.enum(['deploy', 'config', 'scale', 'flag']),
  before: z.string().default(''),
  after: z.string(),
  author: z.string().nullable().default(null),
  source: z.string().default('api'),
  environment: z.string().optional(),
  time: z.number().int().optional(),
})
const observation = z.object({
  entity,
  metric_name: z.string().min(1),
  value: z.number(),
  metric_type: z.enum(['gauge', 'counter', 'delta']).default('gauge'),
  unit: z.string().default(''),
  environment: z.string().optional(),
  time: z.number().int().optional(),
  dimensions: z.record(z.string(), z.string()).default({}),
})
/** A producer that sends its trace along can follow what came of its records. */
const traceOf = (request: FastifyRequest): TraceContext | undefined =>
  readTraceparent(request.headers.traceparent as string | undefined)
const problem = (error: z.ZodError): string => error.issues.map(i => `${i.path.join('.') || 'body'}: ${i.message}`).join('; ')

/** OTLP/HTTP in both encodings, and plain JSON for programs without an SDK. Answers only when the broker has the records. */
export const ingestRoutes = (app: FastifyInstance, context: ServiceContext, options: IngestOptions): void => {
  let inFlight = 0
  const accept = async <T>(request: FastifyRequest, work: () => Promise<T>): Promise<T> => {
    const size = (request.body as Buffer)?.length ?? 0
    if (inFlight + size > options.maxInFlightBytes)
      throw Object.assign(new Error('the broker is behind; try again'), { statusCode: 429 })
    inFlight += size
    try {
      return await work()
    } finally {
      inFlight -= size
    }
  }
  const plain = async (request: FastifyRequest): Promise<Buffer> => {
    const body = request.body as Buffer
    const encoding = request.headers['content-encoding']
    if (!encoding || encoding === 'identity') return body
    const open = unzip[encoding]
    if (!open)
      throw Object.assign(new Error(`content-encoding ${encoding} is not understood; use gzip, deflate or none`), {
        statusCode: 415,
      })
    return open(body, { maxOutputLength: options.maxBodyBytes }).catch(error => {
      throw Object.assign(new Error(`body is not ${encoding}: ${error.message}`), { statusCode: 400 })
    })
  }
  const otlp = <T>(
    signal: Signal,
    stream: Stream<T>,
    read: (
      message: object,
      options: ReadOptions,
    ) => { values: T[]; origins: Parameters<NoticeChanges['notice']>[0]; rejected: number; reason: string },
  ) =>
    app.post(
      `/v1/${signal}`,
      { schema: { tags: ['ingest'], summary: `OTLP/HTTP ${signal}, protobuf or JSON.` } },
      (request, reply) =>
        accept(request, async () => {
          const body = await plain(request)
          const json = request.headers['content-type']?.includes('json') ?? false
          let message: object
          try {
            message = json ? (JSON.parse(body.toString()) as object) : decodeProtobuf(signal, body)
          } catch (error) {
            return reply
              .code(400)
              .send({ message: `body is not OTLP ${signal} in ${json ? 'JSON' : 'protobuf'}: ${(error as Error).message}` })
          }
          const now = context.now()
          const { values, origins, rejected, reason } = read(message, {
            environment: options.environment,
            now,
            source: request.ip,
            redact: options.redact,
          })
          const noticed = options.notice.notice(origins, now)
          if (noticed.length > 0) await context.publish(changes, noticed)
          if (values.length > 0) await context.publish(stream, values, traceOf(request))
          if (!json) return reply.type('application/x-protobuf').send(Buffer.alloc(0))
          return reply.send(
            rejected > 0
              ? {
                  partialSuccess: {
                    [signal === 'logs' ? 'rejectedLogRecords' : signal === 'metrics' ? 'rejectedDataPoints' : 'rejectedSpans']:
                      rejected,
                    errorMessage: reason,
                  },
                }
              : {},
          )
        }),
    )
  otlp('logs', logsRaw, readLogs)
  otlp('metrics', metricsRaw, readMetrics)
  otlp('traces', tracesSpans, readTraces)

  remoteWriteRoute(app, context, { ...options, accept })

  const direct = <In, T>(
    path: string,
    item: z.ZodType<In>,
    stream: Stream<T>,
    make: (value: In, now: number, source: string) => T,
    unwrap: (parsed: unknown) => unknown = parsed => parsed,
    remark: (values: readonly T[]) => object = () => ({}),
  ) =>
    app.post(
      path,
      { schema: { tags: ['ingest'], summary: `One ${stream.name} value or a list of them, as JSON.` } },
      (request, reply) =>
        accept(request, async () => {
          let parsed: unknown
          try {
            parsed = unwrap(JSON.parse((await plain(request)).toString()))
          } catch (error) {
            return reply.code(400).send({ message: `body is not JSON: ${(error as Error).message}` })
          }
          const result = z.array(item).safeParse(Array.isArray(parsed) ? parsed : [parsed])
          if (!result.success) return reply.code(400).send({ message: problem(result.error) })
          const now = context.now()
          const values = result.data.map(v => make(v, now, request.ip))
          await context.publish(stream, values, traceOf(request))
          return reply.code(202).send({ accepted: values.length, ...remark(values) })
        }),
    )
  direct('/api/v1/logs', logLine, logsRaw, (v, now, source): LogLine => {
    const environment = v.environment ?? options.environment
    const time = v.time ?? now
    const body = options.redact(v.body)
    return { ...v, id: idOf(environment, v.entity ?? source, time, body), environment, time, body, observed_time: now, source }
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
    parsed => (parsed as { alerts?: unknown } | null)?.alerts ?? parsed,
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
