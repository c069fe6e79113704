/** A sick model goes the way of every fault: an anomaly, an incident with its cause, a decision under the guard, an act that puts the version before it in force. */
import {
  anomalies,
  type Decision,
  decisions,
  type Input,
  incidents,
  type ModelVersion,
  type Outcome,
  outcomes,
  seededRandom,
} from '@aegis/domain'
import { ModelsExecutor } from '@aegis/executor/executors/models'
import { WatchModels } from '@aegis/model-keeper/watch-models'
import { POLICY_MODEL } from '@aegis/model-registry'
import { RulesPolicy } from '@aegis/remediation'
import { DecideActions } from '@aegis/remediator/decide-actions'
import { PlainTopology } from '@aegis/root-cause'
import { DiagnoseIncidents } from '@aegis/root-cause-analyzer/diagnose-incidents'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { expect, it } from 'vitest'

const T = 1_770_000_000_000_000
const SECOND = 1_000_000

it('a policy that heals less often than it did is diagnosed, and rolled back by the guard', async () => {
  const random = seededRandom(8)
  const life = Array.from({ length: 1500 }, (_, n) => {
    const common = {
      environment: 'shop',
      time: T + n * SECOND,
      decision: `d${n}`,
      incident: `i${n}`,
      action: 'restart',
      target: 'service:a',
    }
    const made = {
      ...common,
      id: `d${n}`,
      attempt: 0,
      status: 'decided',
      candidates: [],
      propensity: 0.9,
      situation: [random()],
      policy: 'learned',
      policy_version: '2',
    }
    const ended = { ...common, id: `o${n}`, status: random() < (n < 1000 ? 0.92 : 0.6) ? 'done' : 'failed' }
    return [
      received(decisions, made as unknown as Decision, 2 * n) as Input,
      received(outcomes, ended as Outcome, 2 * n + 1) as Input,
    ]
  }).flat()
  const [sick] = (await runStage(new WatchModels(), [life])).of(anomalies)
  expect(sick).toMatchObject({ state: 'open', entity: `model:${POLICY_MODEL}`, severity: 'high' })

  const at = (second: number) => tick(sick.time + second * SECOND, { stream: anomalies as never })
  const told = await runStage(new DiagnoseIncidents(new PlainTopology()), [
    [received(anomalies, sick), ...Array.from({ length: 12 }, (_, s) => at(s + 1))],
  ])
  const incident = told.of(incidents).findLast(i => i.verdict === 'cause_named')
  expect(incident?.causes[0]).toMatchObject({ entity: `model:${POLICY_MODEL}`, fault_kind: 'model' })
  expect(incident?.causes[0]?.explanation).toContain('answers that are less often right')

  const guard = {
    disruptivePerHour: 3,
    concurrent: 1,
    cooldownMs: 60_000,
    minimumConfidence: 0.4,
    minimumEvidence: 1,
    errorBudgetFloor: 0,
  }
  const stage = new DecideActions(new RulesPolicy(), {
    defaultMode: 'act',
    environmentModes: {},
    limits: guard,
    approvalUs: SECOND,
  })
  const [decision] = (await runStage(stage, [[received(incidents, incident as never)]])).of(decisions)
  expect(decision).toMatchObject({ action: 'rollback_deploy', target: `model:${POLICY_MODEL}`, mode: 'suggest' })
  // One sign alone is no more than this to the ranking: under its default limits the guard asks a person.
  expect(decision?.reasons).toContainEqual(expect.stringMatching(/^confidence 0\.\d+ is below 0\.4$/))

  const version = (v: string): ModelVersion => ({
    id: POLICY_MODEL,
    environment: '*',
    time: T,
    version: v,
    state: 'active',
    weights: new Uint8Array([1]),
  })
  const all = [version('1'), version('2')]
  const models = new ModelsExecutor({ versions: () => all, publish: async v => void all.push(v), now: () => T })
  const { action, target, environment } = decision as Decision
  await models.execute({ action, target, environment, parameters: {} }, 'd')
  expect(all.at(-1)).toMatchObject({ version: '1', state: 'held' })
})
