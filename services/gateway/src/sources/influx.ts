import { wrongTime } from '../otlp/shape.ts'
import type { TaggedValue } from './tagged.ts'

/** Microseconds of one unit of a precision, in both versions' words. */
const PRECISIONS: Readonly<Record<string, number>> = {
  n: 1e-3,
  ns: 1e-3,
  u: 1,
  us: 1,
  µ: 1,
  ms: 1e3,
  s: 1e6,
  m: 60e6,
  h: 3600e6,
}
export const precisionOf = (name = 'ns'): number | undefined => PRECISIONS[name]

export interface InfluxLines {
  readonly values: readonly TaggedValue[]
  /** Lines left out, from 1, with the reason. */
  readonly bad: readonly { readonly line: number; readonly reason: string }[]
}
/** Counters since the start, as Telegraf's inputs send them. */
const ADDS_UP = /^(?:net|diskio)\.(?!.*(?:speed|io_util|io_await|io_svctm|iops_in_progress))|(?:_total|\.counter)$/

/**
 * InfluxDB's line protocol, `measurement,tag=value field=1,other=2i time`. Every field that is a number or a truth value is one of `measurement.field` (a field
 * called value is the measurement itself); texts are left aside. A line that cannot be read costs no other.
 * @see https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
 */
export function readInfluxLines(text: string, microsecondsPerUnit: number, now: number): InfluxLines {
  const values: TaggedValue[] = []
  const bad: { line: number; reason: string }[] = []
  for (const { line, number } of linesOf(text)) {
    const read = readLine(line, microsecondsPerUnit, now)
    if (typeof read === 'string') bad.push({ line: number, reason: read })
    else values.push(...read)
  }
  return { values, bad }
}

/** A quoted text may hold line ends; one that is never closed ends with its line, and costs no other. */
function* linesOf(text: string): Generator<{ line: string; number: number }> {
  let [start, number, first, quoted] = [0, 1, 1, false]
  const cut = function* (end: number) {
    const line = text.slice(start, end).trim()
    if (line !== '' && !line.startsWith('#')) yield { line, number: first }
  }
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 92 && text.charCodeAt(i + 1) !== 10) i++
    else if (c === 34 && (quoted || text[i - 1] === '=')) quoted = !quoted
    else if (c === 10) {
      number++
      if (quoted && text.indexOf('"', i) >= 0) continue
      yield* cut(i)
      start = i + 1
      first = number
      quoted = false
    }
  }
  yield* cut(text.length)
}
const unescaped = (text: string): string => text.replace(/\\([,= \\"])/g, '$1')

/** Splits at a character that is neither escaped nor, where texts may stand, within quotes. */
const split = (text: string, at: string, quotes: boolean): string[] => {
  const parts: string[] = []
  let [part, quoted] = ['', false]
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '\\' && i + 1 < text.length) part += c + text[++i]
    else if (quotes && c === '"') {
      quoted = !quoted
      part += c
    } else if (c === at && !quoted) {
      parts.push(part)
      part = ''
    } else part += c
  }
  return [...parts, part]
}

function readLine(line: string, unit: number, now: number): TaggedValue[] | string {
  const [head, fields, stamp, ...more] = split(line, ' ', true).filter((part, i) => part !== '' || i === 0)
  if (head === '' || head === undefined || head.startsWith(',')) return 'has no measurement'
  if (fields === undefined) return 'has no fields'
  if (more.length > 0) return `${more[0].slice(0, 40)} stands behind the time; escape blanks of names with \\`
  let time = now
  if (stamp !== undefined) {
    if (!/^-?\d+$/.test(stamp)) return `${stamp.slice(0, 40)} is no time`
    time = Math.floor(Number(stamp) * unit)
    const wrong = wrongTime(time, now, stamp, 'in the precision of the request, nanoseconds by default,')
    if (wrong) return wrong
  }
  const [measurement, ...pairs] = split(head, ',', false)
  const tags: Record<string, string> = {}
  for (const pair of pairs) {
    const [key, value, ...rest] = split(pair, '=', false)
    if (!key || !value || rest.length > 0) return `${pair.slice(0, 40)} is no tag=value`
    tags[unescaped(key)] = unescaped(value)
  }
  const values: TaggedValue[] = []
  for (const pair of split(fields, ',', true)) {
    const [key, given, ...rest] = split(pair, '=', true)
    if (!key || given === undefined || given === '' || rest.length > 0) return `${pair.slice(0, 40)} is no field=value`
    const value = numberOf(given)
    if (value === undefined) return `${pair.slice(0, 40)}: the value is neither a number nor true, false or a text in quotes`
    if (value === null) continue
    const field = unescaped(key)
    const full = field === 'value' ? unescaped(measurement) : `${unescaped(measurement)}.${field}`
    const isCounter = ADDS_UP.test(full)
    const name = field === 'counter' || field === 'gauge' ? unescaped(measurement) : full
    values.push({ name, type: isCounter ? 'counter' : 'gauge', unit: '', value, tags, time })
  }
  return values
}
/** Null for a text. */
const numberOf = (text: string): number | null | undefined => {
  if (text.startsWith('"')) return text.length > 1 && text.endsWith('"') ? null : undefined
  if (/^(?:t|true)$/i.test(text)) return 1
  if (/^(?:f|false)$/i.test(text)) return 0
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[iu]?$/i.test(text)) return undefined
  const value = Number(text.replace(/[iu]$/, ''))
  return Number.isFinite(value) ? value : undefined
}
