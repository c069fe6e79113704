/**
 * What a set of named fields says: which of them is the message, the level, the time, the sender, the exception, the trace.
 *
 * Loggers, platforms and collectors each have names of their own. All of them stand in one table, by role, the most telling first; they are found
 * without case, under "@" and "_", and inside of what wraps them ("fields", "jsonPayload", "record"). What has no role stays an attribute.
 */
import { exceptionOf } from './exceptions.ts'
import type { LineHints, ParsedLine } from './parsed-line.ts'
import { ofOpenTelemetry, ofPython, ofStatus, type Severity, severityNamed } from './severity.ts'
import { type ReadTimestamp, stampOf } from './timestamps.ts'

export const MAX_FIELDS = 64

/** Names as they are after canonical(): small letters, "-" and blanks as "_", without "@" and leading "_". */
const ROLES = {
  message:
    'record.message rendered_message renderedmessage message msg body formatted_message formattedmessage short_message m message.text body.stringvalue body.string_value shortmessage textpayload text_payload protopayload.status.message messagetext log_message logmessage log.message event_message resultdescription eventdata text log mt messagetemplate message_template description content event full_message {originalformat} line summary raw',
  level:
    'error_severity level_name levelname severity_text severitytext level_str record.level.name level.name log.level log_level loglevel level.levelstr level severity lvl levelstr level_string log.severity severity_label l priority_name syslog.severity.name severityname log.syslog.severity.name entrytype leveltext threat_level at s',
  priority: 'priority syslog.severity syslog_severity log.syslog.severity.code syslog.severity.code level_value levelvalue',
  python: 'levelno record.level.no level.no level_no',
  otel: 'severitynumber severity_number',
  status:
    'status status_code statuscode http.response.status_code http.status_code httpstatus http_status response.status response_status response_code responsecode responsestatus.code downstreamstatus originstatus http.status httprequest.status res.statuscode response.statuscode res.status sc_status elb_status_code upstream_status edgeresponsestatus',
  time: 'record.time.timestamp source_realtime_timestamp realtime_timestamp timestamp time ts datetime datetime.date t t.$date timestamp.$date time.$date date asctime eventtime event_time event.time event.created time_iso8601 timemillis time_millis instant time_unix_nano timeunixnano created createdat created_at logged_at logtime log_time requestreceivedtimestamp stagetimestamp receivetimestamp time_local start_time starttime startutc start_utc startlocal timegenerated timecreated timecreated.systemtime timestamputc utctime published observedtimeunixnano observedtimestamp epoch timestamp_ms ts_ms devtime',
  seconds: 'instant.epochsecond timestamp.seconds time.seconds ts.seconds',
  nanos: 'instant.nanoofsecond timestamp.nanos time.nanos ts.nanos',
  service:
    'service service.name service_name servicename resource.service.name resource.attributes.service.name attributes.service.name app application app_name appname application_name applicationname app.name app.kubernetes.io/name kubernetes.labels.app kubernetes.labels.app.kubernetes.io/name labels.app labels.service resource.labels.service_name resource.labels.container_name kubernetes.container_name kubernetes.container.name container.name container_name resource.labels.function_name k8s.container.name syslog_identifier systemd_unit program programname process_name component dd.service event.service eventsource function_name functionname faas.name',
  host: 'host host.name hostname host_name node server source_host machinename machine_name computer kubernetes.host kubernetes.node_name k8s.node.name beat.hostname agent.hostname cloud_rolename dyno',
  trace:
    'trace_id traceid trace.id dd.trace_id oteltraceid otel.trace_id trace context.trace_id contextmap.traceid mdc.traceid mdc.trace_id logging.googleapis.com/trace span_context.trace_id tr x_b3_traceid x_trace_id xtraceid',
  span: 'span_id spanid span.id dd.span_id otelspanid otel.span_id context.span_id contextmap.spanid mdc.spanid mdc.span_id logging.googleapis.com/spanid span_context.span_id sp',
  stack:
    'stack_trace stacktrace err.stack error.stack error.stack_trace error.stacktrace exception.stacktrace exception.stack exception.stack_trace exception.stacktracestring exc_info exc_text exception exception.backtrace err.stacktrace stack x backtrace traceback thrown.extendedstacktrace error_verbose errorverbose record.exception.traceback context.exception.trace error_stack thrown.stacktrace throwable exc exception_details exceptions error.exception.stacktrace',
  kind: 'error.type err.type err.name error.kind error.name exception.type exception.class exception.exceptionclass exception.exception_class exception.name exception_type exceptiontype exception_class exceptionclass errortype error_type error_class error.class thrown.name exc_type record.exception.type context.exception.class context.exception.type error.exception.type throwable.classname throwable.class',
  reason:
    'error err error.message err.message error_message errormessage reason exception.message exception.exception_message record.exception.value thrown.message throwable.message error.reason err_msg errmsg',
} as const
type Role = keyof typeof ROLES

/** What wraps the fields of a line; behind it they mean the same, a little less surely. */
const WRAPPERS =
  /^(?:fields|jsonpayload|json_payload|payload|data|attributes|attrs|attr|properties|props|record|extra|log|logrecord|event|body|message|msg|json|labels|resource|context|contextmap|mdc|line|winlog|source|state|scope|entry|additional|app|metadata|meta|parsed|span|detail|details|values|params)\./
/** Wrappers whose "name", "type", "level" and the like speak of something else. */
const BY_NAME = new Map<string, { role: Role; rank: number }>()
for (const [role, names] of Object.entries(ROLES))
  names.split(' ').forEach((name, rank) => {
    if (!BY_NAME.has(name)) BY_NAME.set(name, { role: role as Role, rank })
  })
const WITHIN = new Set<Role>(['message', 'level', 'time', 'service', 'trace', 'span', 'stack', 'kind', 'status', 'reason'])
const SINGLE = /^[a-z]$/

interface Place {
  readonly role: Role
  readonly rank: number
}
/** What each name met so far means. Names come from outside, so the table has an end. */
const PLACES = new Map<string, Place | null>()
const MAX_PLACES = 20_000

const canonical = (key: string): string =>
  key
    .replace(/(^|\.)[@_$]+/g, (_, dot: string) => dot)
    .toLowerCase()
    .replaceAll('-', '_')
    .replaceAll(' ', '_')

function placeOf(key: string): Place | null {
  let place = PLACES.get(key)
  if (place !== undefined) return place
  let name = key.endsWith('.$date') ? key.toLowerCase() : canonical(key)
  place = BY_NAME.get(name) ?? null
  for (let depth = 1; place === null && depth <= 3 && WRAPPERS.test(name); depth++) {
    name = name.replace(WRAPPERS, '')
    const inner = BY_NAME.get(name)
    if (inner !== undefined && WITHIN.has(inner.role) && !SINGLE.test(name))
      place = { role: inner.role, rank: inner.rank + 200 * depth }
  }
  if (PLACES.size >= MAX_PLACES) PLACES.clear()
  PLACES.set(key, place)
  return place
}

interface Found {
  key: string
  value: unknown
  rank: number
}

/** What a set of fields says; `rest` is the body when no field holds one. */
export function fromFields(all: ReadonlyMap<string, unknown>, rest: string, hints: LineHints): ParsedLine {
  const found: Partial<Record<Role, Found>> = {}
  let stamp: ReadTimestamp | undefined
  for (const [key, value] of all) {
    if (value === null || value === undefined || value === '') continue
    const place = placeOf(key)
    if (place === null) continue
    const before = found[place.role]
    if (before !== undefined && before.rank <= place.rank) continue
    if (place.role === 'time') {
      const read = stampOf(value, hints)
      if (read === undefined) continue
      stamp = read
    } else if (!fits(place.role, value)) continue
    // a class is a component of a program, not a service
    else if (place.role === 'service' && String(value).includes('.') && /component$/i.test(key)) continue
    found[place.role] = { key, value, rank: place.rank }
  }
  const { message, service, host, trace, span } = found
  const stated = severityOf(found)
  const answer = found.status !== undefined && (stated === 'INFO' || stated === 'DEBUG') ? Number(found.status.value) : 0
  // A server that logs all its requests at one level has not said how this one went.
  const severity =
    answer >= (message === undefined ? 400 : 500) && answer < 600 && requestOf(all) !== undefined ? ofStatus(answer) : stated
  let timeUs = stamp?.timeUs
  if (timeUs === undefined && found.seconds !== undefined)
    timeUs = Math.floor(Number(found.seconds.value) * 1e6 + Number(found.nanos?.value ?? 0) / 1e3)
  const name = service === undefined ? nameOf(all) : serviceName(String(service.value))
  const stack = stackOf(found, all)
  const kind = found.kind === undefined ? undefined : String(found.kind.value)
  let body = message === undefined ? bodyless(all, found, rest) : rendered(String(message.value), message.key, all)
  const full = all.get('full_message') ?? all.get('fullMessage')
  if (typeof full === 'string' && message?.key === 'short_message') body = full.startsWith(body) ? full : `${body}\n${full}`
  const taken = new Set<string>()
  for (const role of [
    'message',
    'level',
    'priority',
    'python',
    'otel',
    'time',
    'seconds',
    'nanos',
    'service',
    'host',
    'trace',
    'span',
    'stack',
  ] as const) {
    const hit = found[role]
    if (hit !== undefined) taken.add(hit.key)
  }
  const exception =
    stack === undefined
      ? (kind ??
        (message === undefined ? undefined : typeof found.stack?.value === 'string' ? exceptionOf(found.stack.value) : undefined))
      : (exceptionOf(stack) ?? kind)
  const fields: Record<string, string> = {}
  let count = 0
  for (const [key, value] of all) {
    if (value === null || value === undefined || taken.has(key)) continue
    if (count++ >= MAX_FIELDS) break
    fields[key] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  return {
    body: stack === undefined || body.includes(stack) ? body : `${body}\n${stack}`,
    ...(timeUs === undefined ? {} : { timeUs, zoned: stamp?.zoned ?? true }),
    ...(severity === undefined ? {} : { severity }),
    ...(name === undefined ? {} : { service: name }),
    ...(host === undefined ? {} : { host: String(host.value) }),
    ...(trace === undefined ? {} : { traceId: String(trace.value).replace(/^projects\/.*\//, '') }),
    ...(span === undefined ? {} : { spanId: String(span.value) }),
    ...(exception === undefined ? {} : { exception }),
    fields,
    format: '',
  }
}

function fits(role: Role, value: unknown): boolean {
  if (role === 'level') return severityNamed(value) !== undefined
  if (role === 'status')
    return typeof value === 'string' ? /^(?:[1-5]\d\d$|[A-Za-z]{3,16}$)/.test(value) : typeof value === 'number'
  if (role === 'priority' || role === 'python' || role === 'otel' || role === 'seconds' || role === 'nanos')
    return Number.isFinite(Number(value))
  if (role === 'stack') return typeof value === 'string' || Array.isArray(value)
  if (role === 'message' || role === 'reason') return typeof value === 'string' || typeof value === 'number'
  return typeof value === 'string' || ((role === 'trace' || role === 'span') && typeof value === 'number')
}

/** A word beats a number, which may be of another scale; a number of a protocol beats what is no level; the status of an answer comes last. */
function severityOf(found: Partial<Record<Role, Found>>): Severity | undefined {
  const { level, python, otel, priority, status } = found
  if (level !== undefined && typeof level.value === 'string' && !/^\d+$/.test(level.value)) return severityNamed(level.value)
  if (otel !== undefined && Number(otel.value) > 0) return ofOpenTelemetry(Number(otel.value))
  if (python !== undefined) return ofPython(Number(python.value))
  if (level !== undefined) return severityNamed(level.value)
  if (priority !== undefined) return severityNamed(Number(priority.value))
  if (status === undefined) return undefined
  const n = Number(status.value)
  if (Number.isNaN(n)) return severityNamed(status.value)
  return n >= 100 && n < 600 ? ofStatus(n) : undefined
}

/** "name" is the sender's where a process or host stands beside it: bunyan and pino. */
function nameOf(all: ReadonlyMap<string, unknown>): string | undefined {
  const name = all.get('name')
  return typeof name === 'string' && name !== '' && all.has('level') && (all.has('pid') || all.has('hostname')) ? name : undefined
}

const serviceName = (text: string): string =>
  text.replace(/^\//, '').replace(/(?:\.(?:service|amazonaws\.com)|@(?:docker|file|internal|kubernetes\w*|swarm|consul\w*))$/, '')

/** The trace as text: a list of frames becomes lines. A stack without any line of its own is not worth repeating. */
function stackOf(found: Partial<Record<Role, Found>>, all: ReadonlyMap<string, unknown>): string | undefined {
  const value = found.stack?.value
  if (typeof value === 'string') return value.includes('\n') ? value.trimEnd() : undefined
  if (!Array.isArray(value) || value.length === 0) return undefined
  if (value.every(line => typeof line === 'string')) return value.join('\n')
  const frames = value.map(frameText).filter(text => text !== '')
  const head = `${found.kind?.value ?? 'Error'}: ${found.reason?.value ?? all.get('message') ?? ''}`
  return frames.length === 0 ? undefined : /^\S+: /.test(frames[0]) ? frames.join('\n') : `${head}\n${frames.join('\n')}`
}

function frameText(frame: unknown): string {
  if (frame === null || typeof frame !== 'object') return typeof frame === 'string' ? frame : ''
  const of = frame as Record<string, unknown>
  const kind = of.exc_type ?? of.type ?? of.className ?? of.class
  if (Array.isArray(of.frames) || Array.isArray(of.stacktrace) || of.exc_type !== undefined)
    return [
      `${kind ?? 'Error'}: ${of.exc_value ?? of.value ?? of.message ?? ''}`,
      ...((of.frames ?? of.stacktrace ?? []) as unknown[]).map(frameText),
    ].join('\n')
  const where = of.filename ?? of.fileName ?? of.file
  const what = [of.class ?? of.className ?? of.module, of.method ?? of.methodName ?? of.function ?? of.name]
    .filter(Boolean)
    .join('.')
  const line = of.lineno ?? of.lineNumber ?? of.line
  return what === '' && where === undefined
    ? ''
    : `    at ${what || '?'} (${where ?? '?'}${line === undefined ? '' : `:${line}`})`
}

/** A template of Serilog, NLog and the like with the values of its properties in place. */
function rendered(text: string, key: string, all: ReadonlyMap<string, unknown>): string {
  if (!text.includes('{') || !/mt$|template$|originalformat\}$|^Message$/i.test(key)) return text
  return text.replace(/\{[@$]?([\w.]{1,64})(?:,-?\d+)?(?::[^{}]{0,64})?\}/g, (whole, name: string) => {
    const value = all.get(name) ?? all.get(`Properties.${name}`) ?? all.get(`properties.${name}`) ?? all.get(`State.${name}`)
    return value === undefined ? whole : typeof value === 'string' ? value : JSON.stringify(value)
  })
}

const METHOD = [
  'method',
  'request_method',
  'RequestMethod',
  'request.method',
  'http.request.method',
  'http.method',
  'httpRequest.requestMethod',
  'verb',
  'req.method',
  'ClientRequestMethod',
]
const PATH = [
  'path',
  'uri',
  'url',
  'RequestPath',
  'request_uri',
  'request.uri',
  'requestURI',
  'url.path',
  'http.url',
  'http.target',
  'httpRequest.requestUrl',
  'req.url',
  'ClientRequestURI',
  'request.path',
  'x_path',
]

/** "GET /path", where the fields are of a request. */
function requestOf(all: ReadonlyMap<string, unknown>): string | undefined {
  const method = textAt(all, METHOD)
  const path = method === undefined ? undefined : textAt(all, PATH)
  return path === undefined ? undefined : `${method} ${path}`
}

function textAt(all: ReadonlyMap<string, unknown>, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = all.get(key)
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

/** No field is a message: a request is told by what was asked and answered, anything else by the error, action or operation it names. */
function bodyless(all: ReadonlyMap<string, unknown>, found: Partial<Record<Role, Found>>, rest: string): string {
  const request =
    requestOf(all) ?? (found.status === undefined ? undefined : textAt(all, ['request', 'http_request', 'requestLine']))
  if (request !== undefined) return found.status === undefined ? request : `${request} ${found.status.value}`
  const action = textAt(all, [
    'eventName',
    'operationName',
    'action',
    'event.action',
    'protoPayload.methodName',
    'operation',
    'type',
    'name',
  ])
  const reason = found.reason?.value
  if (reason !== undefined) return action === undefined || action === nameOf(all) ? String(reason) : `${action}: ${reason}`
  const code = textAt(all, ['errorCode', 'resultType', 'outcome', 'result'])
  if (action === undefined || (found.service === undefined && found.time === undefined)) return rest
  return code === undefined ? action : `${action}: ${code}`
}

/** Objects inside become dotted keys, to a depth of four. */
export function flatten(value: Record<string, unknown>, prefix: string, depth: number, into: Map<string, unknown>): void {
  for (const key in value) {
    if (into.size >= 2 * MAX_FIELDS) return
    const inner = value[key]
    if (inner !== null && typeof inner === 'object' && !Array.isArray(inner) && depth < 4)
      flatten(inner as Record<string, unknown>, `${prefix}${key}.`, depth + 1, into)
    else into.set(prefix === '' ? key : prefix + key, inner)
  }
}
