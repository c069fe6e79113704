/**
 * Timestamps in the forms that logs use, as microseconds since the epoch.
 *
 * A form without a zone is taken as UTC unless the reader is told otherwise. A form without a year (syslog, klog) gets the year that puts it
 * nearest to when the line was observed, at most a day ahead of it. Every pattern is sticky and bounded, so reading is linear.
 */

export interface TimestampHints {
  /** When the line arrived; completes forms without a year. */
  readonly observedTimeUs?: number
  /** Minutes east of UTC for forms without a zone. Default 0. */
  readonly zoneMinutes?: number
}

export interface ReadTimestamp {
  readonly timeUs: number
  /** Index after the last character read. */
  readonly end: number
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const ZONES: Record<string, number> = {
  UTC: 0,
  GMT: 0,
  Z: 0,
  WET: 0,
  CET: 60,
  CEST: 120,
  EET: 120,
  EEST: 180,
  BST: 60,
  MSK: 180,
  IST: 330,
  JST: 540,
  KST: 540,
  AEST: 600,
  AEDT: 660,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
}

const ZONE_NAMES = Object.keys(ZONES).join('|')
const ISO = new RegExp(
  `(\\d{4})([-/.])(\\d{2})\\2(\\d{2})[T _](\\d{2}):(\\d{2})(?::(\\d{2}|60))?(?:[.,](\\d{1,9}))?(?: ?((?:${ZONE_NAMES})\\b|[+-]\\d{2}:?\\d{2}\\b|[+-]\\d{2}(?=[ \\]]|$)))?`,
  'y',
)
const COMPACT = /(\d{4})(\d{2})(\d{2})[T -](\d{2}):?(\d{2}):?(\d{1,2})(?:[.,:](\d{1,9}))?(Z\b)?/y
const NO_YEAR = /(\d{2})([-./])(\d{2}) (\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?!\d)/y
const SYSLOG = /([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?: ([A-Z]{3,4}))?(?: (\d{4})\b)?/y
const CTIME =
  /(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?: ([A-Z]{3,4}))? (\d{4})\b/y
const CLF = /(\d{1,2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?: ([+-]\d{4}))?/y
const RFC1123 =
  /(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d{1,2})[ -]([A-Z][a-z]{2})[ -](\d{4}) (\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?: ([A-Z]{3,4}|[+-]\d{4}))?/y
const SHORT_YEAR = /(\d{2})\/(\d{2})\/(\d{2}) (\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?/y
const PACKED = /(\d{2})(\d{2})(\d{2}) (\d{2})(\d{2})(\d{2})\b/y
const EPOCH = /(\d{10})(?:\.(\d{1,9})|(\d{3})|(\d{6})|(\d{9}))?(?![\d.:-])/y

/** Reads a timestamp that starts at `at`. */
export function readTimestamp(text: string, at = 0, hints: TimestampHints = {}): ReadTimestamp | undefined {
  const first = text.charCodeAt(at)
  if (first >= 48 && first <= 57) {
    let m = match(ISO, text, at)
    if (m) return made(ISO, date(+m[1]!, +m[3]! - 1, +m[4]!, +m[5]!, +m[6]!, +(m[7] ?? 0)), m[8], zone(m[9], hints))
    if ((m = match(CLF, text, at)))
      return made(CLF, date(+m[3]!, month(m[2]!), +m[1]!, +m[4]!, +m[5]!, +m[6]!), m[7], zone(m[8], hints))
    if ((m = match(RFC1123, text, at)))
      return made(RFC1123, date(+m[3]!, month(m[2]!), +m[1]!, +m[4]!, +m[5]!, +m[6]!), m[7], zone(m[8], hints))
    if ((m = match(SHORT_YEAR, text, at)))
      return made(SHORT_YEAR, date(2000 + +m[1]!, +m[2]! - 1, +m[3]!, +m[4]!, +m[5]!, +m[6]!), m[7], zone(undefined, hints))
    if ((m = match(PACKED, text, at)))
      return made(PACKED, date(2000 + +m[1]!, +m[2]! - 1, +m[3]!, +m[4]!, +m[5]!, +m[6]!), undefined, zone(undefined, hints))
    if ((m = match(COMPACT, text, at)))
      return made(COMPACT, date(+m[1]!, +m[2]! - 1, +m[3]!, +m[4]!, +m[5]!, +m[6]!), m[7], zone(m[8], hints))
    if ((m = match(NO_YEAR, text, at))) {
      const found = m
      const of = (year: number) => date(year, +found[1]! - 1, +found[3]!, +found[4]!, +found[5]!, +found[6]!)
      return made(NO_YEAR, withoutYear(of, hints), m[7], zone(undefined, hints))
    }
    if ((m = match(EPOCH, text, at))) {
      const fraction = m[2] ?? m[3] ?? m[4] ?? m[5]
      return made(EPOCH, +m[1]! * 1000, fraction, 0)
    }
    return undefined
  }
  if (first < 65 || first > 90) return undefined
  let m = match(CTIME, text, at)
  if (m) return made(CTIME, date(+m[8]!, month(m[1]!), +m[2]!, +m[3]!, +m[4]!, +m[5]!), m[6], zone(m[7], hints))
  if ((m = match(SYSLOG, text, at))) {
    const of = (year: number) => date(year, month(m![1]!), +m![2]!, +m![3]!, +m![4]!, +m![5]!)
    const ms = m[8] !== undefined ? of(+m[8]) : withoutYear(of, hints)
    return made(SYSLOG, ms, m[6], zone(m[7], hints))
  }
  if ((m = match(RFC1123, text, at)))
    return made(RFC1123, date(+m[3]!, month(m[2]!), +m[1]!, +m[4]!, +m[5]!, +m[6]!), m[7], zone(m[8], hints))
  return undefined
}

/** A timestamp as a field of its own: text in any form above, or a number since the epoch in s, ms, µs or ns. */
export function timestampOf(value: unknown, hints: TimestampHints = {}): number | undefined {
  if (typeof value === 'number') return epochUs(value)
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^\d{9,20}(\.\d+)?$/.test(text)) return epochUs(Number(text))
  return readTimestamp(text, 0, hints)?.timeUs
}

export function withoutYear(of: (year: number) => number, hints: TimestampHints): number {
  if (hints.observedTimeUs === undefined) return of(1970)
  const observed = hints.observedTimeUs / 1000
  const year = new Date(observed).getUTCFullYear()
  let best = Number.NaN
  for (const candidate of [year - 1, year, year + 1]) {
    const ms = of(candidate)
    if (Number.isNaN(ms) || ms > observed + 86_400_000) continue
    if (Number.isNaN(best) || Math.abs(ms - observed) < Math.abs(best - observed)) best = ms
  }
  return best
}

function epochUs(value: number): number | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined
  if (value < 1e11) return Math.round(value * 1e6)
  if (value < 1e14) return Math.round(value * 1e3)
  if (value < 1e17) return Math.round(value)
  return Math.round(value / 1e3)
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function made(pattern: RegExp, ms: number, fraction: string | undefined, zoneMinutes: number): ReadTimestamp | undefined {
  if (Number.isNaN(ms)) return undefined
  const micros = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1e6 + 1e-6)
  return { timeUs: (ms - zoneMinutes * 60_000) * 1000 + micros, end: pattern.lastIndex }
}

function month(name: string): number {
  const at = MONTHS.indexOf(name)
  return at >= 0 && at % 3 === 0 ? at / 3 : Number.NaN
}

function date(year: number, monthIndex: number, day: number, hour: number, minute: number, second: number): number {
  if (!(monthIndex >= 0 && monthIndex < 12) || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) return Number.NaN
  const ms = Date.UTC(year, monthIndex, day, hour, minute, second)
  return new Date(Date.UTC(year, monthIndex, day)).getUTCMonth() === monthIndex ? ms : Number.NaN
}

function zone(text: string | undefined, hints: TimestampHints): number {
  if (text === undefined) return hints.zoneMinutes ?? 0
  const sign = text.charCodeAt(0)
  if (sign === 43 || sign === 45) {
    const digits = text.slice(1).replace(':', '')
    const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0)
    return sign === 45 ? -minutes : minutes
  }
  return ZONES[text] ?? hints.zoneMinutes ?? 0
}
