/** What the history keeps of each stream: under which name it is asked for, and by what it is found. */
import {
  type Anomaly,
  type Approval,
  type AuditEntry,
  anomalies,
  approvals,
  audit,
  type BuildDiagnosis,
  type Change,
  type Control,
  changes,
  ciDiagnoses,
  controls,
  type Decision,
  type DriftAnalysis,
  decisions,
  driftAnalyses,
  type ExternalIssue,
  type Feedback,
  feedback,
  type Incident,
  incidents,
  issuesExternal,
  keyOf,
  type ManualFix,
  type ModelVersion,
  manualFixes,
  models,
  type Outcome,
  outcomes,
  type Prediction,
  predictions,
  type Stream,
  type TemplateChange,
  type TopologyEdge,
  templates,
  topologyEdges,
} from '@aegis/domain'

export interface Indexed {
  readonly id: string
  readonly environment: string
  readonly time: number
  readonly entity: string
  readonly state: string
  readonly severity: string
  /** What it belongs to: the incident of a decision, the decision of an approval. */
  readonly parent: string
}
export interface Kind {
  /** As it is asked for: `/api/v1/<name>`. */
  readonly name: string
  readonly stream: Stream<never>
  readonly about: string
  /** Records kept at most, for streams that people or machines write without end. */
  readonly most?: number
  readonly index: (value: never) => Partial<Indexed> & Pick<Indexed, 'id'>
}
const kind = <T>(
  name: string,
  stream: Stream<T>,
  about: string,
  index: (value: T) => Partial<Indexed> & Pick<Indexed, 'id'>,
  most?: number,
): Kind => ({ name, stream: stream as unknown as Stream<never>, about, index: index as Kind['index'], most })

export const KINDS: readonly Kind[] = [
  kind<Incident>('incidents', incidents, 'Incidents with ranked causes, as they stand.', v => ({
    id: v.id,
    entity: v.causes[0]?.entity ?? v.entities[0],
    state: v.state,
    severity: v.severity,
  })),
  kind<Anomaly>('anomalies', anomalies, 'Anomalies, as they stand.', v => ({
    id: v.id,
    entity: v.entity,
    state: v.state,
    severity: v.severity,
  })),
  kind<Decision>('decisions', decisions, 'Decisions after the guard.', v => ({
    id: v.decision,
    entity: v.target,
    state: v.mode,
    parent: v.incident,
  })),
  kind<Outcome>('outcomes', outcomes, 'What followed decisions.', v => ({
    id: v.id,
    entity: v.target,
    state: v.status,
    parent: v.incident,
  })),
  kind<Approval>('approvals', approvals, 'What people approved or rejected.', v => ({
    id: v.id,
    entity: v.who,
    state: v.approved ? 'approved' : 'rejected',
    parent: v.decision,
  })),
  kind<Feedback>('feedback', feedback, 'Causes that people confirmed.', v => ({ id: v.id, entity: v.cause, parent: v.incident })),
  kind<ManualFix>('fixes', manualFixes, 'What people did by hand.', v => ({
    id: v.id,
    entity: v.target ?? '',
    state: v.success ? 'worked' : 'failed',
    parent: v.incident ?? '',
  })),
  kind<Change>('changes', changes, 'Deploys, configuration, scale and flag changes.', v => ({
    id: v.id,
    entity: v.entity,
    state: v.kind,
  })),
  kind<TopologyEdge>('topology', topologyEdges, 'Dependencies between entities, as last seen.', v => ({
    id: keyOf(v.environment, v.from, v.to, v.kind).replaceAll('\0', '|'),
    entity: v.from,
    state: v.kind,
  })),
  kind<TemplateChange>('templates', templates, 'Templates of log lines.', v => ({ id: v.id, state: v.state }), 50_000),
  kind<ModelVersion>('models', models, 'Versions of models.', v => ({
    id: `${v.id}@${v.version}`,
    entity: v.id,
    state: v.state,
  })),
  kind<Prediction>(
    'predictions',
    predictions,
    'What models answered to those who asked.',
    v => ({
      id: v.id,
      entity: v.entities[0] ?? '',
      state: v.kind,
      severity: v.severity,
    }),
    50_000,
  ),
  kind<AuditEntry>('audit', audit, 'Who wrote what.', v => ({ id: v.id, entity: v.subject, state: v.what })),
  kind<BuildDiagnosis>('builds', ciDiagnoses, 'Why jobs of pipelines failed.', v => ({
    id: v.id,
    entity: v.repository,
    state: v.causes[0]?.kind ?? '',
  })),
  kind<DriftAnalysis>('drifts', driftAnalyses, 'Who made drifts, why, how bad, what to do.', v => ({
    id: v.id,
    entity: v.entity ?? v.address,
    state: v.action,
    parent: v.report,
  })),
  kind<ExternalIssue>(
    'issues',
    issuesExternal,
    'Known problems from outside.',
    v => ({
      id: v.id,
      entity: v.entity ?? '',
      state: v.state,
      severity: v.severity,
    }),
    50_000,
  ),
  kind<Control>('controls-history', controls, 'How far the machine might go, every version.', v => ({
    id: v.id,
    state: v.kill_switch ? 'stopped' : v.default_mode,
    entity: v.who,
  })),
]
export const KIND_OF_STREAM = new Map(KINDS.map(k => [k.stream.name, k]))

/** How an indexed value stands in the history. */
export const indexed = (k: Kind, value: unknown): Indexed => {
  const { environment = '', time = 0 } = value as { environment?: string; time?: number }
  return { environment, time, entity: '', state: '', severity: '', parent: '', ...k.index(value as never) }
}
