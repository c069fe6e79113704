/** Known problems from outside (alerts, failed probes, crash loops) as anomalies of their entity: they group and count as evidence like the rest. */
import {
  type Anomaly,
  anomalies,
  type ExternalIssue,
  emit,
  type Input,
  idOf,
  isFrom,
  issuesExternal,
  type Result,
  type Stage,
} from '@aegis/domain'

/** The series an issue is told as: whatever it is about, somebody found it failing, and the ranking reads that in the name. */
export const seriesOfIssue = (kind: string, name: string): string => `${kind}.${name}.errors`
/** The issue that a series of that name stands for. */
export const issueOfSeries = (metric: string): { readonly kind: string; readonly name: string } | undefined => {
  const found = /^(\w+)\.(.*)\.errors$/.exec(metric)
  return found ? { kind: found[1], name: found[2] } : undefined
}

const SCORES: Readonly<Record<string, number>> = { low: 3, medium: 6, high: 12, critical: 20 }

/** @param at where the issue stands on its stream */
export const anomalyOfIssue = (
  v: ExternalIssue,
  at: { readonly partition: number; readonly offset: number },
): Anomaly | undefined => {
  if (!v.entity) return undefined
  const score = SCORES[v.severity] ?? SCORES.medium
  const metric = seriesOfIssue(v.kind, v.name)
  const closed = v.state === 'resolved'
  return {
    id: idOf(v.environment, v.entity, 'issue', v.id),
    environment: v.environment,
    time: v.time,
    state: closed ? 'close' : 'open',
    entity: v.entity,
    kind: 'rule',
    severity: v.severity,
    score,
    threshold: 1,
    summary: `${v.kind.replace('_', ' ')} ${v.name}: ${v.summary}`,
    started: v.time,
    ended: closed ? v.time : null,
    series: [{ metric, unit: '', value: 1, expected_low: 0, expected_high: 0, score }],
    templates: [],
    evidence: [
      {
        kind: 'issue',
        entity: v.entity,
        text: v.summary,
        time: v.time,
        stream: issuesExternal.name,
        partition: at.partition,
        offset: at.offset,
        name: metric,
        after: 1,
      },
    ],
    detector: 'issues',
    model_version: v.kind,
  }
}

export class TellIssues implements Stage {
  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    return batch.flatMap(input => {
      const told = isFrom(input, issuesExternal) ? anomalyOfIssue(input.value, input) : undefined
      return told ? [emit(anomalies, told, input)] : []
    })
  }
}
