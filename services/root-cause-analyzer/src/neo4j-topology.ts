import { AegisError, type Edge, type EdgeKind, type Graph, type Topology } from '@aegis/domain'
import neo4j, { type Driver } from 'neo4j-driver'

const RELATION: Readonly<Record<EdgeKind, string>> = { calls: 'CALLS', runs_on: 'RUNS_ON', reads: 'READS', writes: 'WRITES' }
const KIND = Object.fromEntries(Object.entries(RELATION).map(([kind, name]) => [name, kind as EdgeKind]))

/** The service graph in Neo4j. Merging is idempotent; first and last seen are kept on every edge. */
export class Neo4jTopology implements Topology {
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
         MERGE (a:Entity {environment: $environment, id: row.from}) ON CREATE SET a.kind = split(row.from, ':')[0], a.firstSeen = $time
         MERGE (b:Entity {environment: $environment, id: row.to}) ON CREATE SET b.kind = split(row.to, ':')[0], b.firstSeen = $time
         SET a.lastSeen = $time, b.lastSeen = $time
         MERGE (a)-[r:${relation}]->(b) ON CREATE SET r.firstSeen = $time
         SET r.lastSeen = $time, r.inferred = row.inferred, r.requestsPerSecond = row.rate, r.errorShare = row.errors`,
        { rows, environment, time },
      )
    }
  }

  async around(environment: string, entities: readonly string[], hops: number): Promise<Graph> {
    await this.#prepared()
    const { records } = await this.#query(
      `MATCH (s:Entity {environment: $environment}) WHERE s.id IN $entities
       MATCH (s)-[*0..${Math.max(0, Math.floor(hops))}]-(n:Entity)
       WITH collect(DISTINCT n) AS nodes
       UNWIND nodes AS a
       OPTIONAL MATCH (a)-[r]->(b) WHERE b IN nodes
       RETURN a.id AS node, collect(CASE WHEN r IS NULL THEN null ELSE {to: b.id, kind: type(r), inferred: r.inferred, rate: r.requestsPerSecond, errors: r.errorShare} END) AS edges
       ORDER BY node`,
      { environment, entities: [...entities] },
    )
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
