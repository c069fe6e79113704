import { AegisError, type Edge, type EdgeKind, type Graph } from '@aegis/domain'
import type { TopologyHistory } from '@aegis/root-cause'
import neo4j, { type Driver } from 'neo4j-driver'
import { MOST_NODES } from './most-nodes.ts'
import { Neo4jWriter, RELATION, SINCE, STANDS, UNTIL } from './neo4j-writer.ts'

const KIND = Object.fromEntries(Object.entries(RELATION).map(([kind, name]) => [name, kind as EdgeKind]))

/** Stood at a time if some spell holds it. */
const STOOD = (r: string) =>
  `any(i IN range(0, size(${SINCE(r)}) - 1) WHERE ${SINCE(r)}[i] <= $at AND (i >= size(${UNTIL(r)}) OR $at <= ${UNTIL(r)}[i]))`

const unavailable = (error: unknown) =>
  new AegisError('STORE_UNAVAILABLE', `Neo4j: ${(error as Error).message}`, { cause: error as Error })

/**
 * The service graph in Neo4j. Merging is idempotent; first and last seen are kept on every edge, and the spells in which it stood as two lists
 * (`since`, `until`), so that the graph can be read as it was.
 */
export class Neo4jTopology implements TopologyHistory {
  readonly #driver: Driver
  readonly #writer: Neo4jWriter
  #ready: Promise<void> | undefined

  constructor(uri: string, user: string, password: string) {
    this.#driver = neo4j.driver(uri, neo4j.auth.basic(user, password), {
      disableLosslessIntegers: true,
      maxTransactionRetryTime: 10_000,
      connectionAcquisitionTimeout: 10_000,
    })
    this.#writer = new Neo4jWriter(this.#driver)
  }

  async #query(cypher: string, parameters: object = {}) {
    try {
      return await this.#driver.executeQuery(cypher, parameters)
    } catch (error) {
      throw unavailable(error)
    }
  }

  /** Constraints and indexes, once. */
  #prepared(): Promise<void> {
    this.#ready ??= this.#query(
      'CREATE CONSTRAINT entity_key IF NOT EXISTS FOR (e:Entity) REQUIRE (e.environment, e.id) IS UNIQUE',
    )
      .then(() => this.#query('CREATE CONSTRAINT environment_name IF NOT EXISTS FOR (v:Environment) REQUIRE v.name IS UNIQUE'))
      .then(() => undefined)
      .catch(error => {
        this.#ready = undefined
        throw error
      })
    return this.#ready
  }

  async merge(environment: string, edges: readonly Edge[], time: number): Promise<void> {
    await this.#prepared()
    try {
      await this.#writer.merge(environment, edges, time)
    } catch (error) {
      throw unavailable(error)
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
       MATCH (e:Entity {environment: $environment, id: id})
       WITH collect(e) AS found
       UNWIND found AS a MATCH (a)-[r]->(b) WHERE b IN found AND ${when('r')}
       ${EDGES}`,
      { environment, found: [...found], ...at },
    )
    return graphOf(records, found)
  }

  async all(environment: string, time?: number): Promise<Graph> {
    await this.#prepared()
    const { records } = await this.#query(
      `MATCH (a:Entity {environment: $environment})-[r]->(b:Entity) WHERE ${(time === undefined ? STANDS : STOOD)('r')}
       ${EDGES}`,
      { environment, at: time ?? 0 },
    )
    return graphOf(records, [])
  }

  async age(environment: string, before: number): Promise<number> {
    await this.#prepared()
    const { records } = await this.#query(
      `MATCH (:Entity {environment: $environment})-[r]->() WHERE r.lastSeen < $before AND ${STANDS('r')}
       SET r.since = ${SINCE('r')}, r.until = ${UNTIL('r')} + r.lastSeen RETURN count(r) AS ended`,
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

/** One list for each column; `collect` would leave out what is null. */
const EDGES = `RETURN collect(a.id) AS from, collect(b.id) AS to, collect(type(r)) AS kind, collect(coalesce(r.inferred, false)) AS inferred,
  collect(coalesce(r.requestsPerSecond, -1.0)) AS rate, collect(coalesce(r.errorShare, -1.0)) AS errors`
interface Row {
  get(name: string): unknown
}
/** @param entities that are in it whether or not they have an edge */
const graphOf = ([row]: readonly Row[], entities: Iterable<string>): Graph => {
  const nodes = new Set(entities)
  const [from, to, kind] = ['from', 'to', 'kind'].map(name => row.get(name) as string[])
  const inferred = row.get('inferred') as boolean[]
  const [rate, errors] = ['rate', 'errors'].map(name => row.get(name) as number[])
  const edges = from.map((id, i): Edge => {
    nodes.add(id)
    nodes.add(to[i])
    return {
      from: id,
      to: to[i],
      kind: KIND[kind[i]],
      ...(inferred[i] ? { inferred: true } : {}),
      ...(rate[i] >= 0 ? { requestsPerSecond: rate[i] } : {}),
      ...(errors[i] >= 0 ? { errorShare: errors[i] } : {}),
    }
  })
  const key = (e: Edge) => `${e.from} ${e.to} ${e.kind}`
  return { nodes: [...nodes].sort().map(id => ({ id })), edges: edges.sort((a, b) => (key(a) < key(b) ? -1 : 1)) }
}
