import type { Edge, Graph, Topology } from '@aegis/domain'

export interface TopologyHistory extends Topology {
  /** As `around`, but of the edges that stood at that time: seen by then, and not yet forgotten. */
  aroundAt(environment: string, entities: readonly string[], hops: number, time: number): Promise<Graph>
  /** Everything that stands now, or stood at `time`. */
  all(environment: string, time?: number): Promise<Graph>
}

interface Known {
  readonly edge: Edge
  readonly lastSeen: number
  /** Times it stood, oldest first; the last one is open while `to` is Infinity. */
  readonly spells: { from: number; to: number }[]
}
const keyOf = (e: Edge) => `${e.from} ${e.to} ${e.kind}`
const byKey = (a: Edge, b: Edge) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0)

/** A service graph in a plain object: tests, and the embedded mode. */
export class PlainTopology implements TopologyHistory {
  readonly #edges = new Map<string, Map<string, Known>>()

  async merge(environment: string, edges: readonly Edge[], time: number): Promise<void> {
    const known = this.#edges.get(environment) ?? new Map<string, Known>()
    for (const edge of edges) {
      const old = known.get(keyOf(edge))
      const spells = old?.spells ?? []
      const last = spells.at(-1)
      if (!last || time > last.to) spells.push({ from: time, to: Number.POSITIVE_INFINITY })
      else if (time < last.from) last.from = time
      // What comes late does not overwrite what is newer.
      if (!old || time >= old.lastSeen) known.set(keyOf(edge), { edge, lastSeen: time, spells })
    }
    this.#edges.set(environment, known)
  }

  async age(environment: string, before: number): Promise<number> {
    let ended = 0
    for (const { lastSeen, spells } of this.#edges.get(environment)?.values() ?? []) {
      const last = spells.at(-1)
      if (last && last.to === Number.POSITIVE_INFINITY && lastSeen < before) {
        last.to = lastSeen
        ended++
      }
    }
    return ended
  }

  #standing(environment: string, time: number | undefined): Edge[] {
    const found: Edge[] = []
    for (const { edge, spells } of this.#edges.get(environment)?.values() ?? [])
      if (time === undefined ? spells.at(-1)?.to === Number.POSITIVE_INFINITY : spells.some(s => s.from <= time && time <= s.to))
        found.push(edge)
    return found
  }

  around(environment: string, entities: readonly string[], hops: number): Promise<Graph> {
    return Promise.resolve(neighbourhood(this.#standing(environment, undefined), entities, hops))
  }
  aroundAt(environment: string, entities: readonly string[], hops: number, time: number): Promise<Graph> {
    return Promise.resolve(neighbourhood(this.#standing(environment, time), entities, hops))
  }
  all(environment: string, time?: number): Promise<Graph> {
    const edges = this.#standing(environment, time).sort(byKey)
    const nodes = [...new Set(edges.flatMap(e => [e.from, e.to]))].sort()
    return Promise.resolve({ nodes: nodes.map(id => ({ id })), edges })
  }
}

const neighbourhood = (edges: readonly Edge[], entities: readonly string[], hops: number): Graph => {
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
  const inside = edges.filter(e => found.has(e.from) && found.has(e.to))
  return { nodes: [...found].sort().map(id => ({ id })), edges: inside.sort(byKey) }
}
