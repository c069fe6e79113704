import { type AnalyzeOptions, analyzeFinding } from '@aegis/drift-analysis/analyze-drift'
import { isObject, type Json, type JsonObject } from '@aegis/drift-analysis/noise/same-value'
import { severityOfEvent } from '@aegis/drift-analysis/severity/event-severity'
import { severityOfAll } from '@aegis/drift-analysis/severity/severity'
import { readDeclared } from '@aegis/drift-analysis/sources/declared'
import { changeOf as changed, type DriftFinding, type DriftReading } from '@aegis/drift-analysis/sources/finding'
import { AuditTrail } from '@aegis/drift-analysis/who/find-maker'
import { causesByRule } from '@aegis/drift-analysis/why/cause-rules'
import { readingOf } from '@aegis/drift-analysis/why/causes'
import { readForLearning } from '@aegis/drift-analysis/why/learn-causes'
import { type FileRow, readFile } from './plans.ts'
import { type CommitRow, changeOf, readRows } from './read-rows.ts'
import { readEvents } from './who.ts'

type CaseRow = JsonObject & { readonly id: string; readonly asks?: readonly string[] }
const list = (v: Json | undefined): readonly Json[] => (Array.isArray(v) ? v : [])
const timeOf = (v: Json | undefined): number | undefined => (typeof v === 'string' ? Date.parse(v) || undefined : undefined)

/** A case of any of the forms: everything that is there is read, and what is asked is answered. */
export function answerCase(row: CaseRow, trailOf: (name: string) => readonly unknown[]): object {
  const question = isObject(row.question) ? { ...row, ...row.question } : row
  const raw = [
    ...list(row.events),
    ...(isObject(row.event) ? [row.event] : []),
    ...(typeof row.trail === 'string' ? trailOf(row.trail) : list(row.trail)),
  ]
  const events = readEvents(raw)
  const resource = isObject(question.resource) ? question.resource : undefined
  const times = events.map(e => e.time).filter(t => t > 0)
  const window = {
    from: timeOf(question.from) ?? Math.min(...times, Date.parse('2000-01-01')),
    to: timeOf(question.to) ?? Math.max(...times, 0),
  }
  let reading: DriftReading | undefined
  let parsed = true
  try {
    if (isObject(row.declared) || isObject(row.live))
      reading = readDeclared({ ...row, declared: row.declared ?? {}, live: row.live ?? {} })
    else if (typeof row.input === 'string') reading = readFile(row as unknown as FileRow)
  } catch {
    parsed = false
  }
  const single: DriftFinding | undefined =
    typeof question.attribute === 'string'
      ? {
          address: String(question.type ?? ''),
          type: String(question.type ?? ''),
          attributes: [question.attribute],
          changes: [changed(question.attribute, question.before, question.after)],
        }
      : resource
        ? {
            address: String(resource.id),
            type: String(resource.type),
            id: String(resource.id),
            attributes: list(question.changed).map(String),
            changes: list(question.changed).map(p => ({ path: String(p) })),
          }
        : undefined
  const findings = reading?.findings ?? (single ? [single] : [])
  const trail = events.length > 0 ? new AuditTrail(events) : undefined
  const options: AnalyzeOptions = { window, ...(trail ? { trail } : {}) }
  const analyses = findings.map(f => analyzeFinding(f, options))
  const [first] = analyses
  const commit =
    typeof row.patch === 'string' && Array.isArray(row.files)
      ? readForLearning(changeOf({ author: '', repo: '', time: '2000-01-03T12:00:00Z', ...row } as unknown as CommitRow))
      : undefined
  const cause = commit ? readingOf(causesByRule(commit.reading.values)) : first?.cause
  const found =
    trail && resource
      ? trail.find({
          type: String(resource.type),
          id: String(resource.id),
          changed: list(question.changed).map(String),
          ...window,
        }).found
      : first?.made?.found
  const whole =
    findings.length > 0
      ? severityOfAll(
          findings.flatMap(f =>
            f.changes.map(c => ({
              type: f.type,
              attribute: c.path,
              ...(c.before === undefined ? {} : { before: c.before }),
              ...(c.after === undefined ? {} : { after: c.after }),
            })),
          ),
        )
      : isObject(row.event)
        ? severityOfEvent(row.event)
        : undefined
  const owners = reading?.owners ?? {}
  return {
    id: row.id,
    parsed,
    drift: findings.length > 0,
    findings: findings.map(({ address, attributes }) => ({ address, attributes })),
    attributes: [...new Set(findings.flatMap(f => f.attributes))],
    ...(reading?.resources === undefined ? {} : { resources: reading.resources }),
    event: found?.event.id ?? null,
    actor: found?.actor ?? null,
    channel: found?.channel ?? null,
    channels: events.map(e => e.channel),
    happened: events.map(e => !e.denied),
    actors: events.map(e => e.actors[0] ?? null),
    owner: first?.finding.changes.find(c => c.owners)?.owners?.[0] ?? Object.values(owners).flat()[0] ?? null,
    owners,
    cause: cause && !cause.abstain ? cause.cause : null,
    action: first?.action ?? (findings.length === 0 && reading ? 'accept_exception' : 'manual_review'),
    ...(whole
      ? { security: whole.security, performance: whole.performance, cost: whole.cost, compliance: whole.compliance }
      : {}),
  }
}

export function evalCases(data: string, progress: (done: number, total: number) => void): object[] | undefined {
  const rows = readRows<CaseRow>(data, 'cases', 'cases')
  return rows?.map((row, i) => {
    progress(i + 1, rows.length)
    return answerCase(
      row,
      name => readRows<unknown>(data, 'who', 'trails', name) ?? readRows<unknown>(data, 'cases', 'trails', name) ?? [],
    )
  })
}
