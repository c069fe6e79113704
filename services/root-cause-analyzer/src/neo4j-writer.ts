/**
 * Writes edges into Neo4j, merging by hand: one statement that looks which edges are there and one that creates the rest take less than half of what MERGE
 * takes for each. That nothing is created twice rests on a lock that writers of one environment take in turn. Ends and edges are found by their place in
 * the store (element id) as far as this process has seen them; a place may be another's by now, so whose it is is always looked at.
 */

import { type Edge, type EdgeKind, keyOf } from '@aegis/domain'
import type { Driver, ManagedTransaction } from 'neo4j-driver'

export const RELATION: Readonly<Record<EdgeKind, string>> = {
  calls: 'CALLS',
  runs_on: 'RUNS_ON',
  reads: 'READS',
  writes: 'WRITES',
}
/** Spells of an edge: `since` and `until` are written when it first ends; before that it has stood since it was first seen. */
export const SINCE = (r: string) => `coalesce(${r}.since, [${r}.firstSeen])`
export const UNTIL = (r: string) => `coalesce(${r}.until, [])`
/** Stands while it has begun once more than it has ended. */
export const STANDS = (r: string) => `(${r}.until IS NULL OR size(${r}.until) < size(${r}.since))`

/** Edges of one transaction, and edges and entities whose place in the store is remembered. */
const BATCH = 10_000
const MOST_KNOWN = 300_000
const MINUTE_US = 60e6

const edgeKey = (environment: string, e: Edge) => keyOf(environment, e.from, e.to, e.kind)
const nodeKey = (environment: string, id: string) => keyOf(environment, id)
/** Lists of one type each: a list of maps would carry its keys once for every row. What is null is not stored. */
const columns = (edges: readonly Edge[]) => ({
  inferred: edges.map(e => (e.inferred ? true : null)),
  rate: edges.map(e => e.requestsPerSecond ?? null),
  errors: edges.map(e => e.errorShare ?? null),
})
const LATER = (seen: string) => `CASE WHEN ${seen} > $time THEN ${seen} ELSE $time END`

const LOCK = 'MERGE (v:Environment {name: $environment}) SET v.lastSeen = $time'
const CHECK_ENTITIES = `UNWIND range(0, size($places) - 1) AS i
  MATCH (e) WHERE elementId(e) = $places[i] AND e.environment = $environment AND e.id = $ids[i]
  RETURN collect(e.id) AS ids`
const MERGE_ENTITIES = `UNWIND $ids AS id
  MERGE (e:Entity {environment: $environment, id: id})
  ON CREATE SET e.kind = split(id, ':')[0], e.firstSeen = $time, e.lastSeen = $time
  ON MATCH SET e.lastSeen = ${LATER('e.lastSeen')}
  RETURN collect(e.id) AS ids, collect(elementId(e)) AS places`
const ENDS = `UNWIND range(0, size($from) - 1) AS i
  MATCH (a) WHERE elementId(a) = $from[i] MATCH (b) WHERE elementId(b) = $to[i]`
const FIND_EDGES = (relation: string) =>
  `${ENDS} MATCH (a)-[r:${relation}]->(b) RETURN collect(i) AS found, collect(elementId(r)) AS places`
const CREATE_EDGES = (relation: string) => `${ENDS}
  CREATE (a)-[r:${relation} {firstSeen: $time, lastSeen: $time, inferred: $inferred[i], requestsPerSecond: $rate[i], errorShare: $errors[i]}]->(b)
  RETURN collect(elementId(r)) AS places`
/** The lists of the spells of an edge are written only where a new one begins. */
const REFRESH_EDGES = `UNWIND range(0, size($places) - 1) AS i
  MATCH (a)-[r]->(b) WHERE elementId(r) = $places[i] AND a.environment = $environment AND a.id = $from[i] AND b.id = $to[i]
  FOREACH (_ IN CASE WHEN NOT ${STANDS('r')} AND $time > last(r.until) THEN [1] ELSE [] END | SET r.since = r.since + $time)
  SET r.lastSeen = ${LATER('r.lastSeen')}, r.inferred = $inferred[i], r.requestsPerSecond = $rate[i], r.errorShare = $errors[i]
  RETURN count(r) AS found`
const SEE_ENTITIES = `UNWIND $ids AS id MATCH (e:Entity {environment: $environment, id: id}) SET e.lastSeen = ${LATER('e.lastSeen')}`

type Placed = readonly [place: string, edge: Edge]
interface Ends {
  readonly environment: string
  readonly time: number
}

export class Neo4jWriter {
  readonly #driver: Driver
  /** Element ids of edges and entities that this process has seen. */
  readonly #edges = new Map<string, string>()
  readonly #entities = new Map<string, string>()
  /** Minute in which each entity was last said to be seen. */
  readonly #minutes = new Map<string, number>()

  constructor(driver: Driver) {
    this.#driver = driver
  }

  /** Adds or refreshes edges seen at `time` (microseconds); of the same edge told twice the last word counts. Safe to call twice. */
  async merge(environment: string, told: readonly Edge[], time: number): Promise<void> {
    const edges = [...new Map(told.map(e => [edgeKey(environment, e), e])).values()]
    const fresh: Edge[] = []
    const known: Placed[] = []
    for (const edge of edges) {
      const place = this.#edges.get(edgeKey(environment, edge))
      if (place === undefined) fresh.push(edge)
      else known.push([place, edge])
    }
    for (let i = 0; i < known.length; i += BATCH) {
      const batch = known.slice(i, i + BATCH)
      if ((await this.#write(tx => refresh(tx, batch, { environment, time }))) === batch.length) continue
      // Somebody else took edges out of the graph: nothing is known of these any more.
      for (const [, edge] of batch) this.#edges.delete(edgeKey(environment, edge))
      fresh.push(...batch.map(([, edge]) => edge))
    }
    for (let i = 0; i < fresh.length; i += BATCH) await this.#add(fresh.slice(i, i + BATCH), { environment, time })
    await this.#see(edges, { environment, time })
  }

  #write<T>(work: (tx: ManagedTransaction) => Promise<T>): Promise<T> {
    const session = this.#driver.session()
    return session.executeWrite(work).finally(() => session.close())
  }

  /** Edges this process has not seen yet: there already, or created. What was learned of places counts once it is committed. */
  async #add(batch: readonly Edge[], at: Ends): Promise<void> {
    const ids = [...new Set(batch.flatMap(e => [e.from, e.to]))]
    const learned = await this.#write(async tx => {
      await tx.run(LOCK, at)
      const { entities, merged } = await this.#entitiesOf(tx, ids, at)
      const placed: Placed[] = []
      for (const [kind, relation] of Object.entries(RELATION)) {
        const rows = batch.filter(e => e.kind === kind)
        if (rows.length === 0) continue
        const ends = (list: readonly Edge[]) => ({
          from: list.map(e => entities.get(e.from)),
          to: list.map(e => entities.get(e.to)),
        })
        const [there] = (await tx.run(FIND_EDGES(relation), ends(rows))).records
        const places = there.get('places') as string[]
        const found = new Map((there.get('found') as number[]).map((i, k) => [Number(i), places[k]]))
        const known = [...found].map(([i, place]): Placed => [place, rows[i]])
        if (known.length > 0) await refresh(tx, known, at)
        const others = rows.filter((_, i) => !found.has(i))
        placed.push(...known)
        if (others.length === 0) continue
        const [made] = (await tx.run(CREATE_EDGES(relation), { ...ends(others), ...columns(others), ...at })).records
        placed.push(...(made.get('places') as string[]).map((place, k): Placed => [place, others[k]]))
      }
      return { entities, merged, placed }
    })
    bound(this.#edges, learned.placed.length)
    bound(this.#entities, ids.length)
    bound(this.#minutes, ids.length)
    for (const [place, edge] of learned.placed) this.#edges.set(edgeKey(at.environment, edge), place)
    for (const [id, place] of learned.entities) this.#entities.set(nodeKey(at.environment, id), place)
    for (const id of learned.merged) this.#minutes.set(nodeKey(at.environment, id), Math.floor(at.time / MINUTE_US))
  }

  /** Places of entities, each merged unless this process knows it and it is still where it was. */
  async #entitiesOf(tx: ManagedTransaction, ids: readonly string[], at: Ends) {
    const entities = new Map<string, string>()
    const asked = ids.filter(id => this.#entities.has(nodeKey(at.environment, id)))
    if (asked.length > 0) {
      const places = asked.map(id => this.#entities.get(nodeKey(at.environment, id))!)
      const [still] = (await tx.run(CHECK_ENTITIES, { ids: asked, places, environment: at.environment })).records
      for (const id of still.get('ids') as string[]) entities.set(id, this.#entities.get(nodeKey(at.environment, id))!)
    }
    const merged = ids.filter(id => !entities.has(id))
    if (merged.length > 0) {
      const [now] = (await tx.run(MERGE_ENTITIES, { ids: merged, ...at })).records
      const places = now.get('places') as string[]
      for (const [k, id] of (now.get('ids') as string[]).entries()) entities.set(id, places[k])
    }
    return { entities, merged }
  }

  /** Entities tell when they were last seen by the minute: each has many edges, and each of them says so. */
  async #see(edges: readonly Edge[], at: Ends): Promise<void> {
    const minute = Math.floor(at.time / MINUTE_US)
    const ids = [...new Set(edges.flatMap(e => [e.from, e.to]))].filter(
      id => (this.#minutes.get(nodeKey(at.environment, id)) ?? 0) < minute,
    )
    for (let i = 0; i < ids.length; i += BATCH)
      await this.#write(tx => tx.run(SEE_ENTITIES, { ids: ids.slice(i, i + BATCH), ...at }))
    bound(this.#minutes, ids.length)
    for (const id of ids) this.#minutes.set(nodeKey(at.environment, id), minute)
  }
}

/** @returns how many of them were there */
const refresh = async (tx: ManagedTransaction, batch: readonly Placed[], at: Ends): Promise<number> => {
  const edges = batch.map(([, edge]) => edge)
  const { records } = await tx.run(REFRESH_EDGES, {
    ...columns(edges),
    ...at,
    places: batch.map(([place]) => place),
    from: edges.map(e => e.from),
    to: edges.map(e => e.to),
  })
  return Number(records[0].get('found'))
}
const bound = (known: Map<string, unknown>, more: number): void => {
  if (known.size + more > MOST_KNOWN) known.clear()
}
