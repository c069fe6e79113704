/**
 * Timestamps in the forms that logs use, as microseconds since the epoch.
 *
 * A form without a zone is taken as UTC unless the reader is told otherwise. A form without a year (syslog, klog) gets the year that puts it
 * nearest to when the line was observed, at most a day ahead of it; so do forms in which day, month and year stand in an order of their own
 * and more than one reading is a date. A time in 1970 is the zero of a clock that was never set, and no time. Every pattern is sticky and
 * bounded, so reading is linear.
 */
import { isWeekday, monthNamed, ZONES } from './calendar.ts'

export interface TimestampHints {
  /** When the line arrived; completes forms without a year. */
  readonly observedTimeUs?: number
  /** Minutes east of UTC for forms without a zone; of a place with summer time, by the local time in milliseconds. Default 0. */
  readonly zoneMinutes?: number | ((localMs: number) => number)
}

export interface ReadTimestamp {
  /** NaN where the form is known and no date in it: 1970, or a time of day alone. */
  readonly timeUs: number
  /** Index after the last character read. */
  readonly end: number
  /** The text says in which zone. */
  readonly zoned: boolean
}

const ZONE = `(?: ?((?:${Object.keys(ZONES).join('|')})(?![A-Za-z\\d_/])(?:[+-]\\d{1,2}(?::?\\d{2})?\\b)?|[+-]\\d{2}:?\\d{2}(?!\\d)(?: (?:${Object.keys(ZONES).join('|')})(?![A-Za-z\\d_/]))?|[+-]\\d{2}(?=[ \\]|,)"]|$))(?:\\[[A-Z][\\w/+-]{2,40}\\])?)?`
const HALF = '(?: ?([AaPp]\\.?[Mm]\\.?)(?![A-Za-z]))?'
const CLOCK = `(\\d{1,2}):(\\d{2})(?::(\\d{2}))?(?:[.,](\\d{1,9})|:(\\d{3})(?!\\d))?${HALF}${ZONE}`
/** Year first, with the clock in groups 4 to 10. */
const ISO = new RegExp(`(\\d{4})[-/.](\\d{1,2})[-/.](\\d{1,2})(?:[T_]|,? {1,2}|:)${CLOCK}`, 'y')
/** Day or month first, or the year in two digits. */
const SHORT = new RegExp(`(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})(?:T|,? {1,2}|:)${CLOCK}`, 'y')
const NAMED = new RegExp(
  `(\\d{1,2})(?:st|nd|rd|th|\\.)?[-/ ]([A-Za-zÀ-ÿ]{3,10})\\.?(?:[-/ ,]{1,2}(\\d{4})|[-/](\\d{2}))(?: at|,)?(?:[T:]|::| - | {1,2})${CLOCK}`,
  'y',
)
const NAMED_NO_YEAR = new RegExp(`(\\d{1,2})[- ]([A-Za-zÀ-ÿ]{3,10})\\.? {1,2}${CLOCK}`, 'y')
const YEAR_NAMED = new RegExp(`(\\d{4})[-/ ]([A-Za-zÀ-ÿ]{3,10})\\.?[-/ ] {0,1}(\\d{1,2})[ T:,]{1,2}${CLOCK}`, 'y')
const COMPACT = new RegExp(`(\\d{4})(\\d{2})(\\d{2})[T -]?(\\d{2}):?(\\d{2}):?(\\d{1,2})(?:[.,:](\\d{1,9}))?${ZONE}(?!\\d)`, 'y')
const NO_YEAR = new RegExp(`(\\d{2})[-/.](\\d{2})[ T]${CLOCK}`, 'y')
const PACKED = /(\d{2})(\d{2})(\d{2}) {1,2}(\d{1,2}):?(\d{2}):?(\d{2})(?:\.(\d{1,9}))?(?!\d)/y
const DOTTED = /(\d{4})-(\d{2})-(\d{2})-(\d{2})\.(\d{2})\.(\d{2})(?:\.(\d{1,9}))?/y
const EPOCH = /([12]\d{9})(?:[.,](\d{1,9})|(\d{3})|(\d{6})|(\d{9}))?(?![\d.:/-]|,\d)/y
const TIME_ONLY = /\d{1,2}:\d{2}(?::\d{2}(?:[.,:]\d{1,9})?(?: ?[AaPp][Mm]\b)?| ?[AaPp][Mm]\b)(?![\d:])/y
/** After a month's name: a day, perhaps a year, and the clock, perhaps with zone and year behind it. */
const AFTER_MONTH = new RegExp(
  `\\.? {1,2}(\\d{1,2})(?:st|nd|rd|th)?(?:,? (\\d{4})(?:,? at|,)?| at|,)? {1,2}${CLOCK}(?: (\\d{4})(?![\\d:]))?`,
  'y',
)

/** Reads a timestamp that starts at `at`. */
export function readTimestamp(text: string, at = 0, hints: TimestampHints = {}): ReadTimestamp | undefined {
  const first = text.charCodeAt(at)
  if (first >= 48 && first <= 57) return startsWithDigit(text, at, hints)
  return isLetter(first) ? startsWithName(text, at, hints) : undefined
}

function startsWithDigit(text: string, at: number, hints: TimestampHints): ReadTimestamp | undefined {
  let m = match(ISO, text, at)
  if (m) return clock(ISO, m, 4, date(+m[1], +m[2] - 1, +m[3]), hints)
  const second = text.charCodeAt(at + 1)
  const third = text.charCodeAt(at + 2)
  // Every other form has two digits, or a sign after the first.
  if (second < 45 && second !== 32 && second !== 44) return undefined
  if (second === 58 || third === 58) return timeOnly(text, at)
  if ((m = match(SHORT, text, at))) return clock(SHORT, m, 5, shortDate(m, hints), hints)
  if ((m = match(NAMED, text, at)) && monthNamed(m[2]) !== undefined)
    return clock(NAMED, m, 5, date(fullYear(m[3] ?? m[4]), monthNamed(m[2]) as number, +m[1]), hints)
  if ((m = match(NAMED_NO_YEAR, text, at)) && monthNamed(m[2]) !== undefined) {
    const [, day, name] = m
    return clock(NAMED_NO_YEAR, m, 3, year => date(year, monthNamed(name) as number, +day), hints)
  }
  if (third < 48 || third > 57) {
    if (!(m = match(NO_YEAR, text, at))) return undefined
    const [, month, day] = m
    return clock(NO_YEAR, m, 3, year => date(year, +month - 1, +day), hints)
  }
  if ((m = match(PACKED, text, at)))
    return made(PACKED, date(2000 + +m[1], +m[2] - 1, +m[3]) + ofDay(+m[4], +m[5], +m[6]), m[7], undefined, hints)
  if ((m = match(COMPACT, text, at)) && /^(?:19|20)/.test(m[1]))
    return made(COMPACT, date(+m[1], +m[2] - 1, +m[3]) + ofDay(+m[4], +m[5], +m[6]), m[7], m[8], hints)
  if ((m = match(YEAR_NAMED, text, at)) && monthNamed(m[2]) !== undefined)
    return clock(YEAR_NAMED, m, 4, date(+m[1], monthNamed(m[2]) as number, +m[3]), hints)
  if ((m = match(DOTTED, text, at)))
    return made(DOTTED, date(+m[1], +m[2] - 1, +m[3]) + ofDay(+m[4], +m[5], +m[6]), m[7], undefined, hints)
  if ((m = match(EPOCH, text, at))) return made(EPOCH, +m[1] * 1000, m[2] ?? m[3] ?? m[4] ?? m[5], 'Z', hints)
  return undefined
}

/** "Mar  1 10:00:00", "Sun Mar  1 10:00:00 2026", "Sun, 01 Mar 2026 10:00:00", "March 1, 2026 10:00:00 AM", "mars 01, 2026 …". */
function startsWithName(text: string, at: number, hints: TimestampHints): ReadTimestamp | undefined {
  let end = nameEnd(text, at)
  if (end === 0) return undefined
  let name = text.slice(at, end)
  let month = monthNamed(name)
  const weekday = isWeekday(name)
  if (month === undefined && !weekday) return undefined
  if (weekday) {
    // "Mar" is a month and a Tuesday: what follows decides.
    let next = end
    if (text.charCodeAt(next) === 46) next++
    if (text.charCodeAt(next) === 44) next++
    while (text.charCodeAt(next) === 32 && next < end + 4) next++
    const c = text.charCodeAt(next)
    if (c >= 48 && c <= 57 && month === undefined) {
      const read = startsWithDigit(text, next, hints)
      return read === undefined || Number.isNaN(read.timeUs) ? undefined : read
    }
    if (isLetter(c) && next > end) {
      end = nameEnd(text, next)
      if (end === 0) return undefined
      name = text.slice(next, end)
      month = monthNamed(name)
    }
    if (month === undefined) return undefined
  }
  const m = match(AFTER_MONTH, text, end)
  if (m === null) return undefined
  const year = m[2] ?? m[10]
  const of = (y: number) => date(y, month as number, +m[1])
  return clock(AFTER_MONTH, m, 3, year === undefined ? of : of(+year), hints)
}

const isLetter = (c: number): boolean => (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || (c >= 0xc0 && c <= 0xff)

/** End of a name of 2 to 10 letters with a blank, full stop or comma behind it, or 0. */
function nameEnd(text: string, at: number): number {
  let end = at
  while (end < at + 11 && isLetter(text.charCodeAt(end))) end++
  const c = text.charCodeAt(end)
  return end - at >= 2 && end - at <= 10 && (c === 32 || c === 46 || c === 44) ? end : 0
}

/** "10:00:00,123" alone: a header, and no time of an event. */
function timeOnly(text: string, at: number): ReadTimestamp | undefined {
  const m = match(TIME_ONLY, text, at)
  if (m === null) return undefined
  const c = text.charCodeAt(TIME_ONLY.lastIndex)
  if (!Number.isNaN(c) && c !== 32 && c !== 93 && c !== 9 && c !== 124) return undefined
  return { timeUs: Number.NaN, end: TIME_ONLY.lastIndex, zoned: false }
}

/** A timestamp as a field of its own: text in any form above, or a number since the epoch in s, ms, µs or ns. */
export function timestampOf(value: unknown, hints: TimestampHints = {}): number | undefined {
  return stampOf(value, hints)?.timeUs
}

/** The same, and whether it says in which zone. */
export function stampOf(value: unknown, hints: TimestampHints = {}): ReadTimestamp | undefined {
  if (typeof value === 'number' || (typeof value === 'string' && /^ ?\d{9,20}(?:\.\d+)? ?$/.test(value))) {
    const timeUs = value === '' ? undefined : epochUs(Number(value))
    if (timeUs !== undefined) return { timeUs, end: 0, zoned: true }
  }
  if (typeof value !== 'string' || value.length < 8) return undefined
  const read = readTimestamp(value, value.search(/\S/), hints)
  return read === undefined || Number.isNaN(read.timeUs) ? undefined : read
}

/** The year that brings a date nearest to when it was observed, at most a day ahead. */
export function withoutYear(of: (year: number) => number, hints: TimestampHints): number {
  if (hints.observedTimeUs === undefined) return of(1970)
  const observed = hints.observedTimeUs / 1000
  const year = new Date(observed).getUTCFullYear()
  return nearest([of(year - 1), of(year), of(year + 1)], observed)
}

function nearest(candidates: readonly number[], observed: number): number {
  let best = Number.NaN
  for (const ms of candidates) {
    if (Number.isNaN(ms) || ms > observed + 86_400_000) continue
    if (Number.isNaN(best) || Math.abs(ms - observed) < Math.abs(best - observed)) best = ms
  }
  return best
}

/** Seconds, milliseconds, microseconds or nanoseconds by their size; nothing before 1980, which is what counters and durations would be. */
function epochUs(value: number): number | undefined {
  if (!Number.isFinite(value) || value < 315_532_800) return undefined
  if (value < 1e11) return Math.round(value * 1e6)
  if (value < 1e14) return Math.round(value * 1e3)
  if (value < 1e17) return Math.round(value)
  return Math.round(value / 1e3)
}

/** Day, month and year in numbers: full stops put the day first, AM and PM the month; else a part above 12 tells, else the day is first. */
function shortDate(m: RegExpExecArray, hints: TimestampHints): number {
  const [, a, sign, b, c] = m
  const half = m[10]
  const dayFirst = (year: number) => date(year, +b - 1, +a)
  const monthFirst = (year: number) => date(year, +a - 1, +b)
  if (c.length === 4) {
    const [one, other] = half !== undefined && sign !== '.' ? [monthFirst(+c), dayFirst(+c)] : [dayFirst(+c), monthFirst(+c)]
    return Number.isNaN(one) ? other : one
  }
  if (sign === '.') return dayFirst(fullYear(c))
  const readings = [date(fullYear(a), +b - 1, +c), dayFirst(fullYear(c)), monthFirst(fullYear(c))]
  if (hints.observedTimeUs === undefined) return readings.find(ms => !Number.isNaN(ms)) ?? Number.NaN
  return nearest(readings, hints.observedTimeUs / 1000)
}

const fullYear = (text: string): number => (text.length === 2 ? +text + (+text < 70 ? 2000 : 1900) : +text)

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** Reads the groups of CLOCK, which begin at `from`: hour, minute, second, two forms of fraction, half of the day, zone. */
function clock(
  pattern: RegExp,
  m: RegExpExecArray,
  from: number,
  day: number | ((year: number) => number),
  hints: TimestampHints,
): ReadTimestamp | undefined {
  let hour = +m[from]
  const half = m[from + 5]
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined
    hour = (hour % 12) + (half.charCodeAt(0) === 80 || half.charCodeAt(0) === 112 ? 12 : 0)
  }
  const within = ofDay(hour, +m[from + 1], m[from + 2] === undefined ? 0 : +m[from + 2])
  const ms = typeof day === 'number' ? day + within : withoutYear(year => day(year) + within, hints)
  return made(pattern, ms, m[from + 3] ?? m[from + 4], m[from + 6], hints, typeof day !== 'number')
}

function made(
  pattern: RegExp,
  ms: number,
  fraction: string | undefined,
  zone: string | undefined,
  hints: TimestampHints,
  anyYear = false,
): ReadTimestamp | undefined {
  if (Number.isNaN(ms)) return undefined
  const micros = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1e6 + 1e-6)
  const timeUs = (ms - (zone === undefined ? localMinutes(ms, hints) : zoneMinutes(zone)) * 60_000) * 1000 + micros
  return { timeUs: timeUs < 31_536_000e6 && !anyYear ? Number.NaN : timeUs, end: pattern.lastIndex, zoned: zone !== undefined }
}

const ofDay = (hour: number, minute: number, second: number): number =>
  hour > 24 || minute > 59 || second > 60 ? Number.NaN : ((hour * 60 + minute) * 60 + second) * 1000

function date(year: number, monthIndex: number, day: number): number {
  if (!(monthIndex >= 0 && monthIndex < 12) || day < 1 || day > 31 || year < 1) return Number.NaN
  const ms = Date.UTC(year, monthIndex, day)
  return day < 29 || new Date(ms).getUTCMonth() === monthIndex ? ms : Number.NaN
}

export const localMinutes = (localMs: number, { zoneMinutes: zone }: TimestampHints): number =>
  typeof zone === 'function' ? zone(localMs) : (zone ?? 0)

/** "+01:00", "-05", "CET", "GMT+2". */
function zoneMinutes(text: string): number {
  const sign = text.search(/[+-]/)
  if (sign < 0) return ZONES[text] ?? 0
  const digits = text.slice(sign + 1).replace(/[^\d]/g, '')
  const minutes = digits.length < 3 ? Number(digits) * 60 : Number(digits.slice(0, -2)) * 60 + Number(digits.slice(-2))
  return text.charCodeAt(sign) === 45 ? -minutes : minutes
}
