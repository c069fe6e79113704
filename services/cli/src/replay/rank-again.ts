/**
 * The ranking of an incident once more: its anomalies as they stood when it was told (folded from their topic up to the tick of that time, which lies
 * in the same partition), the neighbourhood that was kept with it, and the changes before it. What people confirmed meanwhile is left out: it moves
 * confidence only.
 */
import { type Anomaly, anomalies, type Change, changes, type Incident, type Stream } from '@aegis/domain'
import { type Ranking, rankCauses } from '@aegis/root-cause'
import { readTick } from '@aegis/runtime'
import type { StreamClient } from '../pipeline/client.ts'

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
  })
}
