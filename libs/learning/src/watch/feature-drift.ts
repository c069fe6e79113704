/**
 * Whether what a model is given is still like what it was trained on, feature by feature and without labels.
 *
 * Two questions are kept apart. Which features drift: Kolmogorov-Smirnov at 5 % with a false-discovery correction over the features, and the stability index, for a person to
 * read. Whether to raise an alarm: asked of every window for months, 5 % would be an alarm a day, so that a window alarms only where its smallest chance, times features, is
 * below what a budget of false alarms a month leaves for one window; the mean rank is looked at as well, which is sharper for a shift. Two windows are looked at: the last one, for a sudden shift, and the last four, for a small one.
 */
import { falseDiscoveries, independentShare, kolmogorovSmirnov, quantileEdges, rankShift, stabilityIndex } from './two-samples.ts'

export interface FeatureDriftOptions {
  readonly features: readonly string[]
  /** Samples learned from before anything is compared. Default 1,000. */
  readonly reference?: number
  /** Samples of a window. Default 200. */
  readonly window?: number
  /** Share of features said to drift that may be chance. Default .05. */
  readonly q?: number
  /** False alarms in so many samples. Default .02 in 2,592,000: a sample a second for a month. */
  readonly falseAlarms?: number
  readonly perSamples?: number
}
export interface DriftedFeature {
  readonly feature: string
  readonly distance: number
  readonly p: number
  readonly stability: number
}
export interface DriftReport {
  /** Samples seen in all. */
  readonly samples: number
  readonly alarm: boolean
  /** Those that stand after the correction, the surest first. */
  readonly drifted: readonly DriftedFeature[]
}
interface Reference {
  /** Rising. */
  readonly values: readonly number[][]
  readonly shares: readonly number[]
}
/** Windows that are looked at together for a small shift. */
const LONG = 4

export class FeatureDrift {
  readonly #features: readonly string[]
  readonly #size: number
  readonly #window: number
  readonly #q: number
  readonly #least: number
  #reference: Reference | undefined
  #learning: number[][]
  /** The windows before the open one, newest last, and the open one: a list for each feature. */
  #windows: number[][][] = []
  #open: number[][]
  #samples = 0

  constructor(options: FeatureDriftOptions) {
    const { features, reference = 1000, window = 200, q = 0.05, falseAlarms = 0.02, perSamples = 2_592_000 } = options
    this.#features = features
    this.#size = reference
    this.#window = window
    this.#q = q
    // Two tests of the newest window and of the last ones together, for each feature.
    this.#least = (falseAlarms * window) / perSamples / 4 / Math.max(1, features.length)
    this.#learning = features.map(() => [])
    this.#open = features.map(() => [])
  }

  get ready(): boolean {
    return this.#reference !== undefined
  }

  /** What it was trained on, instead of the first samples that come. Rows in their order. */
  learn(rows: readonly ArrayLike<number>[]): void {
    this.#setReference(this.#features.map((_, f) => rows.map(row => row[f] as number).filter(Number.isFinite)))
  }

  /** One sample; a report at the end of each window. Values that are no numbers are left out. */
  add(row: ArrayLike<number>): DriftReport | undefined {
    this.#samples++
    const into = this.#reference ? this.#open : this.#learning
    for (let f = 0; f < this.#features.length; f++) {
      const value = row[f] as number
      if (Number.isFinite(value)) (into[f] as number[]).push(value)
    }
    if (!this.#reference) {
      if (this.#samples >= this.#size) this.#setReference(this.#learning)
      return undefined
    }
    if (Math.max(...this.#open.map(list => list.length)) < this.#window) return undefined
    this.#windows.push(this.#open)
    if (this.#windows.length > LONG) this.#windows.shift()
    this.#open = this.#features.map(() => [])
    return this.#judge(this.#reference)
  }

  #setReference(values: readonly number[][]): void {
    this.#reference = { values: values.map(list => [...list].sort((a, b) => a - b)), shares: values.map(independentShare) }
    this.#learning = this.#features.map(() => [])
  }

  #judge({ values, shares }: Reference): DriftReport {
    const newest = this.#windows.at(-1) as number[][]
    let smallest = 1
    const tests = this.#features.map((feature, f) => {
      const before = values[f] as number[]
      const share = shares[f] as number
      const now = newest[f] as number[]
      const { distance, p } = kolmogorovSmirnov(before, now, share, share)
      smallest = Math.min(smallest, p, rankShift(before, now, share, share))
      if (this.#windows.length === LONG) {
        const long = this.#windows.flatMap(window => window[f] as number[])
        smallest = Math.min(smallest, kolmogorovSmirnov(before, long, share, share).p, rankShift(before, long, share, share))
      }
      return { feature, distance, p, stability: stabilityIndex(before, now, quantileEdges(before)) }
    })
    const stands = falseDiscoveries(
      tests.map(t => t.p),
      this.#q,
    )
    return {
      samples: this.#samples,
      alarm: smallest <= this.#least,
      drifted: tests.filter((_, i) => stands[i]).sort((a, b) => a.p - b.p),
    }
  }

  toJSON() {
    return {
      reference: this.#reference ?? null,
      learning: this.#learning,
      windows: this.#windows,
      open: this.#open,
      samples: this.#samples,
    }
  }
  load(state: ReturnType<FeatureDrift['toJSON']>): this {
    this.#reference = state.reference ?? undefined
    this.#learning = state.learning
    this.#windows = state.windows
    this.#open = state.open
    this.#samples = state.samples
    return this
  }
}
