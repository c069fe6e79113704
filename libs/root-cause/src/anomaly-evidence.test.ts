import type { Anomaly } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { accusedIn, liveEvidence } from './anomaly-evidence.ts'
import { explainIncident } from './explain-incident.ts'
import { fuseEvidence } from './fuse-evidence.ts'
import { STOPPED_SERIES } from './stop-rate.ts'

const callees = new Map([
  ['service:web', ['service:checkout']],
  ['service:checkout', ['service:inventory', 'service:pay']],
  ['service:inventory', ['database:store']],
])
const is = (entity: string, unreachable = false) => ({ entity, unreachable })

describe('accusedIn', () => {
  it.each([
    // Who answered is accused; what follows is in its words.
    ['service:checkout', 'inventory answered 503: timeout acquiring store', is('service:inventory')],
    ['service:checkout', 'POST /orders answered 502: inventory answered 503: timeout acquiring store', is('service:inventory')],
    ['service:web', 'checkout answered 502: inventory answered 503: store is slow', is('service:inventory')],
    ['service:web', 'checkout responded with status 500', is('service:checkout')],
    ['service:web', '"checkout" returned HTTP 503: pay said no', is('service:checkout')],
    // A gateway answers for whom it called.
    ['service:checkout', 'inventory answered 502: call to store failed: timeout of 900 ms exceeded', is('database:store')],
    ['service:web', 'checkout answered 504: inventory took too long', is('service:inventory')],
    ['service:web', 'checkout answered 502: bad gateway', is('service:checkout')],
    // Somebody who could not be reached could not be reached, whoever says so.
    [
      'service:web',
      'checkout answered 502: call to inventory failed: connect ECONNREFUSED 127.0.0.1:80',
      is('service:inventory', true),
    ],
    ['service:web', 'checkout answered 502: inventory answered 502: store: no such host', is('database:store', true)],
    ['service:checkout', 'call to inventory failed: connect ECONNREFUSED', is('service:inventory', true)],
    ['service:inventory', 'getaddrinfo ENOTFOUND store', is('database:store', true)],
    // A status that is no error quotes nobody, nor does an address that bears a name.
    ['service:checkout', 'inventory answered 200 after the store was slow', is('database:store')],
    ['service:checkout', 'GET /inventory/7 answered 500: pay failed', is('service:pay')],
    // A thing not found is not a host not found.
    ['service:checkout', 'inventory answered 404: item not found', is('service:inventory')],
    ['service:inventory', 'timeout acquiring store', is('database:store')],
    // Nobody it depends on.
    ['service:pay', 'inventory answered 503: down', undefined],
    ['service:checkout', 'payload too large', undefined],
  ])('%s: %s', (entity, text, accused) => expect(accusedIn(text, entity, callees)).toEqual(accused))
})

const stop = (entity: string, count: number, step: string): Anomaly => ({
  id: entity,
  environment: 'test',
  time: 20,
  state: 'open',
  entity,
  kind: 'trace',
  severity: 'low',
  score: 7,
  threshold: 4,
  summary: '',
  started: 10,
  series: [{ metric: STOPPED_SERIES, unit: '{visit}', value: count, expected_low: 0, expected_high: 1, score: 7 }],
  templates: [step],
  evidence: [
    { kind: 'span', entity, text: 'get of trace 1', time: 10, stream: 'traces.spans', partition: 0, offset: 3 },
    { kind: 'log', entity, text: 'begins 7', time: 11, stream: 'logs.raw', partition: 0, offset: 9 },
  ],
  detector: 'stops',
  model_version: '1',
})

describe('liveEvidence', () => {
  const MINUTE = 60_000_000
  const slow = (entity: string, from: number, to?: number): Anomaly => ({
    ...stop(entity, 1, ''),
    kind: 'metric',
    time: (to ?? from) * MINUTE,
    started: from * MINUTE,
    ended: to === undefined ? null : to * MINUTE,
    state: to === undefined ? 'open' : 'close',
    series: [{ metric: 'latency', unit: 'ms', value: 9, expected_low: 0, expected_high: 1, score: 20 }],
    evidence: [],
  })
  const graph = { nodes: [], edges: [] }
  it('lets what was over long before the last sign fade, and keeps what just ended', () => {
    const { findings } = liveEvidence({ anomalies: [slow('a', 0, 1), slow('b', 20, 29), slow('c', 30)], graph })
    const strength = (entity: string) => findings.find(f => f.entity === entity)!.strength
    expect(strength('a')).toBeLessThan(1)
    expect(strength('b')).toBeGreaterThan(15)
    expect(strength('c')).toBe(20)
  })
  it('counts lateness from where most began, so that a blip before makes nobody late', () => {
    const { onsets } = liveEvidence({
      anomalies: [slow('blip', 25), slow('a', 30), slow('b', 30.5), slow('c', 33)],
      graph,
    }).evidence
    expect([...onsets!].map(([e, t]) => [e, t / MINUTE])).toEqual([
      ['blip', 30],
      ['a', 30],
      ['b', 30.5],
      ['c', 33],
    ])
  })
  it('takes stops as recorded telemetry gives them, each with its share, its line and its span', () => {
    const { findings } = liveEvidence({
      anomalies: [stop('service:inventory', 30, 'ends'), stop('service:pay', 10, '! card refused')],
      graph: { nodes: [], edges: [] },
    })
    expect(findings).toMatchObject([
      {
        entity: 'service:inventory',
        kind: 'trace_stop',
        strength: 7,
        name: '\0ends',
        text: 'begins 7',
        before: 1,
        after: 30,
        reference: { kind: 'log' },
      },
      { entity: 'service:inventory', kind: 'trace_stop_share', strength: 0.75, reference: { kind: 'span' } },
      { entity: 'service:pay', kind: 'trace_stop', name: 'card refused' },
      { entity: 'service:pay', kind: 'trace_stop_share', strength: 0.25 },
    ])
  })
})

it('a band is told as a band: its middle is no value that ever was', () => {
  const rule = {
    id: 'a',
    environment: 'e',
    time: 2e6,
    started: 1e6,
    ended: null,
    state: 'open',
    entity: 'service:pay',
    kind: 'rule',
    severity: 'high',
    score: 9,
    threshold: 5,
    summary: 'slow',
    series: [{ metric: 'latency_p99', unit: '', value: 9, expected_low: 0, expected_high: 5, score: 9 }],
    templates: [],
    evidence: [],
    detector: 'rules',
    model_version: '1',
  } as unknown as Anomaly
  const { evidence, findings } = liveEvidence({ anomalies: [rule], graph: { nodes: [{ id: 'service:pay' }], edges: [] } })
  const told = explainIncident(evidence, fuseEvidence(evidence, { findings }))
  expect(told.evidence.map(e => e.text)).toContain('latency_p99 is 9, expected 0 to 5')
  expect(told.text).not.toContain('2.5')
})
