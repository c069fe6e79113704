/** A system as people wrote it down: what there is, who calls whom, and what of the description was not taken. */
import type { Edge, EntityId } from '@aegis/domain'

export interface DescribedSystem {
  /** Everything that there is, with edges or without. */
  readonly entities: readonly EntityId[]
  readonly edges: readonly Edge[]
  /** What a reader should know of how it was read: sentences. */
  readonly notes: readonly string[]
}

/** One edge of each kind between two entities; known beats inferred. */
export const unique = (edges: readonly Edge[]): Edge[] => {
  const found = new Map<string, Edge>()
  for (const e of edges) {
    const key = `${e.from} ${e.to} ${e.kind}`
    if (e.from !== e.to && (!found.has(key) || !e.inferred)) found.set(key, e)
  }
  return [...found.values()].sort((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1))
}
export const described = (entities: readonly EntityId[], edges: readonly Edge[], notes: readonly string[]): DescribedSystem => {
  const kept = unique(edges)
  return {
    entities: [...new Set([...entities, ...kept.flatMap(e => [e.from, e.to])])].sort(),
    edges: kept,
    notes: [...new Set(notes)],
  }
}
