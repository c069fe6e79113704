import type { ServerResponse } from 'node:http'
import { issuesExternal, logsParsed, metricsRaw, type Stream, tracesSpans } from '@aegis/domain'
import type { Seen, ServiceContext } from '@aegis/runtime'
import type { FastifyInstance } from 'fastify'

/** A client that reads more slowly than this many bytes pile up is let go; it may connect again. */
const MAX_BEHIND_BYTES = 4 * 1024 * 1024

interface Client {
  readonly response: ServerResponse
  readonly wanted: ReadonlySet<string> | undefined
}
type Context = Pick<ServiceContext, 'tail' | 'log'>

/** Live events to browsers and programs, as server-sent events named after their stream. */
export class EventFeed {
  /** Streams with a record for every line, number and span: read only while a client names one of them, and sent to no other. */
  static readonly onDemand: readonly Stream<never>[] = [
    logsParsed,
    metricsRaw,
    tracesSpans,
    issuesExternal,
  ] as unknown as readonly Stream<never>[]
  readonly #clients = new Set<Client>()
  readonly #tails = new Map<string, Promise<{ close(): Promise<void> }>>()
  readonly #beat = setInterval(() => this.#write(() => ': still here\n\n'), 15_000).unref()
  readonly #context: Context
  #closed = false

  constructor(context: Context) {
    this.#context = context
  }

  route(app: FastifyInstance): void {
    app.get<{ Querystring: { streams?: string } }>(
      '/api/v1/events',
      {
        schema: {
          tags: ['state'],
          summary:
            'Live records as server-sent events; ?streams=incidents,anomalies narrows them. logs.parsed, metrics.raw, traces.spans and issues.external come only when named.',
        },
      },
      async (request, reply) => {
        reply.hijack()
        const response = reply.raw
        const named = request.query.streams?.split(',').map(name => name.trim())
        const client: Client = { response, wanted: named ? new Set(named) : undefined }
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', connection: 'keep-alive' })
        this.#clients.add(client)
        request.raw.on('close', () => {
          this.#clients.delete(client)
          this.#endIdle()
        })
        try {
          await this.#begin(client)
          response.write(': connected\n\n')
        } catch (error) {
          this.#context.log.warn({ err: error }, 'a stream cannot be read for a client')
          response.end()
        }
      },
    )
  }
  send(stream: string, id: string, value: unknown): void {
    const onDemand = EventFeed.onDemand.some(s => s.name === stream)
    let text: string | undefined
    this.#write(({ wanted }) => {
      if (wanted ? !wanted.has(stream) : onDemand) return undefined
      text ??= `event: ${stream}\nid: ${id}\ndata: ${JSON.stringify(value)}\n\n`
      return text
    })
  }

  /** Resolves when every stream on demand that the client names is being read. */
  async #begin({ wanted }: Client): Promise<void> {
    const send = (seen: readonly Seen[]) => {
      for (const { stream, value } of seen) this.send(stream, (value as { id: string }).id, value)
    }
    for (const stream of EventFeed.onDemand) {
      if (!wanted?.has(stream.name) || this.#closed) continue
      let tail = this.#tails.get(stream.name)
      if (!tail) {
        tail = this.#context.tail([stream], 'end', send)
        this.#tails.set(stream.name, tail)
        tail.catch(() => this.#tails.delete(stream.name))
      }
      await tail
    }
    this.#endIdle()
  }
  #endIdle(): void {
    for (const [stream, tail] of this.#tails) {
      if (!this.#closed && [...this.#clients].some(({ wanted }) => wanted?.has(stream))) continue
      this.#tails.delete(stream)
      void tail
        .then(({ close }) => close())
        .catch(error => this.#context.log.debug({ err: error, stream }, 'tail did not end well'))
    }
  }
  #write(text: (client: Client) => string | undefined): void {
    for (const client of this.#clients) {
      const line = text(client)
      if (line === undefined) continue
      if (client.response.writableLength > MAX_BEHIND_BYTES) {
        this.#clients.delete(client)
        client.response.destroy()
        this.#endIdle()
      } else client.response.write(line)
    }
  }
  close(): void {
    this.#closed = true
    clearInterval(this.#beat)
    for (const { response } of this.#clients) response.end()
    this.#endIdle()
  }
}
