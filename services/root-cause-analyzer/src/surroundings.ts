import {
  type Edge,
  type EnvironmentClocks,
  type Graph,
  type Input,
  isFrom,
  keyOf,
  NAMED_BY,
  nameOf,
  type Tick,
  type Topology,
  topologyEdges,
} from '@aegis/domain'
import type { IncidentGroup } from '@aegis/root-cause'

/** Edges remembered at most, by environment. */
const MOST_EDGES = 100_000
/** How often old edges are ended, microseconds. */
const AGE_EVERY_US = 3_600_000_000

export interface SurroundingsOptions {
  /** How far around an incident is read. */
  readonly hops: number
  /** Edges not seen for so long no longer stand, microseconds. */
  readonly edgeAgeUs: number
}

/** The service graph as the diagnosis needs it: written in batches, read around an incident only when that can have changed, and rid of what nobody calls any more. */
export class Surroundings {
  readonly #topology: Topology
  readonly #options: SurroundingsOptions
  /** Edges that came since the graph was last written, by environment. */
  #unwritten = new Map<string, { edges: Edge[]; time: number }>()
  /** When old edges of an environment were last ended. */
  #aged = new Map<string, number>()
  /** Who is reached at each address that somebody told, by environment. */
  #names = new Map<string, Map<string, string>>()
  /** What was read of the graph for each incident, until its entities or the environment's edges change; not in the snapshot. */
  readonly #read = new Map<string, { readonly key: string; readonly graph: Graph }>()
  /** Edges seen since the start, and how often a new one was among them, by environment. */
  readonly #edges = new Map<string, { readonly known: Set<string>; version: number }>()

  constructor(topology: Topology, options: SurroundingsOptions) {
    this.#topology = topology
    this.#options = options
  }

  /** Takes an edge; false where the input is something else. It is written in a batch, but never later than the next thing that reads the graph. */
  take(input: Input): boolean {
    if (!isFrom(input, topologyEdges)) return false
    const { environment, from, to, kind, time, inferred, requests_per_second, error_share } = input.value
    if (kind === NAMED_BY) {
      const names = this.#names.get(environment) ?? new Map<string, string>()
      this.#names.set(environment, names)
      if (names.size < MOST_EDGES || names.has(from)) names.set(nameOf(from), to)
      return true
    }
    const at = this.#unwritten.get(environment) ?? { edges: [], time: 0 }
    at.edges.push({
      from,
      to,
      kind: kind as Edge['kind'],
      inferred: inferred ?? false,
      requestsPerSecond: requests_per_second ?? undefined,
      errorShare: error_share ?? undefined,
    })
    at.time = Math.max(at.time, time)
    this.#unwritten.set(environment, at)
    this.#note(environment, keyOf(from, to, kind), time)
    return true
  }

  #note(environment: string, key: string, time: number): void {
    if (!this.#aged.has(environment)) this.#aged.set(environment, time)
    const edges = this.#edges.get(environment) ?? { known: new Set(), version: 0 }
    this.#edges.set(environment, edges)
    if (edges.known.has(key)) return
    if (edges.known.size >= MOST_EDGES) edges.known.clear()
    edges.known.add(key)
    edges.version++
  }

  async write(): Promise<void> {
    const batch = this.#unwritten
    this.#unwritten = new Map()
    for (const [environment, { edges, time }] of batch) await this.#topology.merge(environment, edges, time)
  }

  /** Ends edges that nobody has seen for long: a cause that is no longer called must not be suspected for ever. */
  async age(tick: Tick, clocks: EnvironmentClocks): Promise<void> {
    for (const [environment, last] of this.#aged) {
      const now = clocks.now(environment)
      if (!clocks.moves(tick, environment) || now - last < AGE_EVERY_US) continue
      this.#aged.set(environment, now)
      const ended = await this.#topology.age(environment, now - this.#options.edgeAgeUs)
      const edges = this.#edges.get(environment)
      if (ended > 0 && edges) edges.version++
    }
  }

  /** All around the entities of an incident. */
  async of(group: IncidentGroup, entities: readonly string[]): Promise<Graph> {
    const key = `${this.#edges.get(group.environment)?.version ?? 0} ${entities.join(' ')}`
    const read = this.#read.get(group.id)
    if (read?.key === key) return read.graph
    const graph = await this.#topology.around(group.environment, entities, this.#options.hops)
    this.#read.set(group.id, { key, graph })
    return graph
  }

  /** Who stands next to these, or two hops away. */
  near(environment: string, entities: readonly string[]): Promise<Graph> {
    return this.#topology.around(environment, entities, 2)
  }

  /** Who is reached at which address. */
  addresses(environment: string): ReadonlyMap<string, string> {
    return this.#names.get(environment) ?? new Map()
  }

  forget(isKnown: (incident: string) => boolean): void {
    for (const id of this.#read.keys()) if (!isKnown(id)) this.#read.delete(id)
  }

  toJSON() {
    return { aged: [...this.#aged], names: [...this.#names].map(([environment, names]) => [environment, [...names]] as const) }
  }
  /** Before addresses were kept it was the list of ages alone. */
  fromJSON(state: ReturnType<Surroundings['toJSON']> | [string, number][] | undefined): void {
    const { aged, names } = Array.isArray(state) ? { aged: state, names: [] } : (state ?? { aged: [], names: [] })
    this.#aged = new Map(aged)
    this.#names = new Map(names.map(([environment, list]) => [environment, new Map(list)]))
  }
}
