/**
 * Anomalies and changes, as the detectors told them, in the form the ranking works on: findings of the same kinds as recorded telemetry gives,
 * each with the record it rests on. Two things only people and services say in words are read here: that a line names whom it could not
 * reach ("call to X failed" speaks of X, not of its writer), and that a line reports a resource of its writer running out.
 */
import { type Anomaly, type Change, type Evidence, type Graph, kindOf, nameOf } from '@aegis/domain'
import type { CauseCase, Finding } from './case-evidence.ts'
import { isSelfTime, isSilence, meaningOf } from './metric-meaning.ts'

export interface LiveInput {
  readonly anomalies: readonly Anomaly[]
  readonly graph: Graph
  /** Changes of the last while; those shortly before the first sign count. */
  readonly changes?: readonly Change[]
}
export interface LiveOptions {
  /** How long before the first sign a change still counts, microseconds. Default 5 minutes. */
  readonly changeWindowUs?: number
}
export interface LiveEvidence {
  readonly evidence: CauseCase
  readonly findings: readonly Finding[]
  /** The change that counts against an entity. */
  readonly changed: ReadonlyMap<string, Change>
}
const UNREACHABLE = /refused|unreachable|no route|not found|no such host/i
/** Whether a line says that the one it speaks of could not be reached at all. */
export const saysUnreachable = (text: string): boolean => UNREACHABLE.test(text)
/** Resources that a log line may say are running out. */
const REPORTED: readonly (readonly [RegExp, string])[] = [
  [/disk|space|quota|enospc/i, 'disk'],
  [/memory|heap|oom/i, 'memory'],
  [/pool|exhaust|too many/i, 'pool'],
  [/config/i, 'config_error'],
]
/** A fault that is written about counts as a strong deviation, one more of an error line as a little. */
const REPORTED_STRENGTH = 20
/** What others say of an entity: that it cannot be reached at all, or only that calling it failed. */
const ACCUSED_STRENGTH = { unreachable: 20, failed: 5 }

export const liveEvidence = (input: LiveInput, options: LiveOptions = {}): LiveEvidence => {
  const { changeWindowUs = 300_000_000 } = options
  const callees = new Map<string, string[]>()
  for (const e of input.graph.edges) {
    const list = callees.get(e.from)
    if (list) list.push(e.to)
    else callees.set(e.from, [e.to])
  }
  const findings: Finding[] = []
  const onsets = new Map<string, number>()
  const strange = new Set<string>()
  for (const a of input.anomalies) {
    strange.add(a.entity)
    onsets.set(a.entity, Math.min(onsets.get(a.entity) ?? Number.POSITIVE_INFINITY, a.started))
  }
  const accused = new Map<string, { by: Set<string>; evidence: Evidence[] }>()
  for (const a of input.anomalies)
    if (a.kind === 'log') {
      // Written to whom it depends on, or of itself.
      const own: Evidence[] = []
      let blames = false
      for (const e of a.evidence ?? []) {
        const named = namedIn(e.text, a.entity, callees)
        if (!named) {
          own.push(e)
          continue
        }
        blames = true
        const known = accused.get(named) ?? { by: new Set(), evidence: [] }
        known.by.add(a.entity)
        known.evidence.push(e)
        accused.set(named, known)
      }
      const about = `${blames ? '' : a.summary} ${own.map(e => e.text).join(' ')}`
      const reported = own.length > 0 || !blames ? REPORTED.find(([words]) => words.test(about)) : undefined
      const kind = reported ? reported[1] : blames ? 'error' : 'log_new_severe'
      const quoted = own.find(e => reported?.[0].test(e.text)) ?? own[0] ?? a.evidence?.[0]
      findings.push({
        entity: a.entity,
        kind,
        strength: reported ? REPORTED_STRENGTH : Math.min(12, 2 + a.score),
        name: quoted?.name ?? a.summary,
        before: 0,
        after: a.score,
        text: quoted?.text ?? a.summary,
        time: quoted?.time ?? a.started,
        ...(quoted ? { reference: quoted } : {}),
      })
    } else
      for (const g of a.series ?? []) {
        const { meaning, bad } = meaningOf(g.metric)
        const low = Number.isFinite(g.expected_low) ? g.expected_low : g.value
        const high = Number.isFinite(g.expected_high) ? g.expected_high : g.value
        const direction = g.value > high ? 1 : g.value < low ? -1 : 0
        const down = bad !== 0 && direction === -bad
        const kind = isSilence(g.metric) ? 'absence' : isSelfTime(g.metric) ? (down ? 'other' : 'trace_self') : meaning
        const reference = (a.evidence ?? []).find(e => e.name === g.metric)
        findings.push({
          entity: a.entity,
          kind: down && kind === meaning ? `${meaning}_down` : kind,
          strength: Math.min(50, Math.max(0, g.score)),
          name: g.metric,
          before: (low + high) / 2,
          after: g.value,
          time: reference?.time ?? a.started,
          ...(reference ? { reference } : {}),
        })
      }
  for (const [entity, { by, evidence }] of accused) {
    const unreachable = evidence.find(e => saysUnreachable(e.text))
    const quoted = unreachable ?? evidence[0]
    // A time-out or a pool run dry may be the speaker's own trouble, unless the accused is strange too.
    const believed = unreachable || strange.has(entity)
    findings.push({
      entity,
      kind: 'accused',
      strength: (believed ? ACCUSED_STRENGTH.unreachable : ACCUSED_STRENGTH.failed) * Math.min(2, by.size),
      name: quoted.name ?? 'log lines of its callers',
      before: 0,
      after: evidence.length,
      text: quoted.text,
      time: quoted.time,
      reference: quoted,
    })
    if (!onsets.has(entity)) onsets.set(entity, Math.min(...evidence.map(e => e.time)))
  }
  const onset = Math.min(...onsets.values())
  const changed = changesThatCount(input.changes ?? [], strange, onset, changeWindowUs)
  const entities = [...new Set([...input.graph.nodes.map(n => n.id), ...strange, ...accused.keys()])].sort()
  return {
    evidence: {
      entities,
      edges: input.graph.edges.map(e => [e.from, e.to] as const),
      series: [],
      changed: [...changed.keys()].sort(),
      onsets,
    },
    findings,
    changed,
  }
}

/** The newest change of each strange entity shortly before the first sign; going back to what was before is a remedy, not a suspect. */
const changesThatCount = (
  changes: readonly Change[],
  strange: ReadonlySet<string>,
  onset: number,
  windowUs: number,
): Map<string, Change> => {
  const found = new Map<string, Change>()
  for (const c of changes) {
    if (c.time < onset - windowUs || c.time > onset + 10_000_000 || !strange.has(c.entity)) continue
    const remedy = changes.some(
      o =>
        o !== c && o.entity === c.entity && o.kind === c.kind && o.before === c.after && o.after === c.before && o.time < c.time,
    )
    const known = found.get(c.entity)
    if (!remedy && (!known || c.time > known.time)) found.set(c.entity, c)
  }
  return found
}

/** Whom a line of `entity` names among all that it depends on; the name that stands last is what the chain of causes in it ends at. */
const namedIn = (text: string, entity: string, callees: ReadonlyMap<string, readonly string[]>): string | undefined => {
  const words = text.split('\n')[0].toLowerCase()
  let best: string | undefined
  let at = -1
  const seen = new Set([entity])
  const queue = [entity]
  for (let i = 0; i < queue.length; i++)
    for (const next of callees.get(queue[i]) ?? [])
      if (!seen.has(next)) {
        seen.add(next)
        queue.push(next)
        const where = lastMention(words, nameOf(next).toLowerCase())
        if (where > at && kindOf(next) !== '') {
          at = where
          best = next
        }
      }
  return best
}
const lastMention = (text: string, name: string): number => {
  for (let at = text.lastIndexOf(name); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(name, at - 1))
    if (!/[\w-]/.test(text[at - 1] ?? ' ') && !/[\w-]/.test(text[at + name.length] ?? ' ')) return at
  return -1
}
