import { evaluateMetrics } from '@aegis/anomaly-detection/evaluate-metrics'
import { packTrained, trainEntity } from '@aegis/anomaly-detection/train-entity'
import { anomalies, type Input, type ModelVersion, metricsRaw, models, type Observation, seededRandom } from '@aegis/domain'
import { stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { DetectMetricAnomalies } from './detect-metric-anomalies.ts'
import { readAlertRules } from './read-alert-rules.ts'
import { TrainModels, type TrainOptions } from './train-models.ts'

const T0 = 1_700_000_000_000_000
const SECOND = 1_000_000
const observation = (metric: string, second: number, value: number, entity = 'service:a'): Observation => ({
  id: `${entity}${metric}${second}`,
  environment: 'test',
  time: T0 + second * SECOND,
  entity,
  metric_name: metric,
  metric_type: 'gauge',
  unit: 'ms',
  value,
  dimensions: {},
})
type InForce = Parameters<typeof tick>[1] extends infer O ? NonNullable<O>['inForce' & keyof NonNullable<O>] : never
/** One row a second and a tick after it; `published` answers for the models in force at that second. */
const seconds = (
  from: number,
  to: number,
  make: (second: number) => Observation[],
  published: (second: number, id: string) => Partial<ModelVersion> | undefined = () => undefined,
): Input[] =>
  Array.from({ length: to - from }, (_, k) => {
    const s = from + k
    const inForce = ((_stream: unknown, key: string) => published(s, key)) as InForce
    return [
      ...make(s).map((o, i) => received(metricsRaw, o, s * 10 + i)),
      tick(T0 + s * SECOND + 500_000, { offset: s * 10 + 9, inForce }),
    ]
  }).flat()
/** Each value stays in its own band; that they part company is what is strange. */
const rows = () => {
  const random = seededRandom(3)
  const wobble = () => random() - 0.5
  return (s: number, entity = 'service:a') => {
    const wave = 20 * Math.sin(s / 7)
    return [
      observation('a', s, 100 + wave + wobble(), entity),
      observation('b', s, 50 + (s >= 400 && s < 430 ? -wave : wave) + wobble(), entity),
      observation('c', s, 10 + wave / 2 + wobble(), entity),
    ]
  }
}
const options: TrainOptions = {
  detector: 'ensemble',
  alarmsPerDay: 0.5,
  youngThreshold: 12,
  warmUp: 120,
  history: 300,
  entities: 2,
  train: async request => trainEntity(request),
}
const trained = async (inputs: Input[], over: Partial<TrainOptions> = {}) =>
  (await runStage(new TrainModels({ ...options, ...over }), [inputs])).of(models)

describe('TrainModels', () => {
  const row = rows()
  it('says that it is learning and until when, trains when it has enough, and again with half as much more', async () => {
    const list = await trained(seconds(0, 300, s => row(s)))
    expect(list.map(m => m.state)).toEqual(['learning', 'active', 'active'])
    expect(list[0].lineage?.until).toBe(new Date((T0 + 119.5 * SECOND) / 1000).toISOString())
    expect(list.slice(1).map(m => m.metrics?.rows)).toEqual([120, 240])
    expect(list[1]).toMatchObject({ id: 'ensemble/test/service:a', lineage: { offset: '1199', entity: 'service:a' } })
    expect(list[1].version).not.toBe(list[2].version)
    expect(list[1].weights?.length).toBeLessThan(200_000)
  })
  it('leaves out what the baseline calls strange', async () => {
    const list = await trained(seconds(0, 260, s => row(s).map(o => (s >= 60 && s < 80 ? { ...o, value: 9e5 } : o))))
    expect(list[1].metrics).toMatchObject({ rows: 120, left_out: 20 })
    expect(list[1].time).toBe(T0 + 139.5 * SECOND)
  })
  it('trains one entity a tick, no more of them than allowed', async () => {
    const list = await trained(seconds(0, 130, s => ['service:a', 'service:b', 'service:c'].flatMap(e => row(s, e))))
    const active = list.filter(m => m.state === 'active')
    expect(active.map(m => [m.id, (m.time - T0) / SECOND])).toEqual([
      ['ensemble/test/service:a', 119.5],
      ['ensemble/test/service:b', 120.5],
    ])
  })
  it('trains one model for the pods of a workload, from the rows of all', async () => {
    const pods = ['pod:shop-7d9f8b6c5-x2x4z', 'pod:shop-7d9f8b6c5-b4k9q', 'pod:shop-7d9f8b6c5-zz7t2']
    const list = await trained(seconds(0, 60, s => pods.flatMap(pod => row(s, pod))))
    const [active, ...more] = list.filter(m => m.state === 'active')
    expect(more).toEqual([])
    expect(active).toMatchObject({ id: 'ensemble/test/pod:shop', metrics: { rows: 120, metrics: 3, instances: 3 } })
  })
  it('says once that there is no room for more', async () => {
    const full: string[] = []
    await trained(
      seconds(0, 20, s => ['service:a', 'service:b', 'service:c', 'service:d'].flatMap(e => row(s, e))),
      { onFull: entity => full.push(entity) },
    )
    expect(full).toEqual(['service:c'])
  })
  it('leaves alone what somebody went back to, and goes on when training fails', async () => {
    expect(
      await trained(
        seconds(
          0,
          300,
          s => row(s),
          () => ({ state: 'held' }),
        ),
      ),
    ).toEqual([])
    const failed: string[] = []
    const train = async () => Promise.reject(new Error('no memory'))
    const list = await trained(
      seconds(0, 130, s => row(s)),
      { train, onFailed: (e, error) => failed.push(`${e}: ${error.message}`) },
    )
    expect(list.map(m => m.state)).toEqual(['learning'])
    expect(failed).toEqual(['service:a: no memory'])
  })
  stageContract(
    'TrainModels',
    () => new TrainModels(options),
    seconds(0, 260, s => row(s)),
  )
})

describe('models in force', async () => {
  const row = rows()
  /** One metric leaves its band for half a minute. */
  const ill = (s: number, entity?: string) =>
    row(s, entity).map(o => (o.metric_name === 'b' && s >= 400 && s < 430 ? { ...o, value: o.value + 60 } : o))
  const trainedOn = (inputs: Input[]) => {
    const values = inputs.filter(i => i.kind === 'value').map(i => (i.value as Observation).value)
    return trainEntity({
      detector: 'ensemble',
      metrics: ['a', 'b', 'c'],
      rows: {
        count: values.length / 3,
        metrics: 3,
        values: Float64Array.from(values),
        times: values.slice(0, values.length / 3).map((_, k) => k),
      },
      stepSeconds: 1,
      alarmsPerDay: 0.5,
      youngThreshold: 12,
    })
  }
  const history = seconds(0, 300, s => row(s))
  const [, first, second] = await trained(history)
  const inputs = seconds(
    300,
    560,
    s => row(s),
    (s, id) => (id !== first.id ? undefined : s < 310 ? { state: 'learning', version: 'learning' } : s < 380 ? first : second),
  )
  const make = () => new DetectMetricAnomalies({ entities: { detector: 'ensemble' } })
  it('score an entity from the tick that names them on, and say which version found it', async () => {
    const found = (await runStage(make(), [inputs])).of(anomalies).filter(a => a.detector === 'ensemble')
    expect(found[0]).toMatchObject({ state: 'open', entity: 'service:a', model_version: second.version })
    expect((found[0].time - T0) / SECOND).toBeGreaterThan(399)
    expect((found[0].time - T0) / SECOND).toBeLessThan(408)
    // The two part company where their wave does, and meet where it passes zero.
    for (const a of found.filter(a => a.state === 'open')) expect((a.time - T0) / SECOND).toBeLessThan(432)
    expect(found.filter(a => a.state === 'close').map(a => a.id)).toEqual(found.filter(a => a.state === 'open').map(a => a.id))
  })
  it('serve an instance that came after the training from its first rows on', async () => {
    const weights = packTrained(trainedOn(history))
    const fresh = seconds(
      300,
      440,
      s => ill(s, 'pod:shop-7d9f8b6c5-n9n9n'),
      (_s, id) => (id === 'ensemble/test/pod:shop' ? { version: 'v1', state: 'active', weights } : undefined),
    )
    const found = (await runStage(make(), [fresh])).of(anomalies).filter(a => a.detector === 'ensemble')
    expect(found[0]).toMatchObject({ state: 'open', entity: 'pod:shop-7d9f8b6c5-n9n9n', model_version: 'v1' })
  })
  it('that are damaged, broken or cry where the one before them is calm do not take over', async () => {
    const good = trainedOn(history)
    const deaf = { ...good, spot: { ...good.spot, base: 1e-6 }, threshold: 1e-6 }
    const packed = (trained: object) => packTrained(trained as never)
    const damaged = Buffer.from(packTrained(good))
    damaged[damaged.length >> 1] ^= 255
    const of = (version: string, weights: Uint8Array, lineage = {}) => ({ version, state: 'active', weights, lineage })
    for (const [bad, why] of [
      [of('v2', damaged), /cannot be inflated|no model|JSON/],
      [of('v2', packTrained(good), { digest: `sha256:${'0'.repeat(64)}` }), /as was said/],
      [of('v2', packed({ ...good, mean: [Number.NaN, 1, 1] })), /its mean is no number for each metric/],
      [of('v2', packed(deaf)), /rows are strange to it and not to the one before it/],
    ] as const) {
      const refused: string[] = []
      const stage = new DetectMetricAnomalies({
        entities: { detector: 'ensemble', onRefused: (_entity, _version, text) => refused.push(text) },
      })
      const stream = seconds(
        300,
        440,
        s => ill(s),
        s => (s < 330 ? of('v1', packTrained(good)) : bad),
      )
      const found = (await runStage(stage, [stream])).of(anomalies).filter(a => a.detector === 'ensemble')
      expect(refused).toEqual([expect.stringMatching(why)])
      expect(found[0]).toMatchObject({ state: 'open', model_version: 'v1' })
      expect((found[0].time - T0) / SECOND).toBeGreaterThan(399)
    }
  })
  it('find in the stream what the evaluation finds in the recording', async () => {
    const known = trainedOn(history)
    const weights = packTrained(known)
    const stream = seconds(
      300,
      560,
      s => ill(s),
      () => ({ version: 'v1', state: 'active', weights }),
    )
    const live = (await runStage(make(), [stream])).of(anomalies).filter(a => a.detector === 'ensemble')
    const table = (inputs: Input[]) => {
      const values = inputs.filter(i => i.kind === 'value').map(i => (i.value as Observation).value)
      const count = values.length / 3
      return { count, metrics: 3, values: Float64Array.from(values), times: Array.from({ length: count }, (_, k) => k) }
    }
    const { decisions } = evaluateMetrics(table(history), table(stream), { stepSeconds: 1 })
    const opened = Array.from(decisions.keys()).filter(i => decisions[i] === 1 && decisions[i - 1] !== 1)
    // The first rows of a model that takes over are not judged in the stream.
    expect(opened[0]).toBeGreaterThan(10)
    expect(live.filter(a => a.state === 'open').map(a => (a.started - T0) / SECOND - 300.5)).toEqual(opened)
  })
  stageContract('DetectMetricAnomalies with models', make, inputs)
})

describe('alert rules in the stage', () => {
  const rules = `
rules:
  - name: slow            # a comment
    metric: latency
    when: { above: 500 }
    for_seconds: 3
    severity: high
  - { name: gone, metric: up, when: { absent_seconds: 20 } }
`
  const published = (s: number, id: string) =>
    id !== 'alert-rules' || s < 5
      ? undefined
      : { version: s < 50 ? '1' : '2', weights: Buffer.from(s < 50 ? rules : 'rules: []') }
  const inputs = seconds(
    0,
    70,
    s => [
      observation('latency', s, (s >= 20 && s < 30) || s >= 40 ? 600 : 590 - 400),
      ...(s < 10 ? [observation('up', s, 1)] : []),
    ],
    published,
  )
  it('open, close, notice absence, and close when their rule goes', async () => {
    const { of } = await runStage(new DetectMetricAnomalies({ threshold: 1e9 }), [inputs])
    const told = of(anomalies).filter(a => a.kind === 'rule')
    expect(told.map(a => [a.model_version, a.state, (a.time - T0) / SECOND])).toEqual([
      ['slow', 'open', 23],
      ['gone', 'open', 29.5],
      ['slow', 'close', 30],
      ['slow', 'open', 43],
      ['slow', 'close', 50.5],
      ['gone', 'close', 50.5],
    ])
    expect(told[0]).toMatchObject({ severity: 'high', threshold: 500, started: T0 + 20 * SECOND, detector: 'alert-rules' })
    expect(told[2].id).toBe(told[0].id)
  })
  stageContract('DetectMetricAnomalies with rules', () => new DetectMetricAnomalies(), inputs)
})

describe('readAlertRules', () => {
  const faults = (text: string) => readAlertRules(text, 'rules.yaml').faults.join('\n')
  it('takes YAML, JSON and nothing', () => {
    expect(readAlertRules('', 'f')).toEqual({ rules: [], faults: [] })
    const json = '{"rules":[{"name":"a","metric":"m","when":{"above":1},"predict_seconds":600}]}'
    expect(readAlertRules(json, 'f').rules).toEqual([
      { name: 'a', metric: 'm', when: { above: 1 }, for_seconds: 0, severity: 'medium', predict_seconds: 600 },
    ])
  })
  it('names the file, the rule and the field of every fault', () => {
    expect(faults('rules: [')).toMatch(/^rules.yaml: .*line 1/)
    expect(faults('- a')).toContain('rules.yaml: the file: ')
    const two = faults('rules:\n- {name: a, metric: m, when: {above: x}}\n- {name: b, metric: "", when: {}, colour: 1}')
    expect(two).toMatch(/rules.yaml: rule 1 \("a"\), when.above: .*number/)
    expect(two).toMatch(/rules.yaml: rule 2 \("b"\), metric: must not be empty/)
    expect(two).toMatch(/rule 2 \("b"\), when: must hold exactly one of above, below/)
    expect(two).toMatch(/rule 2 \("b"\): .*colour/)
    expect(faults('rules:\n- {name: a, metric: m, when: {absent_seconds: 9}, predict_seconds: 600}')).toContain('seen coming')
    expect(faults('rules:\n- {name: a, metric: m, when: {above: 1}}\n- {name: a, metric: m, when: {above: 2}}')).toContain(
      'same name',
    )
  })
})
