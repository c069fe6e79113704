import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** A client that reads more slowly than this many bytes pile up is let go; it may connect again. */
const MAX_BEHIND_BYTES = 4 * 1024 * 1024

/** Live events to browsers and programs, as server-sent events named after their stream. */
export class EventFeed {
  readonly #clients = new Set<{ response: ServerResponse; wanted: ReadonlySet<string> | undefined }>()
  readonly #beat = setInterval(() => this.#write(() => ': still here\n\n'), 15_000).unref()

  route(app: FastifyInstance): void {
    app.get<{ Querystring: { streams?: string } }>(
      '/api/v1/events',
      { schema: { tags: ['state'], summary: 'Live records as server-sent events; ?streams=incidents,anomalies narrows them.' } },
      (request, reply) => {
        reply.hijack()
        const response = reply.raw
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', connection: 'keep-alive' })
        response.write(': connected\n\n')
        const client = { response, wanted: request.query.streams ? new Set(request.query.streams.split(',')) : undefined }
        this.#clients.add(client)
        request.raw.on('close', () => this.#clients.delete(client))
      },
    )
  }
  send(stream: string, id: string, value: unknown): void {
    if (this.#clients.size === 0) return
    const text = `event: ${stream}\nid: ${id}\ndata: ${JSON.stringify(value)}\n\n`
    this.#write(client => (!client.wanted || client.wanted.has(stream) ? text : undefined))
  }
  #write(text: (client: { wanted: ReadonlySet<string> | undefined }) => string | undefined): void {
    for (const client of this.#clients) {
      const line = text(client)
      if (line === undefined) continue
      if (client.response.writableLength > MAX_BEHIND_BYTES) {
        this.#clients.delete(client)
        client.response.destroy()
      } else client.response.write(line)
    }
  }
  close(): void {
    clearInterval(this.#beat)
    for (const { response } of this.#clients) response.end()
  }
}
