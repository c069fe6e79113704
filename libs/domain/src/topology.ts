/** `kind:name`, such as `service:payment`. Kinds: service, process, pod, host, database, queue, volume, namespace, external. */
export type EntityId = string

export type EdgeKind = 'calls' | 'runs_on' | 'reads' | 'writes'

export interface GraphNode {
  readonly id: EntityId
}
export interface Edge {
  readonly from: EntityId
  readonly to: EntityId
  readonly kind: EdgeKind
  readonly inferred?: boolean
  readonly requestsPerSecond?: number
  readonly errorShare?: number
}
/** A part of the service graph. Edges point from who depends to what is depended on. */
export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly Edge[]
}

/** What depends on what. Neo4j in production, a plain object in tests. */
export interface Topology {
  /** Adds or refreshes edges seen at `time` (microseconds); safe to call twice. */
  merge(environment: string, edges: readonly Edge[], time: number): Promise<void>
  /** Everything within `hops` of the entities, in both directions. */
  around(environment: string, entities: readonly EntityId[], hops: number): Promise<Graph>
  /** Ends edges not seen since `before` (microseconds); they stay in the past. Returns how many. */
  age(environment: string, before: number): Promise<number>
  close?(): Promise<void>
}

/** The edge from `address:<host:port, host, unit, …>` to who is reached there; kept apart from the graph of dependencies. */
export const NAMED_BY = 'named_by'

export const entityId = (kind: string, name: string): EntityId => `${kind}:${name}`
export const nameOf = (entity: EntityId): string => entity.slice(entity.indexOf(':') + 1)
export const kindOf = (entity: EntityId): string => entity.slice(0, Math.max(0, entity.indexOf(':')))

const STORES =
  /postgres|mysql|mariadb|mssql|mongo|redis|valkey|memcache|cassandra|scylla|cockroach|couch|elastic|opensearch|clickhouse|influxdb|neo4j|sqlite|(^|[-_/])(db|sql|database)([-_:]|$)/i
const QUEUES = /kafka|redpanda|rabbit|nats|(^|[-_/])(queue|mq|amqp|pulsar)([-_:]|$)/i
/** What stands beside a store or queue, and is none. */
const BESIDE =
  /[-_](exporter|operator|ui|admin|express|commander|insight|consumer|producer|client|worker|backup|migrat\w*|connect(or)?|proxy|manager)([-_:@]|$)/i
/** Service, database or queue: what kind of thing a workload is, from its name and image. */
export const kindOfWorkload = (name: string, image = ''): 'service' | 'database' | 'queue' => {
  const said = [name, image.split('/').at(-1) ?? '']
  if (said.some(w => BESIDE.test(w))) return 'service'
  return said.some(w => QUEUES.test(w)) ? 'queue' : said.some(w => STORES.test(w)) ? 'database' : 'service'
}
