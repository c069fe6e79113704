import { StateView } from '@aegis/api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NoticeChanges } from './notice-changes.ts'
import { decodeProtobuf, encodeProtobuf } from './otlp/proto.ts'
import { readLogs } from './otlp/read-logs.ts'
import { readMetrics } from './otlp/read-metrics.ts'
import { readTraces } from './otlp/read-traces.ts'

const options = {
  environment: 'default',
  now: 1_700_000_000_000_000,
  source: 'test',
  redact: (text: string) => text.replace('secret', '[redacted]'),
}
const resource = {
  attributes: [
    { key: 'service.name', value: { stringValue: 'pay' } },
    { key: 'service.instance.id', value: { stringValue: 'pay-0' } },
    { key: 'service.version', value: { stringValue: '1' } },
  ],
}
const nanos = '1700000000123456789'

describe('OTLP', () => {
  const logs = {
    resourceLogs: [
      {
        resource,
        scopeLogs: [
          {
            logRecords: [
              {
                timeUnixNano: nanos,
                severityNumber: 17,
                body: { stringValue: 'a secret' },
                attributes: [{ key: 'n', value: { intValue: '7' } }],
              },
            ],
          },
        ],
      },
    ],
  }
  it('reads a log record alike in JSON and protobuf', () => {
    const json = readLogs(logs, options).values[0]
    const proto = readLogs(decodeProtobuf('logs', encodeProtobuf('logs', logs)), options).values[0]
    expect(json).toMatchObject({
      entity: 'service:pay',
      time: 1_700_000_000_123_456,
      severity: 'ERROR',
      body: 'a [redacted]',
      attributes: { n: '7', 'service.instance.id': 'pay-0' },
    })
    expect(proto).toMatchObject({ entity: json.entity, time: json.time, severity: json.severity, body: json.body })
  })
  it('puts the stack trace of an exception behind its message', () => {
    const record = {
      body: { stringValue: 'failed' },
      attributes: [{ key: 'exception.stacktrace', value: { stringValue: 'Error: x\n    at y' } }],
    }
    expect(readLogs({ resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] }, options).values[0].body).toBe(
      'failed\nError: x\n    at y',
    )
  })
  it('makes gauges, counters, deltas, and count and sum of histograms', () => {
    const point = { timeUnixNano: nanos, attributes: [{ key: 'route', value: { stringValue: '/x' } }] }
    const metrics = [
      { name: 'g', unit: '1', gauge: { dataPoints: [{ ...point, asDouble: 0.5 }] } },
      { name: 'c', sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints: [{ ...point, asInt: '9' }] } },
      { name: 'u', sum: { isMonotonic: false, aggregationTemporality: 2, dataPoints: [{ ...point, asInt: '4' }] } },
      { name: 'h', unit: 's', histogram: { aggregationTemporality: 1, dataPoints: [{ ...point, count: '3', sum: 1.5 }] } },
      { name: 'bad', gauge: { dataPoints: [{ ...point }] } },
    ]
    const read = readMetrics({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] }, options)
    expect(read.values.map(v => [v.metric_name, v.metric_type, v.value, v.unit])).toEqual([
      ['g', 'gauge', 0.5, '1'],
      ['c', 'counter', 9, ''],
      ['u', 'gauge', 4, ''],
      ['h.count', 'delta', 3, '1'],
      ['h.sum', 'delta', 1.5, 's'],
    ])
    expect(read.values[0].dimensions).toEqual({ route: '/x', instance: 'pay-0' })
    expect([read.rejected, read.reason]).toEqual([1, expect.stringContaining('bad')])
  })
  it('reads spans, and counts those without ids as rejected', () => {
    const span = {
      traceId: '0AF7651916CD43DD8448EB211C80319C',
      spanId: 'b7ad6b7169203331',
      kind: 3,
      name: 'GET',
      startTimeUnixNano: nanos,
      endTimeUnixNano: '1700000000223456789',
      status: { code: 2 },
      attributes: [{ key: 'peer.service', value: { stringValue: 'bank' } }],
    }
    const read = readTraces({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span, { name: 'lost' }] }] }] }, options)
    expect(read.values).toMatchObject([
      { trace_id: '0af7651916cd43dd8448eb211c80319c', kind: 'client', duration_us: 100_000, status: 'error', peer: 'bank' },
    ])
    expect(read.rejected).toBe(1)
  })
  it('takes from messages that are nothing like it what it can, and throws nothing', () => {
    const odd = fc.letrec(tie => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, 5, 'x', true),
        fc.array(tie('any')),
        fc.record(
          Object.fromEntries(
            [
              'resourceLogs',
              'resource',
              'attributes',
              'key',
              'value',
              'scopeLogs',
              'logRecords',
              'body',
              'kvlistValue',
              'values',
            ].map(k => [k, tie('any')]),
          ),
          { requiredKeys: [] },
        ),
      ),
    })).any
    fc.assert(
      fc.property(odd, message => void readLogs(Object(message), options)),
      { seed: 5, numRuns: 500 },
    )
    expect(readLogs({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}] }] }] }, options)).toMatchObject({
      values: [],
      rejected: 1,
      reason: 'resourceLogs[0].scopeLogs[0].logRecords[0] has neither body nor attributes',
    })
  })
})

describe('NoticeChanges', () => {
  const origin = (version: string) => ({ entity: 'service:pay', environment: 'e', version, attributes: {} })
  const at = (second: number) => second * 1_000_000
  it('sees a deploy once, through a rolling one, and a roll-back', () => {
    const notice = new NoticeChanges()
    expect(notice.notice([origin('1')], at(0))).toEqual([])
    expect(notice.notice([origin('1'), origin('2')], at(10))).toMatchObject([{ kind: 'deploy', before: '1', after: '2' }])
    expect(notice.notice([origin('1')], at(11))).toEqual([])
    expect(notice.notice([origin('2')], at(12))).toEqual([])
    expect(notice.notice([origin('1')], at(60))).toMatchObject([{ before: '2', after: '1' }])
  })
})

describe('StateView', () => {
  it('keeps the newest of each and a bounded number of them', () => {
    const view = new StateView()
    for (let i = 0; i < 5000; i++) view.take('incidents', { id: `i${i % 3000}`, environment: 'e', revision: i })
    expect(view.incidents.size).toBe(2000)
    expect(view.incidents.get('i1999')?.revision).toBe(4999)
  })
})
