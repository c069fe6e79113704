import type { LineHints, ParsedLine } from '../parse-line.ts'
import { ofStatus, type Severity, severityNamed } from '../severity.ts'
import { type ReadTimestamp, stampOf } from '../timestamps.ts'

export type FormatParser = (text: string, hints: LineHints) => ParsedLine | undefined

/** A format of log lines: how it is told and read, and lines with what is right for them, which one test holds all formats against. */
export interface Format {
  readonly name: string
  /** Characters that its lines begin with; any, when left out. */
  readonly first?: string
  /** What it carries is a line of a format of its own. */
  readonly wraps?: boolean
  /** Takes a clean line, and returns nothing when the line is not of its kind. */
  readonly parse: FormatParser
  readonly examples: readonly Example[]
}
/** A line, and the part of its reading that must come out; a time as ISO 8601. */
export type Example = readonly [line: string, right: Partial<Omit<ParsedLine, 'timeUs'>> & { readonly time?: string }]

export const DIGITS = '0123456789'
export const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
export const LETTERS = `${CAPITALS}abcdefghijklmnopqrstuvwxyz`

/**
 * Reads a line by a pattern with named groups: time, level, body (else what follows the match), service, host, trace, span; status, when no level
 * is known; writer, which tells apart whose lines belong together; any other group is an attribute of that name ("-" is none).
 * A time or level that is there and cannot be read means another format.
 */
export function byPattern(pattern: RegExp, levelOf: (word: string) => Severity | undefined = severityNamed): FormatParser {
  return (text, hints) => {
    const m = pattern.exec(text)
    if (m === null) return undefined
    const groups = m.groups ?? {}
    let stamp: ReadTimestamp | undefined
    let severity: Severity | undefined
    const known: Record<string, string> = {}
    const fields: Record<string, string> = {}
    for (const key in groups) {
      const value = groups[key]
      if (value === undefined || value === '' || (value === '-' && key !== 'body')) continue
      if (key === 'time') {
        stamp = stampOf(value, hints)
        if (stamp === undefined) return undefined
      } else if (key === 'level') {
        severity = levelOf(value)
        if (severity === undefined) return undefined
      } else if (KNOWN.has(key)) known[KNOWN.get(key) as string] = value
      else fields[key] = value
    }
    if (severity === undefined && fields.status !== undefined) severity = ofStatus(Number(fields.status))
    return {
      body: text.slice(m.index + m[0].length),
      ...known,
      ...(stamp === undefined ? {} : { timeUs: stamp.timeUs, zoned: stamp.zoned }),
      ...(severity === undefined ? {} : { severity }),
      fields,
      format: '',
    }
  }
}
const KNOWN = new Map([
  ['body', 'body'],
  ['message', 'body'],
  ['service', 'service'],
  ['host', 'host'],
  ['trace', 'traceId'],
  ['trace_id', 'traceId'],
  ['span', 'spanId'],
  ['span_id', 'spanId'],
  ['writer', 'writer'],
  ['exception', 'exception'],
])
