import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { seededRandom } from '@aegis/domain'
import fc from 'fast-check'
import { compress } from 'snappyjs'
import { describe, expect, it } from 'vitest'
import { observationOf } from './prometheus-series.ts'
import { parseExposition } from './prometheus-text.ts'
import { encodeRemoteWrite, FamilyTypes, readRemoteWrite, versionOf } from './remote-write.ts'
import { parseTargets, scrape } from './scrape.ts'
import { listenStatsd, StatsdTable } from './statsd.ts'
import { type TaggedValue, taggedObservation } from './tagged.ts'

const T = 1_700_000_000_000
const MOST = 1 << 20

describe('remote-write', () => {
  const one = {
    timeseries: [
      {
        labels: [
          { name: '__name__', value: 'http_requests_total' },
          { name: 'job', value: 'shop' },
        ],
        samples: [
          { value: 5, timestamp: T },
          { value: 7, timestamp: T + 15_000 },
        ],
      },
    ],
    metadata: [{ type: 1, metric_family_name: 'http_requests_total' }],
  }
  const two = {
    symbols: ['', '__name__', 'temperature_celsius', 'job', 'shop'],
    timeseries: [{ labels_refs: [1, 2, 3, 4], samples: [{ value: 21.5, timestamp: T }], metadata: { type: 2 } }],
  }
  it('reads both versions', () => {
    const labels = { __name__: 'http_requests_total', job: 'shop' }
    expect(readRemoteWrite(compress(encodeRemoteWrite(one, 1)), 1, MOST).samples).toEqual([
      { name: 'http_requests_total', labels, value: 5, time: T * 1000, type: 'counter' },
      { name: 'http_requests_total', labels, value: 7, time: (T + 15_000) * 1000, type: 'counter' },
    ])
    expect(readRemoteWrite(compress(encodeRemoteWrite(two, 2)), 2, MOST).samples).toMatchObject([
      { name: 'temperature_celsius', labels: { job: 'shop' }, value: 21.5, type: 'gauge' },
    ])
    expect(versionOf('application/x-protobuf;proto=io.prometheus.write.v2.Request')).toBe(2)
    expect(versionOf('application/x-protobuf')).toBe(1)
  })
  it('keeps the types that came in a request of their own, and count and sum of native histograms', () => {
    const families = new FamilyTypes()
    const read = (message: object) => readRemoteWrite(compress(encodeRemoteWrite(message, 1)), 1, MOST, families)
    read({ metadata: [{ type: 1, metric_family_name: 'requests' }] })
    const labels = [{ name: '__name__', value: 'requests' }]
    const histograms = [{ count_int: 4, sum: 2.5, timestamp: T }]
    expect(
      read({
        timeseries: [
          { labels, samples: [{ value: 1, timestamp: T }] },
          { labels: [{ name: '__name__', value: 'wait_seconds' }], histograms },
          { labels: [{ name: 'job', value: 'x' }], samples: [{ value: 1, timestamp: T }] },
        ],
      }),
    ).toMatchObject({
      samples: [
        { name: 'requests', type: 'counter' },
        { name: 'wait_seconds_count', value: 4 },
        { name: 'wait_seconds_sum', value: 2.5 },
      ],
      written: 3,
      histograms: 1,
      bad: 1,
      reason: 'a series has no name (label __name__)',
    })
  })
  it('refuses what is none, what points nowhere, and what unpacks to too much', () => {
    expect(() => readRemoteWrite(Buffer.from('hello'), 1, MOST)).toThrow()
    const nowhere = { ...two, timeseries: [{ ...two.timeseries[0], labels_refs: [1, 99] }] }
    expect(readRemoteWrite(compress(encodeRemoteWrite(nowhere, 2)), 2, MOST)).toMatchObject({
      samples: [],
      bad: 1,
      reason: expect.stringContaining('not there'),
    })
    expect(() => readRemoteWrite(compress(new Uint8Array(MOST + 1)), 1, MOST)).toThrow()
  })
  it('never ends otherwise than with samples or an error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(1 as const, 2 as const), (bytes, version) => {
        for (const body of [bytes, compress(bytes)])
          try {
            expect(Array.isArray(readRemoteWrite(body, version, MOST).samples)).toBe(true)
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
          }
      }),
      { numRuns: 300, seed: 3 },
    )
  })
})

describe('Prometheus samples', () => {
  const observed = (name: string, labels: Record<string, string> = {}, type?: string, value = 1) =>
    observationOf({ name, labels, value, time: T * 1000, type }, 'default')
  it('become observations: entity, environment, instance, kind and unit', () => {
    expect(observed('process_cpu_seconds_total', { job: 'shop', instance: 'a:1', env: 'eu', __name__: 'x' })).toMatchObject({
      entity: 'service:shop',
      environment: 'eu',
      metric_name: 'process_cpu_seconds_total',
      metric_type: 'counter',
      unit: 's',
      dimensions: { instance: 'a:1' },
    })
    expect(observed('queue_bytes', { service: 'pay', job: 'k8s' })).toMatchObject({
      entity: 'service:pay',
      metric_type: 'gauge',
      unit: 'By',
    })
  })
  it('of a histogram keep sum and count, from which a mean is made', () => {
    expect(observed('latency_seconds_sum')).toMatchObject({
      metric_name: 'latency_seconds.sum',
      metric_type: 'counter',
      unit: 's',
    })
    expect(observed('latency_seconds_count')).toMatchObject({ metric_name: 'latency_seconds.count', metric_type: 'counter' })
    expect(observed('latency_seconds_bucket', { le: '0.5' })).toBeUndefined()
    expect(observed('row_count', {}, 'gauge')).toMatchObject({ metric_name: 'row_count', metric_type: 'gauge' })
  })
  it('that are no number say nothing', () => {
    expect(observed('x', {}, undefined, Number.NaN)).toBeUndefined()
    expect(observed('x', {}, undefined, Number.POSITIVE_INFINITY)).toBeUndefined()
  })
})

describe('text exposition', () => {
  it('is read with types, labels with escapes, times and odd numbers', () => {
    const { samples, bad } = parseExposition(
      [
        '# HELP a words',
        '# TYPE a gauge',
        'a{path="/x\\"y\\\\,}",z="1",} 1.5e3',
        '# TYPE h histogram',
        'h_sum 2 1700000000000',
        'h_bucket{le="+Inf"} +Inf',
        'plain NaN',
        'broken{a="1" 5',
        'no value',
      ].join('\n'),
      7,
    )
    expect(samples).toEqual([
      { name: 'a', labels: { path: '/x"y\\,}', z: '1' }, value: 1500, time: 7, type: 'gauge' },
      { name: 'h_sum', labels: {}, value: 2, time: T * 1000, type: 'histogram' },
      { name: 'h_bucket', labels: { le: '+Inf' }, value: Number.POSITIVE_INFINITY, time: 7, type: 'histogram' },
      { name: 'plain', labels: {}, value: Number.NaN, time: 7, type: undefined },
    ])
    expect(bad).toBe(2)
  })
  it('costs time in proportion to its length, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), text => {
        const { samples, bad } = parseExposition(text, 0)
        expect(samples.length + bad).toBeLessThanOrEqual(text.split('\n').length)
      }),
      { numRuns: 300, seed: 5 },
    )
  })
})

describe('scraping', () => {
  it('labels what a target says, and says whether it is up', async () => {
    let body = 'x 1\ny{job="liar"} 2\n'
    const server = createServer((_request, response) => response.writeHead(body ? 200 : 500).end(body))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
    const look = async () => (await scrape({ name: 'node', url }, () => 5, 2000, 1000)).map(s => [s.name, s.labels.job, s.value])
    expect(await look()).toEqual([
      ['x', 'node', 1],
      ['y', 'node', 2],
      ['up', 'node', 1],
    ])
    body = 'x'.repeat(2000)
    expect(await look()).toEqual([['up', 'node', 0]])
    body = ''
    expect(await look()).toEqual([['up', 'node', 0]])
    await new Promise(resolve => server.close(resolve))
    expect(await look()).toEqual([['up', 'node', 0]])
  })
  it('names a target it cannot use', () => {
    expect(parseTargets(' a=http://x:1/m , b=https://y/ ')).toEqual([
      { name: 'a', url: 'http://x:1/m' },
      { name: 'b', url: 'https://y/' },
    ])
    expect(() => parseTargets('a=http://x, host:9100')).toThrow('"host:9100" is not name=http://host:port/path')
  })
})

describe('StatsD', () => {
  it('adds up counters, keeps gauges, times, and sets, with rates and tags', () => {
    const table = new StatsdTable()
    table.add(
      'a:1|c\na:2|c|@0.5\ng:10|g\ng:-3|g\nt:20|ms|#service:pay,env:eu,route:/x\nt:40|ms|#service:pay,env:eu,route:/x\ns:u1|s\ns:u2|s\ns:u1|s',
    )
    table.add('bad\nx:1|q\ny:z|c\n:1|c\nw:1|c|@7')
    expect(table.bad).toBe(5)
    const values = table.take()
    expect(values.map(v => [v.name, v.type, v.value])).toEqual([
      ['a', 'delta', 5],
      ['g', 'gauge', 7],
      ['t.count', 'delta', 2],
      ['t.sum', 'delta', 60],
      ['s', 'gauge', 2],
    ])
    expect(taggedObservation(values[3], 9, 'default')).toMatchObject({
      entity: 'service:pay',
      environment: 'eu',
      metric_name: 't.sum',
      unit: 'ms',
      dimensions: { route: '/x' },
    })
    table.add('g:+1|g')
    expect(table.take().map(v => v.value)).toEqual([8])
  })
  it('listens', async () => {
    const got: TaggedValue[] = []
    const server = await listenStatsd({
      host: '127.0.0.1',
      port: 0,
      intervalMs: 60_000,
      onValues: values => got.push(...values),
      onOthers: () => undefined,
      onBad: () => undefined,
    })
    const socket = createSocket('udp4')
    const random = seededRandom(1)
    const sent = Array.from({ length: 20 }, () => 1 + Math.floor(random() * 9))
    for (const n of sent) await new Promise(resolve => socket.send(`orders:${n}|c`, server.port, '127.0.0.1', resolve))
    socket.close()
    await new Promise(resolve => setTimeout(resolve, 200))
    await server.close()
    expect(got).toMatchObject([{ name: 'orders', value: sent.reduce((a, b) => a + b) }])
  })
})
