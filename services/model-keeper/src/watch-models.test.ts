import {
  type Anomaly,
  anomalies,
  type Decision,
  decisions,
  type Feedback,
  feedback,
  type Incident,
  type Input,
  incidents,
  modelHealth,
  type Outcome,
  outcomes,
  type Prediction,
  predictions,
  seededRandom,
} from '@aegis/domain'
import { stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { WatchModels } from './watch-models.ts'

const T = 1_770_000_000_000_000
const environment = 'shop'
const at = (n: number) => T + n * 1_000_000

const decision = (n: number, situation: number[]): Input =>
  received(
    decisions,
    {
      id: `d${n}`,
      decision: `d${n}`,
      environment,
      time: at(n),
      incident: `i${n}`,
      attempt: 0,
      status: 'decided',
      action: 'restart',
      target: 'service:a',
      candidates: [],
      propensity: 0.9,
      situation,
      policy: 'learned',
      policy_version: '7',
    } as unknown as Decision,
    2 * n,
  ) as Input
const outcome = (n: number, status: string): Input =>
  received(
    outcomes,
    {
      id: `o${n}`,
      environment,
      time: at(n),
      decision: `d${n}`,
      incident: `i${n}`,
      action: 'restart',
      target: 'service:a',
      status,
    } as Outcome,
    2 * n + 1,
  ) as Input
/** Decisions and how they ended: healed with this chance. */
const life = (count: number, chance: (n: number) => number, shift: (n: number) => number = () => 0): Input[] => {
  const random = seededRandom(5)
  return Array.from({ length: count }, (_, n) => [
    decision(n, [random() + shift(n), random()]),
    outcome(n, random() < chance(n) ? 'done' : 'failed'),
  ]).flat()
}
const create = () => new WatchModels()

describe('watch-models', () => {
  it('calls a policy sick whose decisions heal less often than they did, and well again when they do', async () => {
    const inputs = life(3600, n => (n < 1000 || n >= 1600 ? 0.9 : 0.6))
    const { of } = await runStage(create(), [inputs])
    const told = of(anomalies)
    expect(told.map(a => a.state)).toEqual(['open', 'close'])
    expect(told[0]).toMatchObject({
      entity: 'model:remediation-policy',
      kind: 'rule',
      severity: 'high',
      model_version: 'learned@7',
      series: [{ metric: 'model.accuracy' }],
    })
    expect(told[0]?.summary).toMatch(/right in 0\.\d\d of the last 500 outcomes, in 0\.\d\d of those before/)
    expect((told[0]?.time as number) - T).toBeLessThan(1600 * 1e6)
    const health = of(modelHealth).filter(h => h.accuracy !== null)
    expect(health.at(0)).toMatchObject({ model: 'remediation-policy', outcomes: 100, state: 'well' })
    expect(health.filter(h => h.time === told[0]?.time).map(h => h.state)).toContain('degraded')
  })
  it('says that what a model is given has changed, as something to read and no incident', async () => {
    const { of } = await runStage(create(), [
      life(
        2400,
        () => 0.9,
        n => (n < 1500 ? 0 : 0.5),
      ),
    ])
    const [first] = of(anomalies)
    expect(first).toMatchObject({ state: 'open', severity: 'low', entity: 'model:remediation-policy' })
    expect(first?.summary).toContain('situation 0')
    expect(((first?.time as number) - T) / 1e6).toBeLessThan(2000)
  })
  it('holds diagnoses and the detectors behind them against what people confirmed', async () => {
    const incident = (n: number, cause: string): Input =>
      received(
        incidents,
        {
          id: `i${n}`,
          environment,
          time: at(n),
          verdict: 'cause_named',
          causes: [{ entity: cause, confidence: 0.8, fault_kind: 'crash' }],
          anomalies: [`a${n}`],
          entities: [cause],
        } as unknown as Incident,
        n,
      ) as Input
    const anomaly = (n: number): Input =>
      received(
        anomalies,
        {
          id: `a${n}`,
          environment,
          time: at(n),
          state: 'open',
          detector: 'ensemble',
          score: 9,
          threshold: 6,
          kind: 'metric',
          evidence: [],
          model_version: 'v1',
        } as unknown as Anomaly,
        n,
      ) as Input
    const said = (n: number, cause: string): Input =>
      received(feedback, { id: `f${n}`, environment, time: at(n), incident: `i${n}`, cause, who: 'nia' } as Feedback, n) as Input
    const inputs = Array.from({ length: 100 }, (_, n) => [
      anomaly(n),
      incident(n, 'service:a'),
      said(n, n < 70 ? 'service:a' : n < 90 ? 'service:b' : ''),
    ]).flat()
    const { of } = await runStage(create(), [inputs])
    expect(of(modelHealth).map(h => [h.model, h.accuracy])).toEqual([
      ['root-cause', 0.7],
      ['detector ensemble', 0.9],
    ])
  })
  it('doubts a model of which nobody says whether it was right, by its own confidence', async () => {
    const random = seededRandom(3)
    const inputs = Array.from(
      { length: 3000 },
      (_, n) =>
        received(
          predictions,
          {
            id: `p${n}`,
            environment,
            time: at(n),
            kind: 'failure',
            model: 'random-forest',
            model_version: '1',
            detected: true,
            label: 'timeout',
            score: random(),
            confidence: n < 2000 ? 0.8 + 0.2 * random() : 0.3 + 0.2 * random(),
            entities: [],
          } as unknown as Prediction,
          n,
        ) as Input,
    )
    const { of } = await runStage(create(), [inputs])
    expect(of(anomalies)[0]).toMatchObject({ entity: 'model:failure random-forest', severity: 'low' })
    expect(of(anomalies)[0]?.summary).toContain('confidence')
  })
  it('waits for no more than it can keep, and says nothing of its own anomalies', async () => {
    const own = received(anomalies, {
      id: 'x',
      environment,
      time: T,
      state: 'open',
      detector: 'model-watch',
    } as unknown as Anomaly)
    const { results } = await runStage(create(), [[own as Input, outcome(1, 'done')]])
    expect(results).toEqual([])
  })
  stageContract(
    'WatchModels',
    create,
    life(1600, n => (n < 1000 ? 0.9 : 0.6)),
  )
})
