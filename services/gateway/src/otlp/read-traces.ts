import { idOf, type Span } from '@aegis/domain'
import { hostOf, whose } from '../whose.ts'
import { type Read, type ReadOptions, redactAll } from './read.ts'
import {
  attributesOf,
  enumOf,
  idOfBytes,
  type Loose,
  microseconds,
  type Origin,
  originOf,
  Refused,
  walk,
  wrongTime,
} from './shape.ts'

const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer']
const KIND_NAMES = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']
const STATES = ['UNSET', 'OK', 'ERROR']
/** Addresses of the other side, the present name of the convention before the old ones, each with its port. */
const ADDRESSES: readonly (readonly [address: string, port: string])[] = [
  ['server.address', 'server.port'],
  ['net.peer.name', 'net.peer.port'],
  ['network.peer.address', 'network.peer.port'],
  ['net.sock.peer.name', 'net.sock.peer.port'],
  ['net.peer.ip', 'net.peer.port'],
  ['net.sock.peer.addr', 'net.sock.peer.port'],
]
const SYSTEMS = ['db.system.name', 'db.system', 'messaging.system', 'rpc.system']

const PORTS: Readonly<Record<string, string>> = {
  postgresql: '5432',
  mysql: '3306',
  mariadb: '3306',
  redis: '6379',
  mongodb: '27017',
  mssql: '1433',
  'microsoft.sql_server': '1433',
  oracle: '1521',
  'oracle.db': '1521',
  cassandra: '9042',
  elasticsearch: '9200',
  opensearch: '9200',
  memcached: '11211',
  clickhouse: '9000',
  kafka: '9092',
  rabbitmq: '5672',
}
const isHere = (address: string): boolean => /^(?:localhost|127\.[\d.]+|::1|0\.0\.0\.0)$/i.test(address)

/**
 * Whom a span calls, by its own words: the service it names, else the address it called, else what kind of thing it is. So two databases are two; a port counts
 * where it is not the usual one of its system, and an address of the machine itself says less than the system.
 */
const peerOf = (a: Readonly<Record<string, string>>): string | null => {
  if (a['peer.service']) return a['peer.service']
  const found = ADDRESSES.find(([address]) => a[address])
  const data = a['db.system.name'] || a['db.system']
  if (found) {
    const [address, port] = found.map(name => a[name])
    const name = data && isHere(address) ? data : address
    return data && port && port !== PORTS[data] && /^\d+$/.test(port) && port !== '0' ? `${name}:${port}` : name
  }
  const url = a['url.full'] ?? a['http.url'] ?? a['db.connection_string']?.replace(/^jdbc:/, '')
  const host = url?.includes('://') ? hostOf(url) : a['http.host']?.replace(/:\d+$/, '')
  return host || SYSTEMS.map(name => a[name]).find(Boolean) || null
}
/** A span that says nothing of its outcome, but ended in an answer that is a server's failure. */
const failed = (a: Readonly<Record<string, string>>): boolean =>
  /^5\d\d$/.test(a['http.response.status_code'] ?? a['http.status_code'] ?? '')

/** OTLP spans. A span without ids cannot be joined to anything, and one without times tells nothing: they are left out. */
export const readTraces = (message: object, options: ReadOptions): Read<Span> => {
  const refused = new Refused()
  const values: Span[] = []
  const origins: Origin[] = []
  for (const { resource, scopes } of walk(
    message,
    ['resourceSpans', 'scopeSpans', 'instrumentationLibrarySpans', 'spans'],
    refused,
  )) {
    const origin = originOf(resource, options.environment)
    origins.push(origin)
    for (const { values: spans, place } of scopes)
      for (const [i, span] of spans.entries()) {
        const refuse = (why: string) => refused.add(`${place}[${i}] (${String(span.name ?? '').slice(0, 60)}): ${why}`)
        const traceId = idOfBytes(span.traceId, 16)
        const spanId = idOfBytes(span.spanId, 8)
        if (!traceId || !spanId) {
          refuse(`no ${traceId ? 'spanId of 16' : 'traceId of 32'} hex digits`)
          continue
        }
        const end = microseconds(span.endTimeUnixNano)
        const start = microseconds(span.startTimeUnixNano) || end
        const wrong = wrongTime(start, options.now, span.startTimeUnixNano ?? 0)
        if (wrong) {
          refuse(`startTimeUnixNano: ${wrong}`)
          continue
        }
        const attributes = attributesOf(span.attributes)
        const state = span.status as Loose | undefined
        const code = enumOf(state?.code, STATES) ?? 0
        values.push({
          id: idOf(traceId, spanId),
          environment: origin.environment,
          time: start,
          trace_id: traceId,
          span_id: spanId,
          parent_id: idOfBytes(span.parentSpanId, 8) ?? null,
          entity: origin.entity ?? whose(attributes) ?? 'service:unknown',
          operation: String(span.name ?? ''),
          kind: KINDS[enumOf(span.kind, KIND_NAMES) ?? 0] ?? 'internal',
          duration_us: Number.isFinite(end) ? Math.max(0, end - start) : 0,
          status: code === 2 || (code === 0 && failed(attributes)) ? 'error' : code === 1 ? 'ok' : 'unset',
          peer: peerOf(attributes),
          status_message: options.redact(String(state?.message ?? '')) || null,
          attributes: redactAll(attributes, options.redact),
        })
      }
  }
  return { values, origins, rejected: refused.rejected, reason: refused.reason }
}
