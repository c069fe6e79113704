/** The gateway reads the history of series back from a real Prometheus, and the detector judges their first values; programs on the path or in AEGIS_TEST_PROMETHEUS. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { anomalyDetector } from '@aegis/anomaly-detector'
import { clock } from '@aegis/clock'
import { type Anomaly, anomalies, metricsRaw, type Observation } from '@aegis/domain'
import { gateway } from '@aegis/gateway'
import { connect, RUNTIME_SETTINGS, type RunningService, readConfig, type ServiceDefinition, silentLog } from '@aegis/runtime'
import { anyFree } from '@aegis/stack/local/ports'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServicesHere, servicesHere, until } from './services-here.ts'

const folder = process.env.AEGIS_TEST_PROMETHEUS
const found = (name: string) => {
  const program = folder ? path.join(folder, name) : name
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0 ? program : undefined
}
const prometheus = found('prometheus')
const promtool = found('promtool')
const lacking = prometheus && promtool ? '' : ' (left out: no prometheus and promtool on the path or in AEGIS_TEST_PROMETHEUS)'

describe.skipIf(lacking !== '')(`history from Prometheus${lacking}`, () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'aegis-history-'))
  const environment = `history-${randomUUID()}`
  const STEP = 15
  const STEPS = 240
  const children: ChildProcess[] = []
  const seen: Observation[] = []
  const told: Anomaly[] = []
  let services: ServicesHere
  let receiver: RunningService
  let client: StreamClient
  /** Last moment of the history, seconds. */
  const end = Math.floor(Date.now() / 1000 / STEP) * STEP
  const latency = (i: number) => 100 + (i % 5)

  beforeAll(async () => {
    const labels = `job="pay",environment="${environment}",instance="one"`
    const lines = ['# TYPE latency gauge', '# TYPE orders counter']
    for (let i = 0; i < STEPS; i++) lines.push(`latency{${labels}} ${latency(i)} ${end - (STEPS - 1 - i) * STEP}`)
    for (let i = 0; i < STEPS; i++) lines.push(`orders_total{${labels}} ${30 * i} ${end - (STEPS - 1 - i) * STEP}`)
    writeFileSync(path.join(scratch, 'past.om'), `${lines.join('\n')}\n# EOF\n`)
    const tool = { cwd: scratch, stdio: 'ignore' } as const
    execFileSync(promtool as string, ['tsdb', 'create-blocks-from', 'openmetrics', 'past.om', 'data'], tool)
    writeFileSync(path.join(scratch, 'prometheus.yml'), 'global: { scrape_interval: 15s }\n')
    const port = await anyFree()
    const address = `http://127.0.0.1:${port}`
    children.push(
      spawn(
        prometheus as string,
        ['--config.file=prometheus.yml', `--web.listen-address=127.0.0.1:${port}`, '--storage.tsdb.path=data'],
        tool,
      ),
    )
    let ready = false
    for (let i = 0; i < 300 && !ready; i++) {
      ready = await fetch(`${address}/-/ready`).then(
        r => r.ok,
        () => false,
      )
      if (!ready) await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(ready).toBe(true)
    services = servicesHere({
      AEGIS_HISTORY_URL: address,
      AEGIS_HISTORY_MS: String((STEPS - 1) * STEP * 1000),
      AEGIS_HISTORY_STEP_MS: String(STEP * 1000),
    })
    client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, services.env), 'test', silentLog()))
    await services.start(anomalyDetector as unknown as ServiceDefinition)
    await services.start(clock as unknown as ServiceDefinition)
    await client.tail([metricsRaw, anomalies] as never, 'end', list => {
      for (const { value, record } of list) {
        if ((value as Observation | undefined)?.environment !== environment) continue
        if (record.topic === anomalies.name) told.push(value as Anomaly)
        else seen.push(value as Observation)
      }
    })
    receiver = await services.start(gateway as unknown as ServiceDefinition)
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await client?.close()
    await services?.stop()
    rmSync(scratch, { recursive: true, force: true })
  })

  it('puts each value on metrics.raw once, in order, with its own time and type', async () => {
    await until('the history', () => (seen.length >= 2 * STEPS - 2 ? true : undefined))
    await new Promise(resolve => setTimeout(resolve, 1000))
    const of = (metric: string) => seen.filter(o => o.metric_name === metric && o.history)
    const values = of('latency')
    // The clock may have gone a step on since: what is asked for ends at its last whole step.
    const missed = Math.round((values[0].time / 1e6 - (end - (STEPS - 1) * STEP)) / STEP)
    expect(missed).toBeLessThan(20)
    values.forEach((o, i) => {
      const written = Math.min(STEPS - 1, i + missed)
      expect([o.time / 1e6, o.value]).toEqual([end - (STEPS - 1 - i - missed) * STEP, latency(written)])
    })
    expect(values).toHaveLength(STEPS)
    expect(values[0]).toMatchObject({ entity: 'service:pay', metric_type: 'gauge', dimensions: { instance: 'one' } })
    expect(of('orders_total')[0]).toMatchObject({ metric_type: 'counter' })
    expect(of('orders_total')).toHaveLength(STEPS)
  })

  it('judges the first values that come, where without history they would be learned', async () => {
    const body = (entity: string) =>
      JSON.stringify({ entity, metric_name: 'latency', value: 900, environment, dimensions: { instance: 'one' } })
    for (let i = 0; i < 5; i++) {
      for (const entity of ['service:pay', 'service:new']) {
        const answer = await fetch(`http://127.0.0.1:${receiver.port}/api/v1/observations`, {
          method: 'POST',
          body: body(entity),
        })
        expect(answer.status).toBe(202)
      }
      await new Promise(resolve => setTimeout(resolve, 1100))
    }
    await until('the anomaly', () => told.find(a => a.state === 'open'))
    const opened = told.filter(a => a.state === 'open')
    expect(opened.map(a => a.entity)).toEqual(['service:pay'])
    expect(opened[0].series?.map(s => s.metric)).toEqual(['latency'])
    expect(opened[0].series?.[0].expected_high).toBeLessThan(200)
  })
})
