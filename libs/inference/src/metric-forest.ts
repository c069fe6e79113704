/**
 * Isolation Forest over windows of one metric, learned online: until it has rows enough, how many usual steps a value lies from the usual one decides;
 * afterwards the forest of the metric does as well, and the higher of both counts, since a forest does not tell a value far outside from one just outside.
 * Its score is put on a scale on which the threshold stands for what one in two hundred of the learned windows reaches.
 */
import { BoundedMap } from '@aegis/domain'
import { IsolationForest } from '@aegis/learning/isolation-forest'
import { FEATURE_COUNT, FEATURES, type SavedSeries, SeriesFeatures } from './series-features.ts'

export interface MetricForestOptions {
  /** Windows of a metric before its forest is grown. Default 100. */
  readonly minSamples?: number
  /** Score, 0 to 1, from which a value is an anomaly. Default 0.85. */
  readonly threshold?: number
}
export interface Judged {
  /** 0 to 1; NaN where there is too little history. */
  readonly score: number
  readonly model: 'statistics' | 'isolation-forest'
  /** How sure, 0 to 1. */
  readonly confidence: number
  /** Names such as `cpu_usage_slope`, the guiltiest first. */
  readonly features: readonly string[]
  /** Points of this series that were known before. */
  readonly history: number
  readonly usual: number
  readonly distance: number
}
export interface SavedMetrics {
  readonly series: readonly (readonly [key: string, metric: string, saved: SavedSeries])[]
  readonly rows: readonly (readonly [metric: string, rows: readonly (readonly number[])[]])[]
}

const TREES = 64
const SAMPLE = 256
const MOST_ROWS = 1024
/** Rows after which a forest is grown anew. */
const REGROW = 512
const MOST_VALUE = 1e100
const MOST_SERIES = 20_000
const MOST_METRICS = 500
/** Points of a series without which nothing can be said. */
export const LEAST_HISTORY = 8
/** Usual steps at which the threshold is reached, for a series that is known well. */
const STEPS = 5

interface Forest {
  readonly rows: Float64Array[]
  at: number
  sinceGrown: number
  forest?: IsolationForest
  middle: number
  edge: number
}
const quantile = (sorted: Float64Array, q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]

export class MetricForest {
  readonly #minSamples: number
  readonly threshold: number
  readonly #series = new BoundedMap<string, SeriesFeatures>(MOST_SERIES)
  readonly #metricOf = new Map<string, string>()
  readonly #forests = new BoundedMap<string, Forest>(MOST_METRICS)
  readonly #row = new Float64Array(FEATURE_COUNT)
  readonly #guilt = new Float64Array(FEATURE_COUNT)
  /** Share of what lies beyond the threshold. */
  readonly #rest: number

  constructor({ minSamples = 100, threshold = 0.85 }: MetricForestOptions = {}) {
    this.#minSamples = minSamples
    this.threshold = threshold
    this.#rest = 1 - threshold
  }

  /** Metrics whose forest is grown, and all that were seen. */
  get trained(): number {
    return [...this.#forests.values()].filter(f => f.forest).length
  }
  get metrics(): number {
    return this.#forests.size
  }
  get series(): number {
    return this.#series.size
  }

  /** Judges a point by what was learned before it, then learns it. @param series key of the series within its metric */
  judge(metric: string, series: string, given: number): Judged {
    // What is larger than any measured thing would make its squares no numbers.
    const value = Math.max(-MOST_VALUE, Math.min(MOST_VALUE, given))
    const key = `${metric}\0${series}`
    let known = this.#series.touch(key)
    if (!known) {
      known = new SeriesFeatures(metric)
      this.#series.set(key, known)
      this.#metricOf.set(key, metric)
      if (this.#metricOf.size > 2 * MOST_SERIES)
        for (const k of this.#metricOf.keys()) if (!this.#series.has(k)) this.#metricOf.delete(k)
    }
    const history = known.count
    if (history < LEAST_HISTORY) {
      const usual = history > 0 ? known.mean : value
      known.learn(value, false)
      return { score: Number.NaN, model: 'statistics', confidence: 0.1, features: [], history, usual, distance: 0 }
    }
    const distance = known.distance(value)
    known.describe(value, this.#row)
    // What is known from few points is known loosely.
    const byStatistics = this.#scale(distance / (STEPS * (1 + 10 / history)))
    const forest = this.#forests.touch(metric) ?? this.#newForest(metric)
    const row = this.#row
    let byForest = 0
    if (forest.forest) {
      const raw = forest.forest.score(row, this.#guilt)
      byForest = this.#scale((raw - forest.middle) / (forest.edge - forest.middle))
    } else this.#guilt.fill(1)
    const score = Math.max(byStatistics, byForest)
    const usual = known.mean
    const strange = score >= this.threshold
    if (!strange) this.#learn(forest, Float64Array.from(row))
    const features = strange ? this.#blame(metric, row) : []
    known.learn(value, strange)
    const margin = strange ? (score - this.threshold) / this.#rest : (this.threshold - score) / this.threshold
    const knowledge = history / (history + (forest.forest ? 10 : 40))
    return {
      score,
      model: forest.forest ? 'isolation-forest' : 'statistics',
      confidence: knowledge * (0.5 + 0.5 * Math.min(1, margin)),
      features,
      history,
      usual,
      distance,
    }
  }

  /** 0 at the middle and below, the threshold at 1, towards 1 beyond. */
  #scale(x: number): number {
    return x <= 0 ? 0 : 1 - this.#rest ** x
  }
  #newForest(metric: string): Forest {
    const forest: Forest = { rows: [], at: 0, sinceGrown: 0, middle: 0, edge: 1 }
    this.#forests.set(metric, forest)
    return forest
  }
  #learn(f: Forest, row: Float64Array): void {
    if (f.rows.length < MOST_ROWS) f.rows.push(row)
    else {
      f.rows[f.at] = row
      f.at = (f.at + 1) % MOST_ROWS
    }
    f.sinceGrown++
    if (f.rows.length >= this.#minSamples && (f.forest === undefined || f.sinceGrown >= REGROW)) this.#grow(f)
  }
  #grow(f: Forest): void {
    f.sinceGrown = 0
    f.forest = new IsolationForest({ trees: TREES, sample: SAMPLE, seed: 1 })
    f.forest.fit(f.rows)
    const scores = Float64Array.from(f.rows, row => f.forest!.score(row)).sort()
    f.middle = quantile(scores, 0.5)
    const deviations = scores.map(s => Math.abs(s - f.middle)).sort()
    // Never nearer than four usual deviations: few rows have few strange ones among them.
    f.edge = Math.max(quantile(scores, 0.995), f.middle + 4 * 1.4826 * quantile(deviations, 0.5), f.middle + 0.02) + 0.01
  }
  #blame(metric: string, row: Float64Array): string[] {
    const weight = Array.from(row, (x, i) => Math.abs(x) * (0.05 + this.#guilt[i]))
    const most = Math.max(...weight)
    return FEATURES.map((name, i) => ({ name: `${metric}_${name}`, w: weight[i] }))
      .filter(f => f.w >= 0.25 * most)
      .sort((a, b) => b.w - a.w)
      .map(f => f.name)
  }

  save(): SavedMetrics {
    return {
      series: [...this.#series].map(([key, s]) => [key, this.#metricOf.get(key) ?? key.split('\0')[0], s.save()] as const),
      rows: [...this.#forests].map(
        ([metric, f]) => [metric, f.rows.map(r => Array.from(r, x => Number(x.toPrecision(6))))] as const,
      ),
    }
  }
  load(saved: SavedMetrics): void {
    this.#series.load(saved.series.map(([key, metric, s]) => [key, SeriesFeatures.load(metric, s)] as const))
    for (const [key, metric] of saved.series) this.#metricOf.set(key, metric)
    this.#forests.clear()
    for (const [metric, rows] of saved.rows) {
      const forest = this.#newForest(metric)
      forest.rows.push(...rows.map(r => Float64Array.from(r)))
      if (forest.rows.length >= this.#minSamples) this.#grow(forest)
    }
  }
}
