/** What the gateway answers and what then stands on the topics, through its HTTP and gRPC doors. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { ServiceContext, ServiceParts } from '@aegis/runtime'
import { Client, credentials, type Metadata, type ServiceError, Metadata as Words } from '@grpc/grpc-js'
import { compress } from 'snappyjs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NoticeChanges } from './notice-changes.ts'
import { listenGrpc } from './otlp/grpc.ts'
import { decodeResponse, decodeStatus, encodeProtobuf, type Signal } from './otlp/proto.ts'
import { WatchSenderClocks } from './otlp/watch-sender-clocks.ts'
import { Door } from './routes/door.ts'
import { gateway } from './service.ts'
import { encodeRemoteWrite } from './sources/remote-write.ts'

const NOW = 1_800_000_000_000_000
const nanos = `${NOW}000`
const told: string[] = []
let sent: { stream: string; value: Record<string, unknown> }[] = []
const context = {
  now: () => NOW,
  log: { info() {}, debug() {}, warn: (_: object, text: string) => void told.push(text) },
  publish: async (stream: { name: string }, values: readonly unknown[]) => {
    for (const value of values) sent.push({ stream: stream.name, value: value as Record<string, unknown> })
  },
  latest: () => undefined,
} as unknown as ServiceContext
const config = Object.fromEntries(
  Object.entries(gateway.settings).map(([name, { schema }]) => [name, schema.parse(undefined)]),
) as Parameters<typeof gateway.create>[0]
let parts: ServiceParts
let server: Server
let base: string
beforeAll(async () => {
  parts = await gateway.create({ ...config, maxBodyBytes: 100_000 }, context)
  server = createServer(parts.http)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.close()
  await parts.stop?.()
})
beforeEach(() => {
  sent = []
})
const post = async (
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) => {
  const response = await fetch(base + path, { method: 'POST', body: body as string, headers })
  const bytes = Buffer.from(await response.arrayBuffer())
  const type = response.headers.get('content-type') ?? ''
  return {
    status: response.status,
    type,
    bytes,
    json: type.includes('json') ? JSON.parse(bytes.toString()) : undefined,
    headers: response.headers,
  }
}
const json = (path: string, body: unknown) => post(path, JSON.stringify(body))
const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'till' } }] }
const logs = (...logRecords: object[]) => ({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] })
const metrics = (...list: object[]) => ({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics: list }] }] })
const traces = (...spans: object[]) => ({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })
const line = (text: string, more: object = {}) => ({ timeUnixNano: nanos, body: { stringValue: text }, ...more })
const values = () => sent.map(s => s.value)

describe('OTLP/HTTP answers', () => {
  it('item by item, in the encoding of the request', async () => {
    const body = logs(line('good'), line('old', { timeUnixNano: '5' }), { timeUnixNano: nanos })
    const answer = {
      partialSuccess: {
        rejectedLogRecords: 2,
        errorMessage: 'resourceLogs[0].scopeLogs[0].logRecords[1].timeUnixNano: 5 is 1970-01-01; write nanoseconds since 1970',
      },
    }
    expect(await json('/v1/logs', body)).toMatchObject({ status: 200, json: answer })
    const protobuf = await post('/v1/logs', encodeProtobuf('logs', body), { 'content-type': 'application/x-protobuf' })
    expect(protobuf).toMatchObject({ status: 200, type: 'application/x-protobuf' })
    expect(decodeResponse('logs', protobuf.bytes)).toMatchObject({
      partialSuccess: { rejectedLogRecords: '2', errorMessage: expect.stringContaining('logRecords[1]') },
    })
    expect(values().map(v => v.body)).toEqual(['good', 'good'])
  })
  it.each([
    ['null', 'not null'],
    ['[]', 'not a list'],
    ['"x"', 'not a string'],
    ['{"x":1}', 'not one with "x"'],
    ['{"resourceSpans":[]}', '"resourceSpans" belongs to /v1/traces'],
    ['{"resourceLogs":{}}', '"resourceLogs" must be a list'],
    ['{"resourceLogs":[5]}', 'resourceLogs[0] must be an object'],
    ['{"resourceLogs":[{"logRecords":[{}]}]}', 'resourceLogs[0] has "logRecords" where "scopeLogs" was expected'],
    ['{"resourceLogs":[{"scopeLogs":[{"records":[{}]}]}]}', 'has "records" where "logRecords" was expected'],
    ['{', 'body is not OTLP logs in JSON'],
    ['', 'body is not OTLP logs in JSON'],
  ])('400 to %s', async (body, words) => {
    expect(await post('/v1/logs', body)).toMatchObject({
      status: 400,
      json: { code: 3, message: expect.stringContaining(words) },
    })
    expect(sent).toEqual([])
  })
  it('errors of protobuf as a google.rpc.Status', async () => {
    const headers = { 'content-type': 'application/x-protobuf' }
    const bad = await post('/v1/metrics', '{"resourceMetrics":[]}', headers)
    expect(bad).toMatchObject({ status: 400, type: 'application/x-protobuf' })
    expect(decodeStatus(bad.bytes)).toMatchObject({ code: 3, message: expect.stringContaining('looks like JSON') })
    const large = await post('/v1/traces', new Uint8Array(200_000), headers)
    expect([large.status, decodeStatus(large.bytes).code]).toEqual([413, 3])
    expect((await post('/v1/traces', '')).status).toBe(400)
    expect((await post('/v1/traces', '', headers)).status).toBe(200)
  })
  it('goes by the first byte where the content type says nothing', async () => {
    expect((await post('/v1/logs', JSON.stringify(logs(line('a'))), { 'content-type': 'text/plain' })).status).toBe(200)
    const bytes = encodeProtobuf('logs', logs(line('b')))
    expect((await post('/v1/logs', bytes, { 'content-type': 'application/octet-stream' })).status).toBe(200)
    expect((await post('/v1/logs', 'hello', { 'content-type': 'text/plain' })).status).toBe(415)
    expect(values().map(v => v.body)).toEqual(['a', 'b'])
  })
  it('unpacks what is packed, and says what it cannot', async () => {
    const body = JSON.stringify(logs(line('packed')))
    const packed = { gzip: gzipSync(body), 'x-gzip': gzipSync(body), zstd: zstdCompressSync(body), deflate: deflateSync(body) }
    for (const [encoding, bytes] of [...Object.entries(packed), ['deflate', deflateRawSync(body)] as const])
      expect([
        encoding,
        (await post('/v1/logs', bytes, { 'content-type': 'application/json', 'content-encoding': encoding })).status,
      ]).toEqual([encoding, 200])
    expect(sent.length).toBe(5)
    const send = (bytes: Uint8Array, encoding: string) => post('/v1/logs', bytes, { 'content-encoding': encoding })
    expect((await send(gzipSync(body), 'zstd')).status).toBe(400)
    expect((await send(gzipSync(body), 'br')).status).toBe(415)
    expect((await send(gzipSync(new Uint8Array(300_000)), 'gzip')).status).toBe(413)
  })
  it('tells of a clock that is ahead, once, and takes what it sent', async () => {
    const ahead = { timeUnixNano: `${NOW + 600_000_000}000` }
    expect((await json('/v1/logs', logs(line('x', ahead)))).json).toEqual({
      partialSuccess: { rejectedLogRecords: 0, errorMessage: expect.stringContaining("600 s ahead of this server's clock") },
    })
    expect((await json('/v1/logs', logs(line('x', ahead)))).json).toEqual({})
    expect(sent.length).toBe(2)
    expect(told.at(-1)).toContain('600 s ahead')
    expect((await json('/v1/logs', logs(line('x', { timeUnixNano: '4000000000000000000' })))).json.message).toContain(
      'a year ahead',
    )
  })
})

describe('dialects of OTLP', () => {
  it.each([
    [
      'names with underscores',
      { resource_logs: [{ scope_logs: [{ log_records: [{ time_unix_nano: nanos, body: { string_value: 'b' } }] }] }] },
    ],
    ['the old name of the scope', { resourceLogs: [{ instrumentationLibraryLogs: [{ logRecords: [line('b')] }] }] }],
    ['bare values', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: 'b', attributes: { snake_case: 1 } }] }] }] }],
    ['bytes', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { bytesValue: 'Yg==' } }] }] }] }],
    [
      'a message attribute',
      { resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes: [{ key: 'message', value: { stringValue: 'b' } }] }] }] }] },
    ],
    ['an event', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ eventName: 'b' }] }] }] }],
  ])('reads %s', async (_name, body) => {
    expect(await json('/v1/logs', body)).toMatchObject({ status: 200, json: {} })
    expect(values()).toMatchObject([{ body: 'b' }])
  })
  it('keeps names that users gave where they are, and one message a line', async () => {
    const record = { body: { kvlistValue: { values: [{ key: 'snake_case', value: { intValue: '7' } }] } } }
    await post('/v1/logs', `${JSON.stringify(logs(record))}\n${JSON.stringify(logs(line('two')))}\n`)
    expect(values().map(v => v.body)).toEqual(['{"snake_case":7}', 'two'])
  })
  it.each([
    [{ severityNumber: 17, severityText: 'stderr' }, 'ERROR'],
    [{ severityNumber: 'SEVERITY_NUMBER_WARN2' }, 'WARN'],
    [{ severityNumber: '21' }, 'CRITICAL'],
    [{ severityNumber: 9, severityText: 'ERROR' }, 'INFO'],
    [{ severityText: 'Warning' }, 'WARN'],
    [{ severityNumber: 0, severityText: 'stdout' }, null],
    [{ severityNumber: 99 }, null],
    [{ attributes: [{ key: 'level', value: { stringValue: 'error' } }] }, 'ERROR'],
    [{}, null],
  ])('severity of %o is %s', async (more, severity) => {
    await json('/v1/logs', logs(line('x', more)))
    expect(values()).toMatchObject([{ severity }])
  })
  it('puts the time of reading where the record has none, so that a time in the line may stand before it', async () => {
    const observedTimeUnixNano = `${NOW - 5_000_000}000`
    await json('/v1/logs', logs({ body: { stringValue: '\tat x' }, observedTimeUnixNano }, line('x', { observedTimeUnixNano })))
    expect(values()).toMatchObject([
      { body: '\tat x', time: NOW - 5_000_000, observed_time: NOW - 5_000_000 },
      { time: NOW, observed_time: NOW },
    ])
  })
  it('tells writers of one service apart', async () => {
    const attributes = [...resource.attributes, { key: 'k8s.pod.name', value: { stringValue: 'till-a' } }]
    const attribute = { key: 'log.file.path', value: { stringValue: '/var/log/x' } }
    const body = {
      resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [line('x', { attributes: [attribute] })] }] }],
    }
    await json('/v1/logs', body)
    expect(values()).toMatchObject([{ attributes: { 'k8s.pod.name': 'till-a', 'log.file.path': '/var/log/x' } }])
  })
  it('names nobody where nobody is named, and whom the record names where the resource does not', async () => {
    const attributes = [{ key: 'k8s.deployment.name', value: { stringValue: 'cart' } }]
    await json('/v1/logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [line('a'), line('b', { attributes })] }] }] })
    expect(values()).toMatchObject([{ entity: null }, { entity: 'service:cart' }])
  })
  it('names whom the shipper of a container says, in body or attributes', async () => {
    const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
    const pod = { key: 'kubernetes', value: { kvlistValue: { values: [text('pod_name', 'cart-7d9f8b6c5-x2x4z')] } } }
    const body = { kvlistValue: { values: [text('log', 'a'), pod] } }
    await json('/v1/logs', {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                { body },
                line('b', { attributes: [text('kubernetes.container_name', 'pay')] }),
                line('c', { attributes: [pod] }),
              ],
            },
          ],
        },
      ],
    })
    expect(values()).toMatchObject([
      { entity: 'service:cart', attributes: { 'k8s.pod.name': 'cart-7d9f8b6c5-x2x4z' } },
      { entity: 'service:pay' },
      { entity: 'service:cart' },
    ])
  })
  it('reads ids in every form and refuses what is none', async () => {
    const span = (more: object) => ({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      name: 'n',
      startTimeUnixNano: nanos,
      endTimeUnixNano: nanos,
      ...more,
    })
    const answer = await json(
      '/v1/traces',
      traces(
        span({ traceId: 'CvdlGRbNQ92ESOshHIAxnA==', spanId: 't61rcWkgMzE=' }),
        span({ traceId: '0AF7651916CD43DD8448EB211C80319C', kind: 'SPAN_KIND_SERVER', status: { code: 'ERROR' } }),
        span({ traceId: '8448eb211c80319c' }),
        span({ traceId: 'no-id' }),
        span({ spanId: '0000000000000000' }),
        span({ startTimeUnixNano: 0, endTimeUnixNano: 0 }),
      ),
    )
    expect(answer.json.partialSuccess).toEqual({
      rejectedSpans: 3,
      errorMessage: 'resourceSpans[0].scopeSpans[0].spans[3] (n): no traceId of 32 hex digits',
    })
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    expect(values()).toMatchObject([
      { trace_id: traceId, span_id: 'b7ad6b7169203331' },
      { trace_id: traceId, kind: 'server', status: 'error' },
      { trace_id: '00000000000000008448eb211c80319c' },
    ])
  })
  it.each([
    [{ 'db.system': 'postgresql', 'server.address': 'orders-db', 'server.port': 5432 }, 'orders-db'],
    [{ 'db.system': 'postgresql', 'net.peer.name': 'bills-db', 'net.peer.port': 6432 }, 'bills-db:6432'],
    [{ 'db.system.name': 'redis', 'server.address': 'localhost', 'server.port': 6379 }, 'redis'],
    [{ 'db.system': 'mysql', 'db.connection_string': 'jdbc:mysql://root@carts-db:3306/x' }, 'carts-db'],
    [{ 'db.system': 'mongodb' }, 'mongodb'],
    [{ 'url.full': 'http://cart:8080/items' }, 'cart'],
    [{ 'peer.service': 'pay', 'server.address': '10.0.0.1' }, 'pay'],
    [{}, null],
  ])('a span with %o calls %s', async (given, peer) => {
    const attributes = Object.entries(given).map(([key, v]) => ({
      key,
      value: typeof v === 'number' ? { intValue: v } : { stringValue: v },
    }))
    const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', startTimeUnixNano: nanos, attributes }
    await json('/v1/traces', traces(span))
    expect(values()).toMatchObject([{ peer }])
  })
  it('reads every kind of metric, and nothing where nothing was recorded', async () => {
    const at = { timeUnixNano: nanos }
    const answer = await json(
      '/v1/metrics',
      metrics(
        { name: 'a', gauge: { dataPoints: [{ ...at, flags: 1 }, { ...at, asInt: '0' }, at] } },
        {
          name: 'b',
          sum: {
            aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA',
            isMonotonic: true,
            dataPoints: [{ ...at, asDouble: 2 }],
          },
        },
        { name: 'c', sum: { aggregationTemporality: 1, dataPoints: [{ ...at, asInt: -3 }] } },
        { name: 'd', exponentialHistogram: { aggregationTemporality: 2, dataPoints: [{ ...at, count: '3' }] } },
        {
          name: 'e',
          summary: {
            dataPoints: [
              {
                ...at,
                count: 2,
                sum: 5,
                quantileValues: [
                  { quantile: 0.5, value: 2 },
                  { quantile: 1, value: 'NaN' },
                ],
              },
            ],
          },
        },
        { name: 'f' },
        { gauge: { dataPoints: [] } },
        { name: 'g', gauge: { dataPoints: [{ timeUnixNano: '1800000000', asInt: 1 }] } },
      ),
    )
    expect(values().map(v => [v.metric_name, v.metric_type, v.value])).toEqual([
      ['a', 'gauge', 0],
      ['b', 'delta', 2],
      ['c', 'delta', -3],
      ['d.count', 'counter', 3],
      ['e.count', 'counter', 2],
      ['e.sum', 'counter', 5],
      ['e', 'gauge', 2],
    ])
    expect(answer.json.partialSuccess).toMatchObject({
      rejectedDataPoints: 4,
      errorMessage: expect.stringContaining('of a has no finite value'),
    })
  })
  it('does not take spans for logs', async () => {
    const span = {
      traceId: Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex'),
      spanId: Buffer.from('b7ad6b7169203331', 'hex'),
      name: 'n',
    }
    const bytes = encodeProtobuf('traces', traces({ ...span, startTimeUnixNano: nanos, endTimeUnixNano: nanos }))
    expect((await post('/v1/logs', bytes, { 'content-type': 'application/x-protobuf' })).status).toBe(400)
  })
})

describe('OTLP/gRPC', () => {
  const options = { environment: 'e', redact: (text: string) => text, host: '127.0.0.1', port: 0, maxBodyBytes: 100_000 }
  const more = { notice: new NoticeChanges(), clocks: new WatchSenderClocks(() => undefined) }
  const door = new Door({ maxBodyBytes: 100_000, maxInFlightBytes: 100_000 })
  const call = (port: number, signal: Signal, bytes: Uint8Array, metadata: Metadata = new Words()) =>
    new Promise<Buffer>((resolve, reject) => {
      const [word, name] = signal === 'traces' ? ['trace', 'Trace'] : [signal, signal[0].toUpperCase() + signal.slice(1)]
      const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.default_compression_algorithm': 2 })
      client.makeUnaryRequest(
        `/opentelemetry.proto.collector.${word}.v1.${name}Service/Export`,
        (b: Buffer) => b,
        (b: Buffer) => b,
        Buffer.from(bytes),
        metadata,
        (error: ServiceError | null, response?: Buffer) => {
          client.close()
          if (error) reject(error)
          else resolve(response as Buffer)
        },
      )
    })
  it('takes all signals, gzip, and answers item by item', async () => {
    const grpc = await listenGrpc({ ...options, ...more }, context, door)
    expect(decodeResponse('logs', await call(grpc.port, 'logs', encodeProtobuf('logs', logs(line('a'), {}))))).toMatchObject({
      partialSuccess: { rejectedLogRecords: '1' },
    })
    const gauge = { name: 'g', gauge: { dataPoints: [{ timeUnixNano: nanos, asInt: 7 }] } }
    expect((await call(grpc.port, 'metrics', encodeProtobuf('metrics', metrics(gauge)))).length).toBe(0)
    expect(sent).toMatchObject([
      { stream: 'logs.raw', value: { body: 'a', source: '127.0.0.1' } },
      { stream: 'metrics.raw', value: { value: 7 } },
    ])
    await expect(call(grpc.port, 'traces', Buffer.from([0x0a, 0x7f]))).rejects.toMatchObject({ code: 3 })
    await expect(call(grpc.port, 'logs', encodeProtobuf('logs', logs({})))).rejects.toMatchObject({ code: 3 })
    await expect(listenGrpc({ ...options, ...more, port: grpc.port }, context, door)).rejects.toThrow()
    await grpc.close()
  })
  it('asks for the token, and turns away what is too much', async () => {
    const small = new Door({ maxBodyBytes: 100, maxInFlightBytes: 10 })
    const grpc = await listenGrpc(
      {
        ...options,
        ...more,
        auth: { byHeader: given => (given === 'Bearer secret' ? { name: 'a', scopes: [], environments: [] } : undefined) },
      },
      context,
      small,
    )
    await expect(call(grpc.port, 'logs', new Uint8Array())).rejects.toMatchObject({ code: 16 })
    const metadata = new Words()
    metadata.set('authorization', 'Bearer secret')
    expect((await call(grpc.port, 'logs', new Uint8Array(), metadata)).length).toBe(0)
    await expect(call(grpc.port, 'logs', encodeProtobuf('logs', logs(line('a'))), metadata)).rejects.toMatchObject({ code: 8 })
    await grpc.close()
  })
})

describe('plain JSON', () => {
  it('is taken item by item', async () => {
    const good = { entity: 'service:a', metric_name: 'm', value: 1 }
    const answer = await json('/api/v1/observations', [
      good,
      { ...good, value: 'x' },
      5,
      { ...good, time: 1_800_000_000 },
      { ...good, dimensions: { lane: 4 } },
    ])
    expect(answer).toMatchObject({
      status: 202,
      json: {
        accepted: 2,
        rejected: 3,
        reasons: [
          { index: 1, pointer: '/value' },
          { index: 2, pointer: '' },
          { index: 3, pointer: '/time', message: expect.stringContaining('microseconds') },
        ],
      },
    })
    expect(values()).toMatchObject([{ value: 1 }, { dimensions: { lane: '4' } }])
    expect(await json('/api/v1/observations', [{}])).toMatchObject({ status: 400, json: { accepted: 0, rejected: 1 } })
    expect((await json('/api/v1/logs', null)).status).toBe(400)
    expect((await post('/api/v1/logs', 'hello')).json.message).toContain('body is not JSON')
  })
  it('reads one value a line, times as text, and levels of all systems', async () => {
    const text = '{"body":"a","severity":"crit","time":"2026-03-01T10:00:00Z"}\nnothing\n{"body":"b","severity":"loudly"}\n'
    expect((await post('/api/v1/logs', text)).json).toMatchObject({ accepted: 2, rejected: 1, reasons: [{ index: 1 }] })
    expect(values()).toMatchObject([
      { severity: 'CRITICAL', time: Date.parse('2026-03-01T10:00:00Z') * 1000 },
      { severity: null, attributes: { severity: 'loudly' } },
    ])
  })
  it('takes the alerts that are good', async () => {
    const alerts = [{ status: 'firing', labels: { alertname: 'x', service: 'a' } }, { status: 'burning' }]
    expect((await json('/api/v1/alerts', { alerts })).json).toMatchObject({ accepted: 1, rejected: 1 })
  })
})

describe('other protocols', () => {
  it('keeps what is good of a remote-write, and says what is not', async () => {
    const series = (name: string, timestamp: number) => ({
      labels: [
        { name: '__name__', value: name },
        { name: 'job', value: 'a' },
      ],
      samples: [{ value: 1, timestamp }],
    })
    const send = (...timeseries: object[]) =>
      post('/api/v1/write', compress(encodeRemoteWrite({ timeseries }, 1)), {
        'content-encoding': 'snappy',
        'content-type': 'application/x-protobuf',
      })
    expect((await send(series('m', NOW / 1000))).status).toBe(204)
    const answer = await send(series('m', NOW / 1000), series('n', 5))
    expect(answer).toMatchObject({
      status: 400,
      json: { rejected: 1, message: expect.stringContaining('a sample of n: 5 is 1970') },
    })
    expect(answer.headers.get('x-prometheus-remote-write-samples-written')).toBe('1')
    expect(values().map(v => v.metric_name)).toEqual(['m', 'm'])
  })
  it("takes InfluxDB's lines, and names those it cannot read", async () => {
    expect((await post('/write?db=x&precision=s', 'orders,service=shop value=3i 1800000000')).status).toBe(204)
    expect(await post('/api/v2/write?bucket=b&org=o', 'orders v=1\nbad\n')).toMatchObject({
      status: 400,
      json: { code: 'invalid', line: 2, message: 'partial write: line 2: has no fields dropped=1' },
    })
    expect((await post('/write', 'bad')).json.error).toContain('nothing written: line 1')
    expect((await post('/write?precision=x', 'a v=1')).status).toBe(400)
    expect((await fetch(`${base}/ping`)).status).toBe(204)
    expect(values()).toMatchObject([{ entity: 'service:shop', metric_name: 'orders', value: 3 }, { metric_name: 'orders.v' }])
  })
})

describe('POST /api/v1/ci/failures', () => {
  const job = {
    repository: 'shop/cart',
    run: 12,
    job: 'test',
    log: 'token=ghp_abcdefghijklmnopqrstuvwxyz0123456789\nError: boom\n',
  }
  it('takes failed jobs one by one or several, once each, without their secrets', async () => {
    const one = await json('/api/v1/ci/failures', job)
    expect(one.status).toBe(202)
    const several = await json('/api/v1/ci/failures', [job, { ...job, job: 'lint', pull_request: 7 }, { ...job, log: '' }])
    expect([several.status, several.json.accepted.length]).toEqual([202, 2])
    expect(several.json.rejected).toEqual([{ index: 2, message: expect.stringContaining('log') }])
    // Said twice, it is one failure.
    expect(several.json.accepted[0].id).toBe(one.json.accepted[0].id)
    expect(sent.map(s => s.stream)).toEqual(['ci.failures', 'ci.failures', 'ci.failures'])
    expect(values()[2]).toMatchObject({ repository: 'shop/cart', run: '12', pull_request: '7', provider: 'upload' })
    expect(JSON.stringify(values())).not.toContain('ghp_abcdef')
    expect((values()[0] as { log: string }).log).toContain('Error: boom')
  })
  it('says what is wrong with a job, and where', async () => {
    const { status, json: answer } = await json('/api/v1/ci/failures', { repository: 'shop/cart', job: 'test' })
    expect([status, answer.message]).toEqual([400, expect.stringMatching(/run: .*log: /)])
    expect((await post('/api/v1/ci/failures', '{')).status).toBe(400)
    expect(sent).toEqual([])
  })
})
