/** The anomaly-detector on real servers: what it trains, finds and goes back to is what the library gives when it is run directly. */
import { randomUUID } from 'node:crypto'
import { EntityEvents } from '@aegis/anomaly-detection/entity-events'
import { EntityModel } from '@aegis/anomaly-detection/entity-model'
import { EntityRows } from '@aegis/anomaly-detection/entity-rows'
import { trainEntity, unpackTrained } from '@aegis/anomaly-detection/train-entity'
import { anomalyDetector } from '@aegis/anomaly-detector'
import { type Anomaly, anomalies, type ModelVersion, metricsRaw, models, type Observation, seededRandom } from '@aegis/domain'
import { type ServiceContext, type ServiceDefinition, streamList } from '@aegis/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { servicesHere, until } from './services-here.ts'

const environment = `models-${randomUUID()}`
const ENTITIES = ['service:one', 'service:two']
const WARM_UP = 600
const ROWS = 1100
const T0 = Date.now() * 1000
const timeOf = (row: number) => T0 + row * 1_000_000

const seenModels: ModelVersion[] = []
const seenAnomalies: Anomaly[] = []
let context: ServiceContext
const { start, cli, stop } = servicesHere()

/** Stands for the gateway: puts rows in and keeps the clock. */
const clock: ServiceDefinition = {
  name: 'test-clock',
  about: 'Rows and ticks.',
  settings: {},
  follows: streamList(models),
  publishes: streamList(metricsRaw, models),
  tails: streamList(models, anomalies),
  clock: true,
  create: (_config, given) => {
    context = given
    return { stages: [] }
  },
}
/** Five metrics that share two causes; twice something parts from the others. */
const table = (): { metric: string; value: number }[][][] => {
  const random = seededRandom(11)
  return ENTITIES.map((_, e) =>
    Array.from({ length: ROWS }, (_, i) => {
      const wave = Math.sin((i + 40 * e) / 17)
      const slow = Math.cos(i / 60)
      const strange = (i >= 700 && i < 715) || (i >= 900 && i < 950)
      const values = { a: 100 + 10 * wave, b: 50 + 5 * slow, c: 10 + wave - slow, d: 7 - wave, e: 30 + 3 * slow }
      if (strange) values[e === 0 ? 'c' : 'e'] += 12
      return Object.entries(values).map(([metric, v]) => ({ metric, value: v + 0.2 * (random() - 0.5) }))
    }),
  )
}

beforeAll(async () => {
  await start(clock)
  await start(anomalyDetector as unknown as ServiceDefinition, {
    AEGIS_DETECTOR: 'ensemble',
    AEGIS_DETECTOR_WARM_UP: String(WARM_UP),
    AEGIS_DETECTOR_THRESHOLD: '8',
    AEGIS_DETECTOR_ENTITIES: '1000',
  })
  await context.tail(streamList(models, anomalies), 'start', list => {
    for (const { stream, value } of list) {
      if ((value as Anomaly).environment !== environment) continue
      if (stream === models.name) seenModels.push(value as ModelVersion)
      else seenAnomalies.push(value as Anomaly)
    }
  })
})
afterAll(stop)

describe('anomaly-detector through Kafka', () => {
  const rows = table()
  const observation = (entity: string, row: number, metric: string, value: number): Observation => ({
    id: `${entity}${metric}${row}`,
    environment,
    time: timeOf(row),
    entity,
    metric_name: metric,
    metric_type: 'gauge',
    unit: 'ms',
    value,
    dimensions: {},
  })
  const send = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      await context.publish(
        metricsRaw,
        ENTITIES.flatMap((entity, e) => rows[e][i].map(v => observation(entity, i, v.metric, v.value))),
      )
      await context.tick({ time: timeOf(i) + 500_000, environment })
    }
  }
  const id = (entity: string) => `ensemble/${environment}/${entity}`

  it('publishes the models, and finds the anomalies, that the library gives directly', async () => {
    await send(0, WARM_UP + 2)
    const published = await Promise.all(
      ENTITIES.map(entity =>
        until(`the model of ${entity}`, () => seenModels.find(m => m.id === id(entity) && m.state === 'active')),
      ),
    )
    for (const m of published)
      await until('its version', () => (context.latest(models, m.id)?.version === m.version ? m : undefined))
    await send(WARM_UP + 2, ROWS)
    const wanted = ENTITIES.flatMap((entity, e) => {
      const kept = new EntityRows({ history: 2000 })
      const at = published[e].metrics?.rows ?? 0
      // Entities of one partition take turns.
      expect([WARM_UP, WARM_UP + 1]).toContain(at)
      expect(published[e].metrics?.left_out).toBe(0)
      for (let i = 0; i < at; i++) kept.add(timeOf(i) + 500_000, rows[e][i])
      const trained = trainEntity({
        detector: 'ensemble',
        metrics: kept.metrics,
        rows: kept.table(),
        stepSeconds: kept.stepSeconds,
        alarmsPerDay: 0.5,
        youngThreshold: 8,
      })
      expect(unpackTrained(published[e].weights as Uint8Array)).toEqual(JSON.parse(JSON.stringify(trained)))
      const model = new EntityModel(trained)
      const events = new EntityEvents()
      return rows[e].slice(WARM_UP + 2).flatMap((row, i) => {
        const time = timeOf(WARM_UP + 2 + i) + 500_000
        const found = model.row(row, time)
        // The first ten rows are heard only.
        const event = found && i >= 10 && events.row(time, found.score, found.threshold, found.guilty, found.alarm)
        return event ? [{ entity, ...event }] : []
      })
    })
    const told = () => seenAnomalies.filter(a => a.detector === 'ensemble')
    await until('the last anomaly', () => (told().length >= wanted.length ? true : undefined))
    const short = (
      list: readonly { entity: string; time: number; state: string; started: number; score: number; threshold: number }[],
    ) =>
      list
        .map(({ entity, time, state, started, score, threshold }) => ({ entity, time, state, started, score, threshold }))
        .sort((a, b) => a.time - b.time || (a.entity < b.entity ? -1 : 1))
    expect(wanted.filter(w => w.state === 'open').length).toBeGreaterThanOrEqual(4)
    expect(short(told())).toEqual(short(wanted))
    expect(told().map(a => a.series?.[0].metric)).toEqual(expect.arrayContaining(['c', 'e']))
  })

  it('goes back to an earlier version by one command, and tells which is in force', async () => {
    const first = await until('a model', () => seenModels.find(m => m.id === id(ENTITIES[0]) && m.state === 'active'))
    await context.publish(models, [{ ...first, version: 'second' }])
    await until('the second', () => (context.latest(models, first.id)?.version === 'second' ? true : undefined))
    expect(cli('models', 'list')).toContain(`${first.id}  second  active`)
    expect(cli('models', 'rollback', first.id)).toContain(`version ${first.version} is held from the next tick on`)
    await until('the first', () => (context.latest(models, first.id)?.version === first.version ? true : undefined))
    expect(context.latest(models, first.id)?.state).toBe('held')
    expect(cli('models', 'release', first.id)).toContain(`version ${first.version} is active`)
    const states = cli('models', 'list', first.id)
      .trim()
      .split('\n')
      .map(line => line.split(/ +/)[2])
    expect(states).toEqual(['learning', 'active', 'active', 'held', 'active'])
  })
})
