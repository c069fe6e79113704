/** A tiny OTLP/HTTP receiver (JSON) for tests: keeps what came in. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Received {
  resource: Record<string, string>
  attributes: Record<string, string>
}
export interface ReceivedLog extends Received {
  severity: string
  body: string
  traceId: string
}
export interface ReceivedMetric extends Received {
  name: string
}
export interface ReceivedSpan extends Received {
  name: string
  kind: number
  traceId: string
  spanId: string
  parentId: string
}

// biome-ignore lint/suspicious/noExplicitAny: the JSON of OTLP as it comes
type Json = any

const attributesOf = (holder: Json): Record<string, string> =>
  Object.fromEntries((holder?.attributes ?? []).map(({ key, value }: Json) => [key, String(Object.values(value ?? {})[0])]))

export class OtlpReceiver {
  readonly logs: ReceivedLog[] = []
  readonly metrics: ReceivedMetric[] = []
  readonly spans: ReceivedSpan[] = []
  readonly #server: Server
  url = ''

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk))
      request.on('end', () => {
        this.#keep(JSON.parse(Buffer.concat(chunks).toString()))
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      })
    })
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop() {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #keep(request: Json) {
    for (const group of request.resourceLogs ?? []) {
      for (const log of group.scopeLogs.flatMap((scope: Json) => scope.logRecords)) {
        this.logs.push({
          ...shared(group, log),
          severity: log.severityText,
          body: log.body?.stringValue ?? '',
          traceId: log.traceId ?? '',
        })
      }
    }
    for (const group of request.resourceMetrics ?? []) {
      for (const metric of group.scopeMetrics.flatMap((scope: Json) => scope.metrics)) {
        this.metrics.push({ ...shared(group, metric), name: metric.name })
      }
    }
    for (const group of request.resourceSpans ?? []) {
      for (const span of group.scopeSpans.flatMap((scope: Json) => scope.spans)) {
        const { name, kind, traceId, spanId, parentSpanId = '' } = span
        this.spans.push({ ...shared(group, span), name, kind, traceId, spanId, parentId: parentSpanId })
      }
    }
  }
}

const shared = (group: Json, item: Json): Received => ({ resource: attributesOf(group.resource), attributes: attributesOf(item) })
