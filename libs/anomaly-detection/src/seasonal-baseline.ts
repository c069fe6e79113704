/**
 * Seasonal baseline: how far each metric lies from its median at this time of day, or of the week, in units of its usual distance there; the worst few count.
 *
 * The seasonal median and MAD of Hochenbaum et al. 2017, "Automatic Anomaly Detection in the Cloud Via Statistical Learning" (S-H-ESD), without its test: each
 * distance becomes a surprise on the metric's own scale. Ours goes by the clock, not by the number of the row, so that gaps and rows left out move nothing, and
 * is few-shot: two days suffice, since a quarter of an hour holds several rows, and two weeks for the week. A metric goes by the week only where that told its
 * last week better than the day did, no day of it much worse, and what it errs by is taken from that week; with less than two days, or without times, there is one level for all day.
 */
import { packFloats, plain, type RowModel, type Rows, rowOf, unpackFloats } from './row-model.ts'
import { WorstMetrics } from './worst-metrics.ts'

export interface SeasonalOptions {
  /** Length of the season, seconds; seven of them are the longer one. Default a day. */
  readonly season?: number
  /** Times of day told apart. Default 96, a quarter of an hour each. */
  readonly slots?: number
}
/** What models hold that were published before there were weeks. */
interface BeforeWeeks {
  readonly slots: number
  readonly metrics: number
  readonly median: readonly number[]
  readonly distance: number[]
  readonly worst: ReturnType<WorstMetrics['save']>
  readonly time: number
}
/** Least usual distance, in spreads of the metric over all. */
const FLOOR = 0.05
/** Two seasons, whose last row comes a step before their end. */
const NEEDED = 1.9
const DAYS = 7
/** Rows that a time of the week must hold on average; else times of day are joined for it. */
const PER_SLOT = 8
/** The week must leave at most this share of the day's error on a week it has not seen. */
const BETTER = 0.9
/** And on no day of it more than this share: less is the noise of fewer rows, more is a habit that it had once. */
const WORSE = 1.25

export class SeasonalBaseline implements RowModel {
  readonly name = 'seasonal'
  readonly #season: number
  readonly #most: number
  readonly #worst = new WorstMetrics()
  #metrics = 0
  #day: Profile
  #week: Profile | undefined
  /** Which metrics go by the week. */
  #weekly: readonly boolean[] = []
  #errors = new Float64Array(0)
  #time = 0

  constructor(options: SeasonalOptions = {}) {
    this.#season = options.season ?? 86_400
    this.#most = options.slots ?? 96
    this.#day = new Profile(this.#season, 1, 1)
  }

  /** The metrics, by their place in a row, that go by the week. */
  get weekly(): readonly number[] {
    return this.#weekly.flatMap((is, j) => (is ? [j] : []))
  }

  fit(rows: Rows): void {
    const { count, metrics, times } = rows
    const span = times !== undefined && count > 1 ? times[count - 1] - times[0] : 0
    this.#metrics = metrics
    this.#errors = new Float64Array(metrics)
    this.#day = new Profile(this.#season, 1, span >= NEEDED * this.#season ? this.#most : 1)
    this.#day.learn(rows)
    this.#week = undefined
    this.#weekly = []
    const errors = Array.from({ length: metrics }, () => new Float64Array(count))
    for (let i = 0; i < count; i++) {
      this.at(times?.[i] ?? 0)
      this.#judge(rowOf(rows, i))
      for (let j = 0; j < metrics; j++) errors[j][i] = this.#errors[j]
    }
    if (span >= NEEDED * DAYS * this.#season) this.#tryWeek(rows, errors)
    this.#worst.fit(errors)
  }

  /** Day and week learn all but the last week, and then tell it; of a metric that goes by the week, `errors` are those it made there. */
  #tryWeek(rows: Rows, errors: Float64Array[]): void {
    const { count, metrics, values } = rows
    const times = rows.times as ArrayLike<number>
    let slots = this.#most
    while (slots > 1 && count < PER_SLOT * DAYS * slots) slots >>= 1
    let known = 0
    while (times[known] < times[count - 1] - DAYS * this.#season) known++
    const before = { count: known, metrics, values: values.subarray(0, known * metrics), times }
    const day = new Profile(this.#season, 1, this.#most)
    const week = new Profile(this.#season, DAYS, slots)
    day.learn(before)
    week.learn(before)
    const off = (profile: Profile, i: number, j: number) =>
      Math.abs(values[i * metrics + j] - profile.median[profile.slotAt(times[i]) * metrics + j])
    this.#weekly = Array.from({ length: metrics }, (_, j) => {
      const ofWeek = new Float64Array(DAYS)
      const ofDay = new Float64Array(DAYS)
      for (let i = known; i < count; i++) {
        const today = Math.floor(times[i] / this.#season) % DAYS
        ofWeek[today] += off(week, i, j)
        ofDay[today] += off(day, i, j)
      }
      const sum = (errors: Float64Array) => errors.reduce((a, b) => a + b)
      return sum(ofWeek) < BETTER * sum(ofDay) && ofWeek.every((error, k) => error <= WORSE * ofDay[k])
    })
    if (!this.#weekly.includes(true)) return
    this.#week = new Profile(this.#season, DAYS, slots)
    this.#week.learn(rows)
    for (const j of this.weekly)
      errors[j] = Float64Array.from(
        { length: count - known },
        (_, k) => off(week, known + k, j) / week.distanceAt(times[known + k], j),
      )
  }

  #judge(row: Float64Array): void {
    const day = this.#day.slotAt(this.#time) * this.#metrics
    const week = this.#week && this.#week.slotAt(this.#time) * this.#metrics
    for (let j = 0; j < this.#metrics; j++) {
      const byWeek = week !== undefined && this.#weekly[j]
      const at = byWeek ? week + j : day + j
      const { median, distance } = byWeek ? (this.#week as Profile) : this.#day
      this.#errors[j] = Math.abs(row[j] - median[at]) / distance[at % distance.length]
    }
  }

  at(seconds: number): void {
    this.#time = seconds
  }
  score(row: Float64Array, guilt: Float64Array): number {
    if (!this.#worst.ready) {
      guilt.fill(0)
      return Number.NaN
    }
    this.#judge(row)
    return this.#worst.score(this.#errors, guilt)
  }
  /** What comes next depends on the time alone. */
  push(): void {}

  save() {
    return {
      metrics: this.#metrics,
      day: this.#day.save(),
      week: this.#week?.save(),
      weekly: this.weekly,
      worst: this.#worst.save(),
      time: this.#time,
    }
  }
  load(state: ReturnType<SeasonalBaseline['save']> | BeforeWeeks): void {
    const weekly = 'day' in state ? state.weekly : []
    this.#metrics = state.metrics
    this.#day = Profile.of(this.#season, 'day' in state ? state.day : { ...state, days: 1, median: packFloats(state.median) })
    this.#week = 'day' in state && state.week ? Profile.of(this.#season, state.week) : undefined
    this.#weekly = Array.from({ length: state.metrics }, (_, j) => weekly.includes(j))
    this.#errors = new Float64Array(state.metrics)
    this.#time = state.time
    if (state.worst.length > 0) this.#worst.load(state.worst)
  }
}

/** Medians of each metric by the time of a day or a week, and its usual distance from them by the time of day. */
class Profile {
  readonly #season: number
  readonly #days: number
  readonly #slots: number
  /** By slot of the day or week, then metric; single precision, as they are saved. */
  median = new Float32Array(0)
  /** By slot of the day, then metric. */
  distance = new Float64Array(0)

  constructor(season: number, days: number, slots: number) {
    this.#season = season
    this.#days = days
    this.#slots = slots
  }

  slotAt(seconds: number): number {
    const length = this.#days * this.#season
    const slots = this.#days * this.#slots
    // Multiplied first: a row at the very beginning of a slot belongs to it.
    return Math.min(slots - 1, Math.floor(((((seconds % length) + length) % length) * slots) / length))
  }

  distanceAt(seconds: number, metric: number): number {
    const metrics = this.distance.length / this.#slots
    return this.distance[(this.slotAt(seconds) % this.#slots) * metrics + metric]
  }

  learn(rows: Rows): void {
    const { metrics, values } = rows
    const slots = this.#days * this.#slots
    const ofDay = this.#gather(rows, seconds => this.slotAt(seconds) % this.#slots, this.#slots)
    const ofSlot = this.#days === 1 ? ofDay : this.#gather(rows, seconds => this.slotAt(seconds), slots)
    this.median = new Float32Array(slots * metrics)
    this.distance = new Float64Array(this.#slots * metrics)
    for (let slot = 0; slot < slots; slot++) {
      // A time of the week that was never seen is judged by that time of all days.
      const own = ofSlot[slot].length >= 2 ? ofSlot[slot] : ofDay[slot % this.#slots]
      for (let j = 0; j < metrics; j++) this.median[slot * metrics + j] = middle(own.map(i => values[i * metrics + j]).sort())
    }
    for (let slot = 0; slot < this.#slots; slot++) {
      const own = ofDay[slot]
      const from = Int32Array.from(own, i => this.slotAt(rows.times?.[i] ?? 0) * metrics)
      for (let j = 0; j < metrics; j++) {
        const off = own.map((i, k) => Math.abs(values[i * metrics + j] - this.median[from[k] + j])).sort()
        // Bursts that belong to this time of day widen it.
        this.distance[slot * metrics + j] = Math.max(1.4826 * middle(off), off[Math.floor(0.95 * (off.length - 1))] / 2, FLOOR)
      }
    }
  }

  /** The rows of each slot; all rows where there are fewer than two. */
  #gather({ count, times }: Rows, slotOf: (seconds: number) => number, slots: number): Float64Array[] {
    const rowsOf: number[][] = Array.from({ length: slots }, () => [])
    for (let i = 0; i < count; i++) rowsOf[slotOf(times?.[i] ?? 0)].push(i)
    const all =
      slots === this.#slots && rowsOf.some(list => list.length < 2)
        ? Float64Array.from({ length: count }, (_, i) => i)
        : undefined
    return rowsOf.map(list => (list.length < 2 && all ? all : Float64Array.from(list)))
  }

  save() {
    return { days: this.#days, slots: this.#slots, median: packFloats(this.median), distance: plain(this.distance) }
  }
  static of(season: number, state: ReturnType<Profile['save']>): Profile {
    const profile = new Profile(season, state.days, state.slots)
    profile.median = new Float32Array(unpackFloats(state.median))
    profile.distance = Float64Array.from(state.distance)
    return profile
  }
}

const middle = (sorted: Float64Array): number => sorted[sorted.length >> 1]
