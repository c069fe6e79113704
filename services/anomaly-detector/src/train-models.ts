import { DeriveSeries, RobustBaseline } from '@aegis/anomaly-detection'
import { EntityRows } from '@aegis/anomaly-detection/entity-rows'
import { packTrained, type TrainedEntity, type TrainRequest } from '@aegis/anomaly-detection/train-entity'
import {
  EnvironmentClocks,
  emit,
  type Input,
  idOf,
  isFrom,
  keyOf,
  type ModelVersion,
  metricsRaw,
  models,
  type Result,
  type Stage,
  type Stateful,
  type Tick,
} from '@aegis/domain'
import { entityModel, isHeld } from '@aegis/model-registry'
import { byEntity, type EntityRound } from './entity-rounds.ts'
import { type LearnedRound, LearnPast } from './learn-past.ts'
import { floorOf } from './unit-floors.ts'

export interface TrainOptions {
  /** Name of the detector that is trained. */
  readonly detector: string
  /** Score at which a row is left out. Default 6. */
  readonly threshold?: number
  readonly alarmsPerDay: number
  readonly youngThreshold: number
  /** Rows of an entity before it is trained for the first time. */
  readonly warmUp: number
  /** Rows kept per entity. */
  readonly history: number
  /** Entities trained per partition; what comes later is left to the baseline of single series. */
  readonly entities: number
  /** Most bytes of a model. Default 4 MiB. */
  readonly mostBytes?: number
  readonly train: (request: TrainRequest, signal: AbortSignal) => Promise<TrainedEntity>
  readonly onFailed?: (entity: string, error: Error) => void
}
interface Learner {
  readonly environment: string
  readonly entity: string
  readonly rows: EntityRows
  /** Rows since it was last trained. */
  since: number
  trainedOn: number
  leftOut: number
  told: boolean
}
/** Rows after which it can be said when there will be enough. */
const TELL_AT = 5
const iso = (us: number) => new Date(us / 1000).toISOString()

/**
 * Trains a detector for each entity and publishes it: keeps rows, without those the baseline calls strange, and trains when there are half as many again, one
 * entity a tick. `train` may take its time (a process of its own); the stage waits for it, so what is published depends on the input alone. What a replay trains once
 * more is thrown away by the runtime, as every output of a replay is.
 */
export class TrainModels implements Stage, Stateful {
  readonly snapshotVersion = 2
  readonly #options: TrainOptions
  readonly #threshold: number
  readonly #clocks = new EnvironmentClocks()
  readonly #series = new DeriveSeries()
  readonly #baseline: RobustBaseline
  readonly #past: LearnPast
  #learners = new Map<string, Learner>()

  constructor(options: TrainOptions) {
    this.#options = options
    this.#threshold = options.threshold ?? 6
    this.#baseline = new RobustBaseline({
      floorOf: series => {
        const { unit, metric } = this.#series.info(series)
        return floorOf(unit, metric)
      },
    })
    this.#past = new LearnPast(this.#series, this.#baseline, this.#threshold)
  }

  async process(batch: readonly Input[], signal: AbortSignal): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (isFrom(input, metricsRaw) && input.value.history) this.#gatherPast(this.#past.see(input.value))
      else if (isFrom(input, metricsRaw)) this.#series.add(input.value)
      else if (input.kind === 'tick')
        for (const model of await this.#round(input, signal)) results.push(emit(models, model, input))
    }
    return results
  }

  async #round(tick: Tick, signal: AbortSignal): Promise<ModelVersion[]> {
    this.#clocks.see(tick)
    for (const round of this.#past.rest()) this.#gatherPast(round)
    const values = this.#series.round(environment => this.#clocks.moves(tick, environment))
    const round = {
      time: tick.time,
      series: Int32Array.from(values, v => v.info.handle),
      values: Float64Array.from(values, v => v.value),
    }
    const scores = this.#baseline.score(round)
    const flagged = Array.from(scores, score => score >= this.#threshold)
    this.#baseline.learn(round, flagged)
    const strange = new Set(values.filter((_, i) => flagged[i]).map(v => keyOf(v.info.environment, v.info.entity)))
    const out: ModelVersion[] = []
    for (const entity of byEntity(values)) {
      const told = this.#gather(entity, strange, tick)
      if (told) out.push(told)
    }
    const due = [...this.#learners.values()].find(l => this.#due(l) && !this.#held(l, tick))
    const trained = due && (await this.#train(due, tick, signal))
    if (trained) out.push(trained)
    return out
  }

  #gather(round: EntityRound, strange: ReadonlySet<string>, tick: Tick): ModelVersion | undefined {
    const { warmUp, detector } = this.#options
    const { environment, entity } = round
    const now = this.#clocks.now(environment)
    const learner = this.#add(round, now, strange.has(keyOf(environment, entity)))
    if (!learner) return undefined
    const id = entityModel(detector, environment, entity)
    const { count } = learner.rows
    if (learner.told || count < TELL_AT || count >= warmUp || tick.inForce(models, id)) return undefined
    learner.told = true
    const until = now + Math.max(0, warmUp - learner.rows.count) * learner.rows.stepSeconds * 1e6
    return {
      id,
      environment,
      time: now,
      version: `learning-${idOf(id, now).slice(0, 8)}`,
      state: 'learning',
      metrics: { rows: learner.rows.count, wanted: warmUp, until },
      lineage: { detector, entity, until: iso(until) },
    }
  }

  #gatherPast(round: LearnedRound | undefined): void {
    if (round) this.#add(round, round.time, round.strange)
  }

  /** The row of a round goes to those its entity is trained on; undefined where it does not. */
  #add({ environment, entity, values }: EntityRound, time: number, strange: boolean): Learner | undefined {
    const { history, entities } = this.#options
    const key = keyOf(environment, entity)
    let learner = this.#learners.get(key)
    if (!learner) {
      if (this.#learners.size >= entities) return undefined
      learner = { environment, entity, rows: new EntityRows({ history }), since: 0, trainedOn: 0, leftOut: 0, told: false }
      this.#learners.set(key, learner)
    }
    if (strange) {
      learner.leftOut++
      return undefined
    }
    learner.rows.add(
      time,
      values.map(v => ({ metric: v.info.metric, value: v.value })),
    )
    learner.since++
    return learner
  }

  /** Half as many rows again as it was last trained on. */
  #due(l: Learner): boolean {
    const { warmUp } = this.#options
    return l.trainedOn === 0 ? l.rows.count >= warmUp : l.since >= Math.max(warmUp, l.trainedOn >> 1)
  }
  /** Somebody went back to an earlier version, which stays until it is released. */
  #held(l: Learner, tick: Tick): boolean {
    return isHeld(tick.inForce(models, entityModel(this.#options.detector, l.environment, l.entity)))
  }

  async #train(l: Learner, tick: Tick, signal: AbortSignal): Promise<ModelVersion | undefined> {
    const { detector, alarmsPerDay, youngThreshold, train, onFailed, mostBytes = 4 * 1024 * 1024 } = this.#options
    const { rows, environment, entity } = l
    l.since = 0
    l.trainedOn = rows.count
    try {
      const trained = await train(
        {
          detector,
          metrics: rows.metrics,
          rows: rows.table(),
          stepSeconds: Math.max(rows.stepSeconds, 1e-3),
          alarmsPerDay,
          youngThreshold,
        },
        signal,
      )
      const weights = packTrained(trained)
      if (weights.length > mostBytes)
        throw new Error(`its model has ${weights.length} bytes, more than the ${mostBytes} that may be published`)
      const id = entityModel(detector, environment, entity)
      const time = this.#clocks.now(environment)
      return {
        id,
        environment,
        time,
        version: idOf(id, time, rows.count, rows.to).slice(0, 12),
        state: 'active',
        weights,
        metrics: {
          rows: rows.count,
          metrics: rows.metrics.length,
          left_out: l.leftOut,
          threshold: trained.threshold,
          bytes: weights.length,
          ...(trained.loss !== undefined && { loss: trained.loss }),
          ...(trained.validation !== undefined && { validation: trained.validation }),
        },
        lineage: {
          detector,
          entity,
          stream: metricsRaw.name,
          partition: String(tick.partition),
          offset: String(tick.offset),
          from: iso(rows.from),
          to: iso(rows.to),
        },
      }
    } catch (error) {
      if (signal.aborted) throw error
      // The next time it is due it is tried again; what is in force stays.
      onFailed?.(entity, error as Error)
      return undefined
    }
  }

  snapshot(): Uint8Array {
    return Buffer.from(
      JSON.stringify({
        clocks: this.#clocks,
        series: this.#series,
        past: this.#past,
        baseline: Buffer.from(this.#baseline.snapshot()).toString('base64'),
        learners: [...this.#learners].map(([key, l]) => [key, { ...l, rows: l.rows.save() }]),
      }),
    )
  }
  restore(bytes: Uint8Array, version: number): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#series.fromJSON(state.series)
    if (version >= 2) this.#past.fromJSON(state.past)
    this.#baseline.restore(Buffer.from(state.baseline, 'base64'))
    this.#learners = new Map(
      (state.learners as [string, Omit<Learner, 'rows'> & { rows: ReturnType<EntityRows['save']> }][]).map(([key, l]) => {
        const rows = new EntityRows({ history: this.#options.history })
        rows.load(l.rows)
        return [key, { ...l, rows }]
      }),
    )
  }
}
