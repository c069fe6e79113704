import {
  controlsWanted,
  type Decision,
  decisions,
  type Incident,
  type Input,
  incidents,
  type Outcome,
  outcomes,
  standstills,
} from '@aegis/domain'
import { boundsContract, stageContract } from '@aegis/runtime/stage.contract'
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
  const undone: string[] = []
  const cancelled: string[] = []
  const stage = new CarryOutDecisions({
    verifyUs: 30 * SECOND,
    start: (d, resumed) => started.push(`${d.decision}${resumed ? ' resumed' : ''}`),
    undo: (d, undo, resumed) => undone.push(`${d.decision} ${undo.action}${resumed ? ' resumed' : ''}`),
    cancel: (d, reason) => cancelled.push(`${d.decision} ${reason}`),
    mirror: (_e, _v, stopped) => mirrored.push(stopped),
  })
  const run = async (...inputs: Input[]) => (await runStage(stage, [inputs])).of(outcomes)
  return { stage, started, mirrored, undone, cancelled, run }
}

describe('CarryOutDecisions', () => {
  it('says that it starts, acts only after that is committed, and is done when health returns', async () => {
    const { stage, started, run } = make()
    const results = await stage.process([received(incidents, incident('open', 0)), received(decisions, decision())])
    expect(started).toEqual([])
    stage.committed(results)
    expect(started).toEqual(['d1'])
    expect(await run(received(outcomes, heard('carried_out', 2)))).toEqual([])
    const well = { ...incident('mitigated', 8), health: [{ entity: 'service:a', score: 0.8 }] }
    const [done] = await run(received(incidents, well))
    expect(done).toMatchObject({ status: 'done', verified: true, health_before: 0.1, health_after: 0.8 })
    expect(done.seconds_to_recover).toBeGreaterThan(9)
  })
  it('says nothing of a health that nobody measured', async () => {
    const { run } = make()
    const elsewhere = { ...incident('open', 0), health: [] }
    await run(received(incidents, elsewhere), received(decisions, decision()), received(outcomes, heard('carried_out', 1)))
    expect(await run(at(40))).toMatchObject([{ status: 'failed', health_before: null, health_after: null }])
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
  it('says once of each stop that it stands still, and not before what is under way has ended', async () => {
    const { stage } = make()
    const stopped = (second: number, stopped_at: number | null) =>
      tick(T0 + second * SECOND, {
        stream: decisions as never,
        inForce: () => ({ environment: 'test', version: 9, kill_switch: stopped_at !== null, stopped_at }) as never,
      })
    const still = async (...inputs: Input[]) => (await runStage(stage, [inputs])).of(standstills)
    expect(await still(received(decisions, decision()), stopped(1, 3))).toEqual([])
    expect(await still(received(outcomes, heard('unfinished', 2)), stopped(3, 3))).toMatchObject([
      { environment: 'test', version: 3 },
    ])
    expect(await still(stopped(4, 3), stopped(5, null))).toEqual([])
    expect(await still(stopped(6, 8))).toMatchObject([{ version: 8 }])
  })
  it('stands still also where nothing was ever decided', async () => {
    const { stage } = make()
    const wish = { id: 'w', environment: 'test', time: T0, change: '{}', seen: 0, only_if_seen: false, who: 'ada' }
    const { of } = await runStage(stage, [
      [
        received(controlsWanted, wish),
        tick(T0, { stream: decisions as never, inForce: () => ({ version: 1, kill_switch: true, stopped_at: 1 }) as never }),
      ],
    ])
    expect(of(standstills)).toMatchObject([{ version: 1 }])
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
  const undo = JSON.stringify({ action: 'scale', target: 'service:a', environment: 'test', parameters: { replicas: '2' } })
  it('takes back what did not help in time, and says so once it is', async () => {
    const { stage, undone, run } = make()
    await run(received(decisions, decision()), received(outcomes, { ...heard('carried_out', 1), undo }))
    const results = await stage.process([at(40)])
    expect(results).toMatchObject([{ value: { status: 'undoing', error: 'health did not return within 30 s' } }])
    expect(undone).toEqual([])
    stage.committed(results)
    expect(undone).toEqual(['d1 scale'])
    expect(await run(received(outcomes, heard('taken_back', 45)))).toMatchObject([
      { status: 'undone', verified: false, reward: -1, error: 'health did not return within 30 s' },
    ])
  })
  it('takes back at once what its own status shows not to work', async () => {
    const { undone, run } = make()
    const word = { ...heard('unverified', 1), undo, error: 'the rollout is stuck' }
    expect(await run(received(decisions, decision()), received(outcomes, word))).toMatchObject([
      { status: 'started' },
      { status: 'undoing', error: 'the rollout is stuck' },
    ])
    expect(undone).toEqual(['d1 scale'])
    const other = make()
    expect(await other.run(received(decisions, decision()), received(outcomes, { ...word, undo: '' }))).toMatchObject([
      { status: 'started' },
      { status: 'failed', error: 'the rollout is stuck' },
    ])
  })
  it('goes on taking back after a restart', async () => {
    const before = make()
    await before.run(received(decisions, decision()), received(outcomes, { ...heard('carried_out', 1), undo }), at(40))
    const after = make()
    after.stage.restore(before.stage.snapshot())
    after.stage.live()
    expect(after.undone).toEqual(['d1 scale resumed'])
    expect(after.started).toEqual([])
  })
  it('stops for a person: cut short while under way, taken back while it waits for health', async () => {
    const stop = received(decisions, decision({ id: 'stop', status: 'cancelled', reasons: ['ann said stop'] }), 1)
    const early = make()
    await early.run(received(decisions, decision()), stop)
    expect(early.cancelled).toContain('d1 ann said stop')
    expect(early.started).toEqual(['d1'])
    const late = make()
    await late.run(received(decisions, decision()), received(outcomes, { ...heard('carried_out', 1), undo }))
    expect(await late.run(stop)).toMatchObject([{ status: 'undoing', error: 'ann said stop' }])
    const never = make()
    expect(await never.run(stop)).toEqual([])
  })
  boundsContract(
    'CarryOutDecisions',
    () => make().stage,
    round => {
      const over = { id: `i${round}`, time: T0 + round * 600 * SECOND }
      const own = { decision: `d${round}`, incident: over.id, target: `service:${round}` }
      return [
        received(incidents, { ...incident('open', 0), ...over }, round),
        received(decisions, decision({ ...own, id: `d${round}-decided`, time: over.time }), round),
        received(outcomes, { ...heard('carried_out', 2), ...own, id: `o${round}`, time: over.time }, round),
        received(incidents, { ...incident('mitigated', 9), ...over }, round),
        received(incidents, { ...incident('closed', 9), ...over }, round),
        tick(over.time, { stream: decisions as never }),
      ]
    },
    1000,
  )
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
