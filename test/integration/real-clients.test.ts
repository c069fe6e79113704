/** What real clients send, from their own code to the topics: OpenTelemetry's SDKs of Node and Python over every way they have, rsyslog, and Alertmanager. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { clock } from '@aegis/clock'
import {
  type ExternalIssue,
  issuesExternal,
  type LogEvent,
  logsParsed,
  metricsRaw,
  type Observation,
  type Span,
  tracesSpans,
} from '@aegis/domain'
import { gateway } from '@aegis/gateway'
import { logParser } from '@aegis/log-parser'
import {
  type Infrastructure,
  MemoryBroker,
  MemoryRegistry,
  RUNTIME_SETTINGS,
  type RunningService,
  readConfig,
  type ServiceDefinition,
  silentLog,
  startService,
} from '@aegis/runtime'
import { anyFree } from '@aegis/stack/local/ports'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { OTLPLogExporter as LogGrpc } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as LogJson } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as LogProtobuf } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter as MetricGrpc } from '@opentelemetry/exporter-metrics-otlp-grpc'
import { OTLPMetricExporter as MetricJson } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as MetricProtobuf } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter as TraceGrpc } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as TraceJson } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as TraceProtobuf } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from './services-here.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
/** Its own Python with the exporters, made once; undefined where it cannot be made. */
const python = (() => {
  const given = process.env.AEGIS_TEST_OTEL_PYTHON
  const program = given ?? path.join(ROOT, '.aegis', 'otel-python', 'bin', 'python')
  const works = () => existsSync(program) && spawnSync(program, ['-c', 'import opentelemetry.exporter.otlp']).status === 0
  if (works()) return program
  if (given) return undefined
  const install = [path.dirname(program), '..'].join('/')
  spawnSync('python3', ['-m', 'venv', install], { stdio: 'ignore' })
  spawnSync(program, ['-m', 'pip', 'install', '-q', 'opentelemetry-sdk', 'opentelemetry-exporter-otlp'], {
    stdio: 'ignore',
    timeout: 180_000,
  })
  return works() ? program : undefined
})()
const rsyslogd = [process.env.AEGIS_TEST_RSYSLOG ?? 'rsyslogd', '/usr/sbin/rsyslogd'].find(
  program => spawnSync(program, ['-v'], { stdio: 'ignore' }).status === 0,
)

const alertmanager = ['alertmanager', 'prometheus-alertmanager']
  .map(name => (process.env.AEGIS_TEST_PROMETHEUS ? path.join(process.env.AEGIS_TEST_PROMETHEUS, name) : name))
  .find(program => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0)

const scratch = mkdtempSync(path.join(tmpdir(), 'aegis-clients-'))
const lines: LogEvent[] = []
const numbers: Observation[] = []
const spans: Span[] = []
const issues: ExternalIssue[] = []
const running: RunningService[] = []
let infrastructure: Infrastructure
let client: StreamClient
let http: string
let grpc: number
let syslog: number
beforeAll(async () => {
  infrastructure = { broker: new MemoryBroker(), registry: new MemoryRegistry() }
  grpc = await anyFree()
  syslog = await anyFree()
  const env = { AEGIS_OTLP_GRPC_PORT: String(grpc), AEGIS_SYSLOG_PORT: String(syslog), AEGIS_PORT: '0' }
  const runtime = readConfig(RUNTIME_SETTINGS, env)
  for (const definition of [clock, gateway, logParser] as unknown as ServiceDefinition[])
    running.push(await startService(definition, readConfig(definition.settings, env), runtime, infrastructure, silentLog()))
  http = `http://127.0.0.1:${running[1].port}`
  client = new StreamClient(infrastructure)
  const kept: Readonly<Record<string, unknown[]>> = {
    [logsParsed.name]: lines,
    [metricsRaw.name]: numbers,
    [tracesSpans.name]: spans,
    [issuesExternal.name]: issues,
  }
  await client.tail([logsParsed, metricsRaw, tracesSpans, issuesExternal] as never, 'end', list => {
    for (const { record, value } of list) if (value) kept[record.topic]?.push(value)
  })
})
afterAll(async () => {
  for (const service of running.reverse()) await service.stop()
  await infrastructure.broker.close()
  rmSync(scratch, { recursive: true, force: true })
})
const found = <T>(what: string, list: readonly T[], is: (value: T) => boolean): Promise<T> => until(what, () => list.find(is))
const isOf = (entity: string, metric: string) => (o: Observation) => o.entity === entity && o.metric_name === metric

describe.each([
  ['protobuf', () => [LogProtobuf, MetricProtobuf, TraceProtobuf] as const],
  ['json', () => [LogJson, MetricJson, TraceJson] as const],
  ['grpc', () => [LogGrpc, MetricGrpc, TraceGrpc] as const],
])('the Node SDK over %s', (way, exporters) => {
  it('gives what it was told', async () => {
    const [LogExporter, MetricExporter, TraceExporter] = exporters()
    const to = (signal: string) => ({
      url: way === 'grpc' ? `http://127.0.0.1:${grpc}` : `${http}/v1/${signal}`,
      compression: 'gzip' as never,
    })
    const entity = `service:node-${way}`
    const resource = resourceFromAttributes({ 'service.name': `node-${way}`, lanes: 7 })
    const loggers = new LoggerProvider({
      resource,
      processors: [new SimpleLogRecordProcessor({ exporter: new LogExporter(to('logs')) })],
    })
    loggers.getLogger('l').emit({ severityNumber: 17, severityText: 'SEVERE', body: { msg: 'drawer is stuck', till: 9 } })
    const reader = new PeriodicExportingMetricReader({
      exporter: new MetricExporter(to('metrics')),
      exportIntervalMillis: 60_000,
    })
    const meters = new MeterProvider({ resource, readers: [reader] })
    meters.getMeter('m').createCounter('orders').add(5, { lane: 4 })
    meters.getMeter('m').createHistogram('wait', { unit: 'ms' }).record(12)
    const tracers = new TracerProvider({
      resource,
      spanProcessors: [new SimpleSpanProcessor({ exporter: new TraceExporter(to('traces')) })],
    })
    tracers
      .getTracer('t')
      .startSpan('place order', { attributes: { items: 3, flag: true } })
      .end()
    await Promise.all([meters.shutdown(), tracers.shutdown(), loggers.shutdown()])

    expect(await found('the line', lines, e => e.entity === entity)).toMatchObject({
      severity: 'ERROR',
      body: expect.stringContaining('drawer is stuck'),
    })
    expect(await found('the counter', numbers, isOf(entity, 'orders'))).toMatchObject({
      value: 5,
      metric_type: 'counter',
      dimensions: { lane: '4' },
    })
    expect(await found('the histogram', numbers, isOf(entity, 'wait.sum'))).toMatchObject({ value: 12, unit: 'ms' })
    expect(await found('the span', spans, s => s.entity === entity)).toMatchObject({
      operation: 'place order',
      attributes: { items: '3', flag: 'true' },
    })
  })
})

describe.skipIf(!python)(
  `the Python SDK${python ? '' : ' (left out: its packages cannot be installed; AEGIS_TEST_OTEL_PYTHON names a Python that has them)'}`,
  () => {
    it.each(['http', 'grpc'])('over %s gives what it was told', async way => {
      const child = spawn(python as string, [
        path.join(import.meta.dirname, 'otel-clients.py'),
        way,
        way === 'grpc' ? `127.0.0.1:${grpc}` : http,
      ])
      const said: string[] = []
      child.stderr.on('data', data => said.push(String(data)))
      const code = await new Promise(resolve => child.on('exit', resolve))
      expect([code, said.join('').match(/Traceback.*|Failed to export.*/s)?.[0]]).toEqual([0, undefined])
      const entity = `service:python-${way}`
      expect(await found('the line', lines, e => e.entity === entity)).toMatchObject({
        severity: 'ERROR',
        body: expect.stringMatching(/^order 7 failed\nTraceback[\s\S]*ValueError: drawer is stuck/),
        exception: 'ValueError',
      })
      expect(await found('the counter', numbers, isOf(entity, 'orders'))).toMatchObject({ value: 5, dimensions: { lane: '4' } })
      expect(await found('the histogram', numbers, isOf(entity, 'wait.count'))).toMatchObject({
        value: 1,
        metric_type: 'counter',
      })
      expect(await found('the span', spans, s => s.entity === entity)).toMatchObject({ attributes: { items: '3', flag: 'true' } })
    })
  },
)

describe.skipIf(!rsyslogd)(`rsyslog${rsyslogd ? '' : ' (left out: no rsyslogd on the path or in AEGIS_TEST_RSYSLOG)'}`, () => {
  it.each([
    ['UDP', 'protocol="udp" template="RSYSLOG_TraditionalForwardFormat"'],
    ['TCP with line ends', 'protocol="tcp" TCP_Framing="traditional" template="RSYSLOG_SyslogProtocol23Format"'],
    ['TCP with octet counting', 'protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"'],
  ])('over %s is understood', async (name, how) => {
    const tag = `till-${name.replaceAll(/\W/g, '').toLowerCase()}`
    const spool = path.join(scratch, tag)
    const input = path.join(scratch, `${tag}.txt`)
    writeFileSync(input, '')
    writeFileSync(
      path.join(scratch, `${tag}.conf`),
      `module(load="imfile" mode="polling" pollingInterval="1")
global(workDirectory="${scratch}")
input(type="imfile" file="${input}" tag="${tag}:" severity="err" facility="local0" stateFile="${tag}.state")
action(type="omfwd" target="127.0.0.1" port="${syslog}" ${how})
`,
    )
    const child = spawn(rsyslogd as string, ['-n', '-f', path.join(scratch, `${tag}.conf`), '-i', `${spool}.pid`], {
      stdio: 'ignore',
    })
    try {
      writeFileSync(input, 'drawer of till 9 is stuck\ndrawer of till 10 is stuck\n')
      const event = await found(`a line of ${tag}`, lines, e => e.service === tag)
      expect(event).toMatchObject({ body: 'drawer of till 9 is stuck', severity: 'ERROR', entity: `service:${tag}` })
      await found(`the second line of ${tag}`, lines, e => e.service === tag && e.body.includes('till 10'))
    } finally {
      child.kill('SIGKILL')
    }
  })
})

describe.skipIf(!alertmanager)(
  `Alertmanager${alertmanager ? '' : ' (left out: no alertmanager on the path or in AEGIS_TEST_PROMETHEUS)'}`,
  () => {
    it('tells of an alert, and that it is over', async () => {
      const port = await anyFree()
      const config = path.join(scratch, 'alertmanager.yml')
      writeFileSync(
        config,
        `route: { receiver: aegis, group_wait: 0s, group_interval: 1s }
receivers: [{ name: aegis, webhook_configs: [{ url: '${http}/api/v1/alerts', send_resolved: true }] }]
`,
      )
      const child = spawn(
        alertmanager as string,
        [
          `--config.file=${config}`,
          `--web.listen-address=127.0.0.1:${port}`,
          `--storage.path=${scratch}/am`,
          '--cluster.listen-address=',
        ],
        { stdio: 'ignore' },
      )
      const tell = async (endsAt?: string) => {
        const alert = {
          labels: { alertname: 'TillStuck', service: 'till', severity: 'page' },
          annotations: { summary: 'stuck' },
          endsAt,
        }
        const url = `http://127.0.0.1:${port}/api/v2/alerts`
        const headers = { 'content-type': 'application/json' }
        for (let i = 0; i < 100; i++) {
          const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify([alert]) }).catch(() => undefined)
          if (answer?.ok) return
          await new Promise(resolve => setTimeout(resolve, 100))
        }
        throw new Error('Alertmanager does not take alerts')
      }
      try {
        await tell()
        const firing = await found('the alert', issues, i => i.name === 'TillStuck')
        expect(firing).toMatchObject({ entity: 'service:till', state: 'firing', severity: 'critical', summary: 'stuck' })
        await tell(new Date().toISOString())
        expect(await found('its end', issues, i => i.state === 'resolved')).toMatchObject({ id: firing.id })
      } finally {
        child.kill('SIGKILL')
      }
    })
  },
)
