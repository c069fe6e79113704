import { type Decision, decisions, type Incident, type Input, incidents, type Outcome, outcomes } from '@aegis/domain'
import { stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { CarryOutDecisions } from './carry-out-decisions.ts'

const T0 = 1_700_000_000_000_000
const SECOND = 1_000_000
const decision = (over: Partial<Decision> = {}): Decision => ({
  id: 'd1-decided',
  environment: 'test',
  time: T0,
  incident: 'i1',
  incident_revision: 1,
  attempt: 0,
  cause: 'service:a',
  action: 'restart',
  target: 'service:a',
  parameters: {},
  mode: 'act',
  status: 'decided',
  decision: 'd1',
  candidates: [],
  propensity: 1,
  situation: [],
  facts: '{}',
  evidence: [],
  reasons: [],
  explanation: '',
  policy: 'rules',
  policy_version: '1',
  seed: 1,
  ...over,
})
const incident = (state: string, second: number): Incident => ({
  id: 'i1',
  environment: 'test',
  time: T0 + second * SECOND,
  state,
  revision: 1,
  severity: 'high',
  started: T0 - 10 * SECOND,
  entities: [],
  anomalies: [],
  health: [{ entity: 'service:a', score: 0.1 }],
  verdict: 'cause_named',
  causes: [],
  timeline: [],
  graph: [],
  explanation: '',
})
const heard = (status: string, second: number): Outcome => ({
  id: `d1${status}`,
  environment: 'test',
  time: T0 + second * SECOND,
  decision: 'd1',
  incident: 'i1',
  action: 'restart',
  target: 'service:a',
  status,
})
const at = (second: number) => tick(T0 + second * SECOND, { stream: decisions as never })
const make = () => {
  const started: string[] = []
  const mirrored: boolean[] = []
  const stage = new CarryOutDecisions({
    verifyUs: 30 * SECOND,
    start: (d, resumed) => started.push(`${d.decision}${resumed ? ' resumed' : ''}`),
    mirror: (_e, _v, stopped) => mirrored.push(stopped),
  })
  const run = async (...inputs: Input[]) => (await runStage(stage, [inputs])).of(outcomes)
  return { stage, started, mirrored, run }
}

describe('CarryOutDecisions', () => {
  it('says that it starts, acts only after that is committed, and is done when health returns', async () => {
    const { stage, started, run } = make()
    const results = await stage.process([received(incidents, incident('open', 0)), received(decisions, decision())])
    expect(started).toEqual([])
    stage.committed(results)
    expect(started).toEqual(['d1'])
    expect(await run(received(outcomes, heard('carried_out', 2)))).toEqual([])
    const [done] = await run(received(incidents, incident('mitigated', 8)))
    expect(done).toMatchObject({ status: 'done', verified: true, health_before: 0.1, health_after: 1 })
    expect(done.seconds_to_recover).toBeGreaterThan(9)
  })
  it('does nothing twice, and nothing that is not to be acted on', async () => {
    const { started, run } = make()
    await run(received(decisions, decision()), received(decisions, decision({ id: 'again' }), 1))
    for (const mode of ['refuse', 'observe', 'shadow', 'suggest', 'approve'])
      await run(received(decisions, decision({ decision: mode, mode })))
    expect(started).toEqual(['d1'])
    await run(received(decisions, decision({ decision: 'yes', mode: 'approve', status: 'approved' })))
    expect(started).toEqual(['d1', 'yes'])
  })
  it('has failed when health does not return in time', async () => {
    const { run } = make()
    await run(received(decisions, decision()), received(outcomes, heard('carried_out', 1)))
    expect(await run(at(20))).toEqual([])
    expect(await run(at(40))).toMatchObject([{ status: 'failed', verified: false }])
    expect(await run(at(80))).toEqual([])
  })
  it('looks after a restart at what it had started', async () => {
    const before = make()
    await before.run(received(decisions, decision()))
    const after = make()
    after.stage.restore(before.stage.snapshot())
    after.stage.live()
    expect(after.started).toEqual(['d1 resumed'])
    await after.run(received(decisions, decision()))
    expect(after.started).toEqual(['d1 resumed'])
  })
  stageContract('CarryOutDecisions', () => make().stage, [
    received(incidents, incident('open', 0)),
    received(decisions, decision()),
    at(1),
    received(outcomes, heard('carried_out', 2), 3),
    at(5),
    received(incidents, incident('mitigated', 9), 4),
    received(decisions, decision({ decision: 'd2' }), 5),
    at(90),
  ])
})
