/** Databases that write headers of their own. Most others (MySQL, Cassandra, Elasticsearch, Kafka) use a usual header. */
import type { Severity } from '../severity.ts'
import { byPattern, DIGITS, type Format } from './format.ts'

const NOTES = /^(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION)$/
const postgresOf = byPattern(
  /^(?<time>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})? (?:[A-Z]{3,4}|[+-]\d{2}(?::?\d{2})?)):? ?(?:(?<rest>[^ :][^:\n]{0,200}?(?::[^: ]{0,64}){0,6}?):? ?)?\b(?<level>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION): {1,2}/,
)
/** PostgreSQL on stderr with any log_line_prefix that begins with the time; what explains a message belongs to it. */
export const postgres: Format = {
  name: 'postgres',
  first: '12',
  parse(text, hints) {
    if (text.indexOf(':  ') < 0 || text.charCodeAt(10) !== 32) return undefined
    const read = postgresOf(text, hints)
    if (read === undefined) return undefined
    const level = /([A-Z]+)[1-5]?: {1,2}$/.exec(text.slice(0, text.length - read.body.length))?.[1] ?? ''
    const pid = /\[?(\d{1,8})(?:-\d+)?\]?/.exec(read.fields.rest ?? '')?.[1]
    return {
      ...read,
      service: 'postgres',
      fields: { ...(pid === undefined ? {} : { pid }), ...(read.fields.rest === undefined ? {} : { header: read.fields.rest }) },
      ...(pid === undefined ? {} : { writer: pid }),
      ...(NOTES.test(level) ? { note: true, body: `${level}:  ${read.body}` } : {}),
    }
  },
  examples: [
    [
      '2026-01-02 03:04:05.123 UTC [77] shop@cart ERROR:  relation "x" does not exist at character 15',
      {
        format: 'postgres',
        severity: 'ERROR',
        body: 'relation "x" does not exist at character 15',
        time: '2026-01-02T03:04:05.123Z',
      },
    ],
    ['2026-01-02 03:04:05.123 UTC [77] FATAL:  the database system is starting up', { severity: 'CRITICAL' }],
    ['2026-01-02 03:04:05.123 UTC [77] STATEMENT:  select 1', { note: true, body: 'STATEMENT:  select 1' }],
  ],
}

const CSV = /^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3} [A-Z]{3,4}),(?:"([^"]*)")?,(?:"([^"]*)")?,(\d+),/
const csvOf = byPattern(
  /^(?<time>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3} [A-Z]{3,4}),(?:"(?<user>[^"]*)")?,(?:"(?<database>[^"]*)")?,(?<pid>\d+),.{0,400}?,(?<level>LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG\d?),(?:"?(?<state>[0-9A-Z]{5})"?)?,"(?<body>(?:[^"]|"")*)"?.*$/s,
)
/** PostgreSQL's csvlog. */
export const csvlog: Format = {
  name: 'csvlog',
  first: '12',
  parse(text, hints) {
    const read = CSV.test(text) ? csvOf(text, hints) : undefined
    return read === undefined ? undefined : { ...read, service: 'postgres', body: read.body.replaceAll('""', '"') }
  },
  examples: [
    [
      '2026-01-02 03:04:05.123 UTC,"shop","cart",77,"[local]",65a,1,"SELECT",2026-01-02 03:00:00 UTC,3/4,0,ERROR,42P01,"relation ""x"" does not exist",,,,,,"select 1",15,,"psql"',
      { format: 'csvlog', severity: 'ERROR', body: 'relation "x" does not exist' },
    ],
  ],
}

/** MongoDB before 4.4. */
export const mongo: Format = {
  name: 'mongo',
  first: '12',
  parse: byPattern(
    /^(?<time>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}(?:[+-]\d{4}|Z)) (?<level>[EWIFD])\d? (?<logger>[A-Z_-]{1,16}) +\[(?<thread>[^\]]{1,64})\] /,
  ),
  examples: [
    [
      '2026-01-02T03:04:05.123+0000 E STORAGE  [thread1] WiredTiger error',
      { format: 'mongo', severity: 'ERROR', body: 'WiredTiger error' },
    ],
  ],
}

const SIGNS: Readonly<Record<string, Severity>> = { '#': 'WARN', '*': 'INFO', '-': 'INFO', '.': 'DEBUG' }
/** Redis and Valkey: "." debug, "-" verbose, "*" notice, "#" warning. */
export const redis: Format = {
  name: 'redis',
  first: `${DIGITS}[`,
  parse: byPattern(
    /^(?:(?<pid>\d{1,7}):(?<role>[MSCX])|\[(?<process>\d{1,7})\]) (?<time>\d{2} [A-Z][a-z]{2}(?: \d{4})? \d{2}:\d{2}:\d{2}(?:\.\d{3})?) (?<level>[#*.-]) /,
    sign => SIGNS[sign],
  ),
  examples: [
    [
      "7:M 02 Jan 2026 03:04:05.123 # Server can't set maximum open files",
      { format: 'redis', severity: 'WARN', time: '2026-01-02T03:04:05.123Z', body: "Server can't set maximum open files" },
    ],
  ],
}

/** One letter for the level behind the time: etcd's capnslog, TensorFlow, Telegraf. */
export const letter: Format = {
  name: 'letter',
  first: '12',
  parse: byPattern(
    /^(?<time>\d{4}[-/]\d{2}[-/]\d{2}[ T]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?Z?)(?: \[?(?<level>[CEWNIDTF])(?:\]? \| |\] |! )|: (?<level>[EWIF]) (?<file>\S{1,128}:\d+)\] )/,
  ),
  examples: [
    ['2026-01-02 03:04:05.123456: E net/ink.cc:7] no ink', { severity: 'ERROR', body: 'no ink' }],
    ['2026-01-02T03:04:05Z E! [outputs.ink] none', { severity: 'ERROR', body: '[outputs.ink] none' }],
    [
      '2026-01-02 03:04:05.123456 W | etcdserver: read-only range request took too long',
      { format: 'letter', severity: 'WARN', body: 'etcdserver: read-only range request took too long' },
    ],
  ],
}

/** MySQL's slow log: the time on a line of its own, then what was asked. */
const slowOf = byPattern(/^# Time: (?<time>\d{4}-\d{2}-\d{2}T[\d:.]{8,15}(?:Z|[+-]\d{2}:\d{2})|\d{6} {1,2}\d{1,2}:\d{2}:\d{2})$/)
export const slowlog: Format = {
  name: 'slowlog',
  first: '#',
  parse(text, hints) {
    const read = slowOf(text, hints)
    return read === undefined ? undefined : { ...read, severity: 'WARN', body: '', heading: true }
  },
  examples: [
    [
      '# Time: 2026-01-02T03:04:05.123456Z',
      { format: 'slowlog', heading: true, severity: 'WARN', time: '2026-01-02T03:04:05.123Z' },
    ],
  ],
}
