import {
  type Anomaly,
  anomalies,
  BoundedMap,
  type Decision,
  decisions,
  emit,
  type Feedback,
  feedback,
  type Incident,
  type Input,
  incidents,
  isFinal,
  isFrom,
  keyOf,
  modelHealth,
  type Outcome,
  outcomes,
  type Prediction,
  partsOf,
  predictions,
  type Result,
  type Stage,
  type Stateful,
} from '@aegis/domain'
import { POLICY_MODEL } from '@aegis/model-registry'
import { type Answer, WatchedModel, type WatchOptions } from './watched-model.ts'

/** What each kind of model is given, as far as the streams tell. */
const INCIDENT_FEATURES = ['confidence', 'lead over the second', 'suspects', 'anomalies', 'entities']
const ANOMALY_FEATURES = ['score over threshold', 'series', 'templates', 'evidence']
const PREDICTION_FEATURES = ['score', 'confidence', 'detected', 'entities']
/** Answers whose outcome is waited for, of each kind. */
const WAITING = 5000
const MODELS = 200
/** What the spine finds of itself is no model of the watched system. */
const OWN = 'model-watch'

interface Asked {
  readonly model: string
  readonly confidence: number
}
type Told = ReturnType<WatchedModel['answered']>

/**
 * Predictions joined to what came of them, for every model whose answers are on a stream: decisions to how they ended, diagnoses and anomalies to what people confirmed,
 * and answers of the inference API, of which nobody says whether they were right, to their confidence alone.
 */
export class WatchModels implements Stage, Stateful {
  readonly snapshotVersion = 1
  readonly #options: WatchOptions
  readonly #models: BoundedMap<string, WatchedModel>
  readonly #features = new Map<string, readonly string[]>()
  readonly #decided = new BoundedMap<string, Asked>(WAITING)
  readonly #diagnosed = new BoundedMap<string, Asked & { readonly said: string; readonly anomalies: readonly string[] }>(WAITING)
  readonly #found = new BoundedMap<string, Asked>(4 * WAITING)

  constructor(options: WatchOptions = {}) {
    this.#options = options
    this.#models = new BoundedMap(MODELS)
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    return batch.flatMap(input => {
      const told = this.#see(input)
      return told.flatMap(t => [emit(modelHealth, t.health, input), ...(t.anomaly ? [emit(anomalies, t.anomaly, input)] : [])])
    })
  }

  #see(input: Input): NonNullable<Told>[] {
    const told = isFrom(input, decisions)
      ? [this.#decision(input.value)]
      : isFrom(input, outcomes)
        ? [this.#outcome(input.value)]
        : isFrom(input, incidents)
          ? [this.#incident(input.value)]
          : isFrom(input, feedback)
            ? this.#confirmed(input.value)
            : isFrom(input, anomalies)
              ? [this.#anomaly(input.value)]
              : isFrom(input, predictions)
                ? [this.#prediction(input.value)]
                : []
    return told.filter(t => t !== undefined)
  }

  #model(environment: string, model: string, features: readonly string[]): WatchedModel {
    const key = keyOf(environment, model)
    let watched = this.#models.touch(key)
    if (!watched) {
      watched = new WatchedModel(environment, model, features, this.#options)
      this.#models.set(key, watched)
      this.#features.set(key, features)
      for (const known of this.#features.keys()) if (!this.#models.has(known)) this.#features.delete(known)
    }
    return watched
  }

  /** A policy is right where the first thing it did brought health back. Paging is no answer of its own, and what is said in the shadow is nobody's. */
  #decision(d: Decision): Told {
    if (d.status !== 'decided' || d.mode === 'shadow' || d.attempt > 0 || this.#decided.has(d.decision)) return undefined
    const answer: Answer = {
      features: d.situation,
      confidence: d.candidates.find(c => c.action === d.action && c.target === d.target)?.probability ?? d.propensity,
      version: `${d.policy}@${d.policy_version}`,
    }
    // The width of the situation is part of who is asked: another width is another model.
    const features = d.situation.map((_, i) => `situation ${i}`)
    const model = POLICY_MODEL
    this.#decided.set(d.decision, { model: keyOf(d.environment, model), confidence: answer.confidence })
    return this.#model(d.environment, model, features).answered(answer, d.time)
  }
  #outcome(o: Outcome): Told {
    const asked = this.#decided.get(o.decision)
    if (!asked || !isFinal(o) || o.action === 'page' || o.status === 'unfinished') return undefined
    this.#decided.delete(o.decision)
    return this.#models.get(asked.model)?.ended(asked, o.status === 'done', o.time)
  }

  /** A diagnosis counts once, when its cause is first named; what people confirm is held against the last. */
  #incident(i: Incident): Told {
    const [first, second] = i.causes
    const before = this.#diagnosed.get(i.id)
    const key = keyOf(i.environment, 'root-cause')
    const said = first && i.verdict === 'cause_named' ? first.entity : ''
    this.#diagnosed.set(i.id, { model: key, confidence: first?.confidence ?? 0, said, anomalies: i.anomalies })
    if (!first || said === '' || (before && before.said !== '')) return undefined
    const features = [
      first.confidence,
      first.confidence - (second?.confidence ?? 0),
      i.causes.length,
      i.anomalies.length,
      i.entities.length,
    ]
    return this.#model(i.environment, 'root-cause', INCIDENT_FEATURES).answered(
      { features, confidence: first.confidence, version: '1' },
      i.time,
    )
  }
  #confirmed(f: Feedback): (Told | undefined)[] {
    const asked = this.#diagnosed.get(f.incident)
    if (!asked) return []
    const told: (Told | undefined)[] = []
    // Nothing was the matter: to abstain was right, and those who raised the alarm were wrong.
    if (asked.said !== '' || f.cause === '')
      told.push(this.#models.get(asked.model)?.ended(asked, asked.said === f.cause, f.time))
    for (const id of new Set(asked.anomalies)) {
      const found = this.#found.get(id)
      if (!found) continue
      this.#found.delete(id)
      told.push(this.#models.get(found.model)?.ended(found, f.cause !== '', f.time))
    }
    return told
  }

  #anomaly(a: Anomaly): Told {
    if (a.state !== 'open' || a.detector === OWN || this.#found.has(a.id)) return undefined
    const model = `detector ${a.detector}`
    const over = a.threshold > 0 ? a.score / a.threshold : a.score
    // How far it lies beyond its threshold, as something between 0 and 1.
    const confidence = over > 0 ? over / (1 + over) : 0
    this.#found.set(a.id, { model: keyOf(a.environment, model), confidence })
    const features = [over, a.series?.length ?? 0, a.templates?.length ?? 0, a.evidence.length]
    return this.#model(a.environment, model, ANOMALY_FEATURES).answered(
      { features, confidence, version: a.model_version },
      a.time,
    )
  }
  #prediction(p: Prediction): Told {
    return this.#model(p.environment, `${p.kind} ${p.model}`, PREDICTION_FEATURES).answered(
      {
        features: [p.score, p.confidence, p.detected ? 1 : 0, p.entities.length],
        confidence: p.confidence,
        version: p.model_version,
      },
      p.time,
    )
  }

  snapshot(): Uint8Array {
    return Buffer.from(
      JSON.stringify({
        models: [...this.#models].map(([key, m]) => [key, this.#features.get(key) ?? [], m]),
        decided: this.#decided,
        diagnosed: this.#diagnosed,
        found: this.#found,
      }),
    )
  }
  restore(bytes: Uint8Array): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    for (const [key, features, saved] of state.models) {
      const [environment, model] = partsOf(key) as [string, string]
      this.#features.set(key, features)
      this.#models.set(key, new WatchedModel(environment, model, features, this.#options).load(saved))
    }
    this.#decided.load(state.decided)
    this.#diagnosed.load(state.diagnosed)
    this.#found.load(state.found)
  }
}
