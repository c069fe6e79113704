import { AegisError, type Edge, type EdgeKind, type Graph } from '@aegis/domain'
import type { TopologyHistory } from '@aegis/root-cause'
import neo4j, { type Driver } from 'neo4j-driver'
import { MOST_NODES } from './most-nodes.ts'

const RELATION: Readonly<Record<EdgeKind, string>> = { calls: 'CALLS', runs_on: 'RUNS_ON', reads: 'READS', writes: 'WRITES' }
const KIND = Object.fromEntries(Object.entries(RELATION).map(([kind, name]) => [name, kind as EdgeKind]))

/** Stands while it has begun once more than it has ended; stood at a time if some spell holds it. */
const STANDS = (r: string) => `size(coalesce(${r}.until, [])) < size(coalesce(${r}.since, [0]))`
const STOOD = (r: string) =>
  `any(i IN range(0, size(coalesce(${r}.since, [])) - 1) WHERE ${r}.since[i] <= $at AND (i >= size(coalesce(${r}.until, [])) OR $at <= ${r}.until[i]))`

/**
 * The service graph in Neo4j. Merging is idempotent; first and last seen are kept on every edge, and the spells in which it stood as two lists
 * (`since`, `until`), so that the graph can be read as it was.
 */
export class Neo4jTopology implements TopologyHistory {
  readonly #driver: Driver
  #ready: Promise<void> | undefined

  constructor(uri: string, user: string, password: string) {
    this.#driver = neo4j.driver(uri, neo4j.auth.basic(user, password), {
      disableLosslessIntegers: true,
      maxTransactionRetryTime: 10_000,
      connectionAcquisitionTimeout: 10_000,
    })
  }

  async #query(cypher: string, parameters: object = {}) {
    try {
      return await this.#driver.executeQuery(cypher, parameters)
    } catch (error) {
      throw new AegisError('STORE_UNAVAILABLE', `Neo4j: ${(error as Error).message}`, { cause: error as Error })
    }
  }

  /** Constraints and indexes, once. */
  #prepared(): Promise<void> {
    this.#ready ??= this.#query(
      'CREATE CONSTRAINT entity_key IF NOT EXISTS FOR (e:Entity) REQUIRE (e.environment, e.id) IS UNIQUE',
    )
      .then(() => undefined)
      .catch(error => {
        this.#ready = undefined
        throw error
      })
    return this.#ready
  }

  async merge(environment: string, edges: readonly Edge[], time: number): Promise<void> {
    await this.#prepared()
    if (edges.length === 0) return
    const ids = [...new Set(edges.flatMap(e => [e.from, e.to]))]
    // Entities first, each once: an edge then finds both its ends by the index instead of merging them again.
    await this.#query(
      `UNWIND $ids AS id
       MERGE (e:Entity {environment: $environment, id: id}) ON CREATE SET e.kind = split(id, ':')[0], e.firstSeen = $time
       SET e.lastSeen = $time`,
      { ids, environment, time },
    )
    for (const [kind, relation] of Object.entries(RELATION)) {
      const rows = edges
        .filter(e => e.kind === kind)
        .map(e => ({
          from: e.from,
          to: e.to,
          inferred: e.inferred ?? false,
          rate: e.requestsPerSecond ?? null,
          errors: e.errorShare ?? null,
        }))
      if (rows.length === 0) continue
      await this.#query(
        `UNWIND $rows AS row
         MATCH (a:Entity {environment: $environment, id: row.from})
         MATCH (b:Entity {environment: $environment, id: row.to})
         MERGE (a)-[r:${relation}]->(b) ON CREATE SET r.firstSeen = $time, r.since = [$time], r.until = []
         WITH r, row, coalesce(r.since, [r.firstSeen]) AS since, coalesce(r.until, []) AS until
         SET r.since = CASE WHEN size(until) >= size(since) AND $time > last(until) THEN since + $time ELSE since END, r.until = until,
             r.lastSeen = CASE WHEN r.lastSeen > $time THEN r.lastSeen ELSE $time END,
             r.inferred = row.inferred, r.requestsPerSecond = row.rate, r.errorShare = row.errors`,
        { rows, environment, time },
      )
    }
  }

  around(environment: string, entities: readonly string[], hops: number): Promise<Graph> {
    return this.#near(environment, entities, hops, STANDS, {})
  }
  aroundAt(environment: string, entities: readonly string[], hops: number, time: number): Promise<Graph> {
    return this.#near(environment, entities, hops, STOOD, { at: time })
  }

  async #near(
    environment: string,
    entities: readonly string[],
    hops: number,
    when: (r: string) => string,
    at: object,
  ): Promise<Graph> {
    await this.#prepared()
    // Hop by hop: a path of variable length is walked once for each way there is, which in a dense graph is all of them.
    const found = new Set(entities)
    let frontier = [...found]
    for (let hop = 0; hop < hops && frontier.length > 0 && found.size < MOST_NODES; hop++) {
      const { records } = await this.#query(
        `UNWIND $frontier AS id
         MATCH (:Entity {environment: $environment, id: id})-[r]-(n:Entity) WHERE ${when('r')}
         WITH DISTINCT n.id AS id WHERE NOT id IN $found
         RETURN id ORDER BY id LIMIT ${MOST_NODES - found.size}`,
        { environment, frontier, found: [...found], ...at },
      )
      frontier = records.map(r => r.get('id') as string)
      for (const id of frontier) found.add(id)
    }
    const { records } = await this.#query(
      `UNWIND $found AS id
       MATCH (a:Entity {environment: $environment, id: id})
       OPTIONAL MATCH (a)-[r]->(b:Entity) WHERE b.id IN $found AND ${when('r')}
       RETURN a.id AS node, ${EDGES}
       ORDER BY node`,
      { environment, found: [...found], ...at },
    )
    return graphOf(records, entities)
  }

  async all(environment: string, time?: number): Promise<Graph> {
    await this.#prepared()
    const { records } = await this.#query(
      `MATCH (a:Entity {environment: $environment})-[r]-(:Entity) WHERE ${(time === undefined ? STANDS : STOOD)('r')}
       WITH DISTINCT a OPTIONAL MATCH (a)-[r]->(b:Entity) WHERE ${(time === undefined ? STANDS : STOOD)('r')}
       RETURN a.id AS node, ${EDGES} ORDER BY node`,
      { environment, at: time ?? 0 },
    )
    return graphOf(records, [])
  }

  async age(environment: string, before: number): Promise<number> {
    await this.#prepared()
    const { records } = await this.#query(
      `MATCH (:Entity {environment: $environment})-[r]->() WHERE r.lastSeen < $before AND ${STANDS('r')}
       SET r.since = coalesce(r.since, [r.firstSeen]), r.until = coalesce(r.until, []) + r.lastSeen RETURN count(r) AS ended`,
      { environment, before },
    )
    return Number(records[0].get('ended'))
  }

  async healthy(): Promise<boolean> {
    return this.#driver.getServerInfo().then(
      () => true,
      () => false,
    )
  }
  close(): Promise<void> {
    return this.#driver.close()
  }
}

const EDGES = `collect(CASE WHEN r IS NULL THEN null ELSE {to: b.id, kind: type(r), inferred: r.inferred, rate: r.requestsPerSecond, errors: r.errorShare} END) AS edges`
interface Row {
  get(name: string): unknown
}
const graphOf = (records: readonly Row[], entities: readonly string[]): Graph => {
  const nodes = new Set(entities)
  const edges: Edge[] = []
  for (const record of records) {
    const from = record.get('node') as string
    nodes.add(from)
    for (const e of record.get('edges') as { to: string; kind: string; inferred?: boolean; rate?: number; errors?: number }[])
      edges.push({
        from,
        to: e.to,
        kind: KIND[e.kind],
        ...(e.inferred ? { inferred: true } : {}),
        ...(e.rate != null ? { requestsPerSecond: e.rate } : {}),
        ...(e.errors != null ? { errorShare: e.errors } : {}),
      })
  }
  const key = (e: Edge) => `${e.from} ${e.to} ${e.kind}`
  return { nodes: [...nodes].sort().map(id => ({ id })), edges: edges.sort((a, b) => (key(a) < key(b) ? -1 : 1)) }
}
