import type { ServerResponse } from 'node:http'
import { type Asked, Problem, type RouteSpec } from '@aegis/api'
import { z } from 'zod'
import type { HistoryStore, Stored } from './history/history-store.ts'

/** A client that reads more slowly than this many bytes pile up is let go; it may connect again and go on where it was. */
const MAX_BEHIND_BYTES = 4 * 1024 * 1024
/** What somebody missed is sent again up to here; beyond it they are told to ask anew. */
const MOST_MISSED = 5000
const BEAT_MS = 2000
const MOST_CLIENTS = 1000

interface Client {
  readonly response: ServerResponse
  readonly wanted: ReadonlySet<string> | undefined
}
export const EVENTS = {
  method: 'GET',
  url: '/api/v1/events',
  tag: 'pipeline',
  summary: 'Records as they come, as server-sent events named after their kind.',
  description:
    'Every event has an id; a reader that comes back with Last-Event-ID is sent what it missed, each record as it stands now, or `event: reset` when that is not known any more: then ask anew. `event: beat` comes every two seconds.',
  query: z.object({
    kinds: z.string().max(500).optional().meta({ description: 'Kinds wanted, separated by commas; all unless told.' }),
  }),
  answerTypes: ['text/event-stream'],
} as const satisfies RouteSpec

/** Live records to browsers and programs; who was cut off goes on where it was. */
export class LiveFeed {
  readonly #clients = new Set<Client>()
  readonly #store: HistoryStore
  readonly #now: () => number
  readonly #beat = setInterval(() => this.#write(() => `event: beat\ndata: {"time":${this.#now()}}\n\n`), BEAT_MS).unref()

  constructor(store: HistoryStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  readonly connect = ({ query, request, reply }: Asked<typeof EVENTS>): void => {
    if (this.#clients.size >= MOST_CLIENTS)
      throw new Problem(503, `${MOST_CLIENTS} readers are connected already; try again later`)
    reply.hijack()
    const response = reply.raw
    response.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      connection: 'keep-alive',
    })
    const client: Client = { response, wanted: query.kinds ? new Set(query.kinds.split(',').map(k => k.trim())) : undefined }
    response.write(`retry: 1000\nid: ${this.#store.epoch}-${this.#store.newest}\nevent: beat\ndata: {"time":${this.#now()}}\n\n`)
    const last = String(request.headers['last-event-id'] ?? '')
    if (last !== '') this.#resume(client, last)
    this.#clients.add(client)
    request.raw.on('close', () => this.#clients.delete(client))
  }
  #resume(client: Client, last: string): void {
    const at = last.lastIndexOf('-')
    const seq = Number(last.slice(at + 1))
    const missed =
      last.slice(0, at) === this.#store.epoch && Number.isSafeInteger(seq) && seq <= this.#store.newest
        ? this.#store.since(seq, MOST_MISSED + 1)
        : undefined
    if (missed === undefined || missed.length > MOST_MISSED)
      client.response.write(
        `event: reset\ndata: {"reason":"what came since ${JSON.stringify(last).slice(1, -1).slice(0, 80)} is not known; ask anew"}\n\n`,
      )
    else for (const row of missed) if (!client.wanted || client.wanted.has(row.kind)) client.response.write(this.#event(row))
  }
  #event({ kind, seq, doc }: Stored): string {
    return `event: ${kind}\nid: ${this.#store.epoch}-${seq}\ndata: ${doc}\n\n`
  }

  send(rows: readonly Stored[]): void {
    if (this.#clients.size === 0) return
    for (const row of rows) {
      let text: string | undefined
      this.#write(({ wanted }) => (wanted && !wanted.has(row.kind) ? undefined : (text ??= this.#event(row))))
    }
  }
  #write(text: (client: Client) => string | undefined): void {
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
