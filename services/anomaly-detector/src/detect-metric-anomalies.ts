import { BASELINE_WARM_UP, DeriveSeries, RobustBaseline, type Scored, TrackAnomalies } from '@aegis/anomaly-detection'
import {
  type Anomaly,
  anomalies,
  type Detector,
  EnvironmentClocks,
  emit,
  type Input,
  isFrom,
  keyOf,
  metricKnowledge,
  metricsRaw,
  type Observation,
  partsOf,
  type Result,
  type Stage,
  type Stateful,
  type Tick,
} from '@aegis/domain'
import { ApplyAlertRules } from './apply-alert-rules.ts'
import { LearnPast } from './learn-past.ts'
import { ScoreEntities, type ScoreOptions } from './score-entities.ts'
import { floorOf } from './unit-floors.ts'
import { WatchSeries } from './watch-series.ts'

export interface DetectOptions {
  readonly threshold?: number
  readonly rounds?: number
  readonly silenceUs?: number
  /** Models of each entity's metrics together, beside the detector of each series. */
  readonly entities?: ScoreOptions
  /** Makes the detector of a partition's series. */
  readonly detector?: (floor: (series: number) => number) => Detector
  /** Told once of an entity without a past, while live: until when (microseconds) its series are only learned. */
  readonly onLearning?: (environment: string, entity: string, until: number) => void
}
interface Presence {
  last: number
  /** Typical time between observations, microseconds. */
  interval: number
  seen: number
}
/** Observations of an entity after which its interval is known. */
const TELL_AT = 4
/** Series that tell of silence are held against this. */
const UP: Pick<Scored, 'metric' | 'unit'> = { metric: 'telemetry', unit: '1' }
/** An entity silent for this long is taken to be gone for good, microseconds. */
const GONE_US = 3_600_000_000
/** A series silent for this long is forgotten: pods come and go; microseconds. */
const FORGET_US = 86_400_000_000

/** Observations to anomalies: each tick closes a round, which is scored, tracked and then learned from. An entity that falls silent is strange too. */
export class DetectMetricAnomalies implements Stage, Stateful {
  readonly snapshotVersion = 5
  readonly #clocks = new EnvironmentClocks()
  readonly #series = new DeriveSeries()
  readonly #detector: Detector
  readonly #track: TrackAnomalies
  readonly #silenceUs: number
  readonly #entities: ScoreEntities | undefined
  readonly #rules = new ApplyAlertRules()
  readonly #watch = new WatchSeries()
  readonly #past: LearnPast
  readonly #onLearning: DetectOptions['onLearning']
  #live = false
  #presence = new Map<string, Presence>()
  /** Series of availability that have said that their target is there. */
  #there = new Set<string>()

  constructor(options: DetectOptions = {}) {
    const floor = (series: number) => {
      const info = this.#series.info(series)
      return floorOf(info.unit, info.metric, this.#series.mostOf(info))
    }
    this.#detector = options.detector?.(floor) ?? new RobustBaseline({ floorOf: floor })
    this.#track = new TrackAnomalies(this.#detector.name, 'metric', options)
    this.#silenceUs = options.silenceUs ?? 5_000_000
    this.#past = new LearnPast(this.#series, this.#detector, this.#track.threshold)
    this.#onLearning = options.onLearning
    this.#entities = options.entities && new ScoreEntities(options.entities)
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (isFrom(input, metricsRaw) && input.value.history) this.#past.see(input.value)
      else if (isFrom(input, metricsRaw)) {
        const { value, told } = this.#watch.see(input.value, input.time)
        if (value) this.#series.add(value)
        this.#present(input.value, input.time)
        for (const anomaly of [...told, ...this.#rules.point(input.value, input.time)])
          results.push(emit(anomalies, anomaly, input))
      } else if (input.kind === 'tick') for (const anomaly of this.#round(input)) results.push(emit(anomalies, anomaly, input))
    }
    return results
  }

  live(): void {
    this.#live = true
  }

  /** What an entity says of itself; what others say of it (calls to it) goes on when it is dead. */
  #present(o: Observation, time: number): void {
    if (o.metric_name.startsWith('calls.') || o.metric_name.startsWith('logs.')) return
    const key = keyOf(o.environment, o.entity)
    const p = this.#presence.get(key)
    if (!p) {
      this.#presence.set(key, { last: time, interval: 0, seen: 1 })
      return
    }
    const gap = time - p.last
    if (gap <= 0) return
    if (gap > 200_000) {
      p.interval = p.interval === 0 ? gap : p.interval + 0.2 * (Math.min(gap, 4 * p.interval) - p.interval)
      if (++p.seen === TELL_AT && this.#live && !this.#past.knows(o))
        this.#onLearning?.(o.environment, o.entity, time + (BASELINE_WARM_UP - TELL_AT) * p.interval)
    }
    p.last = time
  }

  #round(tick: Tick): Anomaly[] {
    this.#clocks.see(tick)
    this.#past.rest()
    const values = this.#series.round(environment => this.#clocks.moves(tick, environment))
    const round = {
      time: tick.time,
      series: Int32Array.from(values, v => v.info.handle),
      values: Float64Array.from(values, v => v.value),
    }
    const scores = this.#detector.score(round)
    const band = this.#detector.expect?.(round)
    const flagged: boolean[] = new Array(values.length)
    const byEnvironment = new Map<string, Scored[]>()
    const put = (s: Scored) => {
      const list = byEnvironment.get(s.environment)
      if (list) list.push(s)
      else byEnvironment.set(s.environment, [s])
    }
    for (let i = 0; i < values.length; i++) {
      const { environment, entity, metric, unit } = values[i].info
      // There or not there: no baseline says what is usual, and who never was there is not missing.
      const there = metricKnowledge(metric)?.role === 'availability'
      if (there) {
        const key = keyOf(environment, entity, metric)
        if (values[i].value >= 1) this.#there.add(key)
        const lost = this.#there.has(key) && values[i].value < 1
        scores[i] = lost ? (values[i].value <= 0.5 ? 5 : 2) * this.#track.threshold : 0
      }
      flagged[i] = scores[i] >= this.#track.threshold
      put({
        environment,
        entity,
        metric,
        unit,
        value: values[i].value,
        score: scores[i],
        low: there ? 1 : (band?.low[i] ?? Number.NaN),
        high: there ? 1 : (band?.high[i] ?? Number.NaN),
      })
    }
    this.#detector.learn(round, flagged)
    for (const [key, p] of this.#presence) {
      const [environment, entity] = partsOf(key)
      if (!this.#clocks.moves(tick, environment)) continue
      const silent = this.#clocks.now(environment) - p.last
      if (silent > GONE_US) this.#presence.delete(key)
      else if (p.seen >= 5) {
        const limit = Math.max(this.#silenceUs, 4 * p.interval)
        // Very strange at once: it has already lasted several intervals.
        put({
          environment,
          entity,
          ...UP,
          value: silent > limit ? 0 : 1,
          score: silent > limit ? 5 * this.#track.threshold : 0,
          low: 1,
          high: 1,
        })
      }
    }
    const now = (environment: string) => this.#clocks.now(environment)
    if (this.#detector.forget) this.#detector.forget(this.#series.forget(now, FORGET_US))
    this.#watch.forget(now, FORGET_US)
    const together = this.#entities?.round(tick, values, environment => this.#clocks.now(environment)) ?? []
    for (const environment of this.#track.environments)
      if (!byEnvironment.has(environment) && this.#clocks.moves(tick, environment)) byEnvironment.set(environment, [])
    const alone = [...byEnvironment].flatMap(([environment, list]) =>
      this.#track.round(environment, this.#clocks.now(environment), list),
    )
    return [...alone, ...together, ...this.#rules.tick(tick, this.#clocks)]
  }

  snapshot(): Uint8Array {
    return Buffer.from(
      JSON.stringify({
        clocks: this.#clocks,
        series: this.#series,
        track: this.#track,
        presence: [...this.#presence],
        there: [...this.#there],
        entities: this.#entities,
        rules: this.#rules,
        watch: this.#watch,
        past: this.#past,
        detector: Buffer.from(this.#detector.snapshot()).toString('base64'),
      }),
    )
  }
  restore(bytes: Uint8Array, version: number): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#series.fromJSON(state.series)
    this.#track.fromJSON(state.track)
    this.#presence = new Map(state.presence)
    this.#there = new Set(state.there ?? [])
    this.#detector.restore(Buffer.from(state.detector, 'base64'))
    // Before version 3 there were neither rules nor watches, and entities were trained here.
    if (version < 3) return
    if (state.entities && version >= 5) this.#entities?.fromJSON(state.entities)
    this.#rules.fromJSON(state.rules)
    this.#watch.fromJSON(state.watch)
    if (version >= 4) this.#past.fromJSON(state.past)
  }
}
