import {
  type Decision,
  decisions,
  type Incident,
  incidents,
  type Mode,
  type ModelVersion,
  models,
  type Outcome,
  outcomes,
  type Policy,
} from '@aegis/domain'
import { CANDIDATE_MODEL, POLICY_MODEL } from '@aegis/model-registry'
import { RulesPolicy } from '@aegis/remediation'
import { stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { DecideActions, type DecideOptions } from './decide-actions.ts'
import { incidentOf, outcomeOf, SECOND, T0 } from './incidents.cases.ts'
import { makeDecision } from './make-decision.ts'

const limits = {
  disruptivePerHour: 9,
  concurrent: 9,
  cooldownMs: 0,
  minimumConfidence: 0.4,
  minimumEvidence: 1,
  errorBudgetFloor: 0.1,
}
const restarts = (name: string): Policy => ({
  name,
  version: '1',
  choose: ({ options }) => {
    const { target } = options[0]
    const candidates = [{ action: 'restart', target, probability: 1, value: 1 }]
    return { action: 'restart', target, propensity: 1, candidates, explanation: `${name} restarts` }
  },
})
const model = (id: string, version: string, state: string, second = 0): ModelVersion => ({
  id,
  environment: '*',
  time: T0 + second * SECOND,
  version,
  state,
})
const load = ({ version }: ModelVersion): Policy => {
  if (version === 'broken') throw new Error('no weights')
  return version === 'rules' ? new RulesPolicy() : restarts(version)
}
const incident = (id: string, over: Partial<Incident> = {}): Incident =>
  incidentOf(
    {
      entity: `service:${id}`,
      evidence: [{ kind: 'log', entity: '', text: 'no space left', time: T0, stream: 'logs.raw' }],
      fault_kind: 'disk',
    },
    { id, started: T0 - 60 * SECOND, ...over },
  )
const at = (second: number, ...inForce: ModelVersion[]) =>
  tick(T0 + second * SECOND, {
    stream: incidents as never,
    inForce: ((stream: { name: string }, id: string) =>
      stream.name === models.name ? inForce.find(m => m.id === id) : undefined) as never,
  })
const outcome = (d: Decision, status: string, [before, after]: readonly [number, number]): Outcome =>
  outcomeOf(d, status, 90, { health_before: before, health_after: after })
const make = (more: Partial<DecideOptions> = {}, latest?: (id: string) => ModelVersion | undefined) =>
  new DecideActions(new RulesPolicy(), {
    defaultMode: 'act' as Mode,
    environmentModes: {},
    limits,
    approvalUs: 100 * SECOND,
    models: { load, latest },
    ...more,
  })
const only = async (stage: DecideActions, ...inputs: Parameters<typeof runStage>[1][number]) =>
  (await runStage(stage, [inputs])).of(decisions)

describe('who decides', () => {
  const promoted = model(POLICY_MODEL, 'v1', 'active')
  it('is what the models stream says from the tick on that names it', async () => {
    const stage = make()
    const [before] = await only(stage, received(incidents, incident('a')))
    const [after] = await only(stage, at(1, promoted), received(incidents, incident('b')))
    const [back] = await only(stage, at(2, model(POLICY_MODEL, 'rules', 'held')), received(incidents, incident('c')))
    expect([before, after, back].map(d => d.policy)).toEqual(['rules', 'v1', 'rules'])
  })
  it('is what an environment was given, whoever is in charge elsewhere', async () => {
    const stage = make({ environmentPolicies: { 'te*': 'own' }, policies: { own: restarts('own') } })
    const [here] = await only(stage, at(1, promoted), received(incidents, incident('a')))
    const [there] = await only(stage, received(incidents, incident('b', { environment: 'prod' })))
    expect([here, there].map(d => d.policy)).toEqual(['own', 'v1'])
  })
  it('is the rule table while a version cannot be read', async () => {
    const failed: string[] = []
    const stage = make({ models: { load, onFailed: version => failed.push(version) } })
    const [d] = await only(stage, at(1, model(POLICY_MODEL, 'broken', 'active')), received(incidents, incident('a')))
    expect(d.policy).toBe('rules')
    expect(failed).toEqual(['broken'])
  })
  it('is the same after a restart, before any tick', async () => {
    const stage = make()
    await only(stage, at(1, promoted))
    const again = make({}, id => (id === POLICY_MODEL ? promoted : undefined))
    again.restore(stage.snapshot())
    expect((await only(again, received(incidents, incident('a'))))[0].policy).toBe('v1')
  })
  it('is the rule table at once after an unsafe act, until somebody is promoted anew', async () => {
    const stage = make()
    const [d] = await only(stage, at(1, promoted), received(incidents, incident('a')))
    const { of } = await runStage(stage, [
      [
        received(outcomes, outcome(d, 'failed', [0.6, 0.1])),
        received(incidents, incident('a')),
        received(incidents, incident('b')),
      ],
    ])
    expect(of(models)).toMatchObject([
      { id: POLICY_MODEL, version: 'rules', state: 'held', lineage: { took_over_from: 'v1@1', decision: d.decision } },
    ])
    expect(of(decisions).map(x => x.policy)).toEqual(['rules', 'rules'])
    // The old word may still be in force for a tick.
    expect((await only(stage, at(2, promoted), received(incidents, incident('c'))))[0].policy).toBe('rules')
    const anew = { ...promoted, time: T0 + 200 * SECOND }
    expect((await only(stage, at(201, anew), received(incidents, incident('e'))))[0].policy).toBe('v1')
  })
  it('stays after an act that only did not help, and after one that was not its own', async () => {
    const stage = make()
    const [d] = await only(stage, at(1, promoted), received(incidents, incident('a')))
    const harmless = await runStage(stage, [[received(outcomes, outcome(d, 'failed', [0.3, 0.3]))]])
    expect(harmless.of(models)).toEqual([])
    const other = make()
    const [byRules] = await only(other, received(incidents, incident('a')))
    const { of } = await runStage(other, [[at(1, promoted), received(outcomes, outcome(byRules, 'failed', [0.6, 0.1]))]])
    expect(of(models)).toEqual([])
  })
  it('has a candidate write down beside it what it would have done', async () => {
    const stage = make()
    const candidate = model(CANDIDATE_MODEL, 'v2', 'candidate')
    const [real, shadow, ...more] = await only(stage, at(1, candidate), received(incidents, incident('a')))
    expect(more).toEqual([])
    expect(real).toMatchObject({ policy: 'rules', mode: 'act', action: 'clean_disk' })
    expect(shadow).toMatchObject({ policy: 'v2', mode: 'shadow', action: 'restart' })
    expect(shadow.decision).not.toBe(real.decision)
    expect(makeDecision(restarts('v2'), incident('a'), JSON.parse(shadow.facts))).toEqual(shadow)
    expect(await only(stage, at(2, { ...candidate, state: 'retired' }), received(incidents, incident('b')))).toHaveLength(1)
  })
  it('a canary decides for a tenth of entities, the same ones always, and is rolled back at its first unsafe act', async () => {
    const stage = make()
    const canary = model(CANDIDATE_MODEL, 'v2', 'canary')
    await only(stage, at(1, canary))
    const ids = Array.from({ length: 300 }, (_, n) => `s${n}`)
    const acted = await only(stage, ...ids.map((id, n) => received(incidents, incident(id), n)))
    const own = acted.filter(d => d.policy === 'v2' && d.mode !== 'shadow')
    expect(own.length).toBeGreaterThan(12)
    expect(own.length).toBeLessThan(50)
    // For the others it says beside the policy in charge what it would have done; of its own nobody does.
    expect(acted.filter(d => d.mode === 'shadow')).toHaveLength(300 - own.length)
    const again = make({}, id => (id === CANDIDATE_MODEL ? canary : undefined))
    again.restore(stage.snapshot())
    const fresh = { ...incident(own[0].target.slice('service:'.length)), id: 'later' }
    expect((await only(again, received(incidents, fresh)))[0].policy).toBe('v2')
    const { of } = await runStage(stage, [[received(outcomes, outcome(own[0], 'failed', [0.6, 0.1]))]])
    expect(of(models)).toMatchObject([
      { id: CANDIDATE_MODEL, version: 'v2', state: 'rolled_back', lineage: { decision: own[0].decision } },
    ])
    // Its old word may still be in force for a tick.
    const after = await only(stage, at(2, canary), received(incidents, { ...fresh, id: 'much-later' }))
    expect(after.map(d => d.policy)).toEqual(['rules'])
    const anew = { ...canary, time: T0 + 200 * SECOND }
    expect((await only(stage, at(201, anew), received(incidents, { ...fresh, id: 'anew' })))[0].policy).toBe('v2')
  })
  stageContract('DecideActions with models', () => make({}, id => (id === POLICY_MODEL ? promoted : undefined)), [
    at(1, promoted),
    received(incidents, incident('a')),
    at(2, promoted),
    received(incidents, incident('b')),
  ])
})

describe('what the guard is handed', () => {
  const restart = new DecideActions(restarts('x'), { defaultMode: 'act', environmentModes: {}, limits, approvalUs: 1 })
  it('holds the policy service’s answer, which a replay does not ask for again', async () => {
    const asked: string[] = []
    const ask = (answered: boolean, allowed: boolean) => async (choice: { action: string }) => {
      asked.push(choice.action)
      return { asked: true, answered, allowed, reason: 'because' }
    }
    const mode = async (stage: DecideActions) => (await only(stage, received(incidents, incident('a'))))[0]
    expect((await mode(make({ ask: ask(true, true) }))).mode).toBe('act')
    const no = await mode(make({ ask: ask(true, false) }))
    expect(no.mode).toBe('refuse')
    expect(no.reasons).toContain('the policy service said no: because')
    expect(makeDecision(new RulesPolicy(), incident('a'), JSON.parse(no.facts))).toEqual(no)
    // Unreachable: cleaning a disk may go on, a restart may not.
    expect((await mode(make({ ask: ask(false, false) }))).mode).toBe('act')
    const disruptive = new DecideActions(restarts('x'), {
      defaultMode: 'act',
      environmentModes: {},
      limits,
      approvalUs: 1,
      ask: ask(false, false),
    })
    expect((await mode(disruptive)).mode).toBe('refuse')
    expect(asked).toEqual(['clean_disk', 'clean_disk', 'clean_disk', 'restart'])
  })
  it('calls a person when what was chosen is refused, once, with the reason, and the same again in a replay', async () => {
    const refuse = async () => ({ asked: true, answered: true, allowed: false, reason: 'a freeze' })
    const stage = make({ ask: refuse })
    const [no, call, ...more] = await only(stage, received(incidents, incident('a')))
    expect([no.mode, call.mode, call.action, more]).toEqual(['refuse', 'act', 'page', []])
    expect(call.reasons).toContain(
      'clean_disk on service:cart was refused: the policy service said no: a freeze'.replace('service:cart', no.target),
    )
    expect(makeDecision(new RulesPolicy(), incident('a'), JSON.parse(call.facts))).toEqual(call)
    expect(await only(stage, received(incidents, incident('a')))).toEqual([])
    // The ladder's own word is no refusal: whoever wrote it knows.
    expect(await only(make({ defaultMode: 'refuse' }), received(incidents, incident('a')))).toHaveLength(1)
  })
  it('holds the lists of actions', async () => {
    expect((await only(make({ deny: ['clean_disk'] }), received(incidents, incident('a'))))[0].mode).toBe('refuse')
    expect((await only(make({ allow: ['restart'] }), received(incidents, incident('a'))))[0].mode).toBe('refuse')
    expect((await only(make({ allow: ['clean_disk'] }), received(incidents, incident('a'))))[0].mode).toBe('act')
  })
  it('holds what is left of the error budget, which disruptive actions need', async () => {
    const stage = (minutes: number) =>
      new DecideActions(restarts('x'), {
        defaultMode: 'act',
        environmentModes: {},
        limits,
        approvalUs: 1,
        errorBudgetUs: minutes * 60 * SECOND,
      })
    // Open for a minute: all of a budget of one, a tenth of one of ten.
    const [spent] = await only(stage(1), received(incidents, incident('a')))
    expect(spent.mode).toBe('suggest')
    expect(spent.reasons.join()).toContain('0 % of the error budget is left')
    const [left] = await only(stage(10), received(incidents, incident('a')))
    expect(left.mode).toBe('act')
    expect(JSON.parse(left.facts).facts.errorBudgetLeft).toBeCloseTo(0.9)
    const [none] = await only(restart, received(incidents, incident('a')))
    expect(JSON.parse(none.facts).facts.errorBudgetLeft).toBeUndefined()
  })
})
