/** Numbers and times as tables of dashboards, notebooks and spreadsheets write them. */

const MISSING = /^(|nan|null|none|nil|undefined|n\/?a|#n\/?a|-+|–|—|\?|missing|no data|\\n)$/i
export const isMissing = (cell: string): boolean => MISSING.test(cell.trim())

/** Units with their sizes; what has another unit in the same column is brought to the first one's. */
const UNITS: Readonly<Record<string, readonly [family: string, size: number]>> = {
  ...Object.fromEntries(['B', 'byte', 'bytes', 'Byte', 'Bytes'].map(u => [u, ['bytes', 1]])),
  ...Object.fromEntries(
    ['Ki', 'Mi', 'Gi', 'Ti', 'Pi'].flatMap((u, i) => [
      [u, ['bytes', 1024 ** (i + 1)]],
      [`${u}B`, ['bytes', 1024 ** (i + 1)]],
    ]),
  ),
  ...Object.fromEntries(['kB', 'MB', 'GB', 'TB', 'PB'].map((u, i) => [u, ['bytes', 1000 ** (i + 1)]])),
  KB: ['bytes', 1000],
  ns: ['time', 1e-9],
  µs: ['time', 1e-6],
  us: ['time', 1e-6],
  ms: ['time', 1e-3],
  s: ['time', 1],
  sec: ['time', 1],
  min: ['time', 60],
  mins: ['time', 60],
  h: ['time', 3600],
  hour: ['time', 3600],
  hours: ['time', 3600],
  d: ['time', 86_400],
  day: ['time', 86_400],
  days: ['time', 86_400],
  K: ['count', 1e3],
  k: ['count', 1e3],
  M: ['count', 1e6],
  Mil: ['count', 1e6],
  G: ['count', 1e9],
  Bil: ['count', 1e9],
  T: ['count', 1e12],
  Tri: ['count', 1e12],
}
const OTHER_UNITS =
  /^(%|percent|ratio|short|none|count|ops|rps|qps|iops|[kMGT]?bps|[KMGT]?Bps|[kMG]?Hz|[mk][WVA]|°[CF]|celsius|seconds|milliseconds|bytes|[\w%]+\/(s|sec|min|m|h|hour))$/
/** Whether a text is nothing but a unit, as a row under the names may hold. */
export const isUnit = (text: string): boolean => {
  const bare = text.trim().replace(/^[([](.*)[)\]]$/, '$1')
  // A single capital is as often the name of a series.
  return !/^[A-Z]?$/.test(bare) && (bare in UNITS || OTHER_UNITS.test(bare))
}

const NUMBER = /^([+-]?)([£$€¥]?)\s*((?:\d[\d.,'’ \u00a0\u202f_]*|\.\d+|,\d+)(?:e[+-]?\d+)?)\s*([^\d\s].{0,15})?$/i
interface Parts {
  readonly digits: string
  readonly unit: string
}
const partsOf = (cell: string): Parts | undefined => {
  const text = cell
    .trim()
    .replace(/^\((.*)\)$/, '-$1')
    .replace(/^[−–]/, '-')
  const m = NUMBER.exec(text)
  return m ? { digits: m[1] + m[3].trim().replace(/['’ \u00a0\u202f_]/g, ''), unit: (m[4] ?? '').trim() } : undefined
}
/** Reads the numbers of one column: which of comma and full stop ends the whole part is told by all of its cells together. */
export class NumberColumn {
  readonly #commaDecimal: boolean
  readonly #unit: string
  readonly #mixed: boolean

  /** @param semicolons whether cells are separated so that a comma is free to be the decimal one */
  constructor(cells: Iterable<string>, semicolons: boolean) {
    let comma = 0
    let point = 0
    let thousands = 0
    const units = new Map<string, number>()
    for (const cell of cells) {
      const p = partsOf(cell)
      if (!p) continue
      if (p.unit || !isMissing(cell)) units.set(p.unit, (units.get(p.unit) ?? 0) + 1)
      const [c, d] = [p.digits.lastIndexOf(','), p.digits.lastIndexOf('.')]
      if (c < 0 && d < 0) continue
      if (c >= 0 && d >= 0) c > d ? comma++ : point++
      else if (c >= 0)
        p.digits.split(',').length > 2 ? point++ : /^[+-]?[1-9]\d{0,2},\d{3}$/.test(p.digits) ? thousands++ : comma++
      else if (p.digits.split('.').length > 2) comma++
      else if (!/^[+-]?[1-9]\d{0,2}\.\d{3}$/.test(p.digits)) point++
    }
    // `1,234` alone is either; between semicolons a comma would need no other reason.
    this.#commaDecimal = comma > point || (comma === point && thousands > 0 && semicolons)
    this.#unit = [...units].sort((a, b) => b[1] - a[1])[0]?.[0] ?? ''
    this.#mixed = [...units.keys()].some(u => u !== this.#unit)
  }
  /** The number of a cell; NaN where nothing stands; undefined where something does that is no number. */
  read(cell: string): number | undefined {
    if (isMissing(cell)) return Number.NaN
    const plain = Number(cell)
    if (
      Number.isFinite(plain) &&
      cell.trim() !== '' &&
      !this.#mixed &&
      !(this.#commaDecimal && /^\s*[+-]?\d{1,3}\.\d{3}\s*$/.test(cell))
    )
      return plain
    const word = /^(true|false|up|down|on|off)$/i.exec(cell.trim())?.[1].toLowerCase()
    if (word) return word === 'true' || word === 'up' || word === 'on' ? 1 : 0
    const p = partsOf(cell)
    if (!p) return undefined
    const text = this.#commaDecimal ? p.digits.replaceAll('.', '').replace(',', '.') : p.digits.replaceAll(',', '')
    const value = Number(text)
    if (!Number.isFinite(value)) return undefined
    if (p.unit === this.#unit) return value
    const [own, common] = [UNITS[p.unit], UNITS[this.#unit] ?? (this.#unit === '' ? (['count', 1] as const) : undefined)]
    if (p.unit === '') return common ? value / common[1] : value
    return own && common && own[0] === common[0] ? (value * own[1]) / common[1] : undefined
  }
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec mär mai okt dez fév avr aoû déc ene abr ago dic'.split(' ')
const MONTH_OF = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 3, 5, 10, 12, 2, 4, 8, 12, 1, 4, 8, 12]
const CLOCK = String.raw`(?:[T ,]+(\d{1,2})[:.h](\d{2})(?:[:.](\d{2})(?:[.,](\d{1,9}))?)?\s*([ap]\.?m\.?)?)?`
const ZONE = String.raw`\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?(?:\s*(?:UTC|GMT|\([^)]*\)|\[[^\]]*\]))?`
const YEAR_FIRST = new RegExp(`^(\\d{4})[-/.](\\d{1,2})[-/.](\\d{1,2})${CLOCK}${ZONE}$`, 'i')
const YEAR_LAST = new RegExp(`^(\\d{1,2})([-/.])\\s?(\\d{1,2})[-/.]\\s?(\\d{4}|\\d{2})${CLOCK}${ZONE}$`, 'i')
const COMPACT = /^(\d{4})(\d{2})(\d{2})T?(\d{2})(\d{2})(\d{2})?(Z)?$/
const DAY_NAMED = new RegExp(`^(?:\\p{L}{2,9}\\.?,?\\s+)?(\\d{1,2})[ .-]+(\\p{L}{3,9})\\.?[ ,-]+(\\d{4})${CLOCK}${ZONE}$`, 'iu')
const MONTH_NAMED = new RegExp(`^(?:\\p{L}{2,9}\\.?,?\\s+)??(\\p{L}{3,9})\\.?\\s+(\\d{1,2}),?\\s+(\\d{4})${CLOCK}${ZONE}$`, 'iu')
const CLOCK_ALONE = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([ap]\.?m\.?)?$/i

const monthOf = (name: string): number => MONTH_OF[MONTHS.findIndex(m => name.toLowerCase().startsWith(m))] ?? 0
type Groups = readonly (string | undefined)[]
const secondsOf = (
  year: number,
  month: number,
  day: number,
  [hour = '0', minute = '0', second = '0', fraction, half, zone]: Groups,
): number => {
  let h = Number(hour)
  if (half) h = (h % 12) + (/^p/i.test(half) ? 12 : 0)
  const at = Date.UTC(year, month - 1, day, h, Number(minute), Number(second)) / 1000
  const date = new Date(Date.UTC(year, month - 1, day))
  if (month < 1 || month > 12 || date.getUTCDate() !== day || h > 24 || Number(minute) > 59) return Number.NaN
  const z = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? '')
  const offset = z ? (z[1] === '-' ? -1 : 1) * (Number(z[2]) * 3600 + Number(z[3]) * 60) : 0
  return at - offset + (fraction ? Number(`0.${fraction}`) : 0)
}
/** Seconds of an epoch in s, ms, µs or ns, told apart by size: none of them is of a year before 1973 or after 5138. */
const epochOf = (n: number): number => {
  const size = Math.abs(n)
  return size < 1e11 ? n : size < 1e14 ? n / 1e3 : size < 1e17 ? n / 1e6 : n / 1e9
}

/** Reads the times of one column, in UTC unless they name a zone: whether the day or the month comes first is told by all of its cells together. */
export class TimeColumn {
  readonly #monthFirst: boolean

  constructor(cells: Iterable<string>) {
    let day = 0
    let month = 0
    for (const cell of cells) {
      const m = YEAR_LAST.exec(cell.trim())
      if (!m) continue
      if (Number(m[1]) > 12 || m[2] === '.') day++
      else if (Number(m[3]) > 12 || m[9]) month++
      // Neither tells: with slashes the month is first as a rule, with dashes the day.
      else if (m[2] === '/') month += 1e-6
      else day += 1e-6
    }
    this.#monthFirst = month > day
  }
  /** Seconds since the epoch, or NaN. Plain numbers are seconds from wherever they count. */
  read(cell: string): number {
    const text = cell.trim()
    if (text === '') return Number.NaN
    const number = Number(text)
    if (!Number.isNaN(number)) {
      const c = text.length === 14 || text.length === 12 ? COMPACT.exec(text) : null
      const compact =
        c && Number(c[1]) > 1970 && Number(c[1]) < 2100
          ? secondsOf(Number(c[1]), Number(c[2]), Number(c[3]), c.slice(4, 7))
          : Number.NaN
      return Number.isNaN(compact) ? epochOf(number) : compact
    }
    let m = YEAR_FIRST.exec(text)
    if (m) return secondsOf(Number(m[1]), Number(m[2]), Number(m[3]), m.slice(4))
    m = YEAR_LAST.exec(text)
    if (m) {
      const year = Number(m[4]) + (m[4].length === 2 ? 2000 : 0)
      const [a, b] = [Number(m[1]), Number(m[3])]
      return this.#monthFirst ? secondsOf(year, a, b, m.slice(5)) : secondsOf(year, b, a, m.slice(5))
    }
    m = COMPACT.exec(text)
    if (m) return secondsOf(Number(m[1]), Number(m[2]), Number(m[3]), m.slice(4, 7))
    m = DAY_NAMED.exec(text)
    if (m && monthOf(m[2])) return secondsOf(Number(m[3]), monthOf(m[2]), Number(m[1]), m.slice(4))
    m = MONTH_NAMED.exec(text)
    if (m && monthOf(m[1])) return secondsOf(Number(m[3]), monthOf(m[1]), Number(m[2]), m.slice(4))
    m = CLOCK_ALONE.exec(text)
    if (m) return secondsOf(1970, 1, 1, m.slice(1))
    // `Sun Mar 01 2026 00:00:00 GMT+0000 (UTC)` and its like.
    const ms =
      /\d{4}/.test(text) && /\p{L}{3}/u.test(text) && /:\d{2}/.test(text)
        ? Date.parse(text.replace(/\s*\(.*\)$/, ''))
        : Number.NaN
    return ms / 1000
  }
}
