/**
 * A named cause holds still: symptoms that spread do not take its place. Who depends on a named one that is still gone is its symptom, however strange it has
 * become; anybody else takes its place once it has been first for a while.
 */
import type { Graph } from '@aegis/domain'
import type { Ranking } from './rank-causes.ts'

export interface HeldCause {
  readonly entity: string
  /** Who would take its place, and since when, microseconds. */
  readonly challenger?: string
  readonly since?: number
}
/** How long another must be first, microseconds. */
const FOR_US = 5_000_000
const HOPS = 6

export const holdCause = (
  ranking: Ranking,
  held: HeldCause | undefined,
  { graph, now, isGone }: { readonly graph: Graph; readonly now: number; readonly isGone: (entity: string) => boolean },
): { readonly ranking: Ranking; readonly held: HeldCause | undefined } => {
  const [first] = ranking.causes
  const named = ranking.verdict === 'cause_named'
  if (!first || (!named && !held)) return { ranking, held: undefined }
  const before = ranking.causes.find(c => c.entity === held?.entity)
  if (!held || !before || first === before) return { ranking, held: named ? { entity: first.entity } : held }
  const since = held.challenger === first.entity ? (held.since ?? now) : now
  const symptom = isGone(held.entity) && dependsOn(graph, first.entity, held.entity)
  if (!symptom && now - since >= FOR_US) return { ranking, held: named ? { entity: first.entity } : undefined }
  const causes = [
    { ...before, confidence: Math.max(before.confidence, first.confidence) },
    ...ranking.causes
      .filter(c => c !== before)
      .map(c => (c === first ? { ...c, confidence: Math.min(before.confidence, c.confidence) } : c)),
  ]
  return { ranking: { ...ranking, causes }, held: { entity: held.entity, challenger: first.entity, since } }
}

const dependsOn = (graph: Graph, from: string, on: string): boolean => {
  let reached = new Set([from])
  for (let hop = 0; hop < HOPS && !reached.has(on); hop++) {
    const next = new Set(reached)
    for (const e of graph.edges) if (reached.has(e.from)) next.add(e.to)
    if (next.size === reached.size) break
    reached = next
  }
  return reached.has(on)
}
