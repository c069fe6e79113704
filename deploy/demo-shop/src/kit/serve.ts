/** The server side of a call: routing, a server span that continues the caller's trace, request metrics, errors to statuses. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { context, metrics, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { PoolExhausted } from './pool.ts'
import type { Log } from './telemetry.ts'
import { contextFromTraceparent } from './traceparent.ts'

export interface Request {
  params: Record<string, string>
  query: URLSearchParams
  body: never
}
export interface Reply {
  status?: number
  body: unknown
}
export type Handler = (request: Request) => Promise<Reply>
/** Keys read `GET /products/:id`. */
export type Routes = Record<string, Handler>

/** An answer that is not 200; `quiet` ones are the caller's fault and not logged as errors. */
export class HttpError extends Error {
  override name = 'HttpError'
  readonly status: number
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

export function createHttpServer(service: string, routes: Routes, log: Log): Server {
  const table = Object.entries(routes).map(([key, handler]) => {
    const [method, route] = key.split(' ')
    return { method, route, parts: route.split('/'), handler }
  })
  const match = (method: string, path: string) => {
    const parts = path.split('/')
    for (const entry of table) {
      if (entry.method !== method || entry.parts.length !== parts.length) continue
      if (!entry.parts.every((part, i) => part.startsWith(':') || part === parts[i])) continue
      const params = Object.fromEntries(
        entry.parts.flatMap((part, i) => (part.startsWith(':') ? [[part.slice(1), decodeURIComponent(parts[i])]] : [])),
      )
      return { route: entry.route, handler: entry.handler, params }
    }
    return undefined
  }
  const meter = metrics.getMeter(service)
  const duration = meter.createHistogram('http.server.request.duration', {
    unit: 's',
    advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] },
  })
  const active = meter.createUpDownCounter('http.server.active_requests', { unit: '{request}' })
  const requests = meter.createCounter('http.server.requests', { unit: '{request}' })
  const errors = meter.createCounter('http.server.errors', { unit: '{error}' })
  // From zero, so that the first error is a change of a series and not a new one.
  for (const { method, route } of table) errors.add(0, { 'http.request.method': method, 'http.route': route })
  const tracer = trace.getTracer(service)

  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    span: Span,
    matched: NonNullable<ReturnType<typeof match>>,
  ) => {
    try {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const reply = await matched.handler({
        params: matched.params,
        query: url.searchParams,
        body: (await readJson(request)) as never,
      })
      send(response, reply.status ?? 200, reply.body)
    } catch (error) {
      const status = error instanceof HttpError ? error.status : error instanceof PoolExhausted ? 503 : 500
      const name = `${request.method} ${matched.route}`
      if (status >= 500) {
        span.recordException(error as Error)
        // What only passes on another service's failure says so in a line; a failure of our own has its stack trace.
        if (error instanceof HttpError) log.warn(`${name} answered ${status}: ${error.message}`)
        else log.error(`unhandled error in ${name}: ${(error as Error).message}`, error)
      }
      send(response, status, { error: (error as Error).message })
    }
  }

  return createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    const method = request.method ?? 'GET'
    const matched = match(method, (request.url ?? '/').split('?')[0])
    if (!matched) return send(response, 404, { error: `no route ${method} ${request.url}` })
    const started = performance.now()
    const labels = { 'http.request.method': method, 'http.route': matched.route }
    const parent = contextFromTraceparent(request.headers.traceparent as string | undefined)
    const span = tracer.startSpan(
      `${method} ${matched.route}`,
      { kind: SpanKind.SERVER, attributes: { ...labels, 'url.path': request.url ?? '/', 'url.scheme': 'http' } },
      parent,
    )
    active.add(1, labels)
    response.once('close', () => {
      const status = response.writableFinished ? response.statusCode : 499
      const seconds = (performance.now() - started) / 1000
      const outcome = { ...labels, 'http.response.status_code': status }
      active.add(-1, labels)
      duration.record(seconds, outcome)
      requests.add(1, outcome)
      if (status >= 500) errors.add(1, labels)
      span.setAttribute('http.response.status_code', status)
      if (status >= 500) span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    })
    void context.with(trace.setSpan(parent, span), () => answer(request, response, span, matched))
  })
}

function send(response: ServerResponse, status: number, body: unknown) {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes)
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  if (chunks.length === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    throw new HttpError(400, 'request body is not JSON')
  }
}
