/** The questions of the inference API, whatever they come by: HTTP and gRPC call these, and nothing else. */
import { type adviceQuestion, type anomalyQuestion, type failureQuestion, Problem, type policyQuestion } from '@aegis/api'
import type { Decision, GuardFacts, Incident, Mode, Outcome } from '@aegis/domain'
import { advise, detectAnomaly, detectFailure, type FailureModel, MetricForest } from '@aegis/inference'
import { matchFault, redact, severityOfText } from '@aegis/log-mining'
import type { z } from 'zod'
import type { HistoryStore } from '../history/history-store.ts'
import { evaluatePolicy } from './evaluate-policy.ts'
import type { Answered, PredictionLog } from './prediction-log.ts'

export interface InferenceOptions {
  readonly environment: string
  readonly minSamples: number
  readonly anomalyThreshold: number
  readonly failureWindowSeconds: number
  readonly model: FailureModel | undefined
  readonly store: HistoryStore
  readonly log: Pick<PredictionLog, 'add'>
  readonly now: () => number
  /** Facts of the guard that settings and controls say. */
  readonly guardFacts: (environment: string) => {
    readonly control: Parameters<typeof evaluatePolicy>[1]['control']
    readonly defaultMode: Mode
    readonly allow: readonly string[]
    readonly deny: readonly string[]
    readonly limits: GuardFacts['limits']
  }
  /** False until controls and outcomes that stood on the topics are read. */
  readonly caughtUp: () => boolean
}
const HOUR_US = 3_600e6
const NOTE = 'metric-forest'
/** More than this is not written down at once: what was learned of the rest is learned again. */
const MOST_NOTE = 32 * 1024 * 1024
const FORM = 1

interface Stamped {
  readonly timestamp?: number
}
const newestOf = (list: readonly Stamped[]): number | undefined => {
  let newest: number | undefined
  for (const { timestamp } of list)
    if (timestamp !== undefined && !(newest !== undefined && newest >= timestamp)) newest = timestamp
  return newest
}
const timed = <T extends Stamped>(list: readonly T[], now: number): (Omit<T, 'timestamp'> & { time: number })[] =>
  list.map(({ timestamp, ...rest }) => ({ ...rest, time: timestamp ?? now }))

export class Inference {
  readonly #options: InferenceOptions
  readonly forest: MetricForest

  constructor(options: InferenceOptions) {
    this.#options = options
    this.forest = new MetricForest({ minSamples: options.minSamples, threshold: options.anomalyThreshold })
    const note = options.store.note(NOTE)
    if (note !== undefined) {
      const { form, saved } = JSON.parse(note) as { form: number; saved: Parameters<MetricForest['load']>[0] }
      if (form === FORM) this.forest.load(saved)
    }
  }
  /** Writes down what was learned of metrics, so that a restart goes on from it. */
  save(): void {
    const text = JSON.stringify({ form: FORM, saved: this.forest.save() })
    if (text.length <= MOST_NOTE) this.#options.store.setNote(NOTE, text)
  }

  #answered(
    who: string,
    environment: string | undefined,
    began: number,
    answer: Omit<Answered, 'who' | 'environment' | 'duration_us'>,
  ): void {
    this.#options.log.add({
      ...answer,
      who,
      environment: environment ?? this.#options.environment,
      duration_us: Math.round((performance.now() - began) * 1000),
    })
  }
  #iso(): string {
    return new Date(this.#options.now() / 1000).toISOString()
  }

  detectAnomaly({ metrics, environment }: z.output<typeof anomalyQuestion>, who: string) {
    const began = performance.now()
    const now = this.#options.now()
    const answer = detectAnomaly(this.forest, timed(metrics, newestOf(metrics) ?? now))
    this.#answered(who, environment, began, {
      kind: 'anomaly',
      model: answer.details.model,
      model_version: String(FORM),
      detected: answer.is_anomaly,
      label: answer.is_anomaly ? answer.severity : 'none',
      severity: answer.severity,
      score: answer.anomaly_score,
      confidence: answer.confidence,
      entities: [...answer.affected_metrics],
      actions: answer.recommended_action === 'none' ? [] : [answer.recommended_action],
      reason: answer.details.reason,
    })
    return { ...answer, timestamp: this.#iso() }
  }

  detectFailure({ metrics, logs, environment }: z.output<typeof failureQuestion>, who: string) {
    const began = performance.now()
    // What has no time of its own belongs to the newest that has one.
    const now = Math.max(newestOf(metrics) ?? 0, newestOf(logs) ?? 0) || this.#options.now()
    const answer = detectFailure(
      timed(metrics, now),
      timed(logs, now).map(l => ({ ...l, level: l.level ?? severityOfText(l.message), fault: matchFault(l.message)?.kind })),
      this.#options.model,
      this.#options.failureWindowSeconds * 1e6,
    )
    // The cause quotes a line as it came; what is answered and kept holds no secret of it.
    const clean = { ...answer, root_cause: redact(answer.root_cause) }
    this.#answered(who, environment, began, {
      kind: 'failure',
      model: answer.details.model,
      model_version: answer.details.heuristic ? String(FORM) : (this.#options.model?.version ?? ''),
      detected: answer.failure_detected,
      label: answer.failure_type ?? 'none',
      severity: answer.severity,
      score: answer.confidence,
      confidence: answer.confidence,
      entities: [...answer.affected_services],
      actions: [...answer.recommended_actions],
      reason: clean.root_cause,
    })
    return { ...clean, timestamp: this.#iso() }
  }

  /** @throws Problem 503 while what the guard looks at has not been read */
  evaluatePolicy(question: z.output<typeof policyQuestion>, who: string) {
    const began = performance.now()
    const { store, now, guardFacts, caughtUp } = this.#options
    if (!caughtUp())
      throw new Problem(503, 'controls and outcomes are still being read: nothing is allowed on what is not known; try again')
    const named = question.context.metadata.environment
    const environment = typeof named === 'string' && named !== '' ? named : this.#options.environment
    const outcomes = store.list({ kind: 'outcomes', environment, since: now() - HOUR_US, limit: 500 })
    const answer = evaluatePolicy(question, {
      environment,
      ...guardFacts(environment),
      outcomes: outcomes.rows.map(r => JSON.parse(r.doc) as Outcome),
      now: now(),
    })
    this.#answered(who, environment, began, {
      kind: 'policy',
      model: 'guard',
      model_version: '1',
      detected: answer.allowed,
      label: question.action,
      severity: 'low',
      score: answer.allowed ? 1 : 0,
      confidence: 1,
      entities: [question.resource],
      actions: [question.action],
      reason: answer.reason,
    })
    return answer
  }

  /** @throws Problem 404 for an incident that is not known */
  advise({ metrics, evidence, incident, environment }: z.output<typeof adviceQuestion>, who: string) {
    const began = performance.now()
    const found = incident === undefined ? undefined : this.#evidenceOf(incident)
    const suggestions = advise({
      metrics: [...metrics, ...(found?.metrics ?? [])],
      evidence: [...evidence.map(text => redact(text)), ...(found?.evidence ?? [])],
    })
    const [first] = suggestions
    this.#answered(who, environment ?? found?.environment, began, {
      kind: 'advice',
      model: 'rules',
      model_version: '1',
      detected: first !== undefined,
      label: first?.kind ?? 'none',
      severity: 'low',
      score: first?.priority ?? 0,
      confidence: first?.priority ?? 0,
      entities: [],
      actions: suggestions.map(s => s.kind),
      reason: first?.suggestion ?? 'nothing speaks for a change',
    })
    return { suggestions, timestamp: this.#iso() }
  }
  #evidenceOf(id: string) {
    const row = this.#options.store.get('incidents', id)
    if (!row) throw new Problem(404, `there is no incident with id ${id}`)
    const incident = JSON.parse(row.doc) as Incident
    const series = incident.anomalies.flatMap(a => {
      const anomaly = this.#options.store.get('anomalies', a)
      if (!anomaly) return []
      const { entity, series: guilty } = JSON.parse(anomaly.doc) as {
        entity: string
        series: { metric: string; value: number }[]
      }
      return guilty.map(s => ({ metric_type: s.metric, value: s.value, labels: { service: entity } }))
    })
    const lines = incident.causes.flatMap(c => c.evidence.filter(e => e.kind === 'log').map(e => e.text))
    return { environment: incident.environment, metrics: series, evidence: lines }
  }
}

/** Whom an approval would come too late for; undefined while the decision waits. */
export const decidedAlready = (store: HistoryStore, decision: Decision): string | undefined => {
  const word = store.children(decision.decision).find(r => r.kind === 'approvals')
  if (word) {
    const { who, approved } = JSON.parse(word.doc) as { who: string; approved: boolean }
    return `${who} ${approved ? 'approved' : 'rejected'} it already`
  }
  const outcome = store
    .children(decision.incident)
    .filter(r => r.kind === 'outcomes')
    .map(r => JSON.parse(r.doc) as Outcome)
    .find(o => o.decision === decision.decision)
  if (outcome) return `it was ${outcome.status === 'started' ? 'begun' : outcome.status} already`
  const newer = store
    .children(decision.incident)
    .filter(r => r.kind === 'decisions')
    .map(r => JSON.parse(r.doc) as Decision)
    .find(d => d.attempt > decision.attempt && d.mode !== 'shadow')
  return newer ? `a newer decision took its place: ${newer.action} ${newer.target}` : undefined
}
