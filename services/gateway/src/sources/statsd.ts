import { listenUdp } from './listen.ts'
import { readStatsdLine, type StatsdCheck, type StatsdEvent, type StatsdMetric } from './statsd-line.ts'
import type { TaggedValue } from './tagged.ts'

/** Distinct metrics kept of one interval; more are left out and counted, so that a sender cannot fill the memory. */
const MOST = 50_000

/**
 * StatsD datagrams of several lines, put together per interval: counters add up, gauges keep the last value or move by `+n`/`-n`, timers, histograms and
 * distributions give a count and a sum, sets the number of distinct members. Values with a time of their own stay by themselves.
 */
export class StatsdTable {
  #values = new Map<string, { -readonly [K in keyof TaggedValue]: TaggedValue[K] }>()
  #sets = new Map<string, Set<string>>()
  #gauges = new Map<string, number>()
  #others: (StatsdEvent | StatsdCheck)[] = []
  /** Lines that cannot be read, and the first of them. */
  bad = 0
  firstBad = ''

  add(datagram: string): void {
    for (const line of datagram.split('\n')) if (line.trim() !== '') this.#line(line.trim())
  }

  #line(line: string): void {
    const read = readStatsdLine(line)
    if (!read) this.#refuse(line)
    else if (read.kind === 'metric') this.#metric(read, line)
    else if (this.#others.length < MOST) this.#others.push(read)
    else this.#refuse(line)
  }
  #refuse(line: string): void {
    this.bad++
    this.firstBad ||= line.slice(0, 120)
  }

  #metric({ name, type, values, rate, tags, seconds }: StatsdMetric, line: string): void {
    const time = seconds === undefined ? undefined : seconds * 1_000_000
    const of = JSON.stringify(tags)
    const put = (name: string, type: 'gauge' | 'delta', unit: string, next: (before: number) => number) => {
      const key = `${name}\0${of}\0${time ?? ''}`
      const before = this.#values.get(key)
      if (!before && this.#values.size >= MOST) return this.#refuse(line)
      this.#values.set(key, { name, type, unit, tags, value: next(before?.value ?? 0), ...(time === undefined ? {} : { time }) })
    }
    const key = `${name}\0${of}`
    for (const given of values) {
      const value = Number(given)
      if (type === 'c' || type === 'm') put(name, 'delta', '1', sum => sum + value / rate)
      else if (type === 'g') {
        const now = /^[+-]/.test(given) ? (this.#gauges.get(key) ?? 0) + value : value
        if (this.#gauges.size < MOST || this.#gauges.has(key)) this.#gauges.set(key, now)
        put(name, 'gauge', '', () => now)
      } else if (type === 's') {
        const members = this.#sets.get(key) ?? new Set()
        if (members.size < MOST) members.add(given)
        this.#sets.set(key, members)
        put(name, 'gauge', '1', () => members.size)
      } else {
        put(`${name}.count`, 'delta', '1', n => n + 1 / rate)
        put(`${name}.sum`, 'delta', type === 'ms' ? 'ms' : '', sum => sum + value / rate)
      }
    }
  }

  /** What came since the last call. */
  take(): TaggedValue[] {
    const out = [...this.#values.values()]
    this.#values = new Map()
    this.#sets = new Map()
    return out
  }
  /** Events and service checks since the last call. */
  takeOthers(): (StatsdEvent | StatsdCheck)[] {
    return this.#others.splice(0)
  }
}

export interface StatsdOptions {
  readonly host: string
  readonly port: number
  readonly intervalMs: number
  readonly onValues: (values: readonly TaggedValue[]) => void
  readonly onOthers: (others: readonly (StatsdEvent | StatsdCheck)[]) => void
  readonly onBad: (lines: number, first: string) => void
}
/** Listens on UDP; resolves when bound, with the port. */
export const listenStatsd = async (options: StatsdOptions): Promise<{ readonly port: number; close(): Promise<void> }> => {
  const table = new StatsdTable()
  const flush = () => {
    const values = table.take()
    if (values.length > 0) options.onValues(values)
    if (table.bad > 0) options.onBad(table.bad, table.firstBad)
    table.bad = 0
    table.firstBad = ''
  }
  const socket = await listenUdp(options.host, options.port, data => {
    table.add(data.toString())
    const others = table.takeOthers()
    if (others.length > 0) options.onOthers(others)
  })
  const timer = setInterval(flush, options.intervalMs)
  return {
    port: socket.port,
    close: async () => {
      clearInterval(timer)
      flush()
      await socket.close()
    },
  }
}
