/** Syslog in both its forms (RFC 5424, RFC 3164), with the length in front that RFC 6587 puts there, and as journalctl prints it. */
import { MAX_FIELDS } from '../fields.ts'
import type { LineHints, ParsedLine } from '../parsed-line.ts'
import { ofSyslog } from '../severity.ts'
import { readTimestamp, stampOf } from '../timestamps.ts'
import { CAPITALS, DIGITS, type Format } from './format.ts'

const COUNT = /^\d{1,5} (?=<\d{1,3}>)/
const RFC5424 = /^<(\d{1,3})>\d{1,2} (\S{1,48}) (\S{1,255}) (\S{1,128}) (\S{1,128}) (\S{1,64}) ?/
const given = (value: string | undefined) => (value === undefined || value === '-' ? undefined : value)
export const syslog5424: Format = {
  name: 'syslog5424',
  wraps: true,
  first: `<${DIGITS}`,
  parse(line, hints) {
    const count = line.charCodeAt(0) === 60 ? null : COUNT.exec(line)
    if (line.charCodeAt(0) !== 60 && count === null) return undefined
    const text = count === null ? line : line.slice(count[0].length)
    const m = RFC5424.exec(text)
    if (m === null || Number(m[1]) > 191) return undefined
    const stamp = given(m[2]) === undefined ? undefined : stampOf(m[2], hints)
    if (stamp === undefined && given(m[2]) !== undefined) return undefined
    const priority = Number(m[1])
    const fields: Record<string, string> = { facility: String(priority >> 3) }
    if (given(m[5])) fields.pid = m[5]
    if (given(m[6])) fields.msgid = m[6]
    let at = m[0].length
    if (text.charCodeAt(at) === 45) at++
    else {
      while (text.charCodeAt(at) === 91) {
        const end = structuredData(text, at, fields)
        if (end < 0) break
        at = end
      }
    }
    return {
      body: text.slice(at).replace(/^ ?\ufeff?/, ''),
      ...(stamp === undefined ? {} : { timeUs: stamp.timeUs, zoned: stamp.zoned }),
      severity: ofSyslog(priority & 7),
      ...(given(m[4]) === undefined ? {} : { service: m[4] }),
      ...(given(m[3]) === undefined ? {} : { host: m[3] }),
      writer: `${m[3]} ${m[4]} ${m[5]}`,
      fields,
      format: '',
    }
  },
  examples: [
    [
      '<13>1 2026-01-02T03:04:05Z host7 app - - [meta seq="7"] started',
      { format: 'syslog5424', service: 'app', body: 'started', fields: { 'meta.seq': '7', facility: '1' } },
    ],
    ['<11>1 - - tool - - - it broke', { severity: 'ERROR', service: 'tool', body: 'it broke' }],
    [
      '58 <11>1 2026-01-02T03:04:05Z n tool 1 - [a b="\\"x\\] y"] it broke',
      { body: 'it broke', service: 'tool', time: '2026-01-02T03:04:05.000Z' },
    ],
    ['<14>1 2026-01-02T03:04:05Z n tool 1 - -', { body: '' }],
  ],
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

const TAG = /^([A-Za-z0-9_./@-]{1,64})(?:\(([\w-]{1,32})\))?(?:\[(\d{1,10})\])?: ?/
const CLASSIC = /^[A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:/
const SHORT_ISO =
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:?\d{2}) [\w.-]{1,255} [A-Za-z0-9_./@-]{1,64}\[\d{1,10}\]: /
function classic(line: string, hints: LineHints): ParsedLine | undefined {
  const count = line.charCodeAt(0) === 60 ? null : COUNT.exec(line)
  const text = count === null ? line : line.slice(count[0].length)
  const pri = text.charCodeAt(0) === 60 ? /^<(\d{1,3})>(?:1 )?/.exec(text) : null
  let start = pri === null ? 0 : pri[0].length
  // without a priority only the classic form and that of journalctl count, else any line with a date would
  if (pri === null && !CLASSIC.test(text) && !SHORT_ISO.test(text)) return undefined
  const stamp = readTimestamp(text, start, hints)
  if (stamp !== undefined && text.charCodeAt(stamp.end) === 58) start = stamp.end + 1
  else if (stamp !== undefined && text.charCodeAt(stamp.end) === 32) start = stamp.end
  else if (pri === null || stamp !== undefined) return undefined
  let rest = text.slice(start).trimStart()
  const withoutHost = TAG.exec(rest)
  const host = withoutHost === null && stamp !== undefined ? /^(\S{1,255}) /.exec(rest) : null
  if (host !== null) rest = rest.slice(host[0].length)
  const tag = TAG.exec(rest) ?? (pri === null ? /^([a-z][\w-]{0,31}) (?=[A-Z[])/.exec(rest) : null)
  const known = tag !== null && !/^(?:CEF|LEEF)$/.test(tag[1]) ? tag : null
  if (tag === null && pri === null) return undefined
  const fields: Record<string, string> = {}
  if (known?.[3] !== undefined) fields.pid = known[3]
  if (known?.[2] !== undefined) fields.module = known[2]
  return {
    body: known === null ? rest : rest.slice(known[0].length),
    ...(stamp === undefined || Number.isNaN(stamp.timeUs) ? {} : { timeUs: stamp.timeUs, zoned: stamp.zoned }),
    ...(pri === null ? {} : { severity: ofSyslog(Number(pri[1]) & 7) }),
    ...(known === null ? {} : { service: known[1] }),
    ...(host === null ? {} : { host: host[1] }),
    writer: `${host?.[1] ?? ''} ${known?.[1] ?? ''} ${known?.[3] ?? ''}`,
    fields,
    format: '',
  }
}
export const syslog: Format = {
  name: 'syslog',
  wraps: true,
  first: `<${CAPITALS}${DIGITS}`,
  parse: classic,
  examples: [
    [
      '<34>Jan  2 03:04:05 host7 su[412]: session opened for user root',
      { format: 'syslog', service: 'su', host: 'host7', severity: 'CRITICAL', body: 'session opened for user root' },
    ],
    [
      'Jan  2 03:04:05 host7 sshd[2212]: Accepted publickey for deploy',
      { service: 'sshd', body: 'Accepted publickey for deploy' },
    ],
    [
      '<12>2026-01-02T03:04:05.5+01:00 host7 app: slow',
      { service: 'app', severity: 'WARN', time: '2026-01-02T02:04:05.500Z', body: 'slow' },
    ],
    ['<12>app[7]: slow', { service: 'app', severity: 'WARN', body: 'slow' }],
    ['41 <12>Jan  2 03:04:05 host7 app[7]: slow', { service: 'app', severity: 'WARN', body: 'slow' }],
    [
      '2026-01-02T03:04:05+0100 host7 app[7]: ERROR no ink',
      { service: 'app', severity: 'ERROR', body: 'no ink', time: '2026-01-02T02:04:05.000Z' },
    ],
  ],
}

/** A collector's columns (label, epoch, date, node) before a line of syslog. */
export const collected: Format = {
  name: 'collected',
  wraps: true,
  parse(text, hints) {
    // the first colon is that of its clock
    const colon = text.indexOf(':')
    if (colon < 10 || colon > 150 || text.charCodeAt(colon + 3) !== 58 || text.charCodeAt(colon - 3) !== 32) return undefined
    const m = /^((?:[^\sa-z]\S{0,40}|-|[a-z]\S{0,20}\d\S{0,20}) ){1,6}(?=[A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:\d{2}:\d{2} \S)/.exec(
      text.length > 200 ? text.slice(0, 200) : text,
    )
    const inner = m === null ? undefined : classic(text.slice(m[0].length), hints)
    if (m === null || inner === undefined) return undefined
    const epoch = /(?:^| )(\d{10}) /.exec(m[0])
    const timeUs = (epoch === null ? undefined : stampOf(epoch[1], hints)?.timeUs) ?? inner.timeUs
    return { ...inner, ...(timeUs === undefined ? {} : { timeUs }), fields: { ...inner.fields, header: m[0].trim() } }
  },
  examples: [
    [
      '- 1767322800 2026.01.02 dn1 Jan 2 03:00:00 dn1/dn1 crond(pam_unix)[29]: session closed',
      { service: 'crond', time: '2026-01-02T03:00:00.000Z', format: 'collected' },
    ],
  ],
}

const CISCO = /%[A-Z0-9_]{2,32}(?:-[A-Z0-9_]{1,32}){0,3}-([0-7])-([A-Z0-9_]{1,64}): ?/
/** Cisco IOS, NX-OS and ASA: "%FACILITY-SEVERITY-MNEMONIC: text" behind a sequence number and a time, any of which may be missing. */
export const cisco: Format = {
  name: 'cisco',
  parse(text, hints) {
    const percent = text.indexOf('%')
    if (percent < 0 || percent > 120) return undefined
    const m = CISCO.exec(text)
    if (m === null || m.index > 120) return undefined
    const head = text.slice(0, m.index)
    const pri = /^(?:\d{1,5} )?<(\d{1,3})>/.exec(head)
    const start = /[*.]?(?=[A-Z][a-z]{2} {1,2}\d|\d{4} [A-Z]|\d{4}-)/.exec(head)
    const stamp = start === null ? undefined : readTimestamp(text, start.index + start[0].length, hints)
    const after = stamp === undefined ? head.slice(pri?.[0].length ?? 0) : head.slice(stamp.end)
    const host =
      /^(?: [A-Z]{3,4})? ?:? ?([A-Za-z][\w.-]{1,63}) ?:? ?(?::? ?)$/.exec(after)?.[1] ??
      /^.*?(?:^|\s)([A-Za-z][\w.-]{1,63}) \d*:? ?$/.exec(after)?.[1]
    return {
      body: text.slice(m.index + m[0].length),
      ...(stamp === undefined || Number.isNaN(stamp.timeUs) ? {} : { timeUs: stamp.timeUs, zoned: stamp.zoned }),
      severity: ofSyslog(Number(m[1])),
      ...(host === undefined ? {} : { host, service: host }),
      fields: { mnemonic: text.slice(m.index + 1, m.index + m[0].length).replace(/: ?$/, '') },
      format: '',
    }
  },
  examples: [
    [
      '<187>123: *Mar  1 10:00:00.123: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down',
      { severity: 'ERROR', body: 'Interface Gi0/1, changed state to down', format: 'cisco' },
    ],
    [
      '<166>Mar 01 2026 10:00:00 fw1 : %ASA-6-302013: Built outbound TCP connection',
      { severity: 'INFO', host: 'fw1', time: '2026-03-01T10:00:00.000Z' },
    ],
    [
      '2026 Mar  1 10:00:00 sw1 %ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface Ethernet1/7 is down',
      { severity: 'INFO', host: 'sw1', time: '2026-03-01T10:00:00.000Z' },
    ],
  ],
}
