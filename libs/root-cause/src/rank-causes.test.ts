import type { Anomaly, Change } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { rankCauses } from './rank-causes.ts'

const T0 = 1_700_000_000_000_000
const SECOND = 1_000_000
const edges = [
  ['front', 'orders'],
  ['orders', 'stock'],
  ['orders', 'pay'],
  ['stock', 'store'],
].map(([from, to]) => ({ from: `service:${from}`, to: `service:${to}`, kind: 'calls' as const }))
const graph = { nodes: [...new Set(edges.flatMap(e => [e.from, e.to]))].sort().map(id => ({ id })), edges }
const metric = (entity: string, second: number, series: Record<string, [value: number, score: number]>): Anomaly => ({
  id: `${entity}${second}`,
  environment: 'test',
  time: T0 + second * SECOND,
  started: T0 + second * SECOND,
  state: 'open',
  entity: `service:${entity}`,
  kind: 'metric',
  severity: 'high',
  score: 30,
  threshold: 6,
  summary: `${entity} is strange`,
  series: Object.entries(series).map(([name, [value, score]]) => ({
    metric: name,
    unit: '',
    value,
    expected_low: 0,
    expected_high: 1,
    score,
  })),
  evidence: Object.entries(series).map(([name, [value]]) => ({
    kind: 'series',
    entity: `service:${entity}`,
    text: `${name} was ${value}`,
    time: T0 + second * SECOND,
    stream: 'metrics.raw',
    name,
  })),
  detector: 'test',
  model_version: '1',
})
const log = (entity: string, second: number, ...lines: string[]): Anomaly => ({
  ...metric(entity, second, {}),
  id: `${entity}${second}log`,
  kind: 'log',
  score: lines.length,
  summary: `${entity}: "${lines[0]}"`,
  evidence: lines.map((text, i) => ({
    kind: 'log',
    entity: `service:${entity}`,
    text,
    time: T0 + second * SECOND,
    stream: 'logs.raw',
    partition: 0,
    offset: i,
  })),
})
const slow = (entity: string, second: number) => metric(entity, second, { 'calls.latency_p95': [900, 40] })
const first = (anomalies: Anomaly[], changes: Change[] = []) => {
  const ranking = rankCauses({ anomalies, graph, changes })
  return { entity: ranking.causes[0]?.entity, fault: ranking.causes[0]?.fault_kind }
}

describe('rankCauses', () => {
  it('names what runs out below, not those who wait for it', () => {
    const waiting = [slow('front', 1), slow('orders', 1), slow('stock', 2)]
    for (const [name, fault] of [
      ['process.memory.usage', 'memory'],
      ['process.cpu.utilization', 'cpu'],
      ['system.filesystem.utilization', 'disk'],
      ['db.client.connections.pending_requests', 'pool'],
    ])
      expect(first([...waiting, metric('stock', 3, { [name]: [9, 30] })])).toEqual({ entity: 'service:stock', fault })
  })
  it('believes callers that name whom they cannot reach', () => {
    const refused = 'call to stock failed: connect ECONNREFUSED 127.0.0.1:80'
    expect(first([log('orders', 1, refused, refused), log('front', 1, `orders answered 502: ${refused}`)])).toEqual({
      entity: 'service:stock',
      fault: 'crash',
    })
  })
  it('reads a resource out of the line of whom it failed', () => {
    const full = log('store', 1, 'write failed: ENOSPC: no space left on device')
    expect(first([full, log('stock', 1, 'store answered 507'), slow('front', 1)])).toEqual({
      entity: 'service:store',
      fault: 'disk',
    })
  })
  it('names who sits at both ends of slow wires, not who sits at one', () => {
    const wire = (entity: string, ...names: string[]) =>
      metric(entity, 1, Object.fromEntries(names.map(n => [`calls.${n}`, [120, 30] as [number, number]])))
    expect(
      first([
        slow('front', 1),
        slow('orders', 1),
        wire('orders', 'wire_time_out'),
        wire('stock', 'wire_time', 'wire_time_out'),
        wire('store', 'wire_time'),
      ]),
    ).toEqual({ entity: 'service:stock', fault: 'network' })
  })
  it('suspects a change just before, and not the change that took it back', () => {
    const change = (second: number, before: string, after: string): Change => ({
      id: after,
      environment: 'test',
      time: T0 + second * SECOND,
      entity: 'service:pay',
      kind: 'deploy',
      before,
      after,
      source: 'test',
    })
    const failing = [
      metric('pay', 2, { 'calls.error_share': [0.8, 30] }),
      metric('orders', 2, { 'calls.error_share': [0.8, 40] }),
    ]
    expect(first(failing, [change(0, '1', '2')])).toEqual({ entity: 'service:pay', fault: 'deploy' })
    expect(first(failing, [change(-400, '2', '3'), change(0, '3', '2')]).fault).not.toBe('deploy')
    // A chance sign long before the change does not clear it; what was there already when it was made was not its doing.
    const chance = metric('pay', -60, { 'calls.latency_p95': [3, 8] })
    const early = slow('front', -60)
    expect(first([chance, early, ...failing], [change(0, '1', '2')])).toEqual({ entity: 'service:pay', fault: 'deploy' })
    expect(first(failing, [change(30, '1', '2')]).fault).not.toBe('deploy')
    // It says nothing itself since: that it cannot be reached is what came of the change.
    const refused = 'call to pay failed: connect ECONNREFUSED 127.0.0.1:80'
    expect(first([log('orders', 2, refused, refused)], [change(0, '1', '2')])).toEqual({ entity: 'service:pay', fault: 'deploy' })
  })
  it('is less sure where nothing of its own is wrong, least where everything is slow at once', () => {
    const own = rankCauses({ anomalies: [slow('stock', 1)], graph }).causes[0]
    const everywhere = rankCauses({ anomalies: ['front', 'orders', 'stock', 'pay', 'store'].map(e => slow(e, 1)), graph })
    expect(own.confidence).toBeLessThanOrEqual(0.7)
    expect(everywhere.verdict).toBe('not_enough_evidence')
  })
  it('says why not the others, and says the same each time', () => {
    const anomalies = [slow('front', 1), slow('orders', 1), metric('stock', 3, { 'process.memory.usage': [9, 30] })]
    const ranking = rankCauses({ anomalies, graph })
    expect(ranking.causes.slice(1, 3).every(c => c.against.length > 0)).toBe(true)
    expect(ranking.causes[0].path).toEqual(['service:stock', 'service:orders', 'service:front'])
    for (let i = 0; i < 20; i++) expect(JSON.stringify(rankCauses({ anomalies, graph }))).toBe(JSON.stringify(ranking))
  })
})
