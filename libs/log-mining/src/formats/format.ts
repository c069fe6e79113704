import type { FormatParser } from '../parsed-line.ts'
import { ofStatus, type Severity, severityNamed } from '../severity.ts'
import { type ReadTimestamp, stampOf } from '../timestamps.ts'

export type { Example, Format, FormatParser } from '../parsed-line.ts'

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
