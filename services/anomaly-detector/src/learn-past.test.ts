import { trainEntity } from '@aegis/anomaly-detection/train-entity'
import { anomalies, type Input, metricsRaw, models, type Observation, seededRandom } from '@aegis/domain'
import { stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { DetectMetricAnomalies } from './detect-metric-anomalies.ts'
import { observation, SECOND, T0 } from './observations.cases.ts'
import { TrainModels } from './train-models.ts'

/** Latency about 100 every 15 s; in the past it was once 900 for a minute. */
const past = (from: number, to: number): Input[] => {
  const random = seededRandom(4)
  return Array.from({ length: (to - from) / 15 }, (_, i) => {
    const s = from + 15 * i
    return received(
      metricsRaw,
      observation('latency', s, (s >= -600 && s < -540 ? 900 : 100) + 4 * random(), { history: true }),
      i,
    )
  })
}
/** Present rows every 15 s with a tick every second. */
const present = (seconds: number, value: (s: number) => number): Input[] =>
  Array.from({ length: seconds }, (_, s) => [
    ...(s % 15 === 0 ? [received(metricsRaw, observation('latency', s, value(s)), 1000 + 2 * s)] : []),
    tick(T0 + s * SECOND + 500_000, { offset: 1001 + 2 * s }),
  ]).flat()
const found = async (inputs: Input[]) => (await runStage(new DetectMetricAnomalies({ silenceUs: 1e9 }), [inputs])).of(anomalies)

describe('history', () => {
  it('makes the first values of the present be judged; without it they are learned', async () => {
    const strange = present(60, () => 500)
    const [first] = await found([...past(-3600, 0), ...strange])
    expect(first).toMatchObject({ state: 'open', entity: 'service:a' })
    expect((first.time - T0) / SECOND).toBeLessThan(45)
    expect(first.series?.[0].expected_high).toBeLessThan(200)
    expect(await found(strange)).toEqual([])
  })
  it('is not told of, and what was strange in it is not learned', async () => {
    expect(await found([...past(-3600, 0), ...present(300, s => 100 + (s % 4))])).toEqual([])
    expect(await found([...past(-3600, 0), ...present(60, () => 900)])).toHaveLength(1)
  })
  it('says nothing to a series that is known, nor when it comes again', async () => {
    const calm = present(15 * 31, s => 100 + (s % 4))
    const later = calm.at(-1)?.time ?? 0
    // A past at another level, told too late.
    const wrong = past(-3600, 0).map(i => received(metricsRaw, { ...(i as { value: Observation }).value, value: 5000 }, 5))
    const strange = [0, 15, 30].flatMap(s => [
      received(metricsRaw, { ...observation('latency', 0, 500), time: later + s * SECOND }, 9000 + s),
      tick(later + s * SECOND + 1, { offset: 9001 + s }),
    ])
    expect(await found([...calm, ...wrong, tick(later + 1), tick(later + 2), ...strange])).toHaveLength(1)
    const twice = await found([...past(-3600, 0), ...past(-3600, 0), ...present(60, () => 500)])
    expect(twice).toEqual(await found([...past(-3600, 0), ...present(60, () => 500)]))
  })
  it('trains the detector of entities at once, on its own times', async () => {
    const train = new TrainModels({
      detector: 'ensemble',
      alarmsPerDay: 0.5,
      youngThreshold: 12,
      warmUp: 120,
      history: 1000,
      entities: 2,
      train: async request => trainEntity(request),
    })
    const list = (await runStage(train, [[...past(-3600, 0), ...present(4, () => 100)]])).of(models)
    expect(list.map(m => m.state)).toEqual(['active'])
    expect(list[0].metrics).toMatchObject({ rows: 236, left_out: 4 })
    expect(list[0].lineage?.from).toBe(new Date((T0 - 3600 * SECOND) / 1000).toISOString())
  })
  it('says once until when an entity without a past is learned', async () => {
    const told: unknown[] = []
    const stage = () => {
      const made = new DetectMetricAnomalies({ silenceUs: 1e9, onLearning: (...words) => told.push(words) })
      made.live()
      return made
    }
    await runStage(stage(), [present(200, () => 100)])
    expect(told).toEqual([['test', 'service:a', T0 + (45 + 8 * 15) * SECOND]])
    await runStage(stage(), [[...past(-3600, 0), ...present(200, () => 100)]])
    expect(told).toHaveLength(1)
  })
})

stageContract('DetectMetricAnomalies with history', () => new DetectMetricAnomalies({ silenceUs: 1e9 }), [
  ...past(-900, 0),
  ...present(60, () => 500),
])
