/** Formats that users add: a name, a pattern with named groups, and lines that show what must come of it. */
import { byPattern, type Format } from './formats/format.ts'
import { parseLine } from './parse-line.ts'
import { type Severity, severities, severityNamed } from './severity.ts'

type Loose = Readonly<Record<string, unknown>>
const GROUPS = 'time, level, body, service, host, trace_id, span_id, status, writer'
const CHECKED = ['body', 'severity', 'service', 'host', 'traceId', 'format'] as const

/**
 * Reads `{ formats: [{ name, pattern, wraps?, levels?, examples }] }`. Each example is `{ line, … }` with any of time (ISO 8601), severity, body,
 * service, host; all are tried, so that a pattern which does not do what it should is refused before it reads anything.
 *
 * @throws Error that names the format, what is wrong and what to do
 */
export function userFormats(settings: unknown): readonly Format[] {
  const list = (settings as Loose | null)?.formats
  if (!Array.isArray(list)) throw new Error('has no list "formats"; write "formats:" and under it "- name: …" and "pattern: …"')
  const formats = list.map((entry, i) => formatOf((entry ?? {}) as Loose, i))
  for (const [i, format] of formats.entries()) check(format, formats, (list[i] as Loose).examples)
  return formats
}

function formatOf(entry: Loose, i: number): Format {
  const { name, pattern, wraps, levels } = entry
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name))
    throw new Error(`format ${i + 1} has no name; give it one of letters, digits, "-" and "_"`)
  if (typeof pattern !== 'string')
    throw new Error(`format ${name} has no pattern; give it a regular expression with named groups: ${GROUPS}`)
  let compiled: RegExp
  try {
    compiled = new RegExp(pattern.startsWith('^') ? pattern : `^(?:${pattern})`)
  } catch (error) {
    throw new Error(`format ${name}: the pattern is no regular expression: ${(error as Error).message}`)
  }
  if (!/\(\?<\w+>/.test(pattern))
    throw new Error(`format ${name}: the pattern names no group; known are ${GROUPS}, any other becomes an attribute`)
  const words = new Map<string, Severity>()
  for (const [word, level] of Object.entries((levels ?? {}) as Loose)) {
    const severity = severityNamed(level)
    if (severity === undefined)
      throw new Error(
        `format ${name}: level ${word} stands for ${String(level)}, which is none; take one of ${severities.join(', ')}`,
      )
    words.set(word, severity)
  }
  const parse = byPattern(compiled, word => words.get(word) ?? severityNamed(word))
  return { name, parse, ...(wraps === true ? { wraps: true } : {}), examples: [] }
}

function check(format: Format, formats: readonly Format[], examples: unknown): void {
  if (examples === undefined) return
  if (!Array.isArray(examples)) throw new Error(`format ${format.name}: examples are no list; write "- line: …" for each`)
  for (const example of examples as Loose[]) {
    const line = String(example.line)
    const read = parseLine(line, { formats })
    if (!read.format.split(' ').includes(format.name))
      throw new Error(`format ${format.name} does not match its example: ${line}`)
    const got: Loose = { ...read, time: read.timeUs === undefined ? undefined : read.timeUs / 1000 }
    for (const key of [...CHECKED, 'time'] as const) {
      if (example[key] === undefined) continue
      const right = key === 'time' ? Date.parse(String(example[key])) : example[key]
      if (got[key] !== right)
        throw new Error(
          `format ${format.name}: ${key} of its example is ${show(key, got[key])}, not ${show(key, right)}: ${line}`,
        )
    }
  }
}
const show = (key: string, value: unknown): string =>
  value === undefined ? 'missing' : key === 'time' ? new Date(value as number).toISOString() : String(value)
