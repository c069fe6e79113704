import { AegisError, type Edge, type EdgeKind, type Graph } from '@aegis/domain'
import type { TopologyHistory } from '@aegis/root-cause'
import neo4j, { type Driver } from 'neo4j-driver'
import { MOST_NODES } from './most-nodes.ts'

const RELATION: Readonly<Record<EdgeKind, string>> = { calls: 'CALLS', runs_on: 'RUNS_ON', reads: 'READS', writes: 'WRITES' }
const KIND = Object.fromEntries(Object.entries(RELATION).map(([kind, name]) => [name, kind as EdgeKind]))

/** Spells of an edge: `since` and `until` are written when it first ends; before that it has stood since it was first seen. */
const SINCE = (r: string) => `coalesce(${r}.since, [${r}.firstSeen])`
const UNTIL = (r: string) => `coalesce(${r}.until, [])`
/** Stands while it has begun once more than it has ended; stood at a time if some spell holds it. */
const STANDS = (r: string) => `size(${UNTIL(r)}) < size(${SINCE(r)})`
const STOOD = (r: string) =>
  `any(i IN range(0, size(${SINCE(r)}) - 1) WHERE ${SINCE(r)}[i] <= $at AND (i >= size(${UNTIL(r)}) OR $at <= ${UNTIL(r)}[i]))`

/** Edges of one transaction, and edges whose place in the store is remembered. */
const BATCH = 10_000
const MOST_KNOWN = 300_000
const keyOf = (environment: string, e: Edge) => `${environment}\0${e.from}\0${e.to}\0${e.kind}`
/** Lists of one type each: a list of maps would carry its keys once for every row. */
const columns = (edges: readonly Edge[]) => ({
  from: edges.map(e => e.from),
  to: edges.map(e => e.to),
  inferred: edges.map(e => e.inferred ?? false),
  rate: edges.map(e => e.requestsPerSecond ?? null),
  errors: edges.map(e => e.errorShare ?? null),
})
/** What an edge `r` is told with row `i`; the lists of its spells are written only where a new one begins. */
const TOLD = `FOREACH (_ IN CASE WHEN r.until IS NOT NULL AND NOT ${STANDS('r')} AND $time > last(r.until) THEN [1] ELSE [] END | SET r.since = r.since + $time)
       SET r.lastSeen = CASE WHEN r.lastSeen > $time THEN r.lastSeen ELSE $time END,
           r.inferred = $inferred[i], r.requestsPerSecond = $rate[i], r.errorShare = $errors[i]`

/**
 * The service graph in Neo4j. Merging is idempotent; first and last seen are kept on every edge, and the spells in which it stood as two lists
 * (`since`, `until`), so that the graph can be read as it was.
 */
export class Neo4jTopology implements TopologyHistory {
  readonly #driver: Driver
  #ready: Promise<void> | undefined
  /** Element ids of edges that this process has seen. */
  readonly #known = new Map<string, string>()
  /** Minute in which each entity was last said to be seen. */
  readonly #minutes = new Map<string, number>()

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

  /**
   * Edges known to this process are found by their element id, without the index; the others by their ends, and are known from then on. Batches go
   * one after the other: writers beside each other wait for each other at the nodes they share.
   */
  async merge(environment: string, edges: readonly Edge[], time: number): Promise<void> {
    await this.#prepared()
    const fresh: Edge[] = []
    const known: [id: string, edge: Edge][] = []
    for (const edge of edges) {
      const id = this.#known.get(keyOf(environment, edge))
      if (id === undefined) fresh.push(edge)
      else known.push([id, edge])
    }
    for (let i = 0; i < known.length; i += BATCH) {
      const batch = known.slice(i, i + BATCH)
      if (await this.#refresh(environment, batch, time)) continue
      // Somebody else took edges out of the graph: nothing is known of these any more.
      for (const [, edge] of batch) this.#known.delete(keyOf(environment, edge))
      fresh.push(...batch.map(([, edge]) => edge))
    }
    for (let i = 0; i < fresh.length; i += BATCH) await this.#create(environment, fresh.slice(i, i + BATCH), time)
    await this.#seen(environment, edges, time)
  }

  /** Entities tell when they were last seen by the minute: each has many edges, and each of them says so. */
  async #seen(environment: string, edges: readonly Edge[], time: number): Promise<void> {
    const minute = Math.floor(time / 60e6)
    const ids = [...new Set(edges.flatMap(e => [e.from, e.to]))].filter(
      id => (this.#minutes.get(`${environment}\0${id}`) ?? 0) < minute,
    )
    for (let i = 0; i < ids.length; i += BATCH)
      await this.#query(
        `UNWIND $ids AS id MATCH (e:Entity {environment: $environment, id: id})
         SET e.lastSeen = CASE WHEN e.lastSeen > $time THEN e.lastSeen ELSE $time END`,
        { ids: ids.slice(i, i + BATCH), environment, time },
      )
    if (this.#minutes.size + ids.length > MOST_KNOWN) this.#minutes.clear()
    for (const id of ids) this.#minutes.set(`${environment}\0${id}`, minute)
  }

  /** @returns whether all of them were there */
  async #refresh(environment: string, batch: readonly [string, Edge][], time: number): Promise<boolean> {
    const { records } = await this.#query(
      `UNWIND range(0, size($ids) - 1) AS i
       MATCH (a)-[r]->(b) WHERE elementId(r) = $ids[i] AND a.environment = $environment AND a.id = $from[i] AND b.id = $to[i]
       ${TOLD}
       RETURN count(r) AS found`,
      { ...columns(batch.map(([, edge]) => edge)), ids: batch.map(([id]) => id), environment, time },
    )
    return Number(records[0].get('found')) === batch.length
  }

  async #create(environment: string, batch: readonly Edge[], time: number): Promise<void> {
    const ids = [...new Set(batch.flatMap(e => [e.from, e.to]))]
    // Entities first, each once: an edge then finds both its ends by the index instead of merging them again.
    await this.#query(
      `UNWIND $ids AS id
       MERGE (e:Entity {environment: $environment, id: id}) ON CREATE SET e.kind = split(id, ':')[0], e.firstSeen = $time, e.lastSeen = $time`,
      { ids, environment, time },
    )
    for (const [kind, relation] of Object.entries(RELATION)) {
      const rows = batch.filter(e => e.kind === kind)
      if (rows.length === 0) continue
      const { records } = await this.#query(
        `UNWIND range(0, size($from) - 1) AS i
         MATCH (a:Entity {environment: $environment, id: $from[i]})
         MATCH (b:Entity {environment: $environment, id: $to[i]})
         MERGE (a)-[r:${relation}]->(b) ON CREATE SET r.firstSeen = $time
         ${TOLD}
         RETURN elementId(r) AS id`,
        { ...columns(rows), environment, time },
      )
      if (this.#known.size + rows.length > MOST_KNOWN) this.#known.clear()
      records.forEach((r, i) => {
        this.#known.set(keyOf(environment, rows[i]), r.get('id') as string)
      })
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
