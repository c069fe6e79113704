import type { SeriesValue } from '@aegis/anomaly-detection'
import { type EntityEvent, EntityEvents } from '@aegis/anomaly-detection/entity-events'
import { EntityModel } from '@aegis/anomaly-detection/entity-model'
import type { Tensors } from '@aegis/anomaly-detection/tensorflow'
import { unpackTrained } from '@aegis/anomaly-detection/train-entity'
import { type Anomaly, idOf, keyOf, models, shownLow, type Tick } from '@aegis/domain'
import { entityModel } from '@aegis/model-registry'
import { byEntity } from './entity-rounds.ts'

export interface ScoreOptions {
  /** Name of the detector whose models are used. */
  readonly detector: string
  /** What `loadTensorFlow()` gave, for detectors that are networks. */
  readonly tensors?: Tensors
}
type Running = ReturnType<EntityModel['save']>
interface Scorer {
  version: string
  /** Undefined after a restart, until the tick that names its version. */
  model: EntityModel | undefined
  running: Running | undefined
  readonly events: EntityEvents
}

/**
 * All metrics of an entity together, by the model in force at the tick: what no single series shows. Another version takes over at the tick that first names
 * it, and an event that is open goes on under it. An entity without a model is learning and says nothing here.
 */
export class ScoreEntities {
  readonly #options: ScoreOptions
  #scorers = new Map<string, Scorer>()

  constructor(options: ScoreOptions) {
    this.#options = options
  }

  round(tick: Tick, values: readonly SeriesValue[], now: (environment: string) => number): Anomaly[] {
    const out: Anomaly[] = []
    for (const { environment, entity, values: own } of byEntity(values)) {
      const key = keyOf(environment, entity)
      const published = tick.inForce(models, entityModel(this.#options.detector, environment, entity))
      if (!published?.weights) continue
      let scorer = this.#scorers.get(key)
      if (!scorer) {
        scorer = { version: '', model: undefined, running: undefined, events: new EntityEvents() }
        this.#scorers.set(key, scorer)
      }
      if (scorer.version !== published.version || !scorer.model) {
        scorer.model = new EntityModel(unpackTrained(published.weights), this.#options.tensors)
        if (scorer.version === published.version && scorer.running) scorer.model.load(scorer.running)
        scorer.version = published.version
        scorer.running = undefined
      }
      const time = now(environment)
      const found = scorer.model.row(
        own.map(v => ({ metric: v.info.metric, value: v.value })),
        time,
      )
      if (!found) continue
      const event = scorer.events.row(time, found.score, found.threshold, found.guilty)
      if (event?.newNormal) scorer.model.adopt()
      if (event) out.push(anomalyOf(event, environment, entity, own, this.#options.detector, scorer.version))
    }
    return out
  }

  toJSON() {
    return [...this.#scorers].map(([key, s]) => [
      key,
      { version: s.version, running: s.model?.save() ?? s.running, events: s.events.save() },
    ])
  }
  fromJSON(state: [string, { version: string; running?: Running; events: ReturnType<EntityEvents['save']> }][]): void {
    this.#scorers = new Map(
      state.map(([key, { version, running, events: saved }]) => {
        const events = new EntityEvents()
        events.load(saved)
        return [key, { version, model: undefined, running, events }]
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
