/** One incident from the first line to what became of it: everything that belongs to it, and one account in the order of time. */
import type { Anomaly, Approval, Change, Decision, Feedback, Incident, ManualFix, Outcome } from '@aegis/domain'
import { shownLow } from '@aegis/domain'
import { guard } from '@aegis/remediation/guard'
import type { HistoryStore, Stored } from './history/history-store.ts'

/** Changes and builds so long before the first sign may have to do with it, microseconds. */
const BEFORE_US = 3_600e6
const MOST_BESIDE = 200

export interface Told {
  readonly time: number
  /** anomaly, change, build, cause, decision, approval, outcome, fix, feedback or timeline. */
  readonly kind: string
  readonly entity: string
  readonly text: string
  /** The record that says so. */
  readonly ref: { readonly kind: string; readonly id: string; readonly partition: number; readonly offset: number } | null
}
const parse = <T>(row: Stored): T => JSON.parse(row.doc) as T
const refOf = ({ kind, id, partition, offset }: Stored): Told['ref'] => ({ kind, id, partition, offset })

export const incidentDetail = (store: HistoryStore, row: Stored) => {
  const incident = parse<Incident>(row)
  const belonging = store.children(incident.id)
  const of = (kind: string) => belonging.filter(r => r.kind === kind)
  const decisionRows = of('decisions')
  const approvals = decisionRows.flatMap(r => store.children(r.id).filter(c => c.kind === 'approvals'))
  const anomalyRows = incident.anomalies.flatMap(id => store.get('anomalies', id) ?? [])
  const window = {
    environment: incident.environment,
    since: incident.started - BEFORE_US,
    until: (incident.ended ?? incident.time) + 60e6,
    limit: MOST_BESIDE,
  }
  const beside = (kind: string) => store.list({ ...window, kind }).rows
  const changeRows = beside('changes')
  const told: Told[] = []
  const tell = (rowOf: Stored, kind: string, time: number, entity: string, text: string) =>
    told.push({ time, kind, entity, text, ref: refOf(rowOf) })
  for (const r of anomalyRows) {
    const a = parse<Anomaly>(r)
    tell(r, 'anomaly', a.started, a.entity, a.summary.replace(`${a.entity}: `, ''))
  }
  for (const r of changeRows) {
    const c = parse<Change>(r)
    const when = c.time <= incident.started ? 'before the first sign' : 'after the first sign'
    tell(
      r,
      'change',
      c.time,
      c.entity,
      `${c.kind}: ${c.before || 'nothing'} → ${c.after}, ${when}${c.author ? `, by ${c.author}` : ''}`,
    )
  }
  for (const r of beside('builds')) {
    const b = parse<{ time: number; repository: string; job: string; causes: { kind: string }[] }>(r)
    tell(r, 'build', b.time, b.repository, `job ${b.job} failed: ${b.causes[0]?.kind ?? 'cause not known'}`)
  }
  for (const r of decisionRows) {
    const d = parse<Decision>(r)
    tell(r, 'decision', d.time, d.target, `${d.mode}: ${d.action} ${d.target}`)
  }
  for (const r of approvals) {
    const a = parse<Approval>(r)
    tell(r, 'approval', a.time, a.who, a.approved ? 'approved' : 'rejected')
  }
  for (const r of of('outcomes')) {
    const o = parse<Outcome>(r)
    tell(r, 'outcome', o.time, o.target, `${o.action} ${o.status.replace('_', ' ')}${o.error ? `: ${o.error}` : ''}`)
  }
  for (const r of of('fixes')) {
    const f = parse<ManualFix>(r)
    tell(r, 'fix', f.time, f.target ?? '', `${f.who} did: ${f.command} (${f.success ? 'it helped' : 'it did not help'})`)
  }
  for (const r of of('feedback')) {
    const f = parse<Feedback>(r)
    tell(r, 'feedback', f.time, f.cause, `${f.who} confirmed the cause`)
  }
  const known = new Set(told.map(t => `${t.entity}\0${t.text}`))
  // The incident's own account tells the outcomes and the signs as well; here their records do.
  for (const r of of('outcomes')) {
    const o = parse<Outcome>(r)
    known.add(`${o.target}\0${o.action}: ${o.status}`)
  }
  for (const t of incident.timeline) {
    const text = t.text.replace(`${t.entity}: `, '')
    if (!known.has(`${t.entity}\0${text}`) && !known.has(`${t.entity}\0${t.text}`))
      told.push({ ...t, text, kind: 'timeline', ref: refOf(row) })
  }
  return {
    incident,
    ref: refOf(row),
    anomalies: anomalyRows.map(r => {
      const a = parse<Anomaly>(r)
      // Bands are told as people think of them: nothing is expected to take less than no time.
      return {
        ...a,
        series: (a.series ?? []).map(s => ({ ...s, expected_low: shownLow(s.metric, s.unit ?? '', s.expected_low) })),
      }
    }),
    decisions: decisionRows.map(parse<Decision>),
    outcomes: of('outcomes').map(parse<Outcome>),
    approvals: approvals.map(parse<Approval>),
    feedback: of('feedback').map(parse<Feedback>),
    fixes: of('fixes').map(parse<ManualFix>),
    changes: changeRows.map(parse<Change>),
    timeline: told.sort((a, b) => a.time - b.time),
  }
}

/** What the guard says of a decision's own recorded facts, now: the same, or the record was tampered with or the guard has changed since. */
export const replayGuard = (decision: Decision) => {
  const { facts } = JSON.parse(decision.facts) as { facts: Parameters<typeof guard>[1] }
  const { action, target, candidates, propensity, explanation } = decision
  const verdict = guard({ action, target, candidates, propensity, explanation }, facts, decision.time)
  const inShadow = decision.mode === 'shadow' && verdict.mode !== 'shadow'
  const reasonsKept = verdict.reasons.every(r => decision.reasons.includes(r))
  return {
    mode: verdict.mode,
    reasons: verdict.reasons,
    same: (verdict.mode === decision.mode || inShadow) && reasonsKept,
    facts,
  }
}
