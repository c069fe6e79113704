import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Observation } from '@aegis/domain'
import { afterEach, describe, expect, it } from 'vitest'
import { readHistory } from './prometheus-history.ts'
import { type SourceOptions, sendHistory, startSources } from './start-sources.ts'

const T = 1_700_000_000_000
const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

interface Asked {
  readonly path: string
  readonly query: Record<string, string>
}
/** A server that answers as the API's documentation says, with a gauge and a counter of `series` instances. */
const prometheus = async (series: number, answer?: (asked: Asked) => { status: number; body: string } | undefined) => {
  const asked: Asked[] = []
  const reply = ({ path, query }: Asked): object => {
    if (path === '/api/v1/metadata') return { node_boots: [{ type: 'counter', help: '', unit: '' }] }
    const [start, end, step] = [Number(query.start), Number(query.end), Number(query.step)]
    const times = Array.from({ length: Math.floor((end - start) / step + 1e-9) + 1 }, (_, i) => start + i * step)
    const result = Array.from({ length: series }, (_, i) => `host-${i}:9100`).flatMap(instance =>
      ['node_load1', 'node_boots'].map(name => ({
        metric: { __name__: name, job: 'node', instance },
        values: times.map(t => [t, name === 'node_load1' ? '0.5' : String(t / step)]),
      })),
    )
    return { resultType: 'matrix', result }
  }
  const server = createServer((request: IncomingMessage, response) => {
    const url = new URL(request.url ?? '', 'http://x')
    const one = { path: url.pathname, query: Object.fromEntries(url.searchParams) }
    asked.push(one)
    const own = answer?.(one)
    response.statusCode = own?.status ?? 200
    response.setHeader('content-type', 'application/json')
    response.end(own?.body ?? JSON.stringify({ status: 'success', data: reply(one) }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => new Promise(resolve => server.close(resolve)))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
const options = { selector: '{job="node"}', from: T, to: T + 3_600_000, stepMs: 15_000, maxBytes: 1 << 22, timeoutMs: 5000 }

describe('readHistory', () => {
  it('reads all moments once, in order of time, with declared types', async () => {
    const { url } = await prometheus(2)
    const samples = (await Array.fromAsync(readHistory({ ...options, url }))).flat()
    expect(samples).toHaveLength(4 * 241)
    expect(samples.map(s => s.time)).toEqual([...samples.map(s => s.time)].sort((a, b) => a - b))
    expect([samples[0].time, samples.at(-1)?.time]).toEqual([T * 1000, (T + 3_600_000) * 1000])
    expect(samples.slice(0, 2)).toMatchObject([
      { name: 'node_load1', type: undefined, value: 0.5, labels: { job: 'node', instance: 'host-0:9100' } },
      { name: 'node_boots', type: 'counter' },
    ])
  })
  it('cuts the stretches shorter where an answer is too large, and misses nothing', async () => {
    const { url, asked } = await prometheus(3)
    const whole = (await Array.fromAsync(readHistory({ ...options, url }))).flat()
    const before = asked.length
    const cut = (await Array.fromAsync(readHistory({ ...options, url, maxBytes: 20_000 }))).flat()
    expect(cut).toEqual(whole)
    expect(asked.length - before).toBeGreaterThan(before)
    await expect(Array.fromAsync(readHistory({ ...options, url, maxBytes: 200 }))).rejects.toThrow(
      'AEGIS_HISTORY_SELECTOR: one moment of {job="node"} is more than the 200 bytes',
    )
  })
  it('passes on what the server says is wrong, and says when it is no Prometheus', async () => {
    const refusing = await prometheus(1, ({ path }) =>
      path.endsWith('range')
        ? { status: 400, body: '{"status":"error","errorType":"bad_data","error":"parse error"}' }
        : undefined,
    )
    await expect(Array.fromAsync(readHistory({ ...options, url: refusing.url }))).rejects.toThrow(
      'refused query_range: parse error',
    )
    const other = await prometheus(1, () => ({ status: 200, body: '<html>' }))
    await expect(Array.fromAsync(readHistory({ ...options, url: other.url }))).rejects.toThrow('is it a Prometheus?')
  })
})

describe('what the gateway does with it', () => {
  const sources = (over: Partial<SourceOptions>): SourceOptions => ({
    environment: 'default',
    targets: [{ name: 'node', url: 'http://127.0.0.1:1/metrics' }],
    scrapeIntervalMs: 15_000,
    statsdHost: '127.0.0.1',
    statsdIntervalMs: 10_000,
    syslogHost: '127.0.0.1',
    graphiteHost: '127.0.0.1',
    redact: text => text,
    maxBodyBytes: 1 << 22,
    historyMs: 600_000,
    ...over,
  })
  const context = () => {
    const sent: Observation[] = []
    const told: string[] = []
    const log = { info: (_: object, text: string) => told.push(text), warn: (_: object, text: string) => told.push(text) }
    return {
      sent,
      told,
      log: log as never,
      now: () => (T + 7000) * 1000,
      publish: async (_stream: unknown, values: readonly unknown[]) => void sent.push(...(values as Observation[])),
      lead: async (_name: string, onChange: (leading: boolean) => void) => {
        onChange(true)
        return { close: async () => undefined }
      },
    }
  }

  it('asks for its targets, at whole steps up to now, and marks what it sends as history', async () => {
    const { url, asked } = await prometheus(1)
    const to = context()
    const end = Math.floor((T + 7000) / 15_000) * 15
    expect(await sendHistory(sources({ historyUrl: url }), to as never)).toBe(2 * 41)
    expect(asked.at(-1)?.query).toEqual({
      query: '{job=~"node"}',
      start: String(end - 600),
      end: String(end),
      step: '15',
    })
    expect(to.sent.every(o => o.history)).toBe(true)
    expect(to.sent[0]).toMatchObject({ entity: 'host:host-0', metric_name: 'node_load1', metric_type: 'gauge', value: 0.5 })
    expect(to.sent[1]).toMatchObject({ metric_name: 'node_boots', metric_type: 'counter' })
    await sendHistory(sources({ historyUrl: url, targets: [] }), to as never)
    expect(asked.at(-1)?.query.query).toBe('{job!=""}')
    await sendHistory(sources({ historyUrl: url, historySelector: 'up', historyStepMs: 60_000 }), to as never)
    expect(asked.at(-1)?.query).toMatchObject({ query: 'up', step: '60' })
  })
  it('sends history before the first look at a target, and looks even where there is none to be had', async () => {
    const { url } = await prometheus(1)
    for (const [historyUrl, first] of [
      [url, 'node_load1'],
      ['http://127.0.0.1:1', 'up'],
    ]) {
      const to = context()
      const stop = await startSources(sources({ historyUrl }), to as never)
      while (!to.sent.some(o => o.metric_name === 'up')) await new Promise(resolve => setTimeout(resolve, 5))
      await stop()
      expect(to.sent[0].metric_name).toBe(first)
      expect(to.sent.at(-1)).toMatchObject({ metric_name: 'up', value: 0 })
      expect(to.sent.at(-1)?.history).toBeUndefined()
      expect(to.told[0]).toMatch(first === 'up' ? /history cannot be read/ : /history is read/)
    }
  })
})
