import {
  approvals,
  type Control,
  controls,
  decisions,
  type Incident,
  type Input,
  incidents,
  type ManualFix,
  type Mode,
  manualFixes,
  outcomes,
  type Policy,
} from '@aegis/domain'
import { RulesPolicy } from '@aegis/remediation'
import { boundsContract, stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { DecideActions } from './decide-actions.ts'
import { incidentOf, outcomeOf, SECOND, T0 } from './incidents.cases.ts'
import { makeDecision } from './make-decision.ts'

const limits = {
  disruptivePerHour: 3,
  concurrent: 1,
  cooldownMs: 60_000,
  minimumConfidence: 0.4,
  minimumEvidence: 1,
  errorBudgetFloor: 0,
}
const options = (defaultMode: Mode = 'act') => ({ defaultMode, environmentModes: {}, limits, approvalUs: 100 * SECOND })
const make = (defaultMode: Mode = 'act') => new DecideActions(new RulesPolicy(), options(defaultMode))
const incident = (over: Partial<Incident> = {}, fault = 'memory', confidence = 0.9): Incident =>
  incidentOf(
    {
      confidence,
      path: ['service:a'],
      evidence: [{ kind: 'series', entity: 'service:a', text: 'memory was 9', time: T0, stream: 'metrics.raw' }],
      explanation: 'a leaks.',
      fault_kind: fault,
    },
    { health: [{ entity: 'service:a', score: 0.2 }], ...over },
  )
const decide = async (stage: DecideActions, ...inputs: Input[]) => (await runStage(stage, [inputs])).of(decisions)

describe('DecideActions', () => {
  it('answers a named cause with one decision that holds everything needed to decide it again', async () => {
    const [d, ...more] = await decide(make(), received(incidents, incident()), received(incidents, incident({ revision: 3 }), 1))
    expect(more).toEqual([])
    expect(d).toMatchObject({
      action: 'restart',
      target: 'service:a',
      mode: 'act',
      status: 'decided',
      propensity: 1,
      incident_revision: 2,
      policy: 'rules',
    })
    expect(JSON.parse(d.facts).facts).toMatchObject({ killSwitch: false, confidence: 0.9 })
    expect(d.situation).toHaveLength(128)
    expect(d.candidates.reduce((sum, c) => sum + c.probability, 0)).toBe(1)
  })
  it('waits while nobody knows the cause', async () =>
    expect(await decide(make(), received(incidents, incident({ verdict: 'not_enough_evidence' })))).toEqual([]))
  const later = (revision: number) => received(incidents, incident({ revision }))
  it('tries the next candidate when an action did not help, and a person at last', async () => {
    const stage = make()
    const [first] = await decide(stage, received(incidents, incident()))
    const [second] = await decide(
      stage,
      received(outcomes, outcomeOf(first, 'started', 1)),
      received(outcomes, outcomeOf(first, 'failed', 30)),
      later(3),
    )
    expect(second.action).toBe('rollback_deploy')
    const [third] = await decide(
      stage,
      received(outcomes, outcomeOf(second, 'started', 31)),
      received(outcomes, outcomeOf(second, 'failed', 60)),
      later(4),
    )
    expect(third).toMatchObject({ action: 'page', mode: 'act' })
    expect(await decide(stage, received(outcomes, outcomeOf(third, 'carried_out', 61)), later(9))).toEqual([])
  })
  it('decides what is next on the diagnosis that knows what did not help, or without one when none comes', async () => {
    const failed = async () => {
      const stage = make()
      const [first] = await decide(stage, received(incidents, incident()))
      expect(await decide(stage, received(outcomes, outcomeOf(first, 'failed', 30)))).toEqual([])
      return stage
    }
    const wiser = incidentOf({ ...incident({}, 'disk').causes[0], entity: 'service:b' }, { revision: 3 })
    expect(await decide(await failed(), received(incidents, wiser))).toMatchObject([
      { action: 'clean_disk', target: 'service:b', incident_revision: 3, attempt: 1 },
    ])
    const second = (s: number) => tick(T0 + s * SECOND, { stream: incidents as never })
    const unsure = received(incidents, incident({ revision: 3, verdict: 'not_enough_evidence', causes: [] }))
    const stage = await failed()
    expect(await decide(stage, second(31), unsure, second(32), second(33), second(34))).toEqual([])
    expect(await decide(stage, second(35))).toMatchObject([
      { action: 'rollback_deploy', target: 'service:a', incident_revision: 2 },
    ])
    expect(await decide(stage, second(36), second(37))).toEqual([])
  })
  it('calls a person once, and still acts when another cause is found that it can do something about', async () => {
    const stage = make()
    const [page] = await decide(stage, received(incidents, incident({}, 'network')))
    expect(page.action).toBe('page')
    await decide(stage, received(outcomes, outcomeOf(page, 'carried_out', 1)))
    const other = (revision: number, entity: string, fault: string) =>
      received(incidents, incidentOf({ ...incident({}, fault).causes[0], entity }, { revision }))
    expect(await decide(stage, other(3, 'service:b', 'network'), other(4, 'service:a', 'network'))).toEqual([])
    expect(await decide(stage, other(5, 'service:c', 'cpu'))).toMatchObject([{ action: 'restart', target: 'service:c' }])
  })
  it('waits while an action is taken back, and then tries the next', async () => {
    const stage = make()
    const [first] = await decide(stage, received(incidents, incident()))
    const said = (status: string, second: number) => received(outcomes, outcomeOf(first, status, second))
    for (const status of ['started', 'carried_out', 'unverified', 'undoing', 'taken_back'])
      expect(await decide(stage, said(status, 1)), status).toEqual([])
    const [second] = await decide(stage, said('undone', 30), later(3))
    expect(second).toMatchObject({ action: 'rollback_deploy', attempt: 1 })
  })
  it('stops for a person what is under way, and tries nothing more', async () => {
    const stage = make()
    const [d] = await decide(stage, received(incidents, incident()))
    const no = { id: 'a', environment: 'test', time: T0, decision: d.decision, approved: false, who: 'ann', note: '' }
    expect(await decide(stage, received(approvals, no), received(approvals, no))).toMatchObject([
      { decision: d.decision, status: 'cancelled', reasons: expect.arrayContaining(['ann said stop']) },
    ])
    expect(await decide(stage, received(outcomes, outcomeOf(d, 'undone', 5)))).toEqual([])
  })
  it('does not let a page that was sent hold up other incidents', async () => {
    const stage = make()
    const [page] = await decide(stage, received(incidents, incident({ id: 'i0' }, 'unknown')))
    expect(page.action).toBe('page')
    await decide(stage, received(outcomes, outcomeOf(page, 'started', 1)), received(outcomes, outcomeOf(page, 'carried_out', 2)))
    const [d] = await decide(stage, received(incidents, incident()))
    expect(d).toMatchObject({ action: 'restart', mode: 'act' })
  })
  it('only suggests below the confidence it needs, and says it once', async () => {
    const stage = make()
    const [d] = await decide(stage, received(incidents, incident({}, 'memory', 0.3)))
    expect(d.mode).toBe('suggest')
    expect(d.reasons.join()).toContain('confidence')
    expect(await decide(stage, received(incidents, incident({ revision: 3 }, 'memory', 0.3)))).toEqual([])
  })
  it('hears the kill switch at the tick that names it', async () => {
    const control: Control = {
      id: 'c',
      environment: 'test',
      time: T0,
      version: 1,
      kill_switch: true,
      default_mode: 'act',
      who: 'me',
    }
    const inForce = ((stream: { name: string }) => (stream.name === controls.name ? control : undefined)) as never
    const stage = make()
    await decide(
      stage,
      received(incidents, incident({ verdict: 'not_enough_evidence' })),
      tick(T0, { stream: incidents as never, inForce }),
    )
    const [d] = await decide(stage, received(incidents, incident()))
    expect(d.mode).toBe('observe')
    expect(d.reasons).toContain('the kill switch is on')
  })
  it('goes on as its settings say when a kill switch is lifted that said nothing of modes', async () => {
    const control: Control = {
      id: 'c',
      environment: 'test',
      time: T0,
      version: 2,
      kill_switch: false,
      default_mode: '',
      ladder: { rollback_deploy: 'approve' },
      who: 'me',
    }
    const inForce = ((stream: { name: string }) => (stream.name === controls.name ? control : undefined)) as never
    const stage = make()
    await decide(
      stage,
      received(incidents, incident({ verdict: 'not_enough_evidence' })),
      tick(T0, { stream: incidents as never, inForce }),
    )
    expect((await decide(stage, received(incidents, incident())))[0].mode).toBe('act')
    const deploy = incident({ id: 'i2', causes: [{ ...incident().causes[0], entity: 'service:b', fault_kind: 'deploy' }] })
    expect((await decide(stage, received(incidents, deploy)))[0].mode).toBe('approve')
  })
  it('waits for approval, and lets it expire', async () => {
    const stage = make('approve')
    const [d] = await decide(stage, received(incidents, incident()))
    expect(d.mode).toBe('approve')
    const yes = { id: 'a', environment: 'test', time: T0, decision: d.decision, approved: true, who: 'me', note: '' }
    expect(await decide(stage, received(approvals, yes))).toMatchObject([{ decision: d.decision, status: 'approved' }])
    const other = make('approve')
    await decide(other, received(incidents, incident()))
    expect(await decide(other, tick(T0 + 200 * SECOND, { stream: incidents as never }))).toMatchObject([{ status: 'expired' }])
  })
  it('holds its budget of disruptive actions over incidents', async () => {
    const stage = make()
    const modes: string[] = []
    for (let n = 0; n < 5; n++) {
      const [d] = await decide(
        stage,
        received(incidents, incident({ id: `i${n}`, causes: [{ ...incident().causes[0], entity: `service:s${n}` }] })),
      )
      modes.push(d.mode)
      if (d.mode === 'act')
        await decide(stage, received(outcomes, outcomeOf(d, 'started', n)), received(outcomes, outcomeOf(d, 'done', n)))
    }
    expect(modes).toEqual(['act', 'act', 'act', 'suggest', 'suggest'])
  })
  boundsContract(
    'DecideActions',
    make,
    round => {
      const over = { id: `i${round}`, time: T0 + round * 600 * SECOND }
      const one = incident({
        ...over,
        causes: [{ ...incident().causes[0], entity: `service:s${round}`, fault_kind: `kind ${round}` }],
      })
      const done = {
        ...outcomeOf({ decision: `d${round}`, action: 'restart', target: `service:s${round}` } as never, 'done', 0),
        incident: over.id,
      }
      return [
        received(incidents, one, round),
        received(outcomes, { ...done, id: `o${round}`, time: over.time }, round),
        received(incidents, { ...one, state: 'closed' }, round),
        tick(over.time, { stream: incidents as never }),
      ]
    },
    520,
  )
  stageContract('DecideActions', make, [
    received(incidents, incident()),
    tick(T0 + SECOND, { stream: incidents as never }),
    ...['disk', 'cpu', 'pool'].map((f, i) =>
      received(
        incidents,
        incident({ id: `j${i}`, causes: [{ ...incident().causes[0], entity: `service:t${i}`, fault_kind: f }] }),
        5 + i,
      ),
    ),
    tick(T0 + 500 * SECOND, { stream: incidents as never }),
  ])
})

describe('makeDecision', () => {
  it('gives the same decision again from the incident and what was written down', async () => {
    const stage = make()
    const { of } = await runStage(stage, [
      [tick(T0, { stream: incidents as never }), received(incidents, incident())],
      [received(incidents, incident({ id: 'i2', revision: 7 }, 'config'))],
    ])
    const made = of(decisions)
    expect(made).toHaveLength(2)
    for (const d of made) {
      const recorded = incident(d.incident === 'i1' ? {} : { id: 'i2', revision: 7 }, d.incident === 'i1' ? 'memory' : 'config')
      expect(makeDecision(new RulesPolicy(), recorded, JSON.parse(d.facts))).toEqual(d)
      const other = { ...JSON.parse(d.facts), tried: [{ action: d.action, target: d.target }] }
      expect(makeDecision(new RulesPolicy(), recorded, other).action).not.toBe(d.action)
    }
  })
})

describe('experience and experiments', () => {
  const fix = (success: boolean, n: number): ManualFix => ({
    id: `fix${n}`,
    environment: 'test',
    time: T0 + n,
    incident: 'old',
    command: 'kubectl rollout restart deployment/a',
    action: null,
    target: 'service:a',
    success,
    who: 'ann',
    note: '',
  })
  it('suggests what helped in a like situation, and nothing in an unlike one', async () => {
    const stage = make()
    const { of } = await runStage(stage, [
      [received(incidents, incident({ id: 'old' })), received(manualFixes, fix(true, 1)), received(manualFixes, fix(true, 2))],
      [received(incidents, incident({ id: 'new' })), received(incidents, incident({ id: 'other' }, 'config'))],
    ])
    const by = Object.fromEntries(of(decisions).map(d => [d.incident, d]))
    expect(by.old.suggestions).toEqual([])
    expect(by.new.suggestions).toMatchObject([{ command: 'kubectl rollout restart deployment/<entity>', tried: 2, worked: 2 }])
    expect(by.new.explanation).toContain('helped 2 of 2 times')
    expect(by.other.suggestions).toEqual([])
    const again = make()
    again.restore(stage.snapshot())
    const later = await runStage(again, [[received(incidents, incident({ id: 'next' }))]])
    expect(later.of(decisions)[0].suggestions).toHaveLength(1)
  })

  it('lets an experiment share the incidents between policies by their ids alone', async () => {
    const other: Policy = {
      name: 'other',
      version: '1',
      choose: situation => ({
        action: 'page',
        target: situation.options[0].target,
        propensity: 1,
        candidates: [],
        explanation: 'x',
      }),
    }
    const arms = [
      { name: 'a', policy: 'rules', share: 50 },
      { name: 'b', policy: 'other', share: 50 },
    ]
    const control: Control = {
      id: 'test@1',
      environment: 'test',
      time: T0,
      version: 1,
      kill_switch: false,
      default_mode: 'act',
      who: 'ann',
      experiment: JSON.stringify({ name: 'x', state: 'running', arms }),
    }
    const stage = new DecideActions(new RulesPolicy(), { ...options(), policies: { rules: new RulesPolicy(), other } })
    const ids = Array.from({ length: 60 }, (_, n) => `incident-${n}`)
    const open = ids.map(id => received(incidents, incident({ id, verdict: 'not_enough_evidence' })))
    const told = ids.map(id => received(incidents, incident({ id, revision: 3 })))
    const inForce = (() => control) as never
    const { of } = await runStage(stage, [[...open, tick(T0, { stream: incidents as never, inForce }), ...told]])
    const byPolicy = (name: string) => of(decisions).filter(d => d.policy === name)
    expect(byPolicy('other').length).toBeGreaterThan(15)
    expect(byPolicy('rules').length).toBeGreaterThan(15)
    expect(byPolicy('other').every(d => d.reasons.includes('experiment x: arm b'))).toBe(true)
  })

  it('an arm that does harm is given nothing more, also after a restart', async () => {
    const other = Object.assign(new RulesPolicy(), { name: 'other' }) as Policy
    const control = {
      id: 'test@1',
      environment: 'test',
      time: T0,
      version: 1,
      kill_switch: false,
      default_mode: 'act',
      who: 'ann',
      experiment: JSON.stringify({
        name: 'x',
        state: 'running',
        arms: [
          { name: 'a', policy: 'rules', share: 50 },
          { name: 'b', policy: 'other', share: 50 },
        ],
      }),
    } as Control
    const free = { ...limits, disruptivePerHour: 1000, concurrent: 1000, cooldownMs: 0 }
    const create = () =>
      new DecideActions(new RulesPolicy(), { ...options(), limits: free, policies: { rules: new RulesPolicy(), other } })
    let stage = create()
    await runStage(stage, [
      [
        received(incidents, incident({ id: 'first', verdict: 'not_enough_evidence' })),
        tick(T0, { stream: incidents as never, inForce: (() => control) as never }),
      ],
    ])
    const policies: string[] = []
    for (let n = 0; n < 200; n++) {
      if (n === 150) {
        const again = create()
        again.restore(stage.snapshot())
        stage = again
      }
      const entity = `service:s${n}`
      const one = incident({ id: `incident-${n}` })
      const [d] = await decide(
        stage,
        received(incidents, { ...one, causes: [{ ...(one.causes[0] as never as object), entity } as never] }, n),
      )
      if (!d) continue
      policies.push(d.policy)
      const bad = d.policy === 'other'
      const ended = outcomeOf(d, bad ? 'failed' : 'done', n, { health_before: 0.5, health_after: bad ? 0.1 : 1 })
      await runStage(stage, [[received(outcomes, ended, n), received(incidents, { ...one, state: 'closed' }, n)]])
    }
    expect(policies).toHaveLength(200)
    const given = policies.filter(policy => policy === 'other').length
    expect(given).toBeGreaterThanOrEqual(10)
    expect(given).toBeLessThan(25)
    expect(policies.slice(100)).not.toContain('other')
  })
})
