import type {
  Anomaly,
  Approval,
  AuditEntry,
  BuildDiagnosis,
  BuildFailed,
  Change,
  Control,
  ControlWanted,
  Decision,
  DriftAnalysis,
  DriftReport,
  EdgePart,
  ExternalIssue,
  Feedback,
  Incident,
  LogEvent,
  LogLine,
  ManualFix,
  ModelHealth,
  ModelVersion,
  Observation,
  Outcome,
  Prediction,
  Span,
  Standstill,
  TemplateChange,
  TopologyEdge,
  TracedLine,
  VisitPart,
} from './words.generated.ts'

/** A named, typed flow of values. The runtime maps it to a topic; nothing else needs to know. */
export interface Stream<T> {
  readonly name: string
  /** Same key, same order. */
  key(value: T): string
  /** `data` streams spread over many partitions, `environment` streams over few; `one` keeps everything in one. */
  readonly spread: 'data' | 'environment' | 'one'
  /** Days a record is kept; `compacted` keeps the last record of each key. */
  readonly retention: number | 'compacted'
  /** Broadcast streams are read whole by every instance; the others are shared out by partition. */
  readonly broadcast: boolean
  /** Readers must notice silence: the clock puts a tick in every partition once a second. */
  readonly ticks: boolean
  /** One sentence for the reference page. */
  readonly about: string
}

interface StreamOptions {
  spread?: Stream<unknown>['spread']
  retention?: number | 'compacted'
  broadcast?: boolean
  ticks?: boolean
}
const stream = <T>(name: string, about: string, key: (value: T) => string, options: StreamOptions = {}): Stream<T> => ({
  name,
  about,
  key,
  spread: options.spread ?? 'environment',
  retention: options.retention ?? 7,
  broadcast: options.broadcast ?? false,
  ticks: options.ticks ?? false,
})
const environment = (value: { readonly environment: string }) => value.environment

export const logsRaw = stream<LogLine>('logs.raw', 'Log lines as received.', v => v.entity ?? v.source, {
  spread: 'data',
  retention: 3,
  ticks: true,
})
export const metricsRaw = stream<Observation>('metrics.raw', 'Observations as received.', v => v.entity, {
  spread: 'data',
  retention: 3,
  ticks: true,
})
export const tracesSpans = stream<Span>('traces.spans', 'Spans as received.', v => v.trace_id, {
  spread: 'data',
  retention: 1,
  ticks: true,
})
export const tracesEdges = stream<EdgePart>('traces.edges', 'Partial call counts per edge and window.', v => v.callee, {
  spread: 'data',
  retention: 1,
  ticks: true,
})
export const tracesLines = stream<TracedLine>('traces.lines', 'Log lines written within a span, by trace.', v => v.trace_id, {
  spread: 'data',
  retention: 1,
  ticks: true,
})
export const tracesVisits = stream<VisitPart>('traces.visits', 'Where requests stop: partial counts per entity.', v => v.entity, {
  spread: 'data',
  retention: 1,
  ticks: true,
})
export const topologyEdges = stream<TopologyEdge>('topology.edges', 'Dependencies between entities.', environment)
export const changes = stream<Change>('changes', 'Deploys, configuration, scale and flag changes.', environment, {
  retention: 30,
})
export const issuesExternal = stream<ExternalIssue>('issues.external', 'Known problems from outside.', environment)
export const logsParsed = stream<LogEvent>('logs.parsed', 'Log lines understood.', v => v.entity, {
  spread: 'data',
  retention: 3,
  ticks: true,
})
export const templates = stream<TemplateChange>('templates', 'Templates as they are made, widened and merged.', v => v.id, {
  retention: 'compacted',
  broadcast: true,
})
export const anomalies = stream<Anomaly>('anomalies', 'Anomalies opened, updated and closed.', environment, {
  retention: 30,
  ticks: true,
})
export const incidents = stream<Incident>('incidents', 'Incidents with ranked causes.', environment, {
  retention: 90,
  ticks: true,
})
export const decisions = stream<Decision>('remediation.decisions', 'Decisions after the guard.', environment, {
  retention: 90,
  ticks: true,
})
export const approvals = stream<Approval>('remediation.approvals', 'What people approved or rejected.', environment, {
  retention: 90,
})
export const outcomes = stream<Outcome>('remediation.outcomes', 'What followed decisions.', environment, { retention: 90 })
export const manualFixes = stream<ManualFix>('manual.fixes', 'What people did by hand.', environment, { retention: 90 })
export const feedback = stream<Feedback>('incident.feedback', 'Confirmed causes.', environment, { retention: 90 })
export const models = stream<ModelVersion>('models', 'Versions of models.', v => v.id, {
  spread: 'one',
  retention: 'compacted',
  broadcast: true,
})
export const modelHealth = stream<ModelHealth>(
  'model.health',
  'How models do: what they are given, and how often they are right.',
  environment,
  {
    retention: 30,
  },
)
export const controls = stream<Control>('controls', 'How far the machine may go, per environment.', environment, {
  spread: 'one',
  retention: 'compacted',
  broadcast: true,
})
export const controlsWanted = stream<ControlWanted>(
  'controls.wanted',
  'What people want the machine to be allowed, in the order in which it counts.',
  environment,
  { retention: 90 },
)
export const standstills = stream<Standstill>(
  'remediation.standstills',
  'Executors saying that a stop has stopped all.',
  environment,
  { retention: 90 },
)
export const audit = stream<AuditEntry>('audit', 'Who wrote what.', environment, { retention: 90 })
export const ciFailures = stream<BuildFailed>(
  'ci.failures',
  'Jobs of pipelines that failed, with their logs.',
  v => v.repository,
  {
    retention: 7,
  },
)
export const ciDiagnoses = stream<BuildDiagnosis>('ci.diagnoses', 'Why jobs failed, by lines of their logs.', v => v.repository, {
  retention: 90,
})
export const driftEvents = stream<DriftReport>('drift.events', 'Resources that are not as their code says.', environment, {
  retention: 30,
})
export const driftAnalyses = stream<DriftAnalysis>(
  'drift.analyses',
  'Who made a drift, why, how bad it is and what to do.',
  environment,
  { retention: 90 },
)
export const predictions = stream<Prediction>('predictions', 'What models answered to those who asked.', environment, {
  retention: 30,
})

/** The whole pipeline on one page: every stream there is. */
export const streams: readonly Stream<never>[] = [
  logsRaw,
  metricsRaw,
  tracesSpans,
  tracesEdges,
  tracesLines,
  tracesVisits,
  topologyEdges,
  changes,
  issuesExternal,
  logsParsed,
  templates,
  anomalies,
  incidents,
  decisions,
  approvals,
  outcomes,
  manualFixes,
  feedback,
  models,
  modelHealth,
  controls,
  controlsWanted,
  standstills,
  audit,
  ciFailures,
  ciDiagnoses,
  driftEvents,
  driftAnalyses,
  predictions,
] as unknown as readonly Stream<never>[]
