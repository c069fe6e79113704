/**
 * Findings of one case as numbers per entity that mean the same in every system: how strong, and how strong beside all others, never how many
 * milliseconds or lines. Includes what the graph adds: symptoms of those who depend on an entity, and strangeness of what it depends on.
 */
import type { CauseCase, Finding } from './case-evidence.ts'
import { causalEvidence } from './causal-evidence.ts'
import { logEvidence, writtenEvidence } from './log-evidence.ts'
import { metricEvidence } from './metric-evidence.ts'
import { meaningOf } from './metric-meaning.ts'
import { stopEvidence } from './stop-evidence.ts'
import { traceEvidence } from './trace-evidence.ts'

/** Kinds of finding that count, each one feature: relative to the strongest of the case, damped where even the strongest is weak. */
export const findingKinds = [
  'cpu',
  'cpu_down',
  'memory',
  'memory_down',
  'disk',
  'network',
  'pool',
  'restart',
  'latency',
  'latency_down',
  'outbound_latency',
  'error',
  'success',
  'traffic',
  'host',
  'other',
  'metric_gap',
  'impact_error',
  'impact_latency',
  'log_severe',
  'log_new',
  'log_new_severe',
  'log_more',
  'log_less',
  'log_broken',
  'log_turn',
  'log_turn_severe',
  'span_log_less',
  'span_log_broken',
  'span_log_severe',
  'span_log_new',
  'trace_self',
  'trace_self_share',
  'trace_gap',
  'trace_gap_share',
  'trace_missing',
  'trace_broken',
  'trace_extra',
  'trace_error',
  'causal',
  'remedied',
  'absence',
  'accused',
  'config_error',
  'trace_stop',
  'trace_stop_share',
] as const
export type FindingKind = (typeof findingKinds)[number]
const BROKEN = [
  'error',
  'success',
  'trace_error',
  'trace_broken',
  'span_log_broken',
  'span_log_severe',
  'log_turn_severe',
  'log_new_severe',
  'impact_error',
  'absence',
  'accused',
  'trace_stop',
] as const
/** What is the matter with an entity itself, and makes those who depend on it fail or wait. */
const SPENT = ['cpu', 'memory', 'disk', 'pool', 'absence', 'accused', 'config_error'] as const
const SLOW = ['latency', 'trace_self', 'trace_self_share', 'trace_gap', 'trace_gap_share', 'impact_latency'] as const
/** Features beside the kinds. */
export const graphFeatures = [
  'callers_hurt',
  'callees_strange',
  'broken_origin',
  'slow_origin',
  'in_reach',
  'same_as_alert',
  'changed',
  'pair',
  'both',
  'idle',
  'late',
  'explained',
] as const
export const featureNames: readonly string[] = [...findingKinds, ...graphFeatures]
const AT = new Map(featureNames.map((name, i) => [name, i]))

/** Metrics of the two kinds of harm, and what is left of one where an alert spoke of the other. */
const SLOW_KINDS = ['latency', 'outbound_latency', 'impact_latency', 'metric_gap'] as const
const BROKEN_KINDS = ['error', 'success', 'impact_error'] as const
const BESIDE = 0.3

/** Signs this much after the first one count as late in full, microseconds. */
const LATE_US = 60_000_000

/** How far down the reason of a symptom is looked for, and what is left of it with each hop. */
const REACH_HOPS = 3
const PER_HOP = 0.8

const isShare = (name: string) => name.endsWith('_share') || name.startsWith('impact_')

export interface CaseFeatures {
  readonly entities: readonly string[]
  /** One row per entity, `featureNames.length` numbers each. */
  readonly values: Float64Array
  readonly findings: readonly Finding[]
  /** Strength of the strongest finding of each kind, before it was made relative. */
  readonly strongest: Readonly<Record<string, number>>
}

export const findEvidence = (c: CauseCase): Finding[] => [
  ...metricEvidence(c.series),
  ...causalEvidence(c),
  ...impactEvidence(c),
  ...logEvidence(c.lines ?? [], c.linesBefore ?? []),
  ...writtenEvidence({ lines: c.lines ?? [], spans: c.spans ?? [] }, { lines: c.linesBefore ?? [], spans: c.spansBefore ?? [] }),
  ...traceEvidence(c.spans ?? [], c.spansBefore ?? []),
  ...stopEvidence({ lines: c.lines ?? [], spans: c.spans ?? [] }, { lines: c.linesBefore ?? [], spans: c.spansBefore ?? [] }),
]

/**
 * How much of all harm passes through an entity: requests that failed, and time lost, weighed by how many requests it serves. A few failures of
 * a thing hardly used are no cause of a thousand failures elsewhere.
 */
const impactEvidence = (c: CauseCase): Finding[] => {
  const traffic = new Map<string, readonly number[]>()
  for (const s of c.series)
    if (!s.peer && meaningOf(s.metric).meaning === 'traffic' && !traffic.has(s.entity)) traffic.set(s.entity, s.after)
  const impact = new Map<string, Record<'impact_error' | 'impact_latency', number>>()
  for (const s of c.series) {
    const { meaning } = meaningOf(s.metric)
    if (meaning !== 'success' && meaning !== 'error' && meaning !== 'latency') continue
    const before = s.before.filter(Number.isFinite).sort((a, b) => a - b)
    if (before.length < 2 || s.peer) continue
    const kind = meaning === 'latency' ? 'impact_latency' : 'impact_error'
    const load = traffic.get(s.entity)
    const usual = before[Math.floor((before.length - 1) * (meaning === 'success' ? 0.1 : 0.9))]
    const mid = before[before.length >> 1]
    let sum = 0
    s.after.forEach((v, i) => {
      if (!Number.isFinite(v)) return
      const w = load ? (Number.isFinite(load[i]) ? load[i] : 0) : 1
      // Above the usual, and counted from the middle, so that a quiet thing that was never perfect is not blamed for being so.
      if (meaning === 'success' ? v < usual : v > usual) sum += Math.abs(v - mid) * w
    })
    const known = impact.get(s.entity) ?? { impact_error: 0, impact_latency: 0 }
    known[kind] = Math.max(known[kind], sum)
    impact.set(s.entity, known)
  }
  const callees = new Map<string, string[]>()
  for (const [from, to] of c.edges) {
    const list = callees.get(from)
    if (list) list.push(to)
    else callees.set(from, [to])
  }
  const findings: Finding[] = []
  for (const kind of ['impact_error', 'impact_latency'] as const) {
    let top = 0
    for (const i of impact.values()) top = Math.max(top, i[kind])
    if (top <= 0) continue
    for (const [entity, i] of impact) {
      // What a callee suffers as well came from there.
      const passed = Math.max(0, ...(callees.get(entity) ?? []).map(d => (d === entity ? 0 : (impact.get(d)?.[kind] ?? 0))))
      const own = Math.max(0, i[kind] - 0.8 * passed) / top
      if (own > 0.01)
        findings.push({
          entity,
          kind,
          strength: own,
          name: kind === 'impact_error' ? 'requests that failed' : 'time lost',
          before: 0,
          after: i[kind],
        })
    }
  }
  return findings
}

export const featuresOf = (
  c: CauseCase,
  findings: readonly Finding[] = findEvidence(c),
  alert?: { entity: string; metric: string },
): CaseFeatures => {
  const width = featureNames.length
  const index = new Map(c.entities.map((e, i) => [e, i]))
  const values = new Float64Array(c.entities.length * width)
  const strongest: Record<string, number> = {}
  const own = (i: number, name: string) => i * width + AT.get(name)!
  for (const f of findings) {
    const i = index.get(f.entity)
    const k = AT.get(f.kind)
    if (i === undefined || k === undefined) continue
    if (f.strength > values[i * width + k]) values[i * width + k] = f.strength
    if (f.strength > (strongest[f.kind] ?? 0)) strongest[f.kind] = f.strength
  }
  // A kind of finding that many entities show as strongly tells none of them apart.
  const crowd = new Float64Array(findingKinds.length)
  for (let i = 0; i < c.entities.length; i++)
    for (let k = 0; k < findingKinds.length; k++) if (values[i * width + k] > 0.7 * strongest[findingKinds[k]]) crowd[k]++
  for (let i = 0; i < c.entities.length; i++)
    for (let k = 0; k < findingKinds.length; k++) {
      const v = values[i * width + k]
      if (v === 0) continue
      const share = v / strongest[findingKinds[k]]
      const name = findingKinds[k]
      // Counts of spans and lines come as roots of likelihood ratios, whose scale is known; deviations of series have long tails.
      const certain = isShare(name)
        ? Math.min(1, v * 2)
        : name.includes('log_') || name.startsWith('trace_')
          ? (v * v) / (v * v + 4)
          : Math.log1p(v) / Math.log1p(50)
      values[i * width + k] = ((isShare(name) ? share * share : share ** 4) * certain) / Math.sqrt(crowd[k])
    }
  // An alert says what is to be explained: slowness elsewhere does not explain failures, nor failures elsewhere slowness.
  if (alert) {
    const said = meaningOf(alert.metric).meaning
    const beside =
      said === 'success' || said === 'error' ? SLOW_KINDS : said === 'latency' || said === 'outbound_latency' ? BROKEN_KINDS : []
    for (let i = 0; i < c.entities.length; i++) for (const kind of beside) values[own(i, kind)] *= BESIDE
  }
  const highest = (i: number, names: readonly string[]) => {
    let top = 0
    for (const n of names) if (values[own(i, n)] > top) top = values[own(i, n)]
    return top
  }
  const size = c.entities.length
  const broken = Float64Array.from({ length: size }, (_, i) => highest(i, BROKEN))
  const slow = Float64Array.from({ length: size }, (_, i) => highest(i, SLOW))
  const below = { broken: new Float64Array(size), slow: new Float64Array(size) }
  // Edges by place, once: large graphs are looked up no more than that.
  const ends = new Int32Array(2 * c.edges.length)
  let used = 0
  for (const [from, to] of c.edges) {
    const a = index.get(from)
    const b = index.get(to)
    if (a === undefined || b === undefined || a === b) continue
    ends[used++] = a
    ends[used++] = b
  }
  const known = ends.subarray(0, used)
  const hurtAt = AT.get('callers_hurt')!
  for (let k = 0; k < used; k += 2) {
    const a = known[k]
    const b = known[k + 1]
    below.broken[a] = Math.max(below.broken[a], broken[b])
    below.slow[a] = Math.max(below.slow[a], slow[b])
    values[b * width + hurtAt] = Math.max(values[b * width + hurtAt], broken[a], slow[a])
  }
  for (const e of c.changed ?? []) if (index.has(e)) values[own(index.get(e)!, 'changed')] = 1
  const spent = Float64Array.from({ length: size }, (_, i) => Math.max(highest(i, SPENT), values[own(i, 'changed')]))
  const spentBelow = reachedFrom(spent, known)
  for (let i = 0; i < size; i++) {
    values[own(i, 'explained')] = Math.max(broken[i], slow[i]) * Math.max(0, spentBelow[i] - spent[i])
    // Errors and time come up from what is called: they stand for themselves only as far as nothing below shows the same.
    values[own(i, 'broken_origin')] = broken[i] * (1 - Math.min(1, below.broken[i] / Math.max(1e-9, broken[i])) * 0.9)
    values[own(i, 'slow_origin')] = slow[i] * (1 - Math.min(1, below.slow[i] / Math.max(1e-9, slow[i])) * 0.9)
    values[own(i, 'callees_strange')] = Math.max(below.broken[i], below.slow[i])
    // Two resources that moved together say more than either.
    values[own(i, 'pair')] = Math.sqrt(values[own(i, 'cpu')] * highest(i, ['latency', 'memory', 'trace_self_share']))
    values[own(i, 'both')] = Math.sqrt(broken[i] * slow[i])
  }
  // Where spans are recorded, who has none did nothing for anyone.
  if ((c.spans ?? []).length > 0) {
    const busy = new Set(c.spans!.map(s => s.entity))
    c.entities.forEach((e, i) => {
      if (!busy.has(e)) values[own(i, 'idle')] = 1
    })
  }
  // What began long after the first sign is more likely to follow from it.
  if (c.onsets) {
    const first = Math.min(...c.onsets.values())
    for (const [e, time] of c.onsets) if (index.has(e)) values[own(index.get(e)!, 'late')] = Math.min(1, (time - first) / LATE_US)
  }
  if (alert && index.has(alert.entity)) {
    const callees = new Map<string, string[]>()
    for (const [from, to] of c.edges) {
      const list = callees.get(from)
      if (list) list.push(to)
      else callees.set(from, [to])
    }
    const queue = [alert.entity]
    const seen = new Set(queue)
    for (let q = 0; q < queue.length; q++)
      for (const n of callees.get(queue[q]) ?? [])
        if (!seen.has(n)) {
          seen.add(n)
          queue.push(n)
        }
    const kind = meaningOf(alert.metric).meaning
    const impact = kind === 'success' || kind === 'error' ? 'impact_error' : 'impact_latency'
    // Who nobody is known to call may hang below all the same: edges are missing everywhere.
    const called = new Set(c.edges.map(([, to]) => to))
    for (const [e, i] of index) {
      const reached = seen.has(e) ? 1 : called.has(e) ? 0 : 0.7
      // Where nothing is known below the alert, reach tells nobody apart.
      values[own(i, 'in_reach')] = seen.size > 1 ? reached : 0
      values[own(i, 'same_as_alert')] =
        seen.size > 1 && reached === 0 ? 0 : Math.max(AT.has(kind) ? values[own(i, kind)] : 0, values[own(i, impact)])
    }
  }
  return { entities: c.entities, values, findings, strongest }
}

/** The most that stands at anything an entity depends on, directly or over others; less with each hop. `ends`: who depends, on whom, in turn. */
const reachedFrom = (own: Float64Array, ends: Int32Array): Float64Array => {
  const below = new Float64Array(own.length)
  for (let hop = 0; hop < REACH_HOPS; hop++)
    for (let k = 0; k < ends.length; k += 2)
      below[ends[k]] = Math.max(below[ends[k]], own[ends[k + 1]], below[ends[k + 1]] * PER_HOP)
  return below
}
