/**
 * Anomalies that belong together become one incident: close in time, and connected in the graph (directly or through one healthy entity
 * between). Ids come from the first anomaly, so grouping the same stream again makes the same incidents.
 */
import { type Anomaly, type Graph, type GuiltySeries, idOf, type TimelineEntry } from '@aegis/domain'
import { isSilence, isSymptom, meaningOf } from './metric-meaning.ts'

export interface IncidentGroup {
  readonly id: string
  readonly environment: string
  started: number
  /** Newest word of each anomaly, open or closed, with every series that ever took part. */
  anomalies: Record<string, Anomaly>
  /** Anomalies that people still notice. */
  impact: Record<string, true>
  state: 'open' | 'mitigated'
  revision: number
  /** Last time an anomaly opened or got worse. */
  changed: number
  mitigatedAt: number
  /** What was last told, to tell only news. */
  told: string
  /** Which members are unconnected, and since when, microseconds. */
  apart?: { readonly key: string; readonly since: number }
  /** Incident that this one was part of. */
  splitFrom?: string
  /** What became of the incident itself, for its timeline. */
  notes?: TimelineEntry[]
}

/** Something limited is used far beyond what is usual; much that is asked for, sent or merely different is no harm as long as it is answered. */
const SPENT: ReadonlySet<string> = new Set(['cpu', 'memory', 'disk', 'pool', 'restart'])
const isSpent = (g: GuiltySeries): boolean => {
  const { meaning } = meaningOf(g.metric)
  return meaning === 'traffic' ? g.value < g.expected_low : SPENT.has(meaning) && !(g.value < g.expected_low)
}

/**
 * Whether people would notice: errors, latency, silence, or bad log lines; high use of a resource alone is not an incident unless it is critical, and
 * high traffic alone is none at all.
 */
export const hasImpact = (a: Anomaly): boolean => {
  // Somebody wrote the rule of a prediction as of any other: what it foresees is to be prevented, whatever it is measured by.
  if (a.kind === 'log' || a.kind === 'trace' || a.kind === 'rule' || a.kind === 'predicted' || a.kind === 'drift')
    return a.severity !== 'low'
  const series = a.series ?? []
  return series.some(isHarm) || (a.severity === 'critical' && (series.length === 0 || series.some(isSpent)))
}

/** A symptom that goes the bad way: fewer errors and shorter times hurt nobody. */
const isHarm = (g: GuiltySeries): boolean => {
  if (!isSymptom(g.metric)) return false
  const { bad } = meaningOf(g.metric)
  return !(bad > 0 ? g.value < g.expected_low : bad < 0 && !isSilence(g.metric) && g.value > g.expected_high)
}

export const newGroup = (anomaly: Anomaly): IncidentGroup => ({
  id: idOf('incident', anomaly.environment, anomaly.id),
  environment: anomaly.environment,
  started: anomaly.started,
  anomalies: {},
  impact: {},
  state: 'open',
  revision: 0,
  changed: anomaly.time,
  mitigatedAt: 0,
  told: '',
})

/** Whether any entity of the group and this one are the same, neighbours, or two hops apart. */
export const belongs = (group: IncidentGroup, entity: string, graph: Graph): boolean => {
  const members = new Set(Object.values(group.anomalies).map(a => a.entity))
  if (members.has(entity) || members.size === 0) return true
  const near = new Set([entity])
  for (let hop = 0; hop < 2; hop++)
    for (const e of graph.edges) {
      if (near.has(e.from)) near.add(e.to)
      else if (near.has(e.to)) near.add(e.from)
    }
  // Nothing known of how it hangs together with anything: time alone decides.
  return near.size === 1 || [...members].some(m => near.has(m))
}
