import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Anomaly, anomalies, type ModelVersion, metricsRaw, models, type Observation, seededRandom } from '@aegis/domain'
import {
  MemoryBroker,
  MemoryRegistry,
  RUNTIME_SETTINGS,
  type RunningService,
  readConfig,
  type ServiceContext,
  type ServiceDefinition,
  silentLog,
  startService,
  streamList,
} from '@aegis/runtime'
import { afterAll, describe, expect, it } from 'vitest'
import { anomalyDetector } from './service.ts'

const infrastructure = { broker: new MemoryBroker(), registry: new MemoryRegistry() }
const folder = mkdtempSync(join(tmpdir(), 'aegis-rules-'))
const running: RunningService[] = []
const start = async (definition: ServiceDefinition, env: Record<string, string>) => {
  const all = { AEGIS_PORT: '0', AEGIS_DATA_PARTITIONS: '1', AEGIS_ENVIRONMENT_PARTITIONS: '1', ...env }
  const service = await startService(
    definition,
    readConfig(definition.settings, all),
    readConfig(RUNTIME_SETTINGS, all),
    infrastructure,
    silentLog(),
  )
  running.push(service)
}
afterAll(async () => {
  for (const service of running.reverse()) await service.stop()
  await infrastructure.broker.close()
  rmSync(folder, { recursive: true, force: true })
})
const until = async <T>(look: () => T | undefined): Promise<T> => {
  for (let i = 0; i < 400; i++) {
    const found = look()
    if (found !== undefined) return found
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`nothing came within 20 s: ${look}`)
}

/** Stands for the gateway: puts observations in, keeps the clock, and reads what comes out. */
let context: ServiceContext
const seenModels: ModelVersion[] = []
const seenAnomalies: Anomaly[] = []
const clock = {
  name: 'clock',
  about: 'Observations and ticks.',
  settings: {},
  follows: streamList(models),
  publishes: streamList(metricsRaw),
  tails: streamList(models, anomalies),
  clock: true,
  create: (_config: object, given: ServiceContext) => {
    context = given
    return { stages: [] }
  },
} satisfies ServiceDefinition

const T0 = 1_700_000_000_000_000
const random = seededRandom(3)
const second = async (s: number, strange = false) => {
  const wave = 20 * Math.sin(s / 7)
  const values = { a: 100 + wave, b: 50 + (strange ? 60 : wave), c: 10 + wave / 2 }
  const time = T0 + s * 1e6
  const row = Object.entries(values).map(([metric_name, value]): Observation => {
    const id = `${metric_name}${s}`
    const noisy = value + random() - 0.5
    return {
      id,
      environment: 'e',
      time,
      entity: 'service:a',
      metric_name,
      metric_type: 'gauge',
      unit: 'ms',
      value: noisy,
      dimensions: {},
    }
  })
  await context.publish(metricsRaw, row)
  await context.tick({ time: time + 500_000, environment: '*' })
}

describe('anomaly-detector', () => {
  it('trains beside the stream, takes the model up without a restart, and new alert rules too', async () => {
    const file = join(folder, 'rules.yaml')
    const rule = (limit: number) => `rules: [{ name: high, metric: a, when: { above: ${limit} } }]`
    writeFileSync(file, rule(1000))
    await start(clock, {})
    await start(anomalyDetector as unknown as ServiceDefinition, {
      AEGIS_DETECTOR: 'ensemble',
      AEGIS_DETECTOR_WARM_UP: '120',
      AEGIS_DETECTOR_THRESHOLD: '8',
      AEGIS_ALERT_RULES: file,
    })
    await context.tail(streamList(models, anomalies), 'start', list => {
      for (const { stream, value } of list)
        if (stream === models.name) seenModels.push(value as ModelVersion)
        else seenAnomalies.push(value as Anomaly)
    })
    for (let s = 0; s < 130; s++) await second(s)
    const model = await until(() => seenModels.find(m => m.state === 'active' && m.id !== 'alert-rules'))
    expect(model).toMatchObject({ id: 'ensemble/e/service:a', metrics: { rows: 120, metrics: 3 } })
    // Followers see it a moment later; the first tick after that names it.
    await until(() => context.latest(models, model.id))
    for (let s = 130; s < 180; s++) await second(s)
    writeFileSync(file, rule(0))
    const [before] = seenModels.filter(m => m.id === 'alert-rules')
    await until(() => context.latest(models, 'alert-rules')?.version !== before.version || undefined)
    for (let s = 180; s < 190; s++) await second(s, true)
    const found = await until(() => seenAnomalies.find(a => a.detector === 'ensemble'))
    expect(found).toMatchObject({ state: 'open', entity: 'service:a', model_version: model.version })
    const told = await until(() => seenAnomalies.find(a => a.kind === 'rule'))
    expect(told.time).toBe(T0 + 180 * 1e6 + 1e6)
  }, 60_000)
  it('does not start with rules it cannot use', async () => {
    const file = join(folder, 'bad.yaml')
    writeFileSync(file, 'rules: [{ name: x, metric: y, when: { over: 1 } }]')
    await expect(start(anomalyDetector as unknown as ServiceDefinition, { AEGIS_ALERT_RULES: file })).rejects.toThrow(
      /AEGIS_ALERT_RULES: .*bad.yaml: rule 1 \("x"\), when/,
    )
  })
})
