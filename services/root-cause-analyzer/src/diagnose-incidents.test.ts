import {
  type Anomaly,
  anomalies,
  type Change,
  changes,
  type Feedback,
  feedback,
  type Input,
  incidents,
  type Outcome,
  outcomes,
  type Stage,
  type Stateful,
  type Tick,
  topologyEdges,
} from '@aegis/domain'
import { PlainTopology } from '@aegis/root-cause'
import { boundsContract, stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { DiagnoseIncidents } from './diagnose-incidents.ts'

const T0 = 1_700_000_000_000_000
const SECOND = 1_000_000
const anomaly = (entity: string, second: number, metric: string, over: Partial<Anomaly> = {}): Anomaly => ({
  id: `${entity}-${metric}`,
  environment: 'test',
  time: T0 + second * SECOND,
  state: 'open',
  entity: `service:${entity}`,
  kind: 'metric',
  severity: 'high',
  score: 60,
  threshold: 6,
  summary: `${entity} ${metric} is strange`,
  started: T0 + (second - 2) * SECOND,
  series: [{ metric, unit: '', value: 9, expected_low: 0, expected_high: 1, score: 60 }],
  evidence: [
    { kind: 'series', entity: `service:${entity}`, text: `${metric} was 9`, time: T0 + second * SECOND, stream: 'metrics.raw' },
  ],
  detector: 'test',
  model_version: '1',
  ...over,
})
const edge = (from: string, to: string) => ({
  id: `${from}${to}`,
  environment: 'test',
  time: T0,
  from: `service:${from}`,
  to: `service:${to}`,
  kind: 'calls',
  source: 'user',
})
const ticks = (from: number, to: number): Input[] =>
  Array.from({ length: to - from + 1 }, (_, i) => tick(T0 + (from + i) * SECOND, { stream: anomalies as never }))
const graph = [received(topologyEdges, edge('front', 'middle')), received(topologyEdges, edge('middle', 'back'))]
const make = () => new DiagnoseIncidents(new PlainTopology())

/** The stage with a graph that begins empty and is carried over a restart, as the graph outlives the stage. */
class WithGraph implements Stage, Stateful {
  readonly snapshotVersion = 1
  readonly #merged: Parameters<PlainTopology['merge']>[] = []
  readonly #topology = new PlainTopology()
  readonly #stage = new DiagnoseIncidents({
    merge: (...args: Parameters<PlainTopology['merge']>) => {
      this.#merged.push(args)
      return this.#topology.merge(...args)
    },
    age: (...args: Parameters<PlainTopology['age']>) => this.#topology.age(...args),
    around: (...args: Parameters<PlainTopology['around']>) => this.#topology.around(...args),
  })
  process(batch: readonly Input[]) {
    return this.#stage.process(batch)
  }
  snapshot() {
    return Buffer.from(JSON.stringify([this.#merged, Buffer.from(this.#stage.snapshot()).toString()]))
  }
  restore(bytes: Uint8Array) {
    const [merged, state] = JSON.parse(Buffer.from(bytes).toString())
    for (const args of merged) {
      this.#merged.push(args)
      void this.#topology.merge(...(args as Parameters<PlainTopology['merge']>))
    }
    this.#stage.restore(Buffer.from(state))
  }
}

describe('DiagnoseIncidents', () => {
  const story = (): Input[] => [
    ...graph,
    received(anomalies, anomaly('front', 1, 'calls.error_share'), 1),
    ...ticks(1, 2),
    received(anomalies, anomaly('back', 3, 'process.memory.usage'), 2),
    received(anomalies, anomaly('middle', 3, 'calls.latency_p95'), 3),
    ...ticks(3, 9),
    ...['front', 'back', 'middle'].map((e, i) =>
      received(
        anomalies,
        {
          ...anomaly(e, 12, ['calls.error_share', 'process.memory.usage', 'calls.latency_p95'][i]),
          state: 'close',
          ended: T0 + 12 * SECOND,
        },
        10 + i,
      ),
    ),
    ...ticks(12, 40),
  ]
  it('tells a deed once, however often its outcome comes', async () => {
    const opened = await runStage(make(), [
      [...graph, received(anomalies, anomaly('front', 1, 'calls.error_share'), 1), ...ticks(1, 6)],
    ])
    const [{ id: incident }] = opened.of(incidents)
    const outcome = {
      id: 'restart-started',
      environment: 'test',
      time: T0 + 3 * SECOND,
      decision: 'restart',
      incident,
      action: 'restart',
      target: 'service:front',
      status: 'started',
    }
    const told = await runStage(make(), [
      [
        ...graph,
        received(anomalies, anomaly('front', 1, 'calls.error_share'), 1),
        ...ticks(1, 2),
        received(outcomes, outcome, 0),
        received(outcomes, outcome, 1),
        ...ticks(3, 6),
        received(anomalies, { ...anomaly('front', 7, 'calls.error_share'), state: 'close', ended: T0 + 7 * SECOND }, 2),
        ...ticks(7, 40),
      ],
    ])
    const deeds = told
      .of(incidents)
      .at(-1)
      ?.timeline?.filter(t => t.text === 'restart: started')
    expect(deeds).toEqual([{ time: outcome.time, entity: 'service:front', text: 'restart: started' }])
  })

  it('tells where it stands once more when what was done did not help, and not when it did', async () => {
    const after = async (status: string) => {
      const stage = make()
      const before = await runStage(stage, [
        [...graph, received(anomalies, anomaly('front', 1, 'calls.error_share'), 1), ...ticks(1, 30)],
      ])
      const { id } = before.of(incidents).at(-1)!
      const said: Outcome = {
        id: `o-${status}`,
        environment: 'test',
        time: T0 + 31 * SECOND,
        decision: 'd1',
        incident: id,
        action: 'restart',
        target: 'service:front',
        status,
      }
      const { of } = await runStage(stage, [[received(outcomes, said, 0), received(outcomes, said, 1), ...ticks(31, 40)]])
      return of(incidents).map(i => i.timeline?.at(-1)?.text)
    }
    expect(await after('failed')).toEqual(['restart: failed'])
    expect(await after('carried_out')).toEqual([])
    expect(await after('done')).toEqual([])
  })

  it('reads the graph when an incident or its edges change, not at every tick', async () => {
    const topology = new PlainTopology()
    const reads: number[] = []
    const counted = {
      merge: topology.merge.bind(topology),
      age: topology.age.bind(topology),
      around: (...a: Parameters<PlainTopology['around']>) => {
        reads.push(a[2])
        return topology.around(...a)
      },
    }
    const stage = new DiagnoseIncidents(counted)
    const wide = async (batch: Input[]) => {
      reads.length = 0
      await runStage(stage, [batch])
      return reads.filter(hops => hops === 3).length
    }
    expect(await wide([...graph, received(anomalies, anomaly('front', 1, 'calls.error_share'), 1), ...ticks(1, 9)])).toBe(1)
    expect(await wide([...graph, ...ticks(10, 20)])).toBe(0)
    expect(await wide([received(topologyEdges, edge('back', 'disk')), ...ticks(21, 25)])).toBe(1)
    expect(await wide([received(anomalies, anomaly('back', 26, 'process.memory.usage'), 2), ...ticks(26, 30)])).toBe(1)
  })
  it('forgets edges that nobody has seen for long, on the clock of its ticks', async () => {
    const topology = new PlainTopology()
    const stage = new DiagnoseIncidents(topology, { edgeAgeUs: 2 * 3600 * SECOND })
    const near = async () => (await topology.around('test', ['service:front'], 2)).edges.length
    await runStage(stage, [[...graph, tick(T0 + 3700 * SECOND, { stream: anomalies as never })]])
    expect(await near()).toBe(2)
    await runStage(stage, [[received(topologyEdges, { ...edge('front', 'middle'), time: T0 + 7000 * SECOND })]])
    await runStage(stage, [[tick(T0 + 7400 * SECOND, { stream: anomalies as never })]])
    expect(await near()).toBe(1)
  })
  describe('under maintenance', () => {
    /** Ticks in whose time a window is in force, given in seconds. */
    const during = (from: number, to: number, window: { from: number; to: number; entities?: string[] }): Input[] => {
      const maintenance = [{ reason: 'new disks', ...window, from: T0 + window.from * SECOND, to: T0 + window.to * SECOND }]
      return Array.from({ length: to - from + 1 }, (_, i) =>
        tick(T0 + (from + i) * SECOND, {
          stream: anomalies as never,
          inForce: (<T>(_stream: unknown, key: string) => (key === 'test' ? { maintenance } : undefined) as T) as Tick['inForce'],
        }),
      )
    }
    const closed = (entity: string, second: number) =>
      received(anomalies, anomaly(entity, second, 'calls.error_share', { state: 'close', ended: T0 + second * SECOND }), second)
    const opened = received(anomalies, anomaly('back', 1, 'calls.error_share'), 1)
    const told = async (inputs: Input[]) => (await runStage(make(), [[...graph, ...inputs]])).of(incidents)

    it('says nothing of what is being worked on, and nothing when it ends with the work', async () => {
      const window = { from: 0, to: 30, entities: ['service:back'] }
      expect(await told([opened, ...during(1, 20, window), closed('back', 20), ...during(20, 60, window)])).toEqual([])
      const everywhere = { from: 0, to: 30 }
      expect(await told([opened, ...during(1, 20, everywhere)])).toEqual([])
    })
    it('opens when it lasts beyond the window', async () => {
      const list = await told([opened, ...during(1, 40, { from: 0, to: 30, entities: ['service:back'] })])
      expect(list[0].time).toBe(T0 + 30 * SECOND)
    })
    it('opens when others are hit, and says who is being worked on', async () => {
      const window = { from: 0, to: 60, entities: ['service:back'] }
      const front = received(anomalies, anomaly('front', 10, 'calls.error_share'), 2)
      const list = await told([opened, ...during(1, 9, window), front, ...during(10, 20, window)])
      expect(list[0].time).toBe(T0 + 10 * SECOND)
      expect(list[0].timeline).toContainEqual(
        expect.objectContaining({ entity: 'service:back', text: 'under maintenance: new disks' }),
      )
    })
  })
  it('makes one incident, names the cause at the bottom of the graph, mitigates and closes', async () => {
    const { of } = await runStage(make(), [story()])
    const list = of(incidents)
    expect(new Set(list.map(i => i.id)).size).toBe(1)
    expect(list[0]).toMatchObject({ state: 'open', verdict: 'not_enough_evidence', revision: 1 })
    const named = list.find(i => i.verdict === 'cause_named')!
    expect(named.causes[0]).toMatchObject({ entity: 'service:back', fault_kind: 'memory' })
    expect(named.causes[0].path).toEqual(['service:back', 'service:middle', 'service:front'])
    expect(list.map(i => i.state).slice(-2)).toEqual(['mitigated', 'closed'])
    // Health is that of the moment: nothing is strange any more.
    expect(named.health.find(h => h.entity === 'service:back')?.score).toBeLessThan(0.8)
    expect(list.at(-1)?.health.filter(h => h.score < 1)).toEqual([])
    expect(list.at(-1)?.timeline.map(t => t.time)).toEqual(
      list
        .at(-1)
        ?.timeline.map(t => t.time)
        .toSorted(),
    )
  })
  it('every edge of a path is in the graph, and every piece of evidence comes from an anomaly or a change', async () => {
    const { of } = await runStage(make(), [story()])
    for (const i of of(incidents))
      for (const c of i.causes) {
        for (let n = 1; n < c.path.length; n++)
          expect(i.graph.some(e => e.from === c.path[n] && e.to === c.path[n - 1])).toBe(true)
        for (const e of c.evidence) expect(e.text).toMatch(/ was 9$/)
      }
  })
  it('blames a change just before the first sign', async () => {
    const change: Change = {
      id: 'c',
      environment: 'test',
      time: T0,
      entity: 'service:middle',
      kind: 'deploy',
      before: '1',
      after: '2',
      source: 'telemetry',
    }
    const { of } = await runStage(make(), [
      [...graph, received(changes, change), received(anomalies, anomaly('middle', 3, 'calls.error_share')), ...ticks(3, 8)],
    ])
    expect(of(incidents).at(-1)?.causes[0]).toMatchObject({ entity: 'service:middle', fault_kind: 'deploy' })
  })
  it('keeps apart what does not hang together', async () => {
    const { of } = await runStage(make(), [
      [
        ...graph,
        received(topologyEdges, edge('far', 'away')),
        received(anomalies, anomaly('front', 1, 'calls.error_share')),
        received(anomalies, anomaly('away', 1, 'calls.error_share')),
        ...ticks(1, 6),
      ],
    ])
    expect(new Set(of(incidents).map(i => i.id)).size).toBe(2)
  })
  it('leaves out of incidents a log that is merely unlike its usual self', async () => {
    const log = anomaly('back', 2, 'log', { kind: 'log', severity: 'low', series: [] })
    const { of } = await runStage(make(), [
      [...graph, received(anomalies, log, 1), received(anomalies, anomaly('front', 3, 'calls.error_share'), 2), ...ticks(3, 12)],
    ])
    expect(of(incidents).length).toBeGreaterThan(0)
    for (const incident of of(incidents)) expect(incident.anomalies).toEqual(['front-calls.error_share'])
  })
  it('opens nothing for a resource that is merely busy', async () => {
    const { of } = await runStage(make(), [
      [...graph, received(anomalies, anomaly('back', 1, 'process.cpu.utilization', { severity: 'medium' })), ...ticks(1, 20)],
    ])
    expect(of(incidents)).toEqual([])
  })
  it('reopens when it comes back before it is closed', async () => {
    const open = anomaly('front', 1, 'calls.error_share')
    const { of } = await runStage(make(), [
      [
        received(anomalies, open),
        ...ticks(1, 5),
        received(anomalies, { ...open, state: 'close', ended: T0 + 6 * SECOND }),
        ...ticks(6, 9),
        received(anomalies, anomaly('front', 10, 'calls.error_share', { id: 'again' })),
        ...ticks(10, 14),
      ],
    ])
    expect(of(incidents).map(i => i.state)).toContain('reopened')
  })
  it('goes on from a snapshot of the version before', async () => {
    const before = make()
    await runStage(before, [[...graph, received(anomalies, anomaly('front', 1, 'calls.error_share')), ...ticks(1, 3)]])
    const old = JSON.parse(Buffer.from(before.snapshot()).toString())
    for (const [, group] of old.groups) delete group.impact
    const after = make()
    after.restore(Buffer.from(JSON.stringify(old)), 1)
    const closing = { ...anomaly('front', 6, 'calls.error_share'), state: 'close', ended: T0 + 6 * SECOND }
    const { of } = await runStage(after, [ticks(4, 5), [received(anomalies, closing), ...ticks(6, 8)]])
    expect(of(incidents).at(-1)?.state).toBe('mitigated')
  })
  it('makes one of two incidents when an anomaly between them shows that they hang together', async () => {
    const chain = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const line = chain.slice(1).map((to, i) => received(topologyEdges, edge(chain[i], to)))
    const changed = ['a', 'e'].map(
      (e): Change => ({
        id: e,
        environment: 'test',
        time: T0,
        entity: `service:${e}`,
        kind: 'deploy',
        before: '1',
        after: '2',
        source: 'test',
      }),
    )
    const { of } = await runStage(make(), [
      [
        ...line,
        ...changed.map(c => received(changes, c)),
        received(anomalies, anomaly('a', 1, 'calls.error_share'), 1),
        received(anomalies, anomaly('e', 1, 'calls.error_share'), 2),
        ...ticks(1, 5),
        received(anomalies, anomaly('c', 6, 'calls.error_share'), 3),
        ...ticks(6, 9),
      ],
    ])
    const list = of(incidents)
    const merged = list.filter(i => i.state === 'merged')
    expect(merged).toHaveLength(1)
    const into = list.filter(i => i.id === merged[0].merged_into).at(-1)!
    expect(into.entities).toEqual(['service:a', 'service:c', 'service:e'])
    // Its last word still tells what happened to it.
    expect(merged[0].timeline?.filter(t => t.text === 'deploy: 1 → 2')).toHaveLength(1)
    expect(list.findLastIndex(i => i.id === merged[0].id)).toBe(list.indexOf(merged[0]))
  })
  /** Two islands whose anomalies come before anything is known of the graph; the graph comes after. */
  const islands = (): Input[] => [
    received(anomalies, anomaly('front', 1, 'calls.error_share'), 1),
    received(anomalies, anomaly('away', 2, 'calls.latency_p95'), 2),
    ...ticks(1, 5),
    ...graph,
    received(topologyEdges, edge('far', 'away')),
    ...ticks(6, 60),
  ]
  it('splits an incident whose members nothing connects for a while, and tells both', async () => {
    const list = (await runStage(make(), [islands()])).of(incidents)
    expect(list[0].entities).toEqual(['service:away', 'service:front'])
    const [parent, child] = [...new Set(list.map(i => i.id))]
    expect(new Set(list.map(i => i.id)).size).toBe(2)
    const first = list.find(i => i.id === child)!
    expect(first).toMatchObject({ state: 'open', revision: 1, split_from: parent, entities: ['service:away'] })
    expect(first.time - list[0].started).toBeGreaterThan(30 * SECOND)
    expect(list.findLast(i => i.id === parent)).toMatchObject({ entities: ['service:front'], split_from: null })
    expect(list.findLast(i => i.id === parent)?.timeline.some(t => t.text.includes(child))).toBe(true)
    expect(first.timeline.some(t => t.text.includes(parent))).toBe(true)
    const held = list.findLast(i => i.id === parent)!.anomalies
    expect(held.some(a => first.anomalies.includes(a))).toBe(false)
  })
  it('does not split what is connected in time, what is being acted on, or what is over', async () => {
    const one = async (inputs: Input[]) => new Set((await runStage(make(), [inputs])).of(incidents).map(i => i.id)).size
    const connected = islands().toSpliced(-40, 0, received(topologyEdges, edge('front', 'far')))
    expect(await one(connected)).toBe(1)
    const [{ id: incident }] = (await runStage(make(), [islands()])).of(incidents)
    const deed = {
      id: 'o',
      environment: 'test',
      time: T0 + 6 * SECOND,
      decision: 'd',
      incident,
      action: 'restart',
      target: 'service:front',
      status: 'started',
    }
    expect(await one(islands().toSpliced(7, 0, received(outcomes, deed)))).toBe(1)
    const closed = ['front-calls.error_share', 'away-calls.latency_p95'].map((id, i) =>
      received(
        anomalies,
        { ...anomaly(['front', 'away'][i], 8, 'x'), id, state: 'close' as const, ended: T0 + 8 * SECOND },
        20 + i,
      ),
    )
    expect(await one(islands().toSpliced(11, 0, ...closed))).toBe(1)
  })
  it('makes one again of what was split when something connects it', async () => {
    const bridge = anomaly('middle', 50, 'calls.error_share')
    const { of } = await runStage(make(), [
      [...islands(), received(topologyEdges, edge('middle', 'far'), 9), received(anomalies, bridge, 30), ...ticks(61, 70)],
    ])
    const merged = of(incidents).filter(i => i.state === 'merged')
    expect(merged).toHaveLength(1)
    expect(of(incidents).at(-1)?.entities).toEqual(['service:away', 'service:front', 'service:middle'])
  })
  stageContract('DiagnoseIncidents, split', () => new WithGraph(), islands())
  it('learns from what healed an incident whom to suspect in one like it, and keeps that over a restart', async () => {
    const stage = new DiagnoseIncidents(new PlainTopology())
    const both = (round: number) =>
      ['left', 'right'].map((entity, i) => ({
        ...anomaly(entity, 100 * round + 1, 'calls.latency_p95'),
        id: `${entity}${round}`,
        summary: `${i}`,
      }))
    const incident = async (on: DiagnoseIncidents, round: number) =>
      (
        await runStage(on, [
          [
            ...['left', 'right'].map((to, i) => received(topologyEdges, edge('front', to), i)),
            ...both(round).map((a, i) => received(anomalies, a, 10 * round + i)),
            ...ticks(100 * round + 1, 100 * round + 20),
          ],
        ])
      )
        .of(incidents)
        .at(-1)!
    const first = await incident(stage, 0)
    const [, other] = first.causes.map(c => c.entity)
    const healed = {
      id: 'done',
      environment: 'test',
      time: T0 + 21 * SECOND,
      decision: 'd',
      incident: first.id,
      action: 'restart',
      target: other,
      status: 'done',
    }
    const ended = both(0).map((a, i) =>
      received(anomalies, { ...a, time: T0 + 22 * SECOND, state: 'close' as const, ended: T0 + 22 * SECOND }, 5 + i),
    )
    await runStage(stage, [[received(outcomes, healed), received(outcomes, healed), ...ended, ...ticks(22, 60)]])
    const again = new DiagnoseIncidents(new PlainTopology())
    again.restore(stage.snapshot())
    const [cause] = (await incident(again, 1)).causes
    expect(cause.entity).toBe(other)
    expect(cause.explanation).toContain('healed 1 incident like this one')
  })
  it('waits with two suspects nearly alike for more evidence than with a clear one', async () => {
    const settleUs = 3 * SECOND
    const namedAfter = async (...metrics: [entity: string, metric: string][]) => {
      const stage = new DiagnoseIncidents(new PlainTopology(), { settleUs })
      const { of } = await runStage(stage, [
        [
          ...['left', 'right'].map((to, i) => received(topologyEdges, edge('front', to), i)),
          ...metrics.map(([entity, metric], i) => received(anomalies, anomaly(entity, 1, metric), 10 + i)),
          ...ticks(1, 30),
        ],
      ])
      const named = of(incidents).find(i => i.verdict === 'cause_named')
      return named && (named.time - named.started) / settleUs
    }
    const clear = await namedAfter(['left', 'process.memory.usage'], ['left', 'calls.latency_p95'])
    const close = await namedAfter(
      ['left', 'process.memory.usage'],
      ['right', 'process.memory.usage'],
      ['left', 'calls.latency_p95'],
      ['right', 'calls.latency_p95'],
    )
    expect(clear).toBeLessThan(2)
    expect(close).toBe(4)
  })
  it('learns from confirmed causes how sure it may be, and keeps that over a restart', async () => {
    const wrong = (incident: string, n: number): Feedback => ({
      id: `f${n}`,
      environment: 'test',
      time: T0 + (20 + n) * SECOND,
      incident,
      cause: 'service:elsewhere',
      who: 'someone',
    })
    const stage = make()
    const sure = async (round: number) => {
      const at = round * 100
      const id = `back-${round}`
      const open = { ...anomaly('back', at + 1, 'process.memory.usage', { severity: 'critical' }), id }
      const { of } = await runStage(stage, [
        [
          ...(round === 0 ? graph : []),
          received(anomalies, open, round * 10 + 1),
          ...ticks(at + 1, at + 8),
          received(anomalies, { ...open, state: 'close', ended: T0 + (at + 9) * SECOND }, round * 10 + 2),
          ...ticks(at + 9, at + 40),
        ],
      ])
      const named = of(incidents).findLast(i => i.verdict === 'cause_named')
      if (named) await runStage(stage, [[received(feedback, wrong(named.id, round), round)]])
      return named?.causes[0].confidence ?? 0
    }
    const said: number[] = []
    for (let round = 0; round < 4; round++) said.push(await sure(round))
    for (let i = 1; i < said.length; i++) expect(said[i]).toBeLessThan(said[i - 1])
    const again = make()
    again.restore(stage.snapshot())
    expect(Buffer.from(again.snapshot()).toString()).toBe(Buffer.from(stage.snapshot()).toString())
    expect(again.snapshot().length).toBeLessThan(20_000)
  })
  // The graph is outside the stage and outlives it.
  const topology = new PlainTopology()
  boundsContract(
    'DiagnoseIncidents',
    make,
    round => {
      const at = (second: number, i: number, over: Partial<Anomaly> = {}) =>
        received(
          anomalies,
          {
            ...anomaly(`s${round}`, 60 * round + second, 'calls.error_share', { environment: `e${i}` }),
            id: `${round}-${i}`,
            ...over,
          },
          round,
        )
      const some = Array.from({ length: 30 }, (_, i) => i)
      return [
        ...some.map(i => at(1, i)),
        ...some.map(i => at(2, i, { id: `${round}-${i}-memory`, series: anomaly('', 0, 'process.memory.usage').series })),
        ...ticks(60 * round + 1, 60 * round + 6),
        ...some.map(i => at(7, i, { state: 'close', ended: T0 + (60 * round + 7) * SECOND })),
        ...[8, 30, 50].flatMap(s => ticks(60 * round + s, 60 * round + s)),
      ]
    },
    50,
  )
  stageContract('DiagnoseIncidents', () => new DiagnoseIncidents(topology), story())
})
