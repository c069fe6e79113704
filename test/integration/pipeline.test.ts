/** The services as processes on the real servers: what goes in comes out, bad input is kept byte for byte, traces follow. */
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  type Anomaly,
  anomalies,
  type Change,
  changes,
  decisions,
  type Incident,
  incidents,
  type LogEvent,
  type LogLine,
  logsParsed,
  logsRaw,
  type Stream,
} from '@aegis/domain'
import { RedisCoordination } from '@aegis/executor/coordination'
import { coordinationContract } from '@aegis/executor/coordination.contract'
import { encodeProtobuf } from '@aegis/gateway/otlp/proto'
import { connect, RUNTIME_SETTINGS, readConfig, silentLog } from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { type Pipeline, startProcesses } from '@aegis/stack/pipeline/pipeline'
import { SERVICES } from '@aegis/stack/pipeline/services'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stackEnv } from './stack-env.ts'

const root = path.resolve(import.meta.dirname, '../..')
let pipeline: Pipeline
let client: StreamClient
let spans: { traceId: string; service: string; name: string }[] = []
let collector: Server
const folder = mkdtempSync(path.join(tmpdir(), 'aegis-pipeline-'))
const lost: string[] = []

const post = (
  route: string,
  body: string | Uint8Array,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) => fetch(`${pipeline.gatewayUrl}${route}`, { method: 'POST', body: body as string, headers })
/** Waits until values that fit have come on a stream; `from` start, so nothing said before is missed. */
const find = async <T>(stream: Stream<T>, fits: (value: T) => boolean, n = 1, withinMs = 40_000): Promise<T[]> => {
  const found: T[] = []
  let done: () => void = () => undefined
  const enough = new Promise<void>(resolve => (done = resolve))
  const tail = await client.tail([stream as Stream<never>], 'start', decoded => {
    for (const d of decoded) if (d.value && fits(d.value as T)) found.push(d.value as T)
    if (found.length >= n) done()
  })
  await Promise.race([enough, new Promise(resolve => setTimeout(resolve, withinMs))])
  await tail.close()
  return found
}
const logsRequest = (environment: string, bodies: readonly string[], service = 'checkout') => ({
  resourceLogs: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: service } },
          { key: 'deployment.environment.name', value: { stringValue: environment } },
        ],
      },
      scopeLogs: [
        {
          logRecords: bodies.map((stringValue, i) => ({
            timeUnixNano: String((Date.now() * 1000 + i) * 1000),
            severityNumber: 17,
            severityText: 'ERROR',
            body: { stringValue },
          })),
        },
      ],
    },
  ],
})

beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', c => chunks.push(c))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString())
      for (const rs of body.resourceSpans) {
        const service = rs.resource.attributes.find((a: { key: string }) => a.key === 'service.name').value.stringValue
        for (const ss of rs.scopeSpans) for (const s of ss.spans) spans.push({ traceId: s.traceId, service, name: s.name })
      }
      response.end('{}')
    })
  })
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(collector.address() as { port: number }).port}`
  const env = {
    ...stackEnv(),
    AEGIS_DATA_PARTITIONS: '2',
    AEGIS_ENVIRONMENT_PARTITIONS: '1',
    AEGIS_TRACES_ENDPOINT: endpoint,
    AEGIS_MODE: 'suggest',
  }
  pipeline = await startProcesses({ env, logFolder: folder, onLost: (service, how) => lost.push(`${service}: ${how}`) })
  client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, env), 'test', silentLog()))
})
afterAll(async () => {
  await client?.close()
  await pipeline?.stop()
  collector?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('telemetry in', () => {
  it('takes OTLP logs in JSON and gzipped protobuf, and redacts at the door', async () => {
    const environment = randomUUID()
    const json = await post(
      '/v1/logs',
      JSON.stringify(logsRequest(environment, ['payment 17 failed password=swordfish99', 'payment 18 failed'])),
    )
    expect(json.status).toBe(200)
    const bytes = gzipSync(encodeProtobuf('logs', logsRequest(environment, ['payment 19 failed'])))
    const proto = await post('/v1/logs', bytes, { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' })
    expect([proto.status, proto.headers.get('content-type')]).toEqual([200, 'application/x-protobuf'])
    const events = await find(logsParsed, (e: LogEvent) => e.environment === environment, 3)
    expect(events.map(e => e.entity)).toEqual(['service:checkout', 'service:checkout', 'service:checkout'])
    expect(events.map(e => e.severity)).toEqual(['ERROR', 'ERROR', 'ERROR'])
    expect(JSON.stringify(events)).not.toContain('swordfish99')
    const raw = await find(logsRaw, (l: LogLine) => l.environment === environment, 3)
    expect(JSON.stringify(raw)).not.toContain('swordfish99')
  })
  it('says what is wrong with a request', async () => {
    const answer = async (route: string, body: string, headers?: Record<string, string>) => {
      const response = await post(route, body, headers)
      // Who sends protobuf is answered in protobuf: the words stand in it as they are.
      const text = await response.text()
      return [response.status, headers?.['content-type'] ? text : (JSON.parse(text) as { message: string }).message] as const
    }
    expect(await answer('/v1/logs', '{nonsense')).toEqual([400, expect.stringContaining('not OTLP logs in JSON')])
    expect(await answer('/v1/traces', 'xx', { 'content-type': 'application/x-protobuf', 'content-encoding': 'br' })).toEqual([
      415,
      expect.stringContaining('br'),
    ])
    expect(await answer('/api/v1/observations', JSON.stringify({ entity: 'payment', metric_name: 'x', value: 1 }))).toEqual([
      400,
      expect.stringContaining('kind:name'),
    ])
    expect(await answer('/api/v1/logs', JSON.stringify({ body: 'x'.repeat(17 * 1024 * 1024) }))).toEqual([
      413,
      expect.stringContaining('larger than'),
    ])
  })
  it('takes changes from whoever makes them', async () => {
    const environment = randomUUID()
    const change = { entity: 'service:checkout', kind: 'deploy', before: '1.0', after: '1.1', environment }
    expect((await post('/api/v1/changes', JSON.stringify([change]))).status).toBe(202)
    expect(await find(changes, (c: Change) => c.environment === environment)).toMatchObject([{ ...change, source: 'api' }])
    const wrong = await post('/api/v1/changes', JSON.stringify({ ...change, kind: 'mood' }))
    expect([wrong.status, ((await wrong.json()) as { message: string }).message]).toEqual([400, expect.stringContaining('kind')])
  })
  it('gets a line of ten megabytes through, cut with a mark', async () => {
    const environment = randomUUID()
    const response = await post(
      '/api/v1/logs',
      JSON.stringify({ body: `start ${'long '.repeat(2_000_000)}`, environment, entity: 'service:x' }),
    )
    expect(response.status).toBe(202)
    const [event] = await find(logsParsed, (e: LogEvent) => e.environment === environment)
    expect(event.body.length).toBeLessThan(100_000)
    expect(event.body).toContain('truncated')
  })
  it('clamps a time in the far future to the pipeline’s own', async () => {
    const environment = randomUUID()
    await post(
      '/api/v1/logs',
      JSON.stringify({
        body: 'from tomorrow',
        environment,
        entity: 'service:x',
        time: (Date.now() + 86_400_000) * 1000,
        severity: 'INFO',
      }),
    )
    const [event] = await find(logsParsed, (e: LogEvent) => e.environment === environment)
    expect(event.time / 1e6 - Date.now() / 1e3).toBeLessThan(400)
  })
})

describe('bad records on a topic', () => {
  it('keeps them byte for byte with the reason, and goes on with their neighbours', async () => {
    const environment = randomUUID()
    const poison = [Buffer.from('not a frame'), Buffer.from([0, 0x7f, 0xff, 0xff, 0, 1, 2])]
    const producer = await client.broker.producer()
    await producer.send(poison.map(value => ({ topic: 'logs.raw', partition: 0, key: environment, value })))
    await post('/api/v1/logs', JSON.stringify({ body: 'still here', environment, entity: 'service:x', severity: 'INFO' }))
    expect(await find(logsParsed, (e: LogEvent) => e.environment === environment)).toHaveLength(1)
    const letters: Buffer[] = []
    for (let i = 0; i < 300 && letters.length < 2; i++) {
      letters.length = 0
      await client.broker.read(
        'logs.raw.dlq',
        0,
        0,
        undefined,
        rs => void letters.push(...rs.filter(r => String(r.key) === environment).map(r => r.value!)),
      )
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(letters).toEqual(poison)
    expect(lost).toEqual([])
  })
})

describe('programs of one’s own', () => {
  it('the TypeScript snippet of the README produces', async () => {
    const run = spawnSync(process.execPath, [path.join(root, 'docs/snippets/produce-and-subscribe.ts')], {
      encoding: 'utf8',
      env: { ...process.env, ...stackEnv() },
      timeout: 30_000,
    })
    expect(run.stdout + run.stderr).toContain('produced')
    expect(
      await find(logsParsed, (e: LogEvent) => e.environment === 'prod-eu' && e.body === 'paid order 17 in 31 ms'),
    ).not.toEqual([])
  })
  it('the Python snippet of the README produces and hears of the incident', async () => {
    const python = spawn('python3', [path.join(root, 'docs/snippets/produce-and-subscribe.py')], {
      env: { ...process.env, AEGIS_GATEWAY_URL: pipeline.gatewayUrl },
    })
    let out = ''
    python.stdout.on('data', d => (out += d))
    python.stderr.on('data', d => (out += d))
    const ended = new Promise(resolve => python.on('exit', resolve))
    // The bank stays away: errors of a service that had none before are an incident.
    for (let i = 0; i < 40 && python.exitCode === null; i++) {
      await post(
        '/api/v1/logs',
        JSON.stringify(
          Array.from({ length: 4 }, () => ({
            entity: 'service:payment',
            environment: 'prod-eu',
            severity: i < 13 ? 'INFO' : 'ERROR',
            body: i < 13 ? 'paid' : 'cannot reach bank: connection refused',
          })),
        ),
      )
      await new Promise(resolve => setTimeout(resolve, 1000))
    }
    expect(out).toContain("{'accepted': 1}")
    // First whether there was one, then whether it was told: the two fail for different reasons.
    for (const stream of [anomalies, incidents] as Stream<Anomaly | Incident>[])
      expect([stream.name, await find(stream, v => v.environment === 'prod-eu')]).not.toEqual([stream.name, []])
    await Promise.race([ended, new Promise(resolve => setTimeout(resolve, 20_000))])
    python.kill()
    expect(out).toMatch(/^incidents [0-9a-f]{24} .*payment/m)
  })
})

describe('traces', () => {
  it('follow one log line across the topics to the decision', async () => {
    const environment = randomUUID()
    const traceId = randomUUID().replaceAll('-', '')
    const headers = { 'content-type': 'application/json', traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
    for (let i = 0; i < 30; i++) {
      const bad = i >= 13
      await post(
        '/api/v1/logs',
        JSON.stringify(
          Array.from({ length: 4 }, () => ({
            entity: 'service:ledger',
            environment,
            severity: bad ? 'ERROR' : 'INFO',
            body: bad ? 'cannot write: no space left on device' : 'written',
          })),
        ),
        bad ? headers : undefined,
      )
      await new Promise(resolve => setTimeout(resolve, 1000))
      if (spans.some(s => s.traceId === traceId && s.service === 'aegis-remediator')) break
    }
    expect(await find(anomalies, a => a.environment === environment)).not.toEqual([])
    expect(await find(decisions, d => d.environment === environment)).not.toEqual([])
    for (let i = 0; i < 300 && !spans.some(s => s.traceId === traceId && s.service === 'aegis-remediator'); i++)
      await new Promise(resolve => setTimeout(resolve, 100))
    const passed = new Set(spans.filter(s => s.traceId === traceId).map(s => s.service))
    expect([...passed].sort()).toEqual([
      'aegis-anomaly-detector',
      'aegis-log-parser',
      'aegis-remediator',
      'aegis-root-cause-analyzer',
    ])
    spans = []
  })
})

describe('health', () => {
  it('every service answers on /livez, /readyz and /metrics', async () => {
    for (const [name, port] of Object.entries(pipeline.ports)) {
      // A busy machine may have had a partition begin again; it comes back by itself.
      for (const route of ['livez', 'readyz'])
        await expect
          .poll(async () => [name, route, (await fetch(`http://127.0.0.1:${port}/${route}`)).status], { timeout: 30_000 })
          .toEqual([name, route, 200])
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
      // These have no stage that could be behind.
      if (!['gateway', 'api', 'clock'].includes(name))
        expect(metrics).toMatch(/aegis_lag_records\{group="[^"]+",topic="[^"]+",partition="\d+"/)
    }
  })
  it('drains on SIGTERM before it would be killed', async () => {
    expect(Object.keys(pipeline.pids).sort()).toEqual(Object.keys(SERVICES).sort())
    await pipeline.stop()
    expect(lost).toEqual([])
    for (const pid of Object.values(pipeline.pids)) expect(() => process.kill(pid, 0)).toThrow()
  })
})

coordinationContract('redis', () => new RedisCoordination(stackEnv().REDIS_URL))
