import { describe, expect, it } from 'vitest'
import { systemOfList } from './read-edge-list.ts'
import { writeTopology } from './write-topology.ts'

describe('edges that people wrote down', () => {
  it('of a list, with the line of a mistake', () => {
    expect(
      systemOfList('from,to,kind\na -> b # main way\nb,database:orders,reads\n').edges.map(e => `${e.from} ${e.kind} ${e.to}`),
    ).toEqual(['service:a calls service:b', 'service:b reads database:orders'])
    expect(() => systemOfList('a b\nalone')).toThrow('line 2')
  })
})
describe('writeTopology', () => {
  const graph = {
    nodes: [{ id: 'service:a' }, { id: 'database:"b" & <c>' }],
    edges: [{ from: 'service:a', to: 'database:"b" & <c>', kind: 'reads' as const, inferred: true }],
  }
  it('quotes what other formats would read as their own', () => {
    expect(writeTopology(graph, 'dot')).toContain('"service:a" -> "database:\\"b\\" & <c>" [label="reads", style=dashed]')
    expect(writeTopology(graph, 'graphml')).toContain('target="database:&quot;b&quot; &amp; &lt;c&gt;"')
    expect(JSON.parse(writeTopology(graph, 'json'))).toEqual(graph)
  })
})
