import type { Anomaly, Graph } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { newGroup } from './group-incidents.ts'
import { partsOf } from './split-incident.ts'

const anomaly = (entity: string, started: number) =>
  ({ id: `${entity}${started}`, environment: 'test', entity, started, time: started }) as Anomaly
const graphOf = (...edges: string[]): Graph => ({
  nodes: [],
  edges: edges.map(e => ({ from: e.split('>')[0], to: e.split('>')[1], kind: 'calls' as const })),
})
const parts = (members: Anomaly[], graph: Graph, noticed: (a: Anomaly) => boolean = () => true) => {
  const group = newGroup(members[0])
  for (const a of members) {
    group.anomalies[a.id] = a
    if (noticed(a)) group.impact[a.id] = true
  }
  return partsOf(group, graph).map(part => part.map(a => a.id))
}

describe('partsOf', () => {
  it.each([
    ['neighbours', [anomaly('a', 1), anomaly('b', 2)], graphOf('a>b'), [['a1', 'b2']]],
    ['a healthy one between', [anomaly('a', 1), anomaly('c', 2)], graphOf('a>b', 'b>c'), [['a1', 'c2']]],
    ['two healthy ones between', [anomaly('a', 1), anomaly('d', 2)], graphOf('a>b', 'b>c', 'c>d'), [['a1'], ['d2']]],
    [
      'a chain of members',
      [anomaly('a', 1), anomaly('c', 2), anomaly('e', 3)],
      graphOf('a>b', 'b>c', 'd>c', 'e>d'),
      [['a1', 'c2', 'e3']],
    ],
    ['two islands', [anomaly('x', 1), anomaly('a', 2), anomaly('b', 3)], graphOf('a>b', 'x>y'), [['x1'], ['a2', 'b3']]],
    ['nothing known of anyone', [anomaly('a', 1), anomaly('b', 2)], graphOf(), [['a1', 'b2']]],
    ['nothing known of one', [anomaly('a', 1), anomaly('b', 2)], graphOf('a>c'), [['a1', 'b2']]],
  ])('%s', (_what, members, graph, expected) => {
    expect(parts(members, graph)).toEqual(expected)
    expect(parts([...members].reverse(), graph)).toEqual(expected)
  })
  it('lets the part stay that people noticed first', () =>
    expect(parts([anomaly('x', 1), anomaly('a', 2)], graphOf('a>b', 'x>y'), a => a.entity === 'a')).toEqual([['a2'], ['x1']]))
})
