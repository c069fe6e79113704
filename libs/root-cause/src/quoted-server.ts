/**
 * A client that quotes its server is a witness and no suspect: words and codes that only a server of some kind says, in the line of somebody else, speak of that
 * server. Codes from the manuals: SQLSTATE (PostgreSQL, appendix A), MySQL's error reference, Redis' error prefixes, AMQP 0-9-1 reply codes, FastCGI as nginx tells of it.
 */
import { nameOf } from '@aegis/domain'
import type { ReportedFault } from './reported-fault.ts'

/** What kind of server it is, by the names that such servers are given. */
const SERVERS: Readonly<Record<string, RegExp>> = {
  postgresql: /postgres|pgsql|(^|[-_])(pg|psql|cockroach|timescale|alloydb|patroni|pgbouncer)([-_\d]|$)/i,
  mysql: /mysql|maria|percona|aurora/i,
  redis: /redis|valkey|keydb|dragonfly/i,
  amqp: /rabbit|amqp|activemq|artemis|lavinmq/i,
  kafka: /kafka|redpanda/i,
  mongodb: /mongo/i,
  elasticsearch: /elastic|opensearch/i,
  memcached: /memcache/i,
  fastcgi: /php|fpm|fastcgi|fcgi/i,
}
export interface Quoted {
  readonly server: string
  readonly fault?: ReportedFault
  /** Nobody answered there. */
  readonly unreachable?: boolean
}

type Row = readonly [server: string, words: RegExp, fault?: ReportedFault | 'unreachable']
const ROWS: readonly Row[] = [
  [
    'postgresql',
    /sorry, too many clients already|remaining connection slots|too many connections for (role|database)|sqlstate[\s[:=]*53300/i,
    'pool',
  ],
  ['postgresql', /could not extend file|could not write (to file|block)|sqlstate[\s[:=]*53100/i, 'disk'],
  ['postgresql', /sqlstate[\s[:=]*53200/i, 'memory'],
  [
    'postgresql',
    /the database system is (shutting down|starting up|in recovery mode)|terminating connection due to|sqlstate[\s[:=]*57p0[1-3]/i,
    'unreachable',
  ],
  [
    'postgresql',
    /canceling statement due to|deadlock detected|could not serialize access|could not obtain lock on|sqlstate[\s[:=]*(40p01|55p03|57014|40001)/i,
  ],
  [
    'postgresql',
    /cannot execute \S+ in a read-only transaction|password authentication failed for user|no pg_hba\.conf entry|sqlstate[\s[:=]*(25006|28p01|28000)/i,
  ],
  ['mysql', /(sqlstate[\s[:=]*08004.*)?(\b1040\b.*)?too many connections|max_user_connections|\b1203\b.*connections/i, 'pool'],
  [
    'mysql',
    /mysql server has gone away|lost connection to mysql server|can't connect to (local )?mysql server|\bcr_server_(gone|lost)/i,
    'unreachable',
  ],
  [
    'mysql',
    /lock wait timeout exceeded|deadlock found when trying to get lock|running with the --(super-)?read-only|access denied for user/i,
  ],
  ['mysql', /the table '[^']*' is full|errcode: 28\b/i, 'disk'],
  ['redis', /\boom command not allowed|used memory > '?maxmemory/i, 'memory'],
  ['redis', /\bmisconf redis is configured|\bmisconf\b.*(rdb|snapshot)/i, 'disk'],
  ['redis', /max number of clients reached/i, 'pool'],
  [
    'redis',
    /\b(readonly you can't write|loading redis is loading|clusterdown|masterdown|busy redis is busy|noauth authentication|wrongpass )/i,
  ],
  [
    'amqp',
    /connection_forced|\b320\b.*connection.forced|channel_?error.*(406|precondition)|\b(memory|disk) resource limit alarm|connection blocked: low on (memory|disk)/i,
  ],
  ['kafka', /leader_not_available|not_leader_(for|or)_|broker (transport failure|not available)|unknown_topic_or_part/i],
  ['mongodb', /mongo(server|network)\w*error|not (primary|master) and secondaryok/i],
  ['elasticsearch', /cluster_block_exception|index (read-only|blocked).*flood|es_rejected_execution/i],
  ['fastcgi', /php-fpm\.sock failed|fastcgi:\/\/.*|primary script unknown|reached pm\.max_children/i],
]
/** Ports that servers of a kind listen on unless they are told otherwise (IANA, vendors' manuals). */
const USUAL_PORTS: Readonly<Record<string, string>> = {
  5432: 'postgresql',
  6432: 'postgresql',
  3306: 'mysql',
  6379: 'redis',
  5672: 'amqp',
  5671: 'amqp',
  9092: 'kafka',
  27017: 'mongodb',
  9200: 'elasticsearch',
  11211: 'memcached',
  9000: 'fastcgi',
}
const LOST =
  /econnrefused|connection refused|econnreset|connection (was )?reset|etimedout|connect(ion)? timed? ?out|no route to host|ehostunreach|server closed the connection|connection terminated|broken pipe|socket hang up|unable to connect|can(no|')t (connect|reach)/i
const PORT = /(?:^|[\s"'(/@\]\w]):(\d{2,5})(?!\d|\.\d)/g

/** Which kind of server a line quotes; undefined where it quotes none. */
export const quotedServer = (text: string): Quoted | undefined => {
  for (const [server, words, fault] of ROWS)
    if (words.test(text)) return { server, ...(fault === 'unreachable' ? { unreachable: true } : fault && { fault }) }
  if (!LOST.test(text)) return undefined
  for (const [, port] of text.matchAll(PORT)) if (USUAL_PORTS[port]) return { server: USUAL_PORTS[port], unreachable: true }
  // Clients that name their kind of server beside the loss.
  const server = Object.keys(SERVERS).find(kind => kind !== 'fastcgi' && new RegExp(`\\b${kind.slice(0, 8)}`, 'i').test(text))
  return server ? { server, unreachable: true } : undefined
}
export const isServerOf = (server: string, entity: string): boolean => SERVERS[server]?.test(nameOf(entity)) ?? false

const ADDRESS = /(?<![\w.])((?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:]+\]|(?=[\d.-]*[a-z])[a-z0-9][\w.-]*)(?::(\d{2,5}))(?![\d.]*\w)/gi
/** Addresses with a port in a text, small letters. */
export const addressesIn = (text: string): string[] => [...text.matchAll(ADDRESS)].map(m => m[0].toLowerCase())
