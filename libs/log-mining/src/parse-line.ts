/**
 * One raw line, of whatever format, into body, time, severity, service and fields.
 *
 * Formats are tried from the most to the least telling; wrappers (Docker JSON, CRI, syslog) are taken off and what they wrap is parsed again.
 * ANSI colours and CR are removed, bytes that are no UTF-8 become U+FFFD, and a line beyond `maxLength` is cut with a mark.
 */
import { formats } from './formats.ts'
import { leadingSeverity, type Severity, severityNamed } from './severity.ts'
import { readTimestamp, type TimestampHints } from './timestamps.ts'

export interface LineHints extends TimestampHints {
  /** Longest line kept, in characters. Default 65,536. */
  readonly maxLength?: number
}

export interface ParsedLine {
  readonly body: string
  readonly timeUs?: number
  readonly severity?: Severity
  readonly service?: string
  readonly host?: string
  readonly traceId?: string
  readonly spanId?: string
  readonly fields: Readonly<Record<string, string>>
  /** The formats recognised, outermost first: "cri json". */
  readonly format: string
  /** Part of a line that the container runtime split: more follows. */
  readonly partial?: boolean
}

export type FormatParser = (text: string, hints: LineHints) => ParsedLine | undefined

export const TRUNCATED = '…[truncated]'

const DECODER = new TextDecoder('utf-8', { fatal: false })
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it looks for
const ANSI = /\u001b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\u0007\u001b]{0,256}(?:\u0007|\u001b\\)|[@-Z\\-_])/g

/** Cleans the text: decoded, without colours and line ends, cut to length. */
export function cleanLine(raw: string | Uint8Array, maxLength = 65_536): string {
  let text = typeof raw === 'string' ? raw : DECODER.decode(raw.length > 4 * maxLength ? raw.subarray(0, 4 * maxLength) : raw)
  const cutBytes = typeof raw !== 'string' && raw.length > 4 * maxLength
  if (text.length > maxLength || cutBytes) {
    let end = Math.min(text.length, maxLength)
    const last = text.charCodeAt(end - 1)
    if (last >= 0xd800 && last <= 0xdbff) end-- // no half of a pair
    text = text.slice(0, end) + TRUNCATED
  }
  if (text.includes('\u001b')) text = text.replace(ANSI, '')
  if (text.includes('\u0000')) text = text.replaceAll('\u0000', '')
  let end = text.length
  while (end > 0 && (text.charCodeAt(end - 1) === 10 || text.charCodeAt(end - 1) === 13)) end--
  let start = 0
  if (text.charCodeAt(0) === 0xfeff) start = 1
  return start > 0 || end < text.length ? text.slice(start, end) : text
}

const MAX_DEPTH = 4

export function parseLine(raw: string | Uint8Array, hints: LineHints = {}): ParsedLine {
  return parseText(cleanLine(raw, hints.maxLength), hints, 0)
}

function parseText(text: string, hints: LineHints, depth: number): ParsedLine {
  for (const [name, parse] of formats) {
    const outer = parse(text, hints)
    if (outer === undefined) continue
    const wraps =
      name === 'docker' ||
      name === 'cri' ||
      name === 'syslog' ||
      name === 'syslog5424' ||
      name === 'klog' ||
      name === 'collected' ||
      name === 'logcat'
    if (!wraps || depth >= MAX_DEPTH || outer.partial === true || outer.body === '') return { ...outer, format: name }
    const inner = parseText(outer.body, hints, depth + 1)
    return joined(name, outer, inner)
  }
  return plain(text, hints)
}

/** The inner line says more about itself than its wrapper does; the wrapper's time counts where the inner one has none. */
function joined(name: string, outer: ParsedLine, inner: ParsedLine): ParsedLine {
  return {
    ...outer,
    ...inner,
    fields: { ...outer.fields, ...inner.fields },
    format: inner.format === 'plain' ? name : `${name} ${inner.format}`,
  }
}

const PID = /^(\d{1,10})(?: +\d{1,10})? +(?=[A-Z]{4,8} )/
const THREAD = /^\[([^[\]]{1,160})\] */
const LOGGER = /^([A-Za-z_$][\w$]*(?:\.[\w$]+)+|[A-Z][\w$]*)(?:\(\d+\))?(?::| -) /
const BRACKETED_SERVICE = /^\[([a-z][a-z0-9]*(?:-[a-z0-9]+)+)\] */

/** "2026-01-02 03:04:05,678 ERROR [thread] a.b.Logger: text" in the usual orders; anything else is all body. */
function plain(text: string, hints: LineHints): ParsedLine {
  const fields: Record<string, string> = {}
  let at = 0
  while (at < text.length && text.charCodeAt(at) === 32) at++
  const bracket = text.charCodeAt(at) === 91 ? 1 : 0
  const stamp = readTimestamp(text, at + bracket, hints)
  let rest = text
  let timeUs: number | undefined
  if (stamp !== undefined && (bracket === 0 || text.charCodeAt(stamp.end) === 93)) {
    timeUs = stamp.timeUs
    rest = text.slice(stamp.end + bracket)
    const columns = /^\|(?:[^|\s]{1,64}\|){1,6}/.exec(rest)
    if (columns !== null) fields.header = columns[0].slice(1, -1)
    rest = rest.slice(columns?.[0].length ?? 0).replace(/^[ \t:|,-]+/, '')
  }
  let severity: Severity | undefined
  let service: string | undefined
  const pid = timeUs === undefined ? null : PID.exec(rest)
  if (pid !== null) {
    fields.pid = pid[1] as string
    rest = rest.slice(pid[0].length)
  }
  for (let turn = 0; turn < 4; turn++) {
    const level = severity === undefined ? leadingSeverity(rest) : undefined
    if (level !== undefined) {
      const next = rest.slice(level.end).replace(/^[\]\s):>|,-]+/, '')
      if (next === '') break
      // "Error: x" without anything before it is the text itself; in a log header it is the level
      severity = level.severity
      if (timeUs === undefined && turn === 0 && !/^(?:\[[A-Z]{4,8}\]|<[A-Z]{4,8}>|[A-Z]{4,8}(?::| *\[| +-| *\|| {2}))/.test(rest))
        break
      rest = next
      continue
    }
    if (timeUs === undefined && severity === undefined) break
    const named = BRACKETED_SERVICE.exec(rest)
    if (named !== null && service === undefined) {
      service = named[1]
      rest = rest.slice(named[0].length)
      continue
    }
    const thread = THREAD.exec(rest)
    if (thread !== null && fields.thread === undefined && rest.length > thread[0].length && timeUs !== undefined) {
      fields.thread = thread[1] as string
      rest = rest.slice(thread[0].length)
      continue
    }
    const logger = LOGGER.exec(rest)
    if (
      logger !== null &&
      severity !== undefined &&
      fields.logger === undefined &&
      !/(?:Error|Exception)$/.test(logger[1] as string)
    ) {
      fields.logger = logger[1] as string
      rest = rest.slice(logger[0].length)
      continue
    }
    break
  }
  const late = severity === undefined ? levelInHeader(rest, timeUs, hints) : undefined
  if (late !== undefined) {
    rest = late.body
    severity = late.severity
    timeUs = late.timeUs
    fields.header = late.header
    const logger = LOGGER.exec(rest) ?? DOTTED.exec(rest)
    if (logger !== null) {
      fields.logger = logger[1] as string
      rest = rest.slice(logger[0].length)
    }
  }
  return {
    body: rest,
    ...(timeUs === undefined ? {} : { timeUs }),
    ...(severity === undefined ? {} : { severity }),
    ...(service === undefined ? {} : { service }),
    fields,
    format: 'plain',
  }
}

const LEVEL_WORD = /(?:^|[\s[])(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL)(?=[\s:\]])/
const DOTTED = /^([A-Za-z_][\w$-]*(?:\.[\w$-]+)+) /

/** A level further on in the line, with nothing but ids, names and times before it: that was the line's header. */
function levelInHeader(text: string, timeUs: number | undefined, hints: LineHints) {
  const m = LEVEL_WORD.exec(text.slice(0, 240))
  if (m === null) return undefined
  const header = text.slice(0, m.index)
  const words = header.split(' ')
  if (words.length > 12 || words.some(word => /^[a-z]{2,}[,.:;]?$/.test(word))) return undefined
  const body = text.slice(m.index + m[0].length).replace(/^[\]\s:>|-]+/, '')
  if (body === '') return undefined
  let time = timeUs
  for (let at = 0; time === undefined && at >= 0 && at < header.length; at = header.indexOf(' ', at) + 1 || -1) {
    time = readTimestamp(text, text.charCodeAt(at) === 91 ? at + 1 : at, hints)?.timeUs
  }
  return { header: header.trim(), body, severity: severityNamed(m[1]) as Severity, timeUs: time }
}
