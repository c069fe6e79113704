/** A real Prometheus writes to the gateway, and the gateway scrapes a real node exporter; both found on the path or in AEGIS_TEST_PROMETHEUS. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { metricsRaw, type Observation } from '@aegis/domain'
import { gateway } from '@aegis/gateway'
import { connect, RUNTIME_SETTINGS, type RunningService, readConfig, type ServiceDefinition, silentLog } from '@aegis/runtime'
import { anyFree } from '@aegis/stack/local/ports'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServicesHere, servicesHere, until } from './services-here.ts'

const folder = process.env.AEGIS_TEST_PROMETHEUS
const found = (...names: string[]) =>
  names
    .map(name => (folder ? path.join(folder, name) : name))
    .find(program => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0)
const prometheus = found('prometheus')
const exporter = found('node_exporter', 'prometheus-node-exporter')
const lacking =
  prometheus && exporter ? '' : ' (left out: no prometheus and node exporter on the path or in AEGIS_TEST_PROMETHEUS)'

describe.skipIf(lacking !== '')(`Prometheus${lacking}`, () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'aegis-prometheus-'))
  const children: ChildProcess[] = []
  const seen: Observation[] = []
  let services: ServicesHere
  let service: RunningService
  let client: StreamClient
  const run = (program: string, args: string[]) => children.push(spawn(program, args, { stdio: 'ignore', cwd: scratch }))

  beforeAll(async () => {
    const [exporterPort, prometheusPort] = [await anyFree(), await anyFree()]
    services = servicesHere({
      AEGIS_CLOCK: 'off',
      AEGIS_SCRAPE_TARGETS: `scraped=http://127.0.0.1:${exporterPort}/metrics`,
      AEGIS_SCRAPE_INTERVAL_MS: '1000',
    })
    run(exporter as string, [`--web.listen-address=127.0.0.1:${exporterPort}`])
    service = await services.start(gateway as unknown as ServiceDefinition)
    writeFileSync(
      path.join(scratch, 'prometheus.yml'),
      `global: { scrape_interval: 1s }
scrape_configs: [{ job_name: written, static_configs: [{ targets: ['127.0.0.1:${exporterPort}'], labels: { env: written } }] }]
remote_write: [{ url: 'http://127.0.0.1:${service.port}/api/v1/write', queue_config: { batch_send_deadline: 1s } }]
`,
    )
    run(prometheus as string, [
      '--config.file=prometheus.yml',
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
      '--storage.tsdb.path=data',
    ])
    client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, services.env), 'test', silentLog()))
    await client.tail([metricsRaw as never], 'end', list => {
      for (const { value } of list) if (value) seen.push(value as Observation)
    })
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await client?.close()
    await services?.stop()
    rmSync(scratch, { recursive: true, force: true })
  })
  const gathered = (environment: string, metric: string, n: number): Promise<Observation[]> =>
    until(`${n} observations of ${metric} of ${environment}`, () => {
      const list = seen.filter(o => o.environment === environment && o.metric_name === metric)
      return list.length >= n ? list : undefined
    })

  it.each([
    ['written', 'written'],
    ['default', 'scraped'],
  ])('gives observations of the machine in %s: gauges, counters, units, and up of the target', async (environment, job) => {
    const [load] = await gathered(environment, 'node_load1', 3)
    expect(load).toMatchObject({ metric_type: 'gauge', entity: 'host:127.0.0.1' })
    expect(load.dimensions?.instance).toMatch(/^127\.0\.0\.1:\d+$/)
    const cpu = await gathered(environment, 'node_cpu_seconds_total', 3)
    expect(cpu[0]).toMatchObject({ metric_type: 'counter', unit: 's', dimensions: { mode: expect.any(String) } })
    expect((await gathered(environment, 'node_memory_MemAvailable_bytes', 2))[0]).toMatchObject({
      metric_type: 'gauge',
      unit: 'By',
    })
    expect((await gathered(environment, 'up', 3)).at(-1)).toMatchObject({
      value: 1,
      // Who answers is the exporter; what it measures is the host.
      entity: `service:${job}-exporter`,
    })
  })
  it('gives the same numbers either way', async () => {
    const [written] = await gathered('written', 'node_memory_MemTotal_bytes', 1)
    const [scraped] = await gathered('default', 'node_memory_MemTotal_bytes', 1)
    expect(written.value).toBe(scraped.value)
  })
  it('says what is wrong with a body, and that it need not be sent again', async () => {
    const send = (body: string, headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${service.port}/api/v1/write`, { method: 'POST', body, headers })
    const bad = await send('hello', { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' })
    expect([bad.status, ((await bad.json()) as { message: string }).message]).toEqual([
      400,
      expect.stringContaining('remote-write 1.0'),
    ])
    expect((await send('hello', { 'content-encoding': 'gzip' })).status).toBe(415)
  })
})
