/**
 * Incidents whose members turn out to be unconnected: what began at the same time is taken for one until the graph says otherwise. Parts are the
 * components of their entities under "the same, neighbours, or two hops apart", which is what makes members (group-incidents.ts).
 */
import type { Anomaly, Graph } from '@aegis/domain'
import type { IncidentGroup } from './group-incidents.ts'

/** Anomalies of one part of an incident. */
export type IncidentPart = readonly Anomaly[]

/**
 * Parts of the group that nothing connects, the one that stays first: it holds the first anomaly that people notice. One part where all hangs
 * together. An entity of which the graph knows no edge stays, as nothing is known of it.
 */
export const partsOf = (group: IncidentGroup, graph: Graph): IncidentPart[] => {
  const near = new Map<string, Set<string>>()
  const link = (a: string, b: string) => {
    const known = near.get(a)
    if (known) known.add(b)
    else near.set(a, new Set([b]))
  }
  for (const { from, to } of graph.edges) {
    link(from, to)
    link(to, from)
  }
  const all = Object.values(group.anomalies).sort(byStart)
  const members = new Set(all.map(a => a.entity))
  const partOf = new Map<string, number>()
  let parts = 0
  for (const first of members) {
    if (partOf.has(first) || !near.has(first)) continue
    const queue = [first]
    partOf.set(first, parts)
    for (const at of queue)
      for (const next of near.get(at)!)
        for (const e of [next, ...near.get(next)!])
          if (members.has(e) && !partOf.has(e)) {
            partOf.set(e, parts)
            queue.push(e)
          }
    parts++
  }
  const leader = all.find(a => group.impact[a.id] && partOf.has(a.entity)) ?? all.find(a => partOf.has(a.entity))
  const stays = leader ? partOf.get(leader.entity)! : 0
  const found: Anomaly[][] = Array.from({ length: Math.max(1, parts) }, () => [])
  for (const a of all) found[partOf.get(a.entity) ?? stays].push(a)
  return [found[stays], ...found.filter((_, i) => i !== stays)]
}

const byStart = (a: Anomaly, b: Anomaly) => a.started - b.started || (a.id < b.id ? -1 : 1)
