/**
 * Numbers in log lines that lie far outside what their place in the template has held so far: sizes, durations, counts.
 *
 * Each place has a mean and a deviation of asinh(value), about the logarithm but good for zero and below. A value is out of range beyond eight
 * deviations and a factor of two of everything seen; where values keep rising (sequence numbers, clocks) there is no range.
 */

import { BoundedMap, type Parameter } from '@aegis/domain'

interface Range {
  values: number
  rises: number
  last: number
  least: number
  most: number
  mean: number
  variance: number
  /** Values out of range in a row. */
  outside: number
}
export interface ParameterFinding {
  /** The place, from 0, and the value with its unit as it stood. */
  readonly place: number
  readonly text: string
  /** What the place held so far. */
  readonly least: number
  readonly most: number
}
export interface RangesOptions {
  /** Values seen before any is out of range. Default 100. */
  readonly warmUp?: number
  /** Places followed. Default 512. */
  readonly maxPlaces?: number
}

const KINDS = new Set(['number', 'duration', 'size'])
const MOST_PER_LINE = 8
const DEVIATIONS = 8
const FACTOR = Math.LN2
const NEW_NORMAL = 100

export class ParameterRanges {
  readonly #warmUp: number
  readonly #ranges: BoundedMap<string, Range>

  constructor(options: RangesOptions = {}) {
    this.#warmUp = options.warmUp ?? 100
    this.#ranges = new BoundedMap(options.maxPlaces ?? 512)
  }

  /** Scores the values of a line, then learns from those in range. */
  observe(templateId: string, parameters: readonly Parameter[]): ParameterFinding[] {
    const found: ParameterFinding[] = []
    for (let place = 0; place < Math.min(parameters.length, MOST_PER_LINE); place++) {
      const { kind, text } = parameters[place] as Parameter
      if (!KINDS.has(kind)) continue
      const value = quantityOf(text)
      if (value === undefined) continue
      const key = `${templateId} ${place}`
      let range = this.#ranges.get(key)
      if (!range) {
        range = startOf(value)
        this.#ranges.set(key, range)
      }
      const outside = this.#outside(range, value)
      if (outside) found.push({ place, text, least: range.least, most: range.most })
      learn(range, value, outside)
    }
    return found
  }

  #outside(range: Range, value: number): boolean {
    if (range.values < this.#warmUp || range.rises > 0.75 * range.values) return false
    const y = Math.asinh(value)
    if (Math.abs(y - range.mean) <= DEVIATIONS * Math.sqrt(range.variance)) return false
    return y > Math.asinh(range.most) + FACTOR || y < Math.asinh(range.least) - FACTOR
  }

  toJSON() {
    return this.#ranges.toJSON()
  }
  load(state: ReturnType<ParameterRanges['toJSON']>): this {
    this.#ranges.load(state)
    return this
  }
}

function learn(range: Range, value: number, outside: boolean): void {
  if (outside) {
    // Where nothing else comes any more, that is the new range.
    if (++range.outside >= NEW_NORMAL) Object.assign(range, startOf(value))
    return
  }
  range.outside = 0
  range.values++
  if (value > range.last) range.rises++
  range.last = value
  const rate = Math.max(1 / range.values, 0.005)
  const off = Math.asinh(value) - range.mean
  range.mean += rate * off
  range.variance += rate * (off * off - range.variance)
  range.least = Math.min(range.least, value)
  range.most = Math.max(range.most, value)
}
const startOf = (value: number): Range => ({
  values: 0,
  rises: 0,
  last: value,
  least: value,
  most: value,
  mean: 0,
  variance: 0,
  outside: 0,
})

const SCALES: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  sec: 1,
  m: 60,
  min: 60,
  h: 3600,
  kb: 1e3,
  k: 1e3,
  kib: 1024,
  mb: 1e6,
  mib: 1024 ** 2,
  gb: 1e9,
  gib: 1024 ** 3,
  tb: 1e12,
}

/** The number a parameter stands for, in seconds or bytes where it has such a unit; undefined where it is no finite number. */
export function quantityOf(text: string): number | undefined {
  const m = /^([+-]?)(\d{1,15}(?:,\d{3}){0,5}(?:\.\d{1,15})?|\.\d{1,15})(?:[eE]([+-]?\d{1,2}))? ?([A-Za-zµ]{0,3})$/.exec(text)
  if (m === null) return undefined
  const scale = m[4] === '' ? 1 : (SCALES[(m[4] as string).toLowerCase()] ?? 1)
  return (m[1] === '-' ? -1 : 1) * Number((m[2] as string).replaceAll(',', '')) * 10 ** Number(m[3] ?? 0) * scale
}
