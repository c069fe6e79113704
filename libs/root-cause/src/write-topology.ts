/** The service graph as text for other tools: Graphviz DOT, JSON, GraphML. */
import { type Graph, kindOf, nameOf } from '@aegis/domain'

export const topologyFormats = ['dot', 'json', 'graphml'] as const
export type TopologyFormat = (typeof topologyFormats)[number]

const SHAPE: Readonly<Record<string, string>> = { database: 'cylinder', queue: 'cds', host: 'box3d', external: 'plaintext' }
const quoted = (text: string) => `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`
const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')

const dot = (g: Graph): string =>
  [
    'digraph services {',
    '  rankdir=LR; node [shape=box, style=rounded];',
    ...g.nodes.map(
      n => `  ${quoted(n.id)} [label=${quoted(nameOf(n.id))}${SHAPE[kindOf(n.id)] ? `, shape=${SHAPE[kindOf(n.id)]}` : ''}];`,
    ),
    ...g.edges.map(e => `  ${quoted(e.from)} -> ${quoted(e.to)} [label=${quoted(e.kind)}${e.inferred ? ', style=dashed' : ''}];`),
    '}',
  ].join('\n')

const graphml = (g: Graph): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    '  <key id="kind" for="all" attr.name="kind" attr.type="string"/>',
    '  <key id="inferred" for="edge" attr.name="inferred" attr.type="boolean"/>',
    '  <graph id="services" edgedefault="directed">',
    ...g.nodes.map(n => `    <node id="${escaped(n.id)}"><data key="kind">${escaped(kindOf(n.id))}</data></node>`),
    ...g.edges.map(
      (e, i) =>
        `    <edge id="e${i}" source="${escaped(e.from)}" target="${escaped(e.to)}"><data key="kind">${e.kind}</data>${e.inferred ? '<data key="inferred">true</data>' : ''}</edge>`,
    ),
    '  </graph>',
    '</graphml>',
  ].join('\n')

export const writeTopology = (graph: Graph, format: TopologyFormat): string =>
  format === 'dot' ? dot(graph) : format === 'graphml' ? graphml(graph) : JSON.stringify(graph, null, 2)
