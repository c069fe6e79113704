import type { Anomaly } from '@aegis/domain'
import { describe, expect, it, test } from 'vitest'
import { liveEvidence } from './anomaly-evidence.ts'
import { addressesIn, quotedServer } from './quoted-server.ts'

test.each([
  ['error: sorry, too many clients already', 'postgresql', 'pool', undefined],
  ['SQLSTATE[53300] no more', 'postgresql', 'pool', undefined],
  ['SQLSTATE[HY000] [1040] Too many connections', 'mysql', 'pool', undefined],
  ['General error: 2006 MySQL server has gone away', 'mysql', undefined, true],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'redis', 'memory', undefined],
  ['connect ECONNREFUSED 10.1.2.3:6379', 'redis', undefined, true],
  ['dial tcp 10.1.2.3:5672: connect: connection refused', 'amqp', undefined, true],
])('%s speaks of %s', (text, server, fault, unreachable) => {
  expect(quotedServer(text)).toEqual({ server, ...(fault && { fault }), ...(unreachable && { unreachable }) })
})
test('a plain error quotes nobody', () => {
  expect(quotedServer('order 17 failed: no such item')).toBeUndefined()
  expect(addressesIn('connect to 10.0.0.1:5432 or db.local:99 at 12:30:11')).toEqual(['10.0.0.1:5432', 'db.local:99'])
})

const says = (entity: string, text: string): Anomaly => ({
  id: entity,
  environment: 'e',
  time: 5,
  state: 'open',
  entity,
  kind: 'log',
  severity: 'high',
  score: 3,
  threshold: 3,
  summary: text,
  started: 5,
  ended: null,
  series: [],
  templates: [],
  evidence: [{ kind: 'log', entity, text, time: 5, stream: 'logs.parsed' }],
  detector: 'log-templates',
  model_version: '1',
})
const edge = (from: string, to: string) => ({ from, to, kind: 'calls' as const })
describe('liveEvidence', () => {
  it('counts what a client quotes for its server', () => {
    const { findings } = liveEvidence({
      anomalies: [says('service:blog', 'error: sorry, too many clients already')],
      graph: { nodes: [{ id: 'service:blog' }, { id: 'service:main-pg' }], edges: [edge('service:blog', 'service:main-pg')] },
    })
    expect(findings.filter(f => f.entity === 'service:main-pg').map(f => f.kind)).toEqual(
      expect.arrayContaining(['pool', 'accused']),
    )
    expect(findings.some(f => f.entity === 'service:blog' && f.kind === 'pool')).toBe(false)
  })
  it('knows whom an address means, and that nobody is known at another', () => {
    const graph = { nodes: [{ id: 'service:a' }, { id: 'service:b' }], edges: [edge('service:a', 'service:b')] }
    const addresses = new Map([['10.0.0.2:4000', 'service:b']])
    const found = (text: string) =>
      liveEvidence({ anomalies: [says('service:a', text)], graph, addresses }).findings.map(f => `${f.entity} ${f.kind}`)
    expect(found('connect ECONNREFUSED 10.0.0.2:4000')).toContain('service:b accused')
    expect(found('connect() failed (111: Connection refused), upstream: "http://10.0.0.2:4999/x"')).toContain(
      'service:a config_error',
    )
  })
  it('clears a change of one whose dependency is gone', () => {
    const input = {
      anomalies: [says('service:a', 'connect ECONNREFUSED 10.0.0.2:5432'), says('service:b', 'slow')],
      graph: { nodes: [{ id: 'service:a' }, { id: 'service:pg' }], edges: [edge('service:a', 'service:pg')] },
    }
    const change = (entity: string) => ({
      id: entity,
      environment: 'e',
      time: 4,
      entity,
      kind: 'deploy',
      before: '1',
      after: '2',
      author: null,
      source: 'api',
    })
    expect([...liveEvidence({ ...input, changes: [change('service:a'), change('service:b')] }).changed.keys()]).toEqual([
      'service:b',
    ])
  })
})
