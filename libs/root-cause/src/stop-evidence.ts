/**
 * Where a request first went wrong: within each trace, the deepest visit that stopped short of what such visits always did (a statement or a
 * step that was never missing), or wrote an error that such visits never wrote. Visits above it are cut short as well, but because of it: only
 * the deepest is counted. The faults in code this is for leave one statement unwritten (the event patterns of Yu et al., FSE 2023), which
 * counts over all lines hide; ours asks it of each visit, so that one odd request in ten shows, and takes the callers' share out.
 */
import { keyOf } from '@aegis/domain'
import type { CaseLine, CaseSpan, Finding } from './case-evidence.ts'
import { isSevere, rootLlr } from './log-evidence.ts'

/** A step counts as always done from this share of visits on, and a kind of visit as known from this many. */
const ALWAYS = 0.97
const KNOWN = 5

/** One stay of a request at an entity. */
export interface Visit {
  readonly entity: string
  readonly operation: string
  /** The span it began with. */
  readonly entry: CaseSpan
  /** Statements written and operations entered, each once. */
  readonly steps: Map<string, CaseLine | undefined>
  readonly below: Visit[]
  last?: CaseLine
  severe?: CaseLine
  /** One of its spans failed. */
  failed?: boolean
  /** A call that it made failed: what stopped it lies there. */
  lost?: boolean
}

/** Spans of one entity that hang together are one visit, with the lines written in any of them. */
export const visitsOf = (spans: readonly CaseSpan[], lines: readonly CaseLine[]): Visit[] => {
  const byId = new Map<string, CaseSpan>()
  for (const s of spans) byId.set(keyOf(s.trace, s.id), s)
  const visitOf = new Map<CaseSpan, Visit>()
  const found: Visit[] = []
  const enter = (s: CaseSpan): Visit => {
    const known = visitOf.get(s)
    if (known) return known
    const parent = s.parent === '' || s.parent === s.id ? undefined : byId.get(keyOf(s.trace, s.parent))
    const above = parent && enter(parent)
    let visit: Visit
    if (above && above.entity === s.entity) visit = above
    else {
      visit = { entity: s.entity, operation: s.operation, entry: s, steps: new Map(), below: [] }
      found.push(visit)
      above?.below.push(visit)
    }
    visitOf.set(s, visit)
    if (s.failed) visit.failed = true
    if (s.lost) visit.lost = true
    if (visit === above) visit.steps.set(`> ${s.operation}`, undefined)
    return visit
  }
  for (const s of spans) enter(s)
  for (const line of lines) {
    const span = byId.get(keyOf(line.trace, line.span))
    const visit = span && visitOf.get(span)
    if (!visit || visit.entity !== line.entity) continue
    const severe = isSevere(line)
    visit.steps.set(`${severe ? '! ' : ''}${line.template}`, line)
    visit.last = line
    if (severe) visit.severe ??= line
  }
  return found
}

/** Visits of one kind, and in how many of them each step was made. */
export interface Usual {
  visits: number
  readonly steps: Map<string, number>
}
export const kindOfVisit = (v: Visit): string => keyOf(v.entity, v.operation)
const usualOf = (visits: readonly Visit[]): Map<string, Usual> => {
  const usual = new Map<string, Usual>()
  for (const v of visits) {
    const key = kindOfVisit(v)
    let u = usual.get(key)
    if (!u) usual.set(key, (u = { visits: 0, steps: new Map() }))
    u.visits++
    for (const step of v.steps.keys()) u.steps.set(step, (u.steps.get(step) ?? 0) + 1)
  }
  return usual
}

/** The step that visits of its kind always make and this one lacks, or "! " and the error that they never write; undefined where it is as usual. */
export const missingStep = (v: Visit, usual: Usual | undefined): string | undefined => {
  // Of a visit that left no step at all nobody knows whether it stopped or was not recorded.
  if (!usual || usual.visits < KNOWN || v.steps.size === 0) return undefined
  // An error that is no longer made is nothing missing.
  for (const [step, count] of usual.steps)
    if (count >= ALWAYS * usual.visits && !v.steps.has(step) && !/^! |error|exception/i.test(step)) return step
  for (const step of v.steps.keys())
    if (step.startsWith('! ') && (usual.steps.get(step) ?? 0) < (1 - ALWAYS) * usual.visits) return step
  return undefined
}

/** What each visit lacks, and whether the trouble came from below it: a visit below that stopped or failed, or a call that failed. */
export const stoppedShort = (
  visits: readonly Visit[],
  usualOf: (v: Visit) => Usual | undefined,
): { readonly visit: Visit; readonly missing: string | undefined; readonly below: boolean }[] => {
  const missing = new Map(visits.map(v => [v, missingStep(v, usualOf(v))]))
  const hurt = new Map<Visit, boolean>()
  const anyBelow = (v: Visit): boolean => v.lost === true || v.below.some(isHurt)
  const isHurt = (v: Visit): boolean => {
    let known = hurt.get(v)
    if (known === undefined) {
      known = missing.get(v) !== undefined || v.failed === true || anyBelow(v)
      hurt.set(v, known)
    }
    return known
  }
  return visits.map(visit => ({ visit, missing: missing.get(visit), below: anyBelow(visit) }))
}

interface Stops {
  visits: number
  stopped: number
  examples: { missing: string; line?: CaseLine }[]
}
/** For each entity, how many of its visits were the deepest of their trace to stop short. */
const stopsOf = (visits: readonly Visit[], usual: ReadonlyMap<string, Usual>): Map<string, Stops> => {
  const found = new Map<string, Stops>()
  for (const { visit: v, missing, below } of stoppedShort(visits, v => usual.get(kindOfVisit(v)))) {
    let s = found.get(v.entity)
    if (!s) found.set(v.entity, (s = { visits: 0, stopped: 0, examples: [] }))
    s.visits++
    if (missing === undefined || below) continue
    s.stopped++
    if (s.examples.length < 3) s.examples.push({ missing, line: v.severe ?? v.last })
  }
  return found
}

export const stopEvidence = (
  now: { readonly lines: readonly CaseLine[]; readonly spans: readonly CaseSpan[] },
  before: { readonly lines: readonly CaseLine[]; readonly spans: readonly CaseSpan[] },
): Finding[] => {
  if (now.spans.length === 0 || before.spans.length === 0) return []
  const was = visitsOf(before.spans, before.lines)
  const usual = usualOf(was)
  const quiet = stopsOf(was, usual)
  const findings: Finding[] = []
  const stops = stopsOf(visitsOf(now.spans, now.lines), usual)
  let all = 0
  for (const s of stops.values()) all += s.stopped
  for (const [entity, s] of stops) {
    const old = quiet.get(entity)
    const strength = rootLlr(s.stopped, s.visits, old?.stopped ?? 0, old?.visits ?? 0)
    if (strength <= 1 || s.stopped === 0) continue
    const [{ missing, line }] = s.examples
    const step = missing.replace(/^[>!] /, '')
    const common = {
      entity,
      name: missing.startsWith('! ') ? step : `${line ? `${line.template}\0` : ''}${step}`,
      before: old?.stopped ?? 0,
      after: s.stopped,
      text: line?.text,
      time: line?.time,
    }
    findings.push({ ...common, kind: 'trace_stop', strength: Math.min(50, strength) })
    // A share of next to nothing is nothing: counted as far as it is certain that more stop here than did.
    findings.push({ ...common, kind: 'trace_stop_share', strength: ((s.stopped / all) * strength ** 2) / (strength ** 2 + 4) })
  }
  return findings
}
