/**
 * What can be wrong with a series itself, before any detector: points that come late (by more than a step) or twice, gaps, a line gone flat that never was, a
 * unit that changed. Each is told once, and a flat line again when it ends; what must not reach a detector is marked as not usable.
 */
export type Finding = 'late' | 'repeated' | 'gap' | 'flat' | 'moves-again' | 'unit-changed'
export interface WatchOptions {
  /** Steps without a point that make a gap. Default 3. */
  readonly gap?: number
  /** Equal values in a row that make a flat line, where at most one in ten repeated before. Default 60. */
  readonly flat?: number
  /** Takes a jump by a ratio of units for a changed unit; wrong where the unit is declared, and where a jump may be real. Default true. */
  readonly guessUnit?: boolean
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
  readonly #guessUnit: boolean
  #isFlat = false
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
    this.#guessUnit = options.guessUnit ?? true
  }

  point(time: number, value: number): Watched {
    if (time === this.#time) return { usable: false, finding: 'repeated', factor: this.#factor }
    // Within a step it is merely out of order: senders that share a series need not agree on the time.
    if (time < this.#time) {
      const late = this.#time - time > this.#step
      return { usable: !late && Number.isFinite(value), finding: late ? 'late' : undefined, factor: this.#factor }
    }
    const step = time - this.#time
    const gap = this.#step > 0 && step > this.#gap * this.#step
    if (step > 0) this.#step = this.#step === 0 ? step : this.#step + 0.1 * (Math.min(step, 3 * this.#step) - this.#step)
    this.#time = time
    if (!Number.isFinite(value)) return { usable: false, factor: this.#factor }
    const changed = this.#guessUnit && this.#unit(Math.abs(value))
    const ended = this.#isFlat && value !== this.#value
    const flat = this.#flatLine(value)
    this.#isFlat = flat || (this.#isFlat && !ended)
    const finding = changed ? 'unit-changed' : flat ? 'flat' : ended ? 'moves-again' : gap ? 'gap' : undefined
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

  save() {
    return [
      this.#time,
      this.#step,
      this.#value,
      this.#count,
      this.#repeats,
      this.#run,
      this.#factor,
      this.#middle,
      this.#width,
      this.#suspect,
      this.#suspected,
      this.#isFlat ? 1 : 0,
    ].map(x => (Number.isNaN(x) ? null : x))
  }
  load(state: ReturnType<SeriesWatch['save']>): void {
    const [time, step, value, count, repeats, run, factor, middle, width, suspect, suspected, isFlat] = state.map(
      x => x ?? Number.NaN,
    )
    this.#time = time
    this.#step = step
    this.#value = value
    this.#count = count
    this.#repeats = repeats
    this.#run = run
    this.#factor = factor
    this.#middle = middle
    this.#width = width
    this.#suspect = suspect
    this.#suspected = suspected
    this.#isFlat = isFlat === 1
  }
}
