/**
 * Ranks the entities of an incident by how likely each is its cause.
 *
 * Each entity's own evidence is weighed by what kind it is: resources that run out, changes just before, silence and faults it logs of
 * itself point at it; errors and latency are symptoms, and count little where something it depends on is strange too (they climb from callee
 * to caller). What it would explain counts for it: the symptoms of everything that reaches it along the graph, less with each hop. In the
 * line of MonitorRank (Kim et al., SIGMETRICS 2013) and MicroRCA (Wu et al., NOMS 2020), with additive evidence instead of a random walk, so
 * that every point of a score has a sentence.
 */
import { type Anomaly, type Cause, type Change, type EntityHealth, type Evidence, type Graph, nameOf } from '@aegis/domain'
import { classOfMetric, isSymptom, type MetricClass } from './metric-class.ts'

export interface RankInput {
  readonly anomalies: readonly Anomaly[]
  readonly graph: Graph
  /** Changes of the last while; those shortly before the first sign count. */
  readonly changes?: readonly Change[]
}
export interface RankOptions {
  /** How long before the first sign a change still counts, microseconds. Default 5 minutes. */
  readonly changeWindowUs?: number
  /** Share of a symptom's weight that is left when a dependency is strange too. Default 0.2. */
  readonly explainedAway?: number
  /** Weight kept with each hop from symptom to suspect. Default 0.6. */
  readonly perHop?: number
  /** Least confidence of the first cause to be named. Default 0.3. */
  readonly nameFrom?: number
}
export interface Ranking {
  readonly verdict: 'cause_named' | 'not_enough_evidence'
  readonly causes: readonly Cause[]
  readonly health: readonly EntityHealth[]
}
interface Suspect {
  entity: string
  own: number
  symptom: number
  kinds: Map<string, number>
  metrics: [string, number][]
  evidence: Evidence[]
  against: string[]
  onset: number
}

const WEIGHT: Readonly<Record<MetricClass, number>> = {
  absence: 1.2,
  self_time: 0.6,
  pool: 0.7,
  memory: 0.7,
  disk: 0.8,
  cpu: 0.7,
  restart: 0.4,
  network: 0.4,
  error: 0.35,
  latency: 0.3,
  work: 0.1,
  other: 0.15,
}
const FAULT_OF: Partial<Record<MetricClass, string>> = {
  absence: 'crash',
  pool: 'pool',
  memory: 'memory',
  disk: 'disk',
  cpu: 'cpu',
  self_time: 'latency',
  latency: 'latency',
  error: 'error',
  restart: 'crash',
  network: 'network',
}
const UNSPECIFIC: ReadonlySet<string> = new Set(['latency', 'error', 'network', 'unknown'])
/** Log fault patterns to kinds of fault. */
const FAULT_OF_PATTERN: readonly (readonly [RegExp, string])[] = [
  [/disk|space|quota|enospc/i, 'disk'],
  [/memory|heap|oom/i, 'memory'],
  [/pool|exhaust|too many/i, 'pool'],
  [/config/i, 'config'],
]
const saturate = (score: number, threshold: number): number => Math.min(1, 0.5 + score / Math.max(threshold, 1e-9) / 20)

export const rankCauses = (input: RankInput, options: RankOptions = {}): Ranking => {
  const { changeWindowUs = 300_000_000, explainedAway = 0.2, perHop = 0.6, nameFrom = 0.3 } = options
  const suspects = new Map<string, Suspect>()
  const suspect = (entity: string): Suspect => {
    let s = suspects.get(entity)
    if (!s)
      suspects.set(
        entity,
        (s = {
          entity,
          own: 0,
          symptom: 0,
          kinds: new Map(),
          metrics: [],
          evidence: [],
          against: [],
          onset: Number.POSITIVE_INFINITY,
        }),
      )
    return s
  }
  const callees = new Map<string, string[]>()
  const callers = new Map<string, string[]>()
  for (const e of input.graph.edges) {
    callees.set(e.from, [...(callees.get(e.from) ?? []), e.to])
    callers.set(e.to, [...(callers.get(e.to) ?? []), e.from])
  }
  const strange = new Set(input.anomalies.map(a => a.entity))
  const accusations = accusationsIn(input.anomalies, callees)
  const suspected = new Set([...strange, ...accusations.keys()])
  const dependsOnStrange = new Set([...suspected].filter(e => reach(callees, e).some(([d]) => d !== e && suspected.has(d))))
  for (const [accused, accusation] of accusations) {
    const s = suspect(accused)
    // Not being reachable at all is said of the accused itself; a time-out or a pool run dry may be the speaker's own trouble, unless the
    // accused is strange too. Several voices weigh more than one, but never as much as what the accused says of itself.
    const unreachable = accusation.evidence.some(e => UNREACHABLE.test(e.text))
    s.own += (unreachable || strange.has(accused) ? 0.35 : 0.12) * Math.min(2, accusation.by.size)
    const kind = unreachable ? 'crash' : 'error'
    s.kinds.set(kind, (s.kinds.get(kind) ?? 0) + 0.2)
    s.onset = Math.min(s.onset, accusation.onset)
    s.evidence.push(...accusation.evidence.slice(0, 2))
  }

  for (const a of input.anomalies) {
    const s = suspect(a.entity)
    s.onset = Math.min(s.onset, a.started)
    s.evidence.push(...(a.evidence ?? []))
    const note = (kind: string | undefined, weight: number) => kind && s.kinds.set(kind, (s.kinds.get(kind) ?? 0) + weight)
    if (a.kind === 'log') {
      const text = `${a.summary} ${(a.evidence ?? []).map(e => e.text).join(' ')}`
      const pattern = FAULT_OF_PATTERN.find(([words]) => words.test(text))
      // A service that logs errors about what it depends on shows a symptom; about itself, a cause.
      const weight = pattern ? 0.6 : 0.35
      if (dependsOnStrange.has(a.entity) && (!pattern || accuses(accusations, a.entity))) s.symptom += weight
      else s.own += weight
      note(pattern && !accuses(accusations, a.entity) ? pattern[1] : 'error', weight * (accuses(accusations, a.entity) ? 0.3 : 1))
      continue
    }
    const best = new Map<MetricClass, number>()
    for (const g of a.series ?? []) {
      const kind = classOfMetric(g.metric)
      const weight = WEIGHT[kind] * saturate(g.score, a.threshold)
      s.metrics.push([g.metric, g.score])
      if (weight > (best.get(kind) ?? 0)) best.set(kind, weight)
    }
    for (const [kind, weight] of best) {
      note(FAULT_OF[kind], weight * (isSymptom(kind) && kind !== 'absence' ? 0.3 : 1))
      if (isSymptom(kind) && kind !== 'absence') s.symptom += weight
      else s.own += weight
    }
  }
  const onset = Math.min(...input.anomalies.map(a => a.started))
  for (const change of input.changes ?? []) {
    if (change.time < onset - changeWindowUs || change.time > onset + 10_000_000 || !strange.has(change.entity)) continue
    // Going back to what was before is a remedy, not a suspect.
    if (
      input.changes?.some(
        c =>
          c !== change &&
          c.entity === change.entity &&
          c.kind === change.kind &&
          c.before === change.after &&
          c.after === change.before &&
          c.time < change.time,
      )
    )
      continue
    const s = suspect(change.entity)
    s.own += 0.9
    s.kinds.set(change.kind, (s.kinds.get(change.kind) ?? 0) + 1.5)
    s.evidence.unshift({
      kind: 'change',
      entity: change.entity,
      text: `${change.kind} changed from ${change.before || 'unknown'} to ${change.after}`,
      time: change.time,
      stream: 'changes',
    })
  }

  const scored = [...suspects.values()].map(s => {
    const symptomLeft = dependsOnStrange.has(s.entity) ? explainedAway : 1
    if (symptomLeft < 1 && s.symptom > 0)
      s.against.push(
        `its errors and latency may come from ${reach(callees, s.entity)
          .filter(([d]) => d !== s.entity && suspected.has(d))
          .map(([d]) => d)
          .slice(0, 3)
          .join(', ')}, which it depends on`,
      )
    let explains = 0
    for (const [caller, hops] of reach(callers, s.entity))
      if (caller !== s.entity) explains += 0.25 * (suspects.get(caller)?.symptom ?? 0) * perHop ** (hops - 1)
    if (s.onset > onset + 15_000_000)
      s.against.push(`its first sign came ${Math.round((s.onset - onset) / 1e6)} s after the first of all`)
    const late = Math.max(0, Math.min(0.4, (s.onset - onset) / 60_000_000))
    return { s, score: Math.max(0.01, s.own + s.symptom * symptomLeft + explains - late) }
  })
  scored.sort((a, b) => b.score - a.score || (a.s.entity < b.s.entity ? -1 : 1))
  const everywhere = strange.size >= 4 && strange.size >= 0.6 * Math.max(input.graph.nodes.length, strange.size)
  const total = scored.reduce((sum, x) => sum + x.score ** 2, 0)
  const strength = Math.min(1, (scored[0]?.score ?? 0) / 0.6)
  const causes = scored.slice(0, 5).map(({ s, score }): Cause => {
    const kinds = [...s.kinds].sort((a, b) => b[1] - a[1])
    const fault = kinds[0]?.[0] ?? 'unknown'
    // Slowness or errors without a reason of their own may have come from anywhere; the more so when nearly everything is slow at once.
    const unspecific = UNSPECIFIC.has(fault)
    const shared = unspecific && everywhere ? 0.3 : unspecific ? 0.7 : 1
    const confidence = Math.min(0.99, (score ** 2 / total) * strength * shared)
    if (shared < 0.5)
      s.against.push('nearly every service is slow or failing at once, which points at something they share, such as their host')
    const victim = victimOf(s.entity, callers, suspects)
    const path = pathBetween(callers, s.entity, victim)
    return {
      entity: s.entity,
      confidence,
      score,
      path,
      metrics: s.metrics
        .sort((a, b) => b[1] - a[1])
        .map(([m]) => m)
        .slice(0, 10),
      evidence: s.evidence.slice(0, 10),
      against: s.against,
      fault_kind: fault,
      explanation: `${s.entity} shows ${describe(kinds)}${path.length > 1 ? `, and ${path.slice(1).join(' and ')} depend${path.length === 2 ? 's' : ''} on it` : ''}.`,
    }
  })
  const health = [...new Set([...input.graph.nodes.map(n => n.id), ...suspects.keys()])].map(entity => {
    const s = suspects.get(entity)
    return { entity, score: s ? Math.max(0, Math.round((1 - Math.min(1, s.own * 0.5 + s.symptom)) * 100) / 100) : 1 }
  })
  return { verdict: (causes[0]?.confidence ?? 0) >= nameFrom ? 'cause_named' : 'not_enough_evidence', causes, health }
}

const UNREACHABLE = /refused|unreachable|no route|not found|no such host/i

interface Accusation {
  by: Set<string>
  onset: number
  evidence: Evidence[]
}
/** Log lines of one entity that name another one it depends on: "call to X failed" speaks of X. */
const accusationsIn = (
  anomalies: readonly Anomaly[],
  callees: ReadonlyMap<string, readonly string[]>,
): Map<string, Accusation> => {
  const found = new Map<string, Accusation>()
  for (const a of anomalies) {
    if (a.kind !== 'log') continue
    for (const e of a.evidence ?? []) {
      // The name that stands last is what the chain of causes in the message ends at.
      const words = e.text.split('\n')[0].toLowerCase()
      const named = reach(callees, a.entity)
        .filter(([d]) => d !== a.entity && mentions(words, nameOf(d).toLowerCase()))
        .sort((x, y) => words.lastIndexOf(nameOf(y[0]).toLowerCase()) - words.lastIndexOf(nameOf(x[0]).toLowerCase()))
      if (named.length === 0) continue
      const accusation = found.get(named[0][0]) ?? { by: new Set(), onset: a.started, evidence: [] }
      accusation.by.add(a.entity)
      accusation.onset = Math.min(accusation.onset, e.time)
      accusation.evidence.push(e)
      found.set(named[0][0], accusation)
    }
  }
  return found
}
const accuses = (accusations: ReadonlyMap<string, Accusation>, entity: string): boolean =>
  [...accusations.values()].some(x => x.by.has(entity))
const mentions = (text: string, name: string): boolean => {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1))
    if (!/[\w-]/.test(text[at - 1] ?? ' ') && !/[\w-]/.test(text[at + name.length] ?? ' ')) return true
  return false
}

const describe = (kinds: readonly (readonly [string, number])[]): string => {
  const words: Record<string, string> = {
    crash: 'silence: it no longer answers',
    deploy: 'a new release just before the first sign',
    config: 'a configuration change just before the first sign',
    memory: 'memory out of its band',
    cpu: 'processor time out of its band',
    disk: 'a disk filling up',
    pool: 'an exhausted pool',
    latency: 'slowness of its own',
    error: 'errors',
    network: 'network trouble',
  }
  return (
    kinds
      .slice(0, 2)
      .map(([k]) => words[k] ?? k)
      .join(' and ') || 'unusual values'
  )
}

/** Everything reachable, with hops, nearest first; the start itself is included at 0. */
const reach = (next: ReadonlyMap<string, readonly string[]>, start: string): [string, number][] => {
  const seen = new Map([[start, 0]])
  const queue = [start]
  for (let i = 0; i < queue.length; i++)
    for (const n of next.get(queue[i]) ?? [])
      if (!seen.has(n)) {
        seen.set(n, seen.get(queue[i])! + 1)
        queue.push(n)
      }
  return [...seen]
}
const victimOf = (
  entity: string,
  callers: ReadonlyMap<string, readonly string[]>,
  suspects: ReadonlyMap<string, Suspect>,
): string => {
  let farthest = entity
  for (const [e] of reach(callers, entity)) if ((suspects.get(e)?.symptom ?? 0) > 0) farthest = e
  return farthest
}
const pathBetween = (callers: ReadonlyMap<string, readonly string[]>, from: string, to: string): string[] => {
  const before = new Map<string, string>()
  const queue = [from]
  const seen = new Set(queue)
  for (let i = 0; i < queue.length && !seen.has(to); i++)
    for (const n of callers.get(queue[i]) ?? [])
      if (!seen.has(n)) {
        seen.add(n)
        before.set(n, queue[i])
        queue.push(n)
      }
  const path = [to]
  while (path[0] !== from && before.has(path[0])) path.unshift(before.get(path[0])!)
  return path[0] === from ? path : [from]
}
