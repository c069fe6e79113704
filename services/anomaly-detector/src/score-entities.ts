import type { SeriesValue } from '@aegis/anomaly-detection'
import { type EntityEvent, EntityEvents } from '@aegis/anomaly-detection/entity-events'
import { EntityModel } from '@aegis/anomaly-detection/entity-model'
import type { Tensors } from '@aegis/anomaly-detection/tensorflow'
import { type TrainedEntity, unpackTrained } from '@aegis/anomaly-detection/train-entity'
import { type Anomaly, BoundedMap, idOf, keyOf, type ModelVersion, models, shownLow, type Tick } from '@aegis/domain'
import { entityModel, type ModelKeys, objectionToModel } from '@aegis/model-registry'
import { byEntity, likeOf } from './entity-rounds.ts'

export interface ScoreOptions {
  /** Name of the detector whose models are used. */
  readonly detector: string
  /** What `loadTensorFlow()` gave, for detectors that are networks. */
  readonly tensors?: Tensors
  /** Whose signature is asked for; without them nobody's. */
  readonly keys?: ModelKeys
  /** Told of a version that does not take over: the one before it stays. */
  readonly onRefused?: (entity: string, version: string, why: string) => void
}
type Running = ReturnType<EntityModel['save']>
interface Taken {
  readonly version: string
  /** Undefined after a restart, until the tick that names its version. */
  model: EntityModel | undefined
  running: Running | undefined
}
interface Next extends Taken {
  rows: number
  /** Rows that it calls strange and the one before it does not. */
  loud: number
}
interface Scorer {
  /** Whose word counts. */
  taken: Taken | undefined
  /** The one that takes over, and the rows it has seen: what it knows ends where its training did. */
  next: Next | undefined
  /** Version that may not take over. */
  refused?: string
  readonly events: EntityEvents
}
/** Rows a model has to see before its word counts, so that what came between its training and now is no surprise. */
const SETTLE = 10
/** Of those, how many may be strange to it alone. */
const LOUD = SETTLE / 2
/** Entities scored; those not heard of for longest make room, since pods come and go. */
const SCORED = 2000

/**
 * All metrics of an entity together, by the model in force at the tick: what no single series shows. Another version takes over once it has seen a few rows
 * beside the one before it, and an event that is open goes on under it. An entity without a model is learning and says nothing here.
 */
export class ScoreEntities {
  readonly #options: ScoreOptions
  /** What like entities share is unpacked once. */
  readonly #unpacked = new BoundedMap<Uint8Array, TrainedEntity>(200)
  readonly #scorers = new BoundedMap<string, Scorer>(SCORED)

  constructor(options: ScoreOptions) {
    this.#options = options
  }

  round(tick: Tick, values: readonly SeriesValue[], now: (environment: string) => number): Anomaly[] {
    const out: Anomaly[] = []
    for (const { environment, entity, values: own } of byEntity(values)) {
      const key = keyOf(environment, entity)
      const published = tick.inForce(models, entityModel(this.#options.detector, environment, likeOf(entity)))
      if (!published?.weights) continue
      let scorer = this.#scorers.touch(key)
      if (!scorer) {
        scorer = { taken: undefined, next: undefined, events: new EntityEvents() }
        this.#scorers.set(key, scorer)
      }
      this.#takeUp(scorer, entity, published)
      const time = now(environment)
      const row = own.map(v => ({ metric: v.info.metric, value: v.value }))
      const found = scorer.taken?.model?.row(row, time)
      const { next } = scorer
      if (next) {
        const alone = next.model?.row(row, time)
        if (alone?.alarm && !found?.alarm) next.loud++
        const broken = alone !== undefined && !Number.isFinite(alone.score)
        if (broken) this.#refuse(scorer, entity, next.version, 'its score is no number')
        else if (++next.rows >= SETTLE) {
          if (scorer.taken && next.loud > LOUD)
            this.#refuse(
              scorer,
              entity,
              next.version,
              `${next.loud} of ${SETTLE} rows are strange to it and not to the one before it`,
            )
          else {
            scorer.taken = next
            scorer.next = undefined
          }
        }
      }
      if (!found) continue
      const event = scorer.events.row(time, found.score, found.threshold, found.guilty, found.alarm)
      if (event?.newNormal) scorer.taken?.model?.adopt()
      if (event)
        out.push(anomalyOf(event, environment, entity, own, this.#options.detector, scorer.taken?.version ?? published.version))
    }
    return out
  }

  #takeUp(scorer: Scorer, entity: string, published: ModelVersion): void {
    const { version } = published
    if (version === scorer.refused) return
    try {
      for (const one of [scorer.taken, scorer.next])
        if (one && one.version === version && !one.model) {
          one.model = this.#model(published)
          if (one.running) one.model.load(one.running)
          one.running = undefined
        }
      if (scorer.taken?.version === version) scorer.next = undefined
      else if (scorer.next?.version !== version)
        scorer.next = { version, model: this.#model(published), running: undefined, rows: 0, loud: 0 }
    } catch (error) {
      this.#refuse(scorer, entity, version, (error as Error).message)
    }
  }
  /** What is broken, or cries where the one before it is calm, does not take over. */
  #refuse(scorer: Scorer, entity: string, version: string, why: string): void {
    scorer.next = undefined
    scorer.refused = version
    this.#options.onRefused?.(entity, version, why)
  }
  #model(published: ModelVersion): EntityModel {
    const weights = published.weights as Uint8Array
    const objection = this.#unpacked.has(weights) ? undefined : objectionToModel(published, this.#options.keys)
    if (objection) throw new Error(objection)
    let trained = this.#unpacked.get(weights)
    if (!trained) this.#unpacked.set(weights, (trained = unpackTrained(weights)))
    return new EntityModel(trained, this.#options.tensors)
  }

  toJSON() {
    const kept = (one: Taken | undefined) => one && { ...one, model: undefined, running: one.model?.save() ?? one.running }
    return [...this.#scorers].map(([key, s]) => [
      key,
      { taken: kept(s.taken), next: kept(s.next), refused: s.refused, events: s.events.save() },
    ])
  }
  fromJSON(state: [string, { taken?: Taken; next?: Next; refused?: string; events: ReturnType<EntityEvents['save']> }][]): void {
    this.#scorers.load(
      state.map(([key, { taken, next, refused, events: saved }]) => {
        const events = new EntityEvents()
        events.load(saved)
        return [key, { taken, next: next && { ...next, loud: next.loud ?? 0 }, refused, events }] as const
      }),
    )
  }
}

const number = (value: number): string => String(Number(value.toPrecision(3)))

function anomalyOf(
  event: EntityEvent,
  environment: string,
  entity: string,
  values: readonly SeriesValue[],
  detector: string,
  version: string,
): Anomaly {
  const units = new Map(values.map(v => [v.info.metric, v.info.unit]))
  const texts = event.guilty.map(g => {
    const unit = units.get(g.metric)
    return `${g.metric} was ${number(g.value)}${unit && unit !== '1' ? ` ${unit}` : ''}, expected ${number(shownLow(g.metric, unit ?? '', g.low))} to ${number(g.high)}`
  })
  const more = event.guilty.length > 1 ? `, and ${event.guilty.length - 1} more series` : ''
  return {
    id: idOf(environment, entity, detector, event.started),
    environment,
    time: event.time,
    state: event.state,
    entity,
    kind: 'metric',
    severity: event.severity,
    score: event.score,
    threshold: event.threshold,
    summary: `${entity}: ${texts[0] ?? 'its metrics do not fit together'}${more}${event.newNormal ? '; it has lasted and is the new normal' : ''}`,
    started: event.started,
    ended: event.state === 'close' ? event.time : null,
    series: event.guilty.map(g => ({
      metric: g.metric,
      unit: units.get(g.metric) ?? '',
      value: g.value,
      expected_low: g.low,
      expected_high: g.high,
      score: g.score,
    })),
    templates: [],
    evidence: event.guilty.map((g, i) => ({
      kind: 'series',
      entity,
      text: texts[i],
      time: event.started,
      stream: 'metrics.raw',
      name: g.metric,
      before: (g.low + g.high) / 2,
      after: g.value,
    })),
    detector,
    model_version: version,
  }
}
