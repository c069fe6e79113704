import { type Anomaly, idOf, type ModelHealth } from '@aegis/domain'
import { PerformanceEstimate } from '@aegis/learning/watch/estimate-performance'
import { type DriftReport, FeatureDrift } from '@aegis/learning/watch/feature-drift'
import { type AccuracyReport, RollingAccuracy } from '@aegis/learning/watch/rolling-accuracy'

export interface WatchOptions {
  readonly window?: number
  readonly degradation?: number
  readonly reference?: number
  readonly driftWindow?: number
}
/** One answer of a model: what it was given, and how sure it was. */
export interface Answer {
  readonly features: readonly number[]
  readonly confidence: number
  readonly version: string
}
interface Known {
  readonly confidence: number
  readonly right: number
}
type State = 'learning' | 'well' | 'drifted' | 'doubtful' | 'degraded'
const GRAVITY: Readonly<Record<State, Anomaly['severity'] | undefined>> = {
  learning: undefined,
  well: undefined,
  // Other inputs harm nobody by themselves.
  drifted: 'low',
  doubtful: 'medium',
  degraded: 'high',
}
/** Outcomes on which confidence is calibrated. */
const CALIBRATED_ON = 500
/** Windows in a row that are well before it is well again. */
const WELL = 2
/** Accuracy that an estimate must be below that of the reference before it is doubted: what the estimate itself may be off by. */
const OFF = 0.03

/** All that is known of one model in one environment: what it is given, how often it was right, and how often it should be. */
export class WatchedModel {
  readonly #environment: string
  readonly #model: string
  readonly #options: WatchOptions
  readonly #accuracy: RollingAccuracy
  readonly #drift: FeatureDrift
  readonly #estimate = new PerformanceEstimate()
  #known: Known[] = []
  #samples = 0
  #version = ''
  #lastAccuracy: AccuracyReport | undefined
  #lastDrift: DriftReport | undefined
  #lastEstimate: number | undefined
  #well = 0
  #open: { id: string; started: number; state: State } | undefined

  /** @param features names of what it is given, in order */
  constructor(environment: string, model: string, features: readonly string[], options: WatchOptions) {
    this.#environment = environment
    this.#model = model
    this.#options = options
    const { window, degradation, reference, driftWindow } = options
    this.#accuracy = new RollingAccuracy({ ...(window && { window }), ...(degradation && { degradation }) })
    this.#drift = new FeatureDrift({ features, ...(reference && { reference }), ...(driftWindow && { window: driftWindow }) })
  }

  /** It was asked. */
  answered(answer: Answer, time: number): { health: ModelHealth; anomaly?: Anomaly } | undefined {
    this.#samples++
    this.#version = answer.version
    this.#estimate.add(answer.confidence)
    const report = this.#drift.add(answer.features)
    if (!report) return undefined
    this.#lastDrift = report
    this.#lastEstimate = this.#estimate.close() ?? this.#lastEstimate
    return this.#judge(time)
  }
  /** What came of one of its answers. */
  ended(
    answer: Pick<Answer, 'confidence'>,
    right: boolean,
    time: number,
  ): { health: ModelHealth; anomaly?: Anomaly } | undefined {
    if (this.#known.length < CALIBRATED_ON) {
      this.#known.push({ confidence: answer.confidence, right: right ? 1 : 0 })
      if (this.#known.length === CALIBRATED_ON)
        this.#estimate.fit(
          this.#known.map(k => k.confidence),
          this.#known.map(k => k.right),
        )
    }
    const report = this.#accuracy.add(right, answer.confidence)
    if (!report) return undefined
    this.#lastAccuracy = report
    return this.#judge(time)
  }

  #state(): { state: State; reason: string; score: number } {
    const [accuracy, drift, estimate] = [this.#lastAccuracy, this.#lastDrift, this.#lastEstimate]
    const shown = (x: number) => x.toFixed(2)
    const { degradation = 0.05, window = 100 } = this.#options
    if (accuracy?.degraded) {
      const [before, lately] = [accuracy.before as number, accuracy.lately as number]
      return {
        state: 'degraded',
        reason: `right in ${shown(lately)} of the last ${5 * window} outcomes, in ${shown(before)} of those before`,
        score: (before - lately) / before / degradation,
      }
    }
    const reference = this.#estimate.reference
    if (estimate !== undefined && this.#estimate.ready && reference - estimate > Math.max(OFF, degradation * reference))
      return {
        state: 'doubtful',
        reason: `by its own confidence it is right in ${shown(estimate)} of what it is given lately, where it was in ${shown(reference)}`,
        score: (reference - estimate) / Math.max(OFF, degradation * reference),
      }
    if (drift?.alarm) {
      const [worst] = drift.drifted
      return {
        state: 'drifted',
        reason: worst
          ? `what it is given has changed: ${drift.drifted.map(d => d.feature).join(', ')} (${worst.feature} by ${shown(worst.distance)} of 1)`
          : 'what it is given has changed a little, for long',
        score: worst ? -Math.log10(Math.max(worst.p, 1e-300)) : 6,
      }
    }
    if (!accuracy && !drift) return { state: 'learning', reason: 'too little was seen yet', score: 0 }
    return {
      state: 'well',
      reason: accuracy ? `right in ${shown(accuracy.accuracy)} of the last ${window} outcomes` : 'what it is given is as before',
      score: 0,
    }
  }

  #judge(time: number): { health: ModelHealth; anomaly?: Anomaly } {
    const { state, reason, score } = this.#state()
    const [accuracy, drift] = [this.#lastAccuracy, this.#lastDrift]
    const health: ModelHealth = {
      id: idOf(this.#environment, this.#model, 'health', time, this.#samples, this.#accuracy.outcomes),
      environment: this.#environment,
      time,
      model: this.#model,
      version: this.#version,
      state,
      samples: this.#samples,
      outcomes: this.#accuracy.outcomes,
      accuracy: accuracy?.accuracy ?? null,
      accuracy_before: accuracy?.before ?? null,
      accuracy_lately: accuracy?.lately ?? null,
      calibration_error: accuracy?.calibration ?? null,
      estimated_accuracy: this.#lastEstimate ?? null,
      drifted: (drift?.drifted ?? []).map(({ feature, distance, p, stability }) => ({ feature, distance, p, stability })),
      reason,
    }
    const anomaly = this.#tell(health, state, reason, score, time)
    return anomaly ? { health, anomaly } : { health }
  }

  /** Opens when it falls sick, is told again when it gets worse, and closes when it has been well for a while. */
  #tell(health: ModelHealth, state: State, reason: string, score: number, time: number): Anomaly | undefined {
    const severity = GRAVITY[state]
    if (!severity) {
      if (!this.#open || ++this.#well < WELL) return undefined
      const open = this.#open
      this.#open = undefined
      return this.#anomaly(open, 'close', GRAVITY[open.state] ?? 'low', health, reason, score, time)
    }
    this.#well = 0
    const open = this.#open
    if (!open) {
      this.#open = { id: idOf(this.#environment, `model:${this.#model}`, time), started: time, state }
      return this.#anomaly(this.#open, 'open', severity, health, reason, score, time)
    }
    if (open.state === state) return undefined
    open.state = state
    return this.#anomaly(open, 'update', severity, health, reason, score, time)
  }

  #anomaly(
    { id, started }: { id: string; started: number },
    state: 'open' | 'update' | 'close',
    severity: Anomaly['severity'],
    health: ModelHealth,
    reason: string,
    score: number,
    time: number,
  ): Anomaly {
    const entity = `model:${this.#model}`
    const before = health.accuracy_before ?? (this.#estimate.ready ? this.#estimate.reference : undefined)
    const lately = health.accuracy_lately ?? health.estimated_accuracy ?? undefined
    const measured = before !== undefined && lately !== undefined && (health.state === 'degraded' || health.state === 'doubtful')
    return {
      id,
      environment: this.#environment,
      time,
      state,
      entity,
      // What is sick is said by a rule, and the rule's numbers are settings.
      kind: 'rule',
      severity,
      score,
      threshold: 1,
      summary: `${entity}: ${reason}`,
      started,
      ended: state === 'close' ? time : null,
      series: measured
        ? [
            {
              metric: 'model.accuracy',
              unit: '1',
              value: lately,
              expected_low: before,
              expected_high: 1,
              score: 6 * Math.max(1, score),
            },
          ]
        : [],
      templates: [],
      evidence: [
        {
          kind: 'series',
          entity,
          text: reason,
          time,
          stream: 'model.health',
          name: 'model.accuracy',
          ...(measured && { before, after: lately }),
        },
      ],
      detector: 'model-watch',
      model_version: health.version,
      recommended_action: health.state === 'degraded' ? 'rollback_deploy' : null,
    }
  }

  toJSON() {
    return {
      accuracy: this.#accuracy,
      drift: this.#drift,
      estimate: this.#estimate,
      known: this.#known,
      samples: this.#samples,
      version: this.#version,
      last: { accuracy: this.#lastAccuracy, drift: this.#lastDrift, estimate: this.#lastEstimate },
      well: this.#well,
      open: this.#open,
    }
  }
  /** From `JSON.parse` of what `toJSON` gave. */
  // biome-ignore lint/suspicious/noExplicitAny: parsed state of this very class
  load(state: any): this {
    this.#accuracy.load(state.accuracy)
    this.#drift.load(state.drift)
    this.#estimate.load(state.estimate)
    this.#known = state.known
    this.#samples = state.samples
    this.#version = state.version
    this.#lastAccuracy = state.last.accuracy
    this.#lastDrift = state.last.drift
    this.#lastEstimate = state.last.estimate
    this.#well = state.well
    this.#open = state.open
    return this
  }
}
