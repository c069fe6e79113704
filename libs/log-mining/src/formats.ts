/** The formats that parseLine knows, most telling first. Each takes a clean line and returns nothing when the line is not of its kind. */
import type { FormatParser, ParsedLine } from './parse-line.ts'
import { ofOpenTelemetry, ofSyslog, type Severity, severityNamed } from './severity.ts'
import { readTimestamp, timestampOf, withoutYear } from './timestamps.ts'

const TIME_KEYS = [
  'timestamp',
  '@timestamp',
  'time',
  'ts',
  'date',
  'datetime',
  'asctime',
  'eventTime',
  'timeMillis',
  'instant',
  '@t',
  'Timestamp',
  't',
]
const LEVEL_KEYS = [
  'level',
  'severity',
  'lvl',
  'loglevel',
  'log.level',
  'log_level',
  'levelname',
  'severityText',
  'SeverityText',
  '@l',
  'priority',
]
const BODY_KEYS = ['message', 'msg', 'body', 'log', 'event', 'text', 'Body', '@m', '@mt', 'error']
const SERVICE_KEYS = [
  'service',
  'service.name',
  'service_name',
  'serviceName',
  'app',
  'application',
  'component',
  'app_name',
  'appname',
]
const HOST_KEYS = ['host', 'hostname', 'host.name', 'node', 'server']
const TRACE_KEYS = ['trace_id', 'traceId', 'traceid', 'trace.id', 'TraceId', 'dd.trace_id', 'otelTraceID']
const SPAN_KEYS = ['span_id', 'spanId', 'spanid', 'span.id', 'SpanId', 'dd.span_id', 'otelSpanID']

const MAX_FIELDS = 64

/** What a set of fields says; `rest` is the body when no field holds one. */
export function fromFields(all: ReadonlyMap<string, unknown>, rest: string, hints: Parameters<FormatParser>[1]): ParsedLine {
  const taken = new Set<string>()
  const take = (keys: readonly string[], fits: (value: unknown) => boolean): unknown => {
    for (const key of keys) {
      const value = all.get(key)
      if (value !== undefined && value !== null && fits(value)) {
        taken.add(key)
        return value
      }
    }
    return undefined
  }
  const text = (value: unknown) => typeof value === 'string' && value !== ''
  const time = take(TIME_KEYS, value => timestampOf(value, hints) !== undefined)
  const otel = all.get('severityNumber') ?? all.get('SeverityNumber')
  const level = take(LEVEL_KEYS, value => severityNamed(value) !== undefined)
  const body = take(BODY_KEYS, text)
  const service = take(SERVICE_KEYS, text)
  const host = take(HOST_KEYS, text)
  const traceId = take(TRACE_KEYS, text)
  const spanId = take(SPAN_KEYS, text)
  const fields: Record<string, string> = {}
  let count = 0
  for (const [key, value] of all) {
    if (taken.has(key) || value === null || value === undefined) continue
    if (count++ >= MAX_FIELDS) break
    fields[key] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  const stack = ['stack_trace', 'stack', 'exception', 'exc_info', 'error.stack_trace', 'stacktrace', '@x']
    .map(key => fields[key])
    .find(value => value?.includes('\n'))
  const severity: Severity | undefined =
    level !== undefined ? severityNamed(level) : typeof otel === 'number' ? ofOpenTelemetry(otel) : undefined
  return {
    body: `${body ?? rest}${stack === undefined || String(body).includes(stack) ? '' : `\n${stack}`}`,
    ...(time === undefined ? {} : { timeUs: timestampOf(time, hints) as number }),
    ...(severity === undefined ? {} : { severity }),
    ...(service === undefined ? {} : { service: String(service) }),
    ...(host === undefined ? {} : { host: String(host) }),
    ...(traceId === undefined ? {} : { traceId: String(traceId) }),
    ...(spanId === undefined ? {} : { spanId: String(spanId) }),
    fields,
    format: '',
  }
}

/** Objects inside become dotted keys, to a depth of three. */
function flatten(value: Record<string, unknown>, prefix: string, depth: number, into: Map<string, unknown>): void {
  for (const [key, inner] of Object.entries(value)) {
    if (into.size >= 2 * MAX_FIELDS) return
    if (inner !== null && typeof inner === 'object' && !Array.isArray(inner) && depth < 3)
      flatten(inner as Record<string, unknown>, `${prefix}${key}.`, depth + 1, into)
    else into.set(prefix + key, inner)
  }
}

function objectOf(text: string): Record<string, unknown> | undefined {
  if (text.charCodeAt(0) !== 123) return undefined
  const trimmed = text.trimEnd()
  if (trimmed.charCodeAt(trimmed.length - 1) !== 125) return undefined
  try {
    const value = JSON.parse(trimmed)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

const docker: FormatParser = (text, hints) => {
  if (!text.startsWith('{"')) return undefined
  const value = objectOf(text)
  if (
    value === undefined ||
    typeof value.log !== 'string' ||
    typeof value.time !== 'string' ||
    (value.stream !== 'stdout' && value.stream !== 'stderr')
  )
    return undefined
  const timeUs = timestampOf(value.time, hints)
  const partial = !value.log.endsWith('\n')
  return {
    body: value.log.replace(/[\r\n]+$/, ''),
    ...(timeUs === undefined ? {} : { timeUs }),
    fields: { stream: value.stream },
    format: '',
    ...(partial ? { partial } : {}),
  }
}

const json: FormatParser = (text, hints) => {
  const value = objectOf(text.trimStart())
  if (value === undefined) return undefined
  const all = new Map<string, unknown>()
  flatten(value, '', 0, all)
  return all.size === 0 ? undefined : fromFields(all, text, hints)
}

const CRI = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{1,9}(?:Z|[+-]\d{2}:\d{2})) (stdout|stderr) ([FP])(?: |$)/
const cri: FormatParser = (text, hints) => {
  const m = CRI.exec(text)
  if (m === null) return undefined
  const timeUs = timestampOf(m[1], hints) as number
  return {
    body: text.slice(m[0].length),
    timeUs,
    fields: { stream: m[2] as string },
    format: '',
    ...(m[3] === 'P' ? { partial: true } : {}),
  }
}

const RFC5424 = /^<(\d{1,3})>1 (\S{1,48}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) /
const syslog5424: FormatParser = (text, hints) => {
  const m = RFC5424.exec(text)
  if (m === null || Number(m[1]) > 191) return undefined
  const priority = Number(m[1])
  const fields: Record<string, string> = { facility: String(priority >> 3) }
  const given = (value: string | undefined) => (value === undefined || value === '-' ? undefined : value)
  if (given(m[5])) fields.pid = m[5] as string
  if (given(m[6])) fields.msgid = m[6] as string
  let at = m[0].length
  if (text.charCodeAt(at) === 45) at++
  else {
    while (text.charCodeAt(at) === 91) {
      const end = structuredData(text, at, fields)
      if (end < 0) return undefined
      at = end
    }
  }
  const timeUs = given(m[2]) === undefined ? undefined : timestampOf(m[2], hints)
  return {
    body: text.slice(at).replace(/^ ?\ufeff?/, ''),
    ...(timeUs === undefined ? {} : { timeUs }),
    severity: ofSyslog(priority & 7),
    ...(given(m[4]) === undefined ? {} : { service: m[4] as string }),
    ...(given(m[3]) === undefined ? {} : { host: m[3] as string }),
    fields,
    format: '',
  }
}

/** [id name="value" ...] with \" \\ \] escaped. Returns where it ends, or -1. */
function structuredData(text: string, start: number, fields: Record<string, string>): number {
  let i = start + 1
  const idStart = i
  while (i < text.length && text.charCodeAt(i) !== 32 && text.charCodeAt(i) !== 93) i++
  const id = text.slice(idStart, i)
  while (text.charCodeAt(i) === 32) {
    const nameStart = ++i
    while (i < text.length && text.charCodeAt(i) !== 61) i++
    const key = text.slice(nameStart, i)
    if (text.charCodeAt(i + 1) !== 34) return -1
    i += 2
    let value = ''
    while (i < text.length && text.charCodeAt(i) !== 34) {
      if (text.charCodeAt(i) === 92 && i + 1 < text.length) i++
      value += text[i++]
    }
    if (Object.keys(fields).length < MAX_FIELDS) fields[`${id}.${key}`] = value
    i++
  }
  return text.charCodeAt(i) === 93 ? i + 1 : -1
}

const TAG = /^([A-Za-z0-9_./-]{1,64})(?:\(([\w-]{1,32})\))?(?:\[(\d{1,10})\])?: ?/
const syslog: FormatParser = (text, hints) => {
  const pri = /^<(\d{1,3})>/.exec(text)
  const start = pri === null ? 0 : pri[0].length
  const stamp = readTimestamp(text, start, hints)
  if (stamp === undefined || text.charCodeAt(stamp.end) !== 32) return undefined
  // without a priority only the classic form counts, else any line with a date would
  if (pri === null && !/^[A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:/.test(text)) return undefined
  let rest = text.slice(stamp.end + 1)
  const host = /^(\S{1,255}) /.exec(rest)
  if (host === null) return undefined
  const withoutHost = TAG.exec(rest)
  let hostName: string | undefined
  if (withoutHost === null) {
    hostName = host[1]
    rest = rest.slice(host[0].length)
  }
  const tag = TAG.exec(rest)
  if (tag === null && pri === null) return undefined
  const fields: Record<string, string> = {}
  if (tag?.[3] !== undefined) fields.pid = tag[3]
  if (tag?.[2] !== undefined) fields.module = tag[2]
  return {
    body: tag === null ? rest : rest.slice(tag[0].length),
    timeUs: stamp.timeUs,
    ...(pri === null ? {} : { severity: ofSyslog(Number(pri[1]) & 7) }),
    ...(tag === null ? {} : { service: tag[1] as string }),
    ...(hostName === undefined ? {} : { host: hostName }),
    fields,
    format: '',
  }
}

/** A collector's columns (label, epoch, date, node) before a line of syslog. */
const collected: FormatParser = (text, hints) => {
  const m = /^((?:[^\sa-z]\S{0,40}|-|[a-z]\S{0,20}\d\S{0,20}) ){1,6}(?=[A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:\d{2}:\d{2} \S)/.exec(
    text.slice(0, 200),
  )
  const inner = m === null ? undefined : syslog(text.slice(m[0].length), hints)
  if (m === null || inner === undefined) return undefined
  const epoch = /(?:^| )(\d{10}) /.exec(m[0])
  const timeUs = (epoch === null ? undefined : timestampOf(epoch[1], hints)) ?? inner.timeUs
  return { ...inner, ...(timeUs === undefined ? {} : { timeUs }), fields: { ...inner.fields, header: m[0].trim() } }
}

const LOGCAT = /^(\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}) +(\d{1,10}) +(\d{1,10}) ([VDIWEF]) ([^:]{1,64}?) *: /
const logcat: FormatParser = (text, hints) => {
  const m = LOGCAT.exec(text)
  const timeUs = m === null ? undefined : timestampOf(m[1], hints)
  if (m === null || timeUs === undefined) return undefined
  const fields = { pid: m[2] as string, thread: m[3] as string, logger: m[5] as string }
  return { body: text.slice(m[0].length), timeUs, severity: severityNamed(m[4]) as Severity, fields, format: '' }
}

const KLOG = /^([IWEF])(\d{2})(\d{2}) (\d{2}):(\d{2}):(\d{2})\.(\d{6}) +(\d{1,10}) ([\w.-]+):(\d+)\] ?/
const klog: FormatParser = (text, hints) => {
  const m = KLOG.exec(text)
  if (m === null) return undefined
  const of = (year: number) => Date.UTC(year, Number(m[2]) - 1, Number(m[3]), Number(m[4]), Number(m[5]), Number(m[6]))
  const timeUs = withoutYear(of, hints) * 1000 + Number(m[7]) - (hints.zoneMinutes ?? 0) * 60_000_000
  return {
    body: text.slice(m[0].length),
    timeUs,
    severity: severityNamed(m[1]) as Severity,
    fields: { thread: m[8] as string, file: m[9] as string, line: m[10] as string },
    format: '',
  }
}

const ACCESS =
  /^(\S{1,255}) (\S{1,64}) (\S{1,128}) \[([^\]]{20,40})\] "(?:([A-Z]{3,10}) (\S{1,4096}?)(?: (HTTP\/[\d.]+))?|[^"]{0,4096})" (\d{3}) (\d+|-)(?: "([^"]{0,4096})" "([^"]{0,1024})")?/
const access: FormatParser = (text, hints) => {
  const m = ACCESS.exec(text)
  if (m === null) return undefined
  const stamp = readTimestamp(m[4] as string, 0, hints)
  if (stamp === undefined) return undefined
  const status = Number(m[8])
  const fields: Record<string, string> = { client: m[1] as string, status: m[8] as string, bytes: m[9] as string }
  if (m[5] !== undefined) fields.method = m[5]
  if (m[6] !== undefined) fields.path = m[6]
  if (m[3] !== '-') fields.user = m[3] as string
  if (m[10] !== undefined && m[10] !== '-') fields.referer = m[10]
  if (m[11] !== undefined && m[11] !== '-') fields.agent = m[11]
  const severity: Severity = status >= 500 ? 'ERROR' : status >= 400 ? 'WARN' : 'INFO'
  return {
    body: m[5] === undefined ? text : `${m[5]} ${m[6]} ${status} ${m[9]}`,
    timeUs: stamp.timeUs,
    severity,
    fields,
    format: '',
  }
}

const APACHE_ERROR =
  /^\[((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [^\]]{15,40})\] \[(?:(\w+):)?(\w+)\] (?:\[pid (\d+)(?::tid \d+)?\] )?(?:\[client ([^\]]{1,64})\] )?/
const NGINX_ERROR = /^(\d{4}\/\d{2}\/\d{2} \d{2}:\d{2}:\d{2}) \[(\w+)\] (\d+)#\d+: (?:\*\d+ )?/
const serverError: FormatParser = (text, hints) => {
  const apache = APACHE_ERROR.exec(text)
  const m = apache ?? NGINX_ERROR.exec(text)
  if (m === null) return undefined
  const timeUs = timestampOf(m[1], hints)
  const severity = severityNamed(apache === null ? m[2] : m[3])
  if (timeUs === undefined || severity === undefined) return undefined
  const fields: Record<string, string> = {}
  const pid = apache === null ? m[3] : m[4]
  if (pid !== undefined) fields.pid = pid
  if (apache?.[2] !== undefined) fields.module = apache[2]
  if (apache?.[5] !== undefined) fields.client = apache[5]
  return { body: text.slice(m[0].length), timeUs, severity, fields, format: '' }
}

/** key=value key="quoted value" ...: the whole line must be made of them, with a level, message or time among them. */
const logfmt: FormatParser = (text, hints) => {
  if (text.indexOf('=') < 1 || !/^[A-Za-z_@][\w.@/-]{0,63}=/.test(text)) return undefined
  const all = new Map<string, unknown>()
  let i = 0
  let loose = 0
  while (i < text.length) {
    while (text.charCodeAt(i) === 32) i++
    const keyStart = i
    while (i < text.length && text.charCodeAt(i) !== 61 && text.charCodeAt(i) > 32 && text.charCodeAt(i) !== 34) i++
    const key = text.slice(keyStart, i)
    if (text.charCodeAt(i) !== 61) {
      if (++loose > 1) return undefined
      if (text.charCodeAt(i) === 34) return undefined
      continue
    }
    i++
    let value = ''
    if (text.charCodeAt(i) === 34) {
      const start = ++i
      let escaped = false
      while (i < text.length && text.charCodeAt(i) !== 34) {
        if (text.charCodeAt(i) === 92) {
          escaped = true
          i++
        }
        i++
      }
      value = text.slice(start, Math.min(i, text.length))
      if (escaped) value = value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c === 't' ? '\t' : c))
      i++
    } else {
      const start = i
      while (i < text.length && text.charCodeAt(i) > 32) i++
      value = text.slice(start, i)
    }
    if (key === '') return undefined
    if (all.size < 2 * MAX_FIELDS) all.set(key, value)
  }
  const telling = [...LEVEL_KEYS, ...TIME_KEYS, 'msg', 'message'].filter(key => all.has(key)).length
  return all.size >= 2 && telling >= 1 ? fromFields(all, text, hints) : undefined
}

export const formats: readonly (readonly [string, FormatParser])[] = [
  ['docker', docker],
  ['json', json],
  ['cri', cri],
  ['syslog5424', syslog5424],
  ['klog', klog],
  ['logcat', logcat],
  ['access', access],
  ['server-error', serverError],
  ['syslog', syslog],
  ['collected', collected],
  ['logfmt', logfmt],
]
