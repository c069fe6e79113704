import {
  type Input,
  metricsRaw,
  type Span,
  type TracedLine,
  topologyEdges,
  tracesEdges,
  tracesLines,
  tracesSpans,
  tracesVisits,
} from '@aegis/domain'
import { boundsContract, stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { bucketOf, quantile } from './histogram.ts'
import { JoinSpans } from './join-spans.ts'
import { MergeEdges } from './merge-edges.ts'

const T0 = 1_700_000_000_000_000
const span = (over: Partial<Span>): Span => ({
  id: `${over.trace_id}${over.span_id}`,
  environment: 'test',
  time: T0,
  trace_id: 't1',
  span_id: 's',
  entity: 'service:a',
  operation: 'op',
  kind: 'server',
  duration_us: 10_000,
  status: 'unset',
  ...over,
})
/** a calls b: a server span, its client child, and b's server span under that. */
const call = (trace: string, failed = false): Span[] => [
  span({ trace_id: trace, span_id: 'a1', entity: 'service:a', duration_us: 30_000 }),
  span({ trace_id: trace, span_id: 'a2', parent_id: 'a1', entity: 'service:a', kind: 'client', peer: 'b', duration_us: 20_000 }),
  span({
    trace_id: trace,
    span_id: 'b1',
    parent_id: 'a2',
    entity: 'service:b',
    duration_us: 15_000,
    status: failed ? 'error' : 'ok',
  }),
]
const inputs = [...call('t1'), ...call('t2', true)].map((s, i) => received(tracesSpans, s, i))
const ticks = (n: number) => Array.from({ length: n }, (_, i) => tick(T0 + i * 1_000_000, { offset: 100 + i }))

describe('JoinSpans', () => {
  it('pairs both sides of a call, with self time, gap and errors', async () => {
    const { of } = await runStage(new JoinSpans(0), [inputs, ticks(4)])
    const edge = of(tracesEdges).find(e => e.caller === 'service:a' && e.callee === 'service:b')
    expect(edge).toMatchObject({
      count: 2,
      errors: 1,
      duration_sum_us: 30_000,
      self_time_sum_us: 30_000,
      gap_sum_us: 10_000,
      kind: 'calls',
    })
    expect(of(tracesEdges).find(e => e.caller === '' && e.callee === 'service:a')).toMatchObject({
      count: 2,
      self_time_sum_us: 20_000,
    })
  })
  it('counts a call without its other side against the peer it names', async () => {
    const dead = received(tracesSpans, span({ trace_id: 't9', span_id: 'c', kind: 'client', peer: 'gone', status: 'error' }))
    const { of } = await runStage(new JoinSpans(0), [[dead], ticks(4)])
    expect(of(tracesEdges)).toMatchObject([{ caller: 'service:a', callee: 'service:gone', count: 1, errors: 1 }])
  })
  it('names a database by its system', async () => {
    const query = received(
      tracesSpans,
      span({ trace_id: 't9', span_id: 'c', kind: 'client', peer: 'postgresql', attributes: { 'db.system.name': 'postgresql' } }),
    )
    const { of } = await runStage(new JoinSpans(0), [[query], ticks(4)])
    expect(of(tracesEdges)[0]).toMatchObject({ callee: 'database:postgresql', kind: 'reads' })
  })
  stageContract('JoinSpans', () => new JoinSpans(0), [...inputs, ...ticks(5)])
})

describe('what is kept', () => {
  const MINUTE = 60_000_000
  boundsContract(
    'JoinSpans',
    () => new JoinSpans(0),
    round => [
      ...Array.from({ length: 30 }, (_, k) => `${round}-${k}`).flatMap(n =>
        call(`t${n}`).map((s, i) =>
          received(
            tracesSpans,
            { ...s, entity: `${s.entity}${n}`, operation: n, peer: s.peer && `b${n}`, time: T0 + round * MINUTE },
            round * 100 + i,
          ),
        ),
      ),
      tick(T0 + round * MINUTE, { stream: tracesSpans as never }),
    ],
    180,
  )
  boundsContract(
    'MergeEdges',
    () => new MergeEdges(),
    round => [
      received(
        tracesEdges,
        {
          id: `e${round}`,
          environment: 'test',
          time: T0 + round * MINUTE,
          window_us: 1_000_000,
          caller: `service:a${round}`,
          callee: `service:b${round}`,
          kind: 'calls',
          count: 1,
          errors: 0,
          duration_sum_us: 1,
          self_time_sum_us: 1,
          gap_sum_us: 1,
          buckets: [1],
        },
        round,
      ),
      tick(T0 + round * MINUTE, { stream: tracesEdges as never }),
    ],
    100,
  )
})

describe('JoinSpans, where requests stop', () => {
  const line = (trace: string, spanId: string, entity: string, statement: string, n: number): TracedLine => ({
    id: `${trace}${n}`,
    environment: 'test',
    time: T0 + n,
    trace_id: trace,
    span_id: spanId,
    entity,
    statement,
    severity: 'INFO',
    text: `${statement} ${trace}`,
    partition: 4,
    offset: n,
  })
  /** Twelve requests a second for as many seconds; from `broken` on, b writes only its first line and a no last one. */
  const story = (seconds: number, broken: number, linesFirst = false): Input[] => {
    const inputs: Input[] = []
    for (let s = 0; s < seconds; s++) {
      const spans: Input[] = []
      const lines: Input[] = []
      for (let r = 0; r < 12; r++) {
        const trace = `t${s}-${r}`
        const n = 10 * (12 * s + r)
        spans.push(...call(trace).map((c, i) => received(tracesSpans, { ...c, time: T0 + s * 1_000_000 }, n + i)))
        const written = s < broken ? ['a begins', 'b begins', 'b ends', 'a ends'] : ['a begins', 'b begins']
        lines.push(
          ...written.map((w, i) =>
            received(tracesLines, line(trace, w[0] === 'a' ? 'a1' : 'b1', `service:${w[0]}`, w, n + i), n + i),
          ),
        )
      }
      inputs.push(...(linesFirst ? [...lines, ...spans] : [...spans, ...lines]))
      inputs.push(
        tick(T0 + s * 1_000_000, { stream: tracesLines as never }),
        tick(T0 + s * 1_000_000, { stream: tracesSpans as never }),
      )
    }
    return inputs
  }
  const visits = async (inputs: Input[]) => (await runStage(new JoinSpans(0), [inputs])).of(tracesVisits)

  it('counts the deepest visit that stopped, with its last line and its span', async () => {
    const list = await visits(story(20, 10))
    const stopped = (entity: string) => list.filter(v => v.entity === entity).reduce((sum, v) => sum + v.stopped, 0)
    expect(stopped('service:b')).toBeGreaterThan(50)
    expect(stopped('service:a')).toBe(0)
    const first = list.find(v => v.stopped > 0)!
    expect(first).toMatchObject({ entity: 'service:b', step: 'b ends', visits: 12, stopped: 12 })
    expect(first.evidence).toMatchObject([
      { kind: 'log', text: 'b begins t10-0', stream: 'logs.raw', partition: 4, offset: 1201 },
      { kind: 'span', stream: 'traces.spans', partition: 0, offset: 1202, name: 'op' },
      { kind: 'log' },
      { kind: 'span' },
    ])
  })
  it('counts a trace in the environment of its spans, whichever way lines of another one come in between', async () => {
    const foreign = (inputs: Input[]) =>
      inputs.map(i => (isLine(i) ? received(tracesLines, { ...i.value, environment: 'other' }, i.offset) : i))
    const isLine = (i: Input): i is Extract<Input, { kind: 'value' }> & { value: TracedLine } =>
      i.kind === 'value' && i.stream.name === tracesLines.name
    const [before, after] = await Promise.all([visits(foreign(story(20, 10, true))), visits(foreign(story(20, 10)))])
    expect(before).toEqual(after)
    expect(new Set(before.map(v => v.environment))).toEqual(new Set(['test']))
  })
  it('blames nobody for stopping where a call that it made failed', async () => {
    const failing = story(20, 10).map(i =>
      i.kind === 'value' &&
      i.stream.name === tracesSpans.name &&
      (i.value as Span).span_id === 'a2' &&
      (i.value as Span).time >= T0 + 10_000_000
        ? received(tracesSpans, { ...(i.value as Span), status: 'error' }, i.offset)
        : i,
    )
    const silent = failing.filter(
      i => !(i.kind === 'value' && (i.value as Span).entity === 'service:b' && (i.value as Span).time >= T0 + 10_000_000),
    )
    expect((await visits(silent)).every(v => v.stopped === 0)).toBe(true)
  })
  it('counts no stops in a quiet time, whichever of spans and lines come first', async () => {
    expect((await visits(story(20, 99))).every(v => v.stopped === 0)).toBe(true)
    expect(await visits(story(20, 10, true))).toEqual(await visits(story(20, 10)))
  })
  it('reads a snapshot of the version before lines were known', async () => {
    const stage = new JoinSpans(0)
    const state = { clocks: { common: 0, own: [] }, held: [['t1', { since: T0, environment: 'test', spans: call('t1') }]] }
    stage.restore(Buffer.from(JSON.stringify(state)), 1)
    expect((await runStage(stage, [ticks(4)])).of(tracesEdges).length).toBeGreaterThan(0)
  })
  stageContract('JoinSpans with lines', () => new JoinSpans(0), story(14, 9))
})

describe('MergeEdges', () => {
  const parts = async () => (await runStage(new JoinSpans(0), [inputs, ticks(4)])).of(tracesEdges)
  it('tells rates, errors and latencies of the callee, and the edge', async () => {
    const { of } = await runStage(new MergeEdges(), [(await parts()).map((p, i) => received(tracesEdges, p, i)), ticks(1)])
    const observed = Object.fromEntries(
      of(metricsRaw)
        .filter(o => o.entity === 'service:b')
        .map(o => [o.metric_name, o.value]),
    )
    expect(observed['calls.rate']).toBe(2)
    expect(observed['calls.error_share']).toBe(0.5)
    expect(observed['calls.latency_p50']).toBeGreaterThan(10)
    expect(observed['calls.latency_p50']).toBeLessThan(20)
    // The way there and back, at both its ends: 20 ms waited for, 15 ms worked.
    expect(observed['calls.wire_time']).toBe(5)
    expect(of(metricsRaw).find(o => o.metric_name === 'calls.wire_time_out')).toMatchObject({ entity: 'service:a', value: 5 })
    expect(of(topologyEdges)).toMatchObject([{ from: 'service:a', to: 'service:b', error_share: 0.5, source: 'spans' }])
  })
  it('says nothing of time on the wire where only the called side was recorded', async () => {
    const served = ['t1', 't2'].flatMap(t => call(t).filter(s => s.kind === 'server'))
    const joined = await runStage(new JoinSpans(0), [served.map((s, i) => received(tracesSpans, s, i)), ticks(4)])
    const { of } = await runStage(new MergeEdges(), [joined.of(tracesEdges).map((p, i) => received(tracesEdges, p, i)), ticks(1)])
    expect(of(metricsRaw).filter(o => o.metric_name.startsWith('calls.wire_time'))).toEqual([])
  })
  it('listens to the clock of an environment that has its own', async () => {
    const stage = new MergeEdges()
    const edges = (await parts()).map((p, i) => received(tracesEdges, p, i))
    await runStage(stage, [edges, [tick(T0, { environment: 'test' })]])
    const { of } = await runStage(stage, [[tick(T0 + 50_000_000)]])
    expect(of(metricsRaw)).toEqual([])
  })
  it('keeps to the contract of stages', async () => expect((await parts()).length).toBe(2))
})

describe('histogram', () => {
  it('finds quantiles within half a doubling', () => {
    for (const us of [1, 10, 999, 12_345, 7_000_000]) {
      const buckets = new Array(64).fill(0)
      buckets[bucketOf(us)] = 5
      expect(quantile(buckets, 0.5)).toBeGreaterThanOrEqual(us / Math.SQRT2 - 1)
      expect(quantile(buckets, 0.5)).toBeLessThanOrEqual(us * Math.SQRT2 + 1)
    }
    expect(quantile(new Array(64).fill(0), 0.5)).toBeNaN()
  })
})
