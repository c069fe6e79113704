import { type Anomaly, type Graph, type Incident, SEVERITIES, type Severity, type TimelineEntry } from '@aegis/domain'
import type { IncidentGroup, Ranking } from '@aegis/root-cause'

export const entitiesOf = (list: readonly Anomaly[]): string[] => [...new Set(list.map(a => a.entity))].sort()

export interface Told {
  readonly state: string
  readonly now: number
  readonly graph: Graph
  readonly ranking: Ranking
  /** What happened beside the anomalies: changes, maintenance, what was done about it. */
  readonly happened: readonly TimelineEntry[]
}

/** An incident as it is told to people and to the remediator. */
export const incidentWords = (group: IncidentGroup, { state, now, graph, ranking, happened }: Told): Incident => {
  const all = Object.values(group.anomalies)
  const entities = entitiesOf(all)
  const first = ranking.causes[0]
  const timeline: TimelineEntry[] = [
    ...all.map(a => ({ time: a.started, entity: a.entity, text: a.summary })),
    ...(group.notes ?? []),
    ...happened,
    ...all.filter(a => a.ended).map(a => ({ time: a.ended!, entity: a.entity, text: 'back in its band' })),
  ].sort((a, b) => a.time - b.time)
  return {
    id: group.id,
    environment: group.environment,
    time: now,
    state,
    revision: group.revision,
    severity: SEVERITIES[Math.max(...all.map(a => SEVERITIES.indexOf(a.severity as Severity)))] ?? 'low',
    started: group.started,
    ended: state === 'closed' ? group.mitigatedAt : null,
    entities,
    anomalies: Object.keys(group.anomalies).sort(),
    health: healthNow(ranking.health, all),
    verdict: ranking.verdict,
    causes: ranking.causes,
    timeline,
    graph: graph.edges.map(({ from, to, kind }) => ({ from, to, kind })),
    split_from: group.splitFrom ?? null,
    explanation:
      ranking.verdict === 'cause_named' && first
        ? `${first.explanation} Confidence ${Math.round(first.confidence * 100)} %.`
        : `${all.length === 1 ? 'One anomaly' : `${all.length} anomalies`} on ${[...new Set(all.map(a => a.entity))].join(', ')}${
            ranking.causes.length > 0
              ? `. Suspected: ${ranking.causes
                  .slice(0, 3)
                  .map(c => `${c.entity} (${Math.round(c.confidence * 100)} %)`)
                  .join(', ')}; none is named as the cause yet.`
              : '; not enough evidence yet to name a cause.'
          }`,
  }
}

/** A ranking rests on all that ever was strange; who has nothing strange left is well again. */
const healthNow = (ranked: Ranking['health'], all: readonly Anomaly[]): Incident['health'] => {
  const [ill, known] = [all.filter(a => a.state !== 'close'), new Set(all.map(a => a.entity))]
  const stillIll = new Set(ill.map(a => a.entity))
  return ranked.map(h => (known.has(h.entity) && !stillIll.has(h.entity) ? { ...h, score: 1 } : h))
}

const NOTHING: Ranking = { verdict: 'not_enough_evidence', causes: [], health: [], margin: 0 }
/** The last word of an incident that became part of another one. The revision is counted by the caller. */
export const mergedWords = (group: IncidentGroup, into: string, { now, happened }: Pick<Told, 'now' | 'happened'>): Incident => ({
  ...incidentWords(group, { state: 'merged', now, graph: { nodes: [], edges: [] }, ranking: NOTHING, happened }),
  ended: now,
  merged_into: into,
  explanation: `Part of incident ${into}: an anomaly between the two showed that they hang together.`,
})
