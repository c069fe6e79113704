import { createSocket } from 'node:dgram'
import { idOf, type Observation } from '@aegis/domain'

export interface StatsdValue {
  readonly name: string
  readonly type: 'gauge' | 'delta'
  readonly unit: string
  readonly value: number
  readonly tags: Readonly<Record<string, string>>
}
/** Distinct metrics kept of one interval; more are left out and counted, so that a sender cannot fill the memory. */
const MOST = 50_000

/**
 * StatsD lines (`name:value|type|@rate|#tag:value,…`, several per datagram), put together per interval: counters add up, gauges keep the last value or move by
 * `+n`/`-n`, timers and histograms give a count and a sum, sets the number of distinct members.
 * @see https://github.com/statsd/statsd/blob/master/docs/metric_types.md; tags as DogStatsD has them
 */
export class StatsdTable {
  #values = new Map<
    string,
    { name: string; type: 'gauge' | 'delta'; unit: string; value: number; tags: Record<string, string> }
  >()
  #sets = new Map<string, Set<string>>()
  #gauges = new Map<string, number>()
  bad = 0

  add(datagram: string): void {
    for (const line of datagram.split('\n')) if (line.trim() !== '') this.#line(line.trim())
  }

  #line(line: string): void {
    const colon = line.indexOf(':')
    const [given, type, ...more] = line.slice(colon + 1).split('|')
    const rate = Number(more.find(m => m.startsWith('@'))?.slice(1) ?? 1)
    const value = Number(given)
    const known = ['c', 'g', 'ms', 'h', 'd', 's'].includes(type)
    if (colon <= 0 || !known || given === '' || (type !== 's' && !Number.isFinite(value)) || !(rate > 0 && rate <= 1)) {
      this.bad++
      return
    }
    const name = line.slice(0, colon)
    const tags: Record<string, string> = {}
    for (const tag of more
      .find(m => m.startsWith('#'))
      ?.slice(1)
      .split(',') ?? []) {
      const at = tag.indexOf(':')
      if (at > 0) tags[tag.slice(0, at)] = tag.slice(at + 1)
    }
    const put = (name: string, type: 'gauge' | 'delta', unit: string, next: (before: number) => number) => {
      const key = `${name}\0${JSON.stringify(tags)}`
      const before = this.#values.get(key)
      if (!before && this.#values.size >= MOST) {
        this.bad++
        return
      }
      this.#values.set(key, { name, type, unit, tags, value: next(before?.value ?? 0) })
    }
    if (type === 'c') put(name, 'delta', '1', sum => sum + value / rate)
    else if (type === 'g') {
      const key = `${name}\0${JSON.stringify(tags)}`
      const now = /^[+-]/.test(given) ? (this.#gauges.get(key) ?? 0) + value : value
      if (this.#gauges.size < MOST || this.#gauges.has(key)) this.#gauges.set(key, now)
      put(name, 'gauge', '', () => now)
    } else if (type === 's') {
      const key = `${name}\0${JSON.stringify(tags)}`
      const members = this.#sets.get(key) ?? new Set()
      if (members.size < MOST) members.add(given)
      this.#sets.set(key, members)
      put(name, 'gauge', '1', () => members.size)
    } else {
      put(`${name}.count`, 'delta', '1', n => n + 1 / rate)
      put(`${name}.sum`, 'delta', type === 'ms' ? 'ms' : '', sum => sum + value / rate)
    }
  }

  /** What came since the last call. */
  take(): StatsdValue[] {
    const out = [...this.#values.values()]
    this.#values = new Map()
    this.#sets = new Map()
    return out
  }
}

/** The tags `service` and `env` name entity and environment; without the first it is the name up to its first dot. */
export function statsdObservation(v: StatsdValue, time: number, defaultEnvironment: string): Observation {
  const { service, env, ...dimensions } = v.tags
  const dot = v.name.indexOf('.')
  const entity = `service:${service || (dot > 0 ? v.name.slice(0, dot) : 'unknown')}`
  const environment = env || defaultEnvironment
  return {
    id: idOf(environment, entity, v.name, JSON.stringify(dimensions), time),
    environment,
    time,
    entity,
    metric_name: v.name,
    metric_type: v.type,
    unit: v.unit,
    value: v.value,
    dimensions,
  }
}

export interface StatsdOptions {
  readonly host: string
  readonly port: number
  readonly intervalMs: number
  readonly onValues: (values: readonly StatsdValue[]) => void
  readonly onBad: (lines: number) => void
}
/** Listens on UDP; resolves when bound, with the port. */
export function listenStatsd(options: StatsdOptions): Promise<{ readonly port: number; close(): Promise<void> }> {
  const table = new StatsdTable()
  const socket = createSocket('udp4')
  socket.on('message', datagram => table.add(datagram.toString()))
  const flush = () => {
    const values = table.take()
    if (values.length > 0) options.onValues(values)
    if (table.bad > 0) options.onBad(table.bad)
    table.bad = 0
  }
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(options.port, options.host, () => {
      const timer = setInterval(flush, options.intervalMs)
      resolve({
        port: socket.address().port,
        close: async () => {
          clearInterval(timer)
          flush()
          await new Promise<void>(done => socket.close(() => done()))
        },
      })
    })
  })
}
