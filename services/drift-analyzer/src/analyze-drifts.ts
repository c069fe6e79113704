import {
  type Anomaly,
  anomalies,
  type DriftReport,
  driftAnalyses,
  driftEvents,
  emit,
  type Input,
  idOf,
  isFrom,
  type Result,
  type Stage,
  type DriftAnalysis as Written,
} from '@aegis/domain'
import { analyzeFinding, type DriftAnalysis } from '@aegis/drift-analysis/analyze-drift'
import type { Json } from '@aegis/drift-analysis/noise/same-value'
import { changeOf, type DriftFinding, hideSecrets } from '@aegis/drift-analysis/sources/finding'
import { readAuditEvent } from '@aegis/drift-analysis/who/audit-event'
import { AuditTrail } from '@aegis/drift-analysis/who/find-maker'
import { redact } from '@aegis/log-mining'

const WEEK_MS = 7 * 24 * 3_600_000

/** Reports to analyses, one for one: what is told of a drift comes with its report. What weakens is an anomaly until it is gone. */
export class AnalyzeDrifts implements Stage {
  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    return batch.flatMap(input => {
      if (!isFrom(input, driftEvents)) return []
      const report = input.value
      const analysis = analyze(report)
      const anomaly = anomalyOf(report, analysis, input)
      return [
        ...(report.state === 'gone' ? [] : [emit(driftAnalyses, written(report, analysis), input)]),
        ...(anomaly ? [emit(anomalies, anomaly, input)] : []),
      ]
    })
  }
}

const json = (text: string | null | undefined): Json | undefined => {
  if (text === null || text === undefined) return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}
function analyze(report: DriftReport): DriftAnalysis {
  const finding: DriftFinding = {
    address: report.address,
    type: report.type,
    ...(report.resource ? { id: report.resource } : {}),
    attributes: report.attributes,
    // What was not hidden where it came from is hidden here.
    changes: report.changes.map(c => ({
      ...changeOf(c.path, json(c.before), json(c.after), c.hidden),
      ...(c.owners?.length ? { owners: c.owners } : {}),
    })),
  }
  const events = (report.audit ?? []).flatMap(text => readAuditEvent(hideSecrets(json(text), redact)) ?? [])
  const to = report.time / 1000
  return analyzeFinding(finding, {
    window: { from: to - WEEK_MS, to },
    ...(events.length > 0 ? { trail: new AuditTrail(events) } : {}),
    context: {
      commits: (report.commits ?? []).map(c => ({ time: c.time / 1000, subject: c.subject })),
      incidents: (report.incidents ?? []).map(i => ({
        start: i.start / 1000,
        severity: i.severity,
        ...(i.end === null || i.end === undefined ? {} : { end: i.end / 1000 }),
      })),
    },
  })
}

const written = (report: DriftReport, a: DriftAnalysis): Written => ({
  id: idOf(report.id, 'analysis'),
  environment: report.environment,
  time: report.time,
  report: report.id,
  address: report.address,
  type: report.type,
  entity: report.entity ?? null,
  attributes: report.attributes,
  actor: a.made?.found?.actor ?? null,
  channel: a.made?.found?.channel ?? null,
  audit_entry: a.made?.found ? JSON.stringify(a.made.found.event.raw) : null,
  attribution_confidence: a.made?.confidence ?? 0,
  cause: a.cause.abstain ? null : a.cause.cause,
  probabilities: { ...a.cause.probabilities },
  because: [...a.cause.because],
  security: a.severity.security,
  performance: a.severity.performance,
  cost: a.severity.cost,
  compliance: a.severity.compliance,
  counted: a.severity.counted.map(c => `${c.sign} (${c.dimension})`),
  action: a.action,
  advice: a.advice.map(x => ({ path: x.path, action: x.action, reason: x.reason, expires_in_days: x.expiresInDays ?? null })),
  codify: a.codify ? redact(a.codify) : null,
  explanation: a.explanation.map(text => redact(text)),
  features: { ...a.features },
})

/** How bad from which on the spine hears of it. */
const TOLD = 0.5
const LEVELS = [
  [0.85, 'critical'],
  [0.65, 'high'],
  [TOLD, 'medium'],
] as const

function anomalyOf(
  report: DriftReport,
  a: DriftAnalysis,
  at: { readonly partition: number; readonly offset: number },
): Anomaly | undefined {
  const { severity: s } = a
  const score = Math.max(s.security, s.performance, s.compliance)
  const level = LEVELS.find(([least]) => score >= least)?.[1]
  const gone = report.state === 'gone'
  if (!report.entity || (!level && !gone)) return undefined
  return {
    id: idOf(report.environment, report.entity, 'drift', report.address, report.started),
    environment: report.environment,
    time: report.time,
    state: gone ? 'close' : 'open',
    entity: report.entity,
    kind: 'drift',
    severity: level ?? 'medium',
    score,
    threshold: TOLD,
    summary: redact(`${report.address} is not as its code says: ${report.attributes.join(', ')}`),
    started: report.started,
    ended: gone ? report.time : null,
    series: [],
    templates: [],
    evidence: [
      {
        kind: 'change',
        entity: report.entity,
        text: redact(a.explanation.join(' ')),
        time: report.time,
        stream: driftEvents.name,
        partition: at.partition,
        offset: at.offset,
      },
    ],
    detector: 'drift',
    model_version: '1',
    recommended_action: null,
  }
}
