import type { Edge, Graph, Topology } from '@aegis/domain'

/** A service graph in a plain object: tests, and the embedded mode. */
export class PlainTopology implements Topology {
  readonly #edges = new Map<string, Map<string, Edge & { lastSeen: number }>>()

  async merge(environment: string, edges: readonly Edge[], time: number): Promise<void> {
    const known = this.#edges.get(environment) ?? new Map()
    for (const edge of edges) known.set(`${edge.from}\0${edge.to}\0${edge.kind}`, { ...edge, lastSeen: time })
    this.#edges.set(environment, known)
  }

  async around(environment: string, entities: readonly string[], hops: number): Promise<Graph> {
    const edges = [...(this.#edges.get(environment)?.values() ?? [])]
    const found = new Set(entities)
    let border = new Set(entities)
    for (let hop = 0; hop < hops && border.size > 0; hop++) {
      const next = new Set<string>()
      for (const { from, to } of edges) {
        if (border.has(from) && !found.has(to)) next.add(to)
        if (border.has(to) && !found.has(from)) next.add(from)
      }
      for (const e of next) found.add(e)
      border = next
    }
    const inside = edges.filter(e => found.has(e.from) && found.has(e.to)).map(({ lastSeen: _lastSeen, ...edge }) => edge)
    const key = (e: Edge) => `${e.from} ${e.to} ${e.kind}`
    return { nodes: [...found].sort().map(id => ({ id })), edges: inside.sort((a, b) => (key(a) < key(b) ? -1 : 1)) }
  }
}
