/** Customers: a bounded load over HTTPS through the proxy, and how well they are served, second by second. */
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { seededRandom } from '@aegis/domain'
import { ADMIN, PORTS } from './configs.ts'

export interface Second {
  readonly at: number
  good: number
  bad: number
  /** Milliseconds of the good ones. */
  readonly times: number[]
}
const LIMIT_MS = 6000

export class Load {
  readonly seconds: Second[] = []
  readonly #agent: https.Agent
  readonly #timer: NodeJS.Timeout
  readonly #random = seededRandom(17)

  constructor(caFile: string, perSecond: number) {
    this.#agent = new https.Agent({ keepAlive: true, maxSockets: 32, ca: readFileSync(caFile) })
    this.#timer = setInterval(() => this.#ask(), 1000 / perSecond)
  }

  #ask(): void {
    const at = Math.floor(Date.now() / 1000)
    let second = this.seconds.at(-1)
    if (second?.at !== at) this.seconds.push((second = { at, good: 0, bad: 0, times: [] }))
    const into = second
    const random = this.#random()
    const id = 1 + Math.floor(this.#random() * 150_000)
    const write = random < 0.2
    const where = write || random < 0.5 ? `/items/articles/${id}` : `/items/articles?limit=5&filter[author][_eq]=${id % 3000}`
    const body = write ? JSON.stringify({ views: id }) : undefined
    const from = performance.now()
    let over = false
    const end = (ok: boolean) => {
      if (over) return
      over = true
      if (ok) {
        into.good++
        into.times.push(performance.now() - from)
      } else into.bad++
    }
    const request = https.request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port: PORTS.https,
        path: where,
        method: write ? 'PATCH' : 'GET',
        agent: this.#agent,
        timeout: LIMIT_MS,
        headers: {
          host: 'localhost',
          authorization: `Bearer ${ADMIN.token}`,
          ...(body && { 'content-type': 'application/json', 'content-length': body.length }),
        },
      },
      response => {
        response.resume()
        response.once('end', () => end((response.statusCode ?? 500) < 400))
        response.once('error', () => end(false))
      },
    )
    request.once('error', () => end(false))
    request.once('timeout', () => request.destroy(new Error('too slow')))
    request.end(body)
  }

  /** A request of somebody else, whatever comes of it. */
  knock(path: string): void {
    https
      .get({ host: '127.0.0.1', servername: 'localhost', port: PORTS.https, path, agent: this.#agent, timeout: LIMIT_MS }, r =>
        r.resume(),
      )
      .on('error', () => undefined)
  }

  /** Share served well and the 95th percentile of the time, of the last seconds or since then (seconds since 1970). */
  served(since: number): { readonly share: number; readonly p95: number } {
    const some = this.seconds.filter(s => s.at >= since)
    const good = some.reduce((sum, s) => sum + s.good, 0)
    const all = good + some.reduce((sum, s) => sum + s.bad, 0)
    const times = some.flatMap(s => s.times).sort((a, b) => a - b)
    return { share: all > 0 ? good / all : 1, p95: times[Math.floor(0.95 * (times.length - 1))] ?? 0 }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#agent.destroy()
  }
}
