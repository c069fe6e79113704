import { metricsRaw, type Span, topologyEdges, tracesEdges, tracesSpans } from '@aegis/domain'
import { stageContract } from '@aegis/runtime/stage.contract'
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
    expect(of(topologyEdges)).toMatchObject([{ from: 'service:a', to: 'service:b', error_share: 0.5, source: 'spans' }])
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
