/** Access logs: they have no level of their own, so the status of the answer says how bad it was. */
import { ofStatus, type Severity } from '../severity.ts'
import { readTimestamp, stampOf } from '../timestamps.ts'
import { byPattern, DIGITS, type Format } from './format.ts'

const COMMON =
  /^(?:(\S{1,255}(?::\d{1,5})?) )?(\S{1,255}) (\S{1,64}) (\S{1,128}) \[([^\]]{20,40})\] "(?:([A-Z]{3,10}) (\S{1,4096}?)(?: (HTTP\/[\d.]+))?|([^"]{0,4096}))" (\d{3}) (\d+|-)(?: "([^"]{0,4096})" "([^"]{0,1024})")?/
/** The common and combined forms of Apache, nginx, Caddy, Traefik and many more, with a virtual host in front or without. */
export const common: Format = {
  name: 'access',
  parse(text, hints) {
    if (text.indexOf('] "') < 0) return undefined
    const m = COMMON.exec(text)
    if (m === null) return undefined
    const stamp = readTimestamp(m[5], 0, hints)
    if (stamp === undefined || Number.isNaN(stamp.timeUs)) return undefined
    const fields: Record<string, string> = { client: m[2], status: m[10], bytes: m[11] }
    if (m[1] !== undefined) fields.vhost = m[1]
    if (m[6] !== undefined) fields.method = m[6]
    if (m[7] !== undefined) fields.path = m[7]
    if (m[4] !== '-') fields.user = m[4]
    if (m[12] !== undefined && m[12] !== '-') fields.referer = m[12]
    if (m[13] !== undefined && m[13] !== '-') fields.agent = m[13]
    return {
      body: m[6] === undefined ? `${m[9]} ${m[10]} ${m[11]}` : `${m[6]} ${m[7]} ${m[10]} ${m[11]}`,
      timeUs: stamp.timeUs,
      zoned: stamp.zoned,
      severity: ofStatus(Number(m[10])),
      fields,
      format: '',
    }
  },
  examples: [
    [
      '192.0.2.7 - - [02/Jan/2026:03:04:05 +0000] "GET /cart HTTP/1.1" 200 512 "-" "curl/8.5"',
      { format: 'access', severity: 'INFO', body: 'GET /cart 200 512', time: '2026-01-02T03:04:05.000Z' },
    ],
    [
      '192.0.2.7 - alice [02/Jan/2026:03:04:05 +0000] "POST /orders HTTP/2.0" 502 166',
      {
        severity: 'ERROR',
        fields: { client: '192.0.2.7', status: '502', bytes: '166', method: 'POST', path: '/orders', user: 'alice' },
      },
    ],
    ['shop.example.org:443 192.0.2.7 - - [02/Jan/2026:03:04:05 +0000] "GET /x HTTP/1.1" 404 5', { severity: 'WARN' }],
  ],
}

const REQUEST = /"(?:([A-Z]{3,10}) (\S{1,4096}) )?HTTP\/[\d.]{1,3}" (\d{3})\b/
const LEVELLED = /\b(?:TRACE|DEBUG|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL)\b/
/** A quoted request with the status behind it, in whatever surroundings: Envoy, uvicorn, Django, gunicorn and the like. */
export const request: Format = {
  name: 'request',
  parse(text, hints) {
    const http = text.indexOf(' HTTP/')
    if (http < 4) return undefined
    const m = REQUEST.exec(text)
    if (m === null || m[1] === undefined) return undefined
    const head = text.slice(0, m.index)
    if (LEVELLED.test(head)) return undefined
    let stamp = readTimestamp(text, text.charCodeAt(0) === 91 ? 1 : 0, hints)
    if (stamp === undefined) {
      const open = head.lastIndexOf('[')
      stamp = open < 0 ? undefined : readTimestamp(text, open + 1, hints)
    }
    const status = Number(m[3])
    const after = text.slice(m.index + m[0].length)
    return {
      body: `${m[1]} ${m[2]} ${m[3]}${after}`,
      ...(stamp === undefined || Number.isNaN(stamp.timeUs) ? {} : { timeUs: stamp.timeUs, zoned: stamp.zoned }),
      severity: ofStatus(status),
      fields: { method: m[1], path: m[2], status: m[3], header: head.trim() },
      format: '',
    }
  },
  examples: [
    [
      '[2026-01-02T03:04:05.100Z] "GET /pay HTTP/1.1" 503 UF upstream_reset - "-" 0 91 12 - "-" "curl/8.1"',
      { severity: 'ERROR', time: '2026-01-02T03:04:05.100Z' },
    ],
    ['INFO:     192.0.2.7:51234 - "GET /error HTTP/1.1" 200 OK', { severity: 'INFO', body: 'GET /error 200 OK' }],
    ['[02/Jan/2026 03:04:05] "GET /x HTTP/1.1" 404 145', { severity: 'WARN', time: '2026-01-02T03:04:05.000Z' }],
  ],
}

/** Envoy, where no request came to be: status 0, and flags that tell why ("DC" is that the client went away). */
const envoyOf = byPattern(
  /^\[(?<time>\d{4}-\d{2}-\d{2}T[^\]]{8,20})\] "(?<request>[^"]{0,4096})" (?<code>\d{1,3}) (?<flags>[A-Z]{2,5}(?:,[A-Z]{2,5}){0,8}|-) /,
)
export const envoy: Format = {
  name: 'envoy',
  first: '[',
  parse(text, hints) {
    const read = envoyOf(text, hints)
    if (read === undefined) return undefined
    const { request: asked, code, flags } = read.fields
    const status = Number(code)
    const severity = status === 0 && flags !== undefined ? (flags === 'DC' ? 'WARN' : 'ERROR') : ofStatus(status)
    return { ...read, severity, body: `${asked.replace(/ HTTP\/[\d.]+$/, '')} ${code} ${flags ?? '-'} ${read.body}` }
  },
  examples: [
    [
      '[2026-01-02T03:04:05.100Z] "- - -" 0 UH - - "-" 0 0 0 - "-" "-" "-" "-" "-"',
      { format: 'envoy', severity: 'ERROR', time: '2026-01-02T03:04:05.100Z' },
    ],
    [
      '[2026-01-02T03:04:05.100Z] "GET /pay HTTP/1.1" 503 UF upstream_reset - "-" 0 91 12 - "-" "curl/8.1"',
      { severity: 'ERROR' },
    ],
    ['[2026-01-02T03:04:05.100Z] "GET /pay HTTP/1.1" 200 - via_upstream - "-" 0 91 12', { severity: 'INFO' }],
  ],
}

/** Gin for Go. */
const ginOf = byPattern(
  /^\[GIN\] (?<day>\d{4}\/\d{2}\/\d{2}) - (?<clock>\d{2}:\d{2}:\d{2}) \| *(?<status>\d{3}) \| *(?<took>\S+) \| *(?<client>\S+) \| (?<method>[A-Z]{3,10}) +"(?<path>[^"]{1,4096})"/,
)
export const gin: Format = {
  name: 'gin',
  first: '[',
  parse(text, hints) {
    const read = text.startsWith('[GIN]') ? ginOf(text, hints) : undefined
    if (read === undefined) return undefined
    const { day, clock, ...fields } = read.fields as Record<string, string>
    const timeUs = stampOf(`${day} ${clock}`, hints)?.timeUs
    return {
      ...read,
      fields,
      body: `${fields.method} ${fields.path} ${fields.status}`,
      ...(timeUs === undefined ? {} : { timeUs, zoned: false }),
    }
  },
  examples: [
    [
      '[GIN] 2026/01/02 - 03:04:05 | 500 |     1.2ms |       192.0.2.7 | GET      "/pay"',
      { format: 'gin', severity: 'ERROR', body: 'GET /pay 500', time: '2026-01-02T03:04:05.000Z' },
    ],
  ],
}

const ANSWER =
  /^(?:\[[^\]]{1,80}\] )?(?:(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (?:\/|https?:\/)\S{0,4096} (?:HTTP\/[\d.]+ )?|Completed )([1-5]\d\d)\b/
/** How an answered request went, where a text is one: "GET /path 500 12 ms", "Completed 500 …", or one in quotes somewhere in it. */
export function answerIn(body: string): Severity | undefined {
  const c = body.charCodeAt(0)
  // G, P, D, H, O, C or a bracket
  const m = c === 71 || c === 80 || c === 68 || c === 72 || c === 79 || c === 67 || c === 91 ? ANSWER.exec(body) : null
  const status = m?.[1] ?? (body.indexOf(' HTTP/') > 0 ? REQUEST.exec(body)?.[3] : undefined)
  return status === undefined || status < '400' ? undefined : ofStatus(Number(status))
}

/** HAProxy, HTTP and TCP: a termination state that begins with no "-" is how a session broke off. */
const HAPROXY =
  /^(?<client>\S{1,64}:\d{1,5}) \[(?<time>\d{2}\/[A-Z][a-z]{2}\/\d{4}:[\d:.]{8,12})\] (?<frontend>\S{1,128}) (?<backend>[^\s/]{1,128})\/(?<server>\S{1,128}) (?<timers>[-+\d/]{3,64}) (?:(?<status>\d{3}|-1) )?(?<bytes>\+?\d+) (?:\S+ \S+ )?(?<state>[A-Za-z-]{2,4}) (?<body>[\d/+ ]{5,64}.*)$/
const haproxyOf = byPattern(HAPROXY)
export const haproxy: Format = {
  name: 'haproxy',
  first: `${DIGITS}abcdef[:`,
  parse(text, hints) {
    if (text.indexOf('] ') < 0) return undefined
    const read = haproxyOf(text, hints)
    if (read === undefined) return undefined
    const { status, state, backend, server } = read.fields
    const quoted = /"([A-Z]{3,10} \S+)[^"]*"?/.exec(text)?.[1]
    const broken = state !== undefined && state[0] !== '-'
    const severity =
      status === '-1' || (status === undefined && broken)
        ? state?.startsWith('C')
          ? 'WARN'
          : 'ERROR'
        : ofStatus(Number(status ?? 200))
    return {
      ...read,
      severity,
      body: `${quoted ?? 'connection'} ${status ?? ''} ${state} ${backend}/${server}`.replace(/ {2,}/g, ' '),
    }
  },
  examples: [
    [
      '192.0.2.7:50234 [02/Jan/2026:03:04:05.001] front back/s1 0/0/1/-1/3003 504 194 - - sH-- 12/12/3/1/0 0/0 "GET /pay HTTP/1.1"',
      { severity: 'ERROR', body: 'GET /pay 504 sH-- back/s1' },
    ],
    [
      '192.0.2.7:33317 [02/Jan/2026:03:04:05.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0',
      { severity: 'INFO', format: 'haproxy' },
    ],
  ],
}

/** Load balancers of AWS: application, and classic with the time in front. */
export const balancer: Format = {
  name: 'balancer',
  first: `${DIGITS}hwg`,
  parse(text, hints) {
    const read = balancerOf(text, hints)
    return read === undefined
      ? undefined
      : { ...read, body: `${read.body.replace(/ HTTP\/[\d.]+$/, '')} ${read.fields.status ?? '-'}` }
  },
  examples: [
    [
      'https 2026-01-02T03:04:05.186641Z app/front/50dc6c495c0c9188 192.0.2.7:2817 - -1 -1 -1 503 - 34 366 "GET https://shop.example.org:443/ HTTP/1.1" "curl" - -',
      { severity: 'ERROR', format: 'balancer', time: '2026-01-02T03:04:05.186Z' },
    ],
    [
      '2026-01-02T03:04:05.943958Z front 192.0.2.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://shop.example.org:80/ HTTP/1.1" "curl/7" - -',
      { severity: 'INFO' },
    ],
  ],
}
const balancerOf = byPattern(
  /^(?:(?:https?|h2|wss?|grpcs?) )?(?<time>\d{4}-\d{2}-\d{2}T[\d:.]{8,15}Z) (?<balancer>\S{1,128}) (?<client>\S{1,64}:\d{1,5}) (?<target>\S{1,64}:\d{1,5}|-) (?:-?[\d.]+ ){3}(?<status>\d{3}|-) (?:\d{3}|-) \d+ \d+ "(?<body>[^"]{1,4096})"/,
)

/** W3C extended: IIS, and CloudFront with tabs. */
const W3C =
  /^(?<time>\d{4}-\d{2}-\d{2}[ \t]\d{2}:\d{2}:\d{2})[ \t](?:\S+[ \t]){1,5}?(?<method>GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND)[ \t](?:[a-z0-9.-]+\.[a-z]{2,}[ \t])?(?<path>\/\S*)[ \t](?:(?=[1-5]\d\d[ \t])|(?:\S+[ \t]){1,9}?)(?<status>[1-5]\d\d)(?=[ \t](?:\d+[ \t]\d+(?:[ \t]|$)|\S+\t))/
const w3cOf = byPattern(W3C)
export const w3c: Format = {
  name: 'w3c',
  first: DIGITS,
  parse(text, hints) {
    const read = w3cOf(text.charCodeAt(10) === 9 ? `${text.slice(0, 10)} ${text.slice(11)}` : text, hints)
    return read === undefined ? undefined : { ...read, body: `${read.fields.method} ${read.fields.path} ${read.fields.status}` }
  },
  examples: [
    [
      '2026-01-02 03:04:05 10.0.0.1 GET /pay - 443 - 192.0.2.7 Mozilla/5.0+(X11) - 500 0 64 15',
      { severity: 'ERROR', body: 'GET /pay 500', format: 'w3c', time: '2026-01-02T03:04:05.000Z' },
    ],
    [
      '2026-01-02\t03:04:05\tFRA2\t182\t192.0.2.7\tGET\td1.cloudfront.example.net\t/pay\t502\t-\tcurl\t-\t-\tError',
      { severity: 'ERROR', body: 'GET /pay 502' },
    ],
  ],
}

/** Squid's own form: epoch, milliseconds, client, result/status. */
export const squid: Format = {
  name: 'squid',
  first: '12',
  parse: byPattern(
    /^(?<time>\d{10}\.\d{3}) +\d+ (?<client>\S{1,64}) (?<result>[A-Z_]{3,40})\/(?<status>\d{3}) (?<bytes>\d+) (?<body>.*)$/,
  ),
  examples: [
    [
      '1767322800.243    187 192.0.2.7 TCP_MISS/503 4012 GET http://shop.example.org/ - HIER_NONE/- text/html',
      { severity: 'ERROR', time: '2026-01-02T03:00:00.243Z' },
    ],
  ],
}

const APACHE_ERROR =
  /^\[((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [^\]]{15,40})\] \[(?:([\w-]+):)?(\w+)\] (?:\[pid (\d+)(?::tid \d+)?\] )?(?:\[client ([^\]]{1,64})\] )?/
const apacheOf = byPattern(
  new RegExp(
    APACHE_ERROR.source
      .replace('((?:Mon', '(?<time>(?:Mon')
      .replace('([\\w-]+):', '(?<module>[\\w-]+):')
      .replace('(\\w+)\\]', '(?<level>\\w+)\\]')
      .replace('pid (\\d+)', 'pid (?<pid>\\d+)')
      .replace('client ([^', 'client (?<client>[^'),
  ),
)
const nginxOf = byPattern(/^(?<time>\d{4}\/\d{2}\/\d{2} \d{2}:\d{2}:\d{2}) \[(?<level>\w+)\] (?<pid>\d+)#\d+: (?:\*\d+ )?/)
/** Error logs of Apache httpd and nginx. */
export const serverError: Format = {
  name: 'server-error',
  first: '[12',
  parse: (text, hints) =>
    text.charCodeAt(0) === 91 ? apacheOf(text, hints) : text.charCodeAt(4) === 47 ? nginxOf(text, hints) : undefined,
  examples: [
    [
      '2026/01/02 03:04:05 [emerg] 12#12: *1 bind() to 0.0.0.0:80 failed',
      { format: 'server-error', severity: 'CRITICAL', body: 'bind() to 0.0.0.0:80 failed' },
    ],
    [
      '[Fri Jan 02 03:04:05.123456 2026] [proxy:error] [pid 7:tid 9] [client 192.0.2.7:5000] AH01114: failed',
      {
        severity: 'ERROR',
        body: 'AH01114: failed',
        time: '2026-01-02T03:04:05.123Z',
        fields: { module: 'proxy', pid: '7', client: '192.0.2.7:5000' },
      },
    ],
  ],
}
