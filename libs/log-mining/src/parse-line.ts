/**
 * One raw line, of whatever format, into body, time, severity, service and fields.
 *
 * Formats (formats/) are tried from the most to the least telling among those that can begin as the line does; wrappers (Docker JSON, CRI, syslog,
 * prefixes of pods) are taken off and what they wrap is parsed again. What is of no format is read as a usual header and text (header.ts).
 * ANSI colours and CR are removed, bytes that are no UTF-8 become U+FFFD, and a line beyond `maxLength` is cut with a mark.
 */
import { answerIn } from './formats/access.ts'
import { formatsFor } from './formats/all.ts'
import { plain } from './header.ts'
import type { Format, LineHints, ParsedLine } from './parsed-line.ts'

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
  const read = parseText(cleanLine(raw, hints.maxLength), hints, 0)
  // A server that logs all its requests at one level has not said how this one went.
  if (read.severity !== undefined && read.severity !== 'INFO') return read
  const answer = answerIn(read.body)
  return answer === undefined || (answer === 'WARN' && read.severity === 'INFO') ? read : { ...read, severity: answer }
}

function parseText(text: string, hints: LineHints, depth: number): ParsedLine {
  if (hints.formats !== undefined)
    for (const format of hints.formats) {
      const read = parseAs(format, text, hints, depth)
      if (read !== undefined) return read
    }
  for (const format of formatsFor(text.charCodeAt(0))) {
    const read = parseAs(format, text, hints, depth)
    if (read !== undefined) return read
  }
  const read = plain(text, hints)
  // A usual header before an object, as Fluentd and many collectors print it.
  if (read.bare !== true && depth < MAX_DEPTH && read.body.charCodeAt(read.body.length - 1) === 125) {
    const tag = read.body.charCodeAt(0) === 123 ? 0 : (/^[\w.*-]{1,64}: (?=\{")/.exec(read.body)?.[0].length ?? -1)
    if (tag < 0) return read
    const inner = parseText(read.body.slice(tag), hints, depth + 1)
    if (inner.format.startsWith('json')) return joined('plain', read, inner)
  }
  return read
}

function parseAs(format: Format, text: string, hints: LineHints, depth: number): ParsedLine | undefined {
  const { name } = format
  const outer = format.parse(text, hints)
  if (outer === undefined) return undefined
  if (depth >= MAX_DEPTH || outer.partial === true || outer.body === '')
    return outer.body === '' && format.wraps === true ? { ...outer, format: name, bare: true } : { ...outer, format: name }
  if (format.wraps !== true) {
    // An object without a level of its own may carry a whole line: CloudWatch, Fluent Bit, Docker's other drivers.
    if (name !== 'json' || outer.severity !== undefined || outer.body === text) return { ...outer, format: name }
    const inner = parseText(outer.body, hints, depth + 1)
    return inner.bare === true && inner.severity === undefined ? { ...outer, format: name } : joined(name, outer, inner)
  }
  return joined(
    name,
    outer,
    parseText(outer.body, hints.before === undefined ? hints : { ...hints, before: undefined }, depth + 1),
  )
}

/** How far apart two clocks can be that speak of the same moment, microseconds. */
const SAME_US = 420_000_000

/** The inner line says more about itself than its wrapper does; the wrapper's time counts where the inner one has none, or none that says in which zone it is. */
function joined(name: string, outer: ParsedLine, inner: ParsedLine): ParsedLine {
  const both: { -readonly [K in keyof ParsedLine]: ParsedLine[K] } = {
    ...outer,
    ...inner,
    fields: { ...outer.fields, ...inner.fields },
    format: inner.format === 'plain' && name !== 'json' ? name : `${name} ${inner.format}`,
  }
  if (outer.timeUs !== undefined && outer.zoned === true && inner.timeUs !== undefined && inner.zoned !== true)
    if (Math.abs(outer.timeUs - inner.timeUs) > SAME_US) {
      both.timeUs = outer.timeUs
      both.zoned = true
    }
  if (outer.writer !== undefined && inner.writer !== undefined) both.writer = `${outer.writer} ${inner.writer}`
  // "Error: x" is the text of the inner line, not its level, where the wrapper states one.
  if (inner.bare === true && outer.severity !== undefined) both.severity = outer.severity
  if (outer.opens === true && inner.bare === true) both.bare = undefined
  return both
}
