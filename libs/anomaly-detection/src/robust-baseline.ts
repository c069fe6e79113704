/**
 * Robust baseline: how far a value lies from the median of the recent normal ones, in units of their spread.
 *
 * The score is |x - median| / scale, scale the largest of 1.4826 MAD (Hampel 1974, "The Influence Curve and Its Role in Robust Estimation"),
 * a share of the median, and a floor for the unit, so that a constant series does not turn its first wobble into an alarm.
 * Flagged values are not learned; a value that stays strange for `adoptAfter` rounds is the new normal and replaces the old window.
 */
import type { Detector, Expectation, Round } from '@aegis/domain'

export interface RobustBaselineOptions {
  /** Values kept per series. Default 240. */
  readonly window?: number
  /** Values before the first score. Default 12. */
  readonly warmUp?: number
  /** Least scale as a share of the median. Default 0.06. */
  readonly relativeFloor?: number
  /** Rounds after which a level that lasts is normal. Default 600. */
  readonly adoptAfter?: number
  /** Least scale of a series, by handle, in its unit. */
  readonly floorOf?: (series: number) => number
}
/** Values of a series before it is judged. */
export const BASELINE_WARM_UP = 12

interface State {
  values: number[]
  next: number
  median: number
  scale: number
  sinceFit: number
  strange: number[]
}
/** Refit often while young, seldom later: sorting is what costs. */
const refitEvery = (n: number) => (n < 40 ? 1 : 8)

export class RobustBaseline implements Detector {
  readonly name = 'robust-baseline'
  readonly #window: number
  readonly #warmUp: number
  readonly #relativeFloor: number
  readonly #adoptAfter: number
  readonly #floorOf: (series: number) => number
  #states: (State | undefined)[] = []

  constructor(options: RobustBaselineOptions = {}) {
    this.#window = options.window ?? 240
    this.#warmUp = options.warmUp ?? BASELINE_WARM_UP
    this.#relativeFloor = options.relativeFloor ?? 0.06
    this.#adoptAfter = options.adoptAfter ?? 600
    this.#floorOf = options.floorOf ?? (() => 0)
  }

  score(round: Round): Float64Array {
    const scores = new Float64Array(round.series.length)
    for (let i = 0; i < scores.length; i++) {
      const s = this.#states[round.series[i]]
      const x = round.values[i]
      scores[i] =
        s === undefined || s.values.length < this.#warmUp || Number.isNaN(x)
          ? Number.NaN
          : Math.abs(x - s.median) / this.#scale(round.series[i], s)
    }
    return scores
  }

  #scale(series: number, s: State): number {
    return Math.max(s.scale, this.#relativeFloor * Math.abs(s.median), this.#floorOf(series), 1e-9)
  }

  expect(round: Round): Expectation {
    const low = new Float64Array(round.series.length)
    const high = new Float64Array(round.series.length)
    for (let i = 0; i < low.length; i++) {
      const s = this.#states[round.series[i]]
      const width = s ? 3 * this.#scale(round.series[i], s) : Number.NaN
      low[i] = s ? s.median - width : Number.NaN
      high[i] = s ? s.median + width : Number.NaN
    }
    return { low, high }
  }

  learn(round: Round, flagged: readonly boolean[]): void {
    for (let i = 0; i < round.series.length; i++) {
      const x = round.values[i]
      if (Number.isNaN(x)) continue
      let s = this.#states[round.series[i]]
      if (!s) this.#states[round.series[i]] = s = { values: [], next: 0, median: 0, scale: 0, sinceFit: 0, strange: [] }
      if (flagged[i]) {
        s.strange.push(x)
        if (s.strange.length < this.#adoptAfter) continue
        s.values = s.strange.slice(-this.#window)
        s.next = 0
        s.strange = []
        fit(s)
        continue
      }
      if (s.strange.length > 0) s.strange.pop()
      if (s.values.length < this.#window) s.values.push(x)
      else {
        s.values[s.next] = x
        s.next = (s.next + 1) % this.#window
      }
      if (++s.sinceFit >= refitEvery(s.values.length)) fit(s)
    }
  }

  forget(series: readonly number[]): void {
    for (const handle of series) this.#states[handle] = undefined
  }

  snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify(this.#states))
  }
  restore(bytes: Uint8Array): void {
    this.#states = (JSON.parse(Buffer.from(bytes).toString()) as (State | null)[]).map(s => s ?? undefined)
  }
}

const fit = (s: State): void => {
  s.sinceFit = 0
  const sorted = Float64Array.from(s.values).sort()
  const middle = (a: Float64Array) => (a.length % 2 ? a[a.length >> 1] : (a[a.length / 2 - 1] + a[a.length / 2]) / 2)
  s.median = middle(sorted)
  const deviations = sorted.map(v => Math.abs(v - s.median)).sort()
  // A window whose tails are far out is wide, even where its middle is narrow: bursts that belong to normal life are no alarms.
  s.scale = Math.max(1.4826 * middle(deviations), deviations[Math.floor(0.95 * (deviations.length - 1))] / 2)
}
