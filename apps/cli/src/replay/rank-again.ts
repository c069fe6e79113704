/**
 * The ranking of an incident once more: its anomalies as they stood when it was told (folded from their topic up to the tick of that time, which lies
 * in the same partition), the neighbourhood that was kept with it, the changes before it and what had been done in others by then. What people confirmed meanwhile is left out: it moves
 * confidence only.
 */
import {
  type Anomaly,
  anomalies,
  type Change,
  changes,
  type Incident,
  incidents,
  type Outcome,
  outcomes,
  type Stream,
} from '@aegis/domain'
import { type Ranking, type Remedy, rankCauses } from '@aegis/root-cause'
import { readTick } from '@aegis/runtime'
import type { StreamClient } from '@aegis/stack/pipeline/client'

/** Changes older than this were forgotten by then, microseconds. */
const CHANGES_US = 15 * 60_000_000

/** @param partition of the incident; all streams by environment have the same partitions */
export async function rankAgain(client: StreamClient, incident: Incident, partition: number): Promise<Ranking> {
  const ids = new Set(incident.anomalies)
  const joined = new Map<string, Anomaly>()
  let told = false
  await client.read(anomalies as Stream<never>, partition, 0, undefined, decoded => {
    for (const { value, record } of decoded) {
      const tick = readTick(record)
      told ||=
        tick !== undefined &&
        tick.time >= incident.time &&
        (tick.environment === '*' || tick.environment === incident.environment)
      const a = value as Anomaly | undefined
      if (told || !a || !ids.has(a.id)) continue
      const before = joined.get(a.id)?.series ?? []
      // A series that is back in its band has still been part of the story.
      joined.set(a.id, {
        ...a,
        series: [...(a.series ?? []), ...before.filter(k => !a.series?.some(g => g.metric === k.metric))],
      })
    }
  })
  const noticed: Change[] = []
  await client.read(changes as Stream<never>, partition, 0, undefined, decoded => {
    for (const { value } of decoded) {
      const c = value as Change | undefined
      if (c?.environment === incident.environment && c.time <= incident.time && c.time > incident.time - CHANGES_US)
        noticed.push(c)
    }
  })
  const nodes = new Set([...(incident.health ?? []).map(h => h.entity), ...incident.graph.flatMap(e => [e.from, e.to])])
  return rankCauses({
    anomalies: [...joined.values()],
    graph: { nodes: [...nodes].sort().map(id => ({ id })), edges: incident.graph as never },
    changes: noticed,
    remedies: await remediesBefore(client, incident, partition),
  })
}

/** What was done in other incidents of the environment up to then, with the entities that each was said to have. */
const remediesBefore = async (client: StreamClient, incident: Incident, partition: number): Promise<Remedy[]> => {
  const told: Incident[] = []
  await client.read(incidents as Stream<never>, partition, 0, undefined, decoded => {
    for (const { value } of decoded) {
      const i = value as Incident | undefined
      if (i?.environment === incident.environment && i.time <= incident.time) told.push(i)
    }
  })
  const found = new Map<string, Remedy>()
  await client.read(outcomes as Stream<never>, partition, 0, undefined, decoded => {
    for (const { value } of decoded) {
      const o = value as Outcome | undefined
      if (o?.environment !== incident.environment || o.time > incident.time || o.incident === incident.id || o.action === 'page')
        continue
      const entities = told.findLast(i => i.id === o.incident && i.time <= o.time)?.entities
      if (entities && ['done', 'undone', 'failed'].includes(o.status))
        found.set(o.id, { incident: o.incident, target: o.target, entities, healed: o.status === 'done' })
    }
  })
  return [...found.values()].slice(-200)
}
