import { DeriveSeries, RobustBaseline } from '@aegis/anomaly-detection'
import { EntityRows, together } from '@aegis/anomaly-detection/entity-rows'
import { packTrained, type TrainedEntity, type TrainRequest } from '@aegis/anomaly-detection/train-entity'
import {
  BoundedMap,
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
import { entityModel, isHeld, type ModelSigner, sealed } from '@aegis/model-registry'
import { byEntity, type EntityRound, likeOf } from './entity-rounds.ts'
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
  /** Entities (or workloads) trained per partition; what comes later is left to the baseline of single series. */
  readonly entities: number
  /** Told once, with the first entity for which there is no room. */
  readonly onFull?: (entity: string) => void
  /** Most bytes of a model. Default 4 MiB. */
  readonly mostBytes?: number
  /** Who signs what is published; nobody without it. */
  readonly signer?: ModelSigner
  readonly train: (request: TrainRequest, signal: AbortSignal) => Promise<TrainedEntity>
  readonly onFailed?: (entity: string, error: Error) => void
}
interface Learner {
  readonly environment: string
  /** What the model is for: an entity, or a workload whose instances are alike. */
  readonly entity: string
  readonly rows: BoundedMap<string, EntityRows>
  /** Rows since it was last trained. */
  since: number
  trainedOn: number
  leftOut: number
  told: boolean
}
/** Instances of a workload whose rows are kept; more of them say little that is new. */
const INSTANCES = 4
const countOf = (l: Learner): number => [...l.rows.values()].reduce((sum, rows) => sum + rows.count, 0)
/** The instance with most rows speaks for how far apart they are. */
const stepOf = (l: Learner): number =>
  [...l.rows.values()].reduce((most, rows) => (rows.count > most.count ? rows : most)).stepSeconds
/** Rows after which it can be said when there will be enough. */
const TELL_AT = 5
const iso = (us: number) => new Date(us / 1000).toISOString()

/**
 * Trains a detector for each entity and publishes it: keeps rows, without those the baseline calls strange, and trains when there are half as many again, one
 * entity a tick. `train` may take its time (a process of its own); the stage waits for it, so what is published depends on the input alone. What a replay trains once
 * more is thrown away by the runtime, as every output of a replay is.
 */
export class TrainModels implements Stage, Stateful {
  readonly snapshotVersion = 3
  readonly #options: TrainOptions
  readonly #threshold: number
  readonly #clocks = new EnvironmentClocks()
  readonly #series = new DeriveSeries()
  readonly #baseline: RobustBaseline
  readonly #past: LearnPast
  #learners = new Map<string, Learner>()
  #full = false

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
    const id = entityModel(detector, environment, learner.entity)
    const count = countOf(learner)
    if (learner.told || count < TELL_AT || count >= warmUp || tick.inForce(models, id)) return undefined
    learner.told = true
    const until = now + Math.ceil((warmUp - count) / learner.rows.size) * stepOf(learner) * 1e6
    return {
      id,
      environment,
      time: now,
      version: `learning-${idOf(id, now).slice(0, 8)}`,
      state: 'learning',
      metrics: { rows: count, wanted: warmUp, until },
      lineage: { detector, entity: learner.entity, until: iso(until) },
    }
  }

  #gatherPast(round: LearnedRound | undefined): void {
    if (round) this.#add(round, round.time, round.strange)
  }

  /** The row of a round goes to those its entity is trained on; undefined where it does not. */
  #add({ environment, entity, values }: EntityRound, time: number, strange: boolean): Learner | undefined {
    const { history, entities } = this.#options
    const like = likeOf(entity)
    const key = keyOf(environment, like)
    let learner = this.#learners.get(key)
    if (!learner) {
      if (this.#learners.size >= entities) {
        if (!this.#full) this.#options.onFull?.(entity)
        this.#full = true
        return undefined
      }
      learner = { environment, entity: like, rows: new BoundedMap(INSTANCES), since: 0, trainedOn: 0, leftOut: 0, told: false }
      this.#learners.set(key, learner)
    }
    if (strange) {
      learner.leftOut++
      return undefined
    }
    let rows = learner.rows.touch(entity)
    if (!rows) {
      rows = new EntityRows({ history })
      learner.rows.set(entity, rows)
    }
    rows.add(
      time,
      values.map(v => ({ metric: v.info.metric, value: v.value })),
    )
    learner.since++
    return learner
  }

  /** Half as many rows again as it was last trained on. */
  #due(l: Learner): boolean {
    const { warmUp } = this.#options
    return l.trainedOn === 0 ? countOf(l) >= warmUp : l.since >= Math.max(warmUp, l.trainedOn >> 1)
  }
  /** Somebody went back to an earlier version, which stays until it is released. */
  #held(l: Learner, tick: Tick): boolean {
    return isHeld(tick.inForce(models, entityModel(this.#options.detector, l.environment, l.entity)))
  }

  async #train(l: Learner, tick: Tick, signal: AbortSignal): Promise<ModelVersion | undefined> {
    const { detector, history, alarmsPerDay, youngThreshold, train, onFailed, mostBytes = 4 * 1024 * 1024 } = this.#options
    const { environment, entity } = l
    const instances = [...l.rows.values()]
    const { metrics, rows } = together(instances, history)
    l.since = 0
    l.trainedOn = rows.count
    const from = Math.min(...instances.map(i => i.from))
    const to = Math.max(...instances.map(i => i.to))
    try {
      const trained = await train(
        {
          detector,
          metrics,
          rows,
          stepSeconds: Math.max(stepOf(l), 1e-3),
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
      return sealed(
        {
          id,
          environment,
          time,
          version: idOf(id, time, rows.count, to).slice(0, 12),
          state: 'active',
          weights,
          metrics: {
            rows: rows.count,
            metrics: metrics.length,
            instances: instances.length,
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
            from: iso(from),
            to: iso(to),
            features: metrics.join('\n'),
          },
        },
        this.#options.signer,
      )
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
        learners: [...this.#learners].map(([key, l]) => [
          key,
          { ...l, rows: [...l.rows].map(([entity, rows]) => [entity, rows.save()]) },
        ]),
        full: this.#full,
      }),
    )
  }
  restore(bytes: Uint8Array, version: number): void {
    // Before version 3 every entity was trained by itself, on few rows: it is learned anew.
    if (version < 3) return
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#series.fromJSON(state.series)
    this.#past.fromJSON(state.past)
    this.#baseline.restore(Buffer.from(state.baseline, 'base64'))
    this.#full = state.full
    this.#learners = new Map(
      (state.learners as [string, Omit<Learner, 'rows'> & { rows: [string, ReturnType<EntityRows['save']>][] }][]).map(
        ([key, l]) => {
          const rows = new BoundedMap<string, EntityRows>(INSTANCES)
          for (const [entity, saved] of l.rows) {
            const own = new EntityRows({ history: this.#options.history })
            own.load(saved)
            rows.set(entity, own)
          }
          return [key, { ...l, rows }]
        },
      ),
    )
  }
}
