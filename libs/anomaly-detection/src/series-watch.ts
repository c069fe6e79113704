/**
 * What can be wrong with a series itself, before any detector: points that come late or twice, gaps, a line gone flat that never was, a unit that changed. Each
 * is told once; what must not reach a detector is marked as not usable.
 */
export type Finding = 'late' | 'repeated' | 'gap' | 'flat' | 'unit-changed'
export interface WatchOptions {
  /** Steps without a point that make a gap. Default 3. */
  readonly gap?: number
  /** Equal values in a row that make a flat line, where at most one in ten repeated before. Default 60. */
  readonly flat?: number
}
export interface Watched {
  readonly usable: boolean
  readonly finding?: Finding
  /** What to multiply later values with to keep the old unit; 1 until a unit changed. */
  readonly factor: number
}
/** Ratios of the units things are counted in: thousands, kibi, mebi, minutes, hours, per cent. */
const RATIOS = [1e3, 1e6, 1e9, 1024, 1024 ** 2, 1024 ** 3, 60, 3600, 100]
const LEARN = 30
const CONFIRM = 5

export class SeriesWatch {
  readonly #gap: number
  readonly #flat: number
  #time = Number.NaN
  #step = 0
  #value = Number.NaN
  #count = 0
  #repeats = 0
  #run = 0
  #factor = 1
  /** Range of the logarithm of what is normal, forgetting slowly. */
  #middle = 0
  #width = 0
  #suspect = 1
  #suspected = 0

  constructor(options: WatchOptions = {}) {
    this.#gap = options.gap ?? 3
    this.#flat = options.flat ?? 60
  }

  point(time: number, value: number): Watched {
    if (time === this.#time) return { usable: false, finding: 'repeated', factor: this.#factor }
    if (time < this.#time) return { usable: false, finding: 'late', factor: this.#factor }
    const step = time - this.#time
    const gap = this.#step > 0 && step > this.#gap * this.#step
    if (step > 0) this.#step = this.#step === 0 ? step : this.#step + 0.1 * (Math.min(step, 3 * this.#step) - this.#step)
    this.#time = time
    if (!Number.isFinite(value)) return { usable: false, factor: this.#factor }
    const changed = this.#unit(Math.abs(value))
    const finding = changed ? 'unit-changed' : this.#flatLine(value) ? 'flat' : gap ? 'gap' : undefined
    this.#value = value
    this.#count++
    return { usable: true, finding, factor: this.#factor }
  }

  #flatLine(value: number): boolean {
    if (value !== this.#value) {
      this.#run = 0
      return false
    }
    this.#run++
    this.#repeats++
    const before = this.#repeats - this.#run
    return this.#run === this.#flat && this.#count > 2 * this.#flat && before < 0.1 * (this.#count - this.#run)
  }

  /** A jump by just such a ratio, on values that used to stay within a tenth of it, for several points in a row. */
  #unit(size: number): boolean {
    if (size === 0) return false
    const log = Math.log(size * this.#factor)
    if (this.#count < LEARN) {
      const weight = 1 / (this.#count + 1)
      this.#middle += weight * (log - this.#middle)
      this.#width += weight * (Math.abs(log - this.#middle) - this.#width)
      return false
    }
    const off = log - this.#middle
    const near = RATIOS.flatMap(r => [r, 1 / r]).find(r => Math.abs(off - Math.log(r)) < 3 * this.#width + 0.02)
    if (near === undefined || Math.abs(Math.log(near)) < 8 * this.#width) {
      this.#suspected = 0
      if (Math.abs(off) < 4 * this.#width + 0.1) {
        this.#middle += 0.02 * off
        this.#width += 0.02 * (Math.abs(off) - this.#width)
      }
      return false
    }
    this.#suspected = near === this.#suspect ? this.#suspected + 1 : 1
    this.#suspect = near
    if (this.#suspected < CONFIRM) return false
    this.#suspected = 0
    this.#factor /= near
    return true
  }
}
