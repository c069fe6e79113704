/**
 * What past remediations say of an incident: an action is an intervention, and what health followed on one supports its target as the cause of
 * incidents that look alike (the do-operator of Pearl, Causality 2009, in its plainest use: what was changed at X changed Y). What did not help
 * speaks against. Incidents look alike as far as the same entities are strange.
 */
import type { Finding } from './case-evidence.ts'

/** What was done to whom in an incident, and whether health returned. */
export interface Remedy {
  readonly incident: string
  readonly target: string
  /** Entities that were strange, sorted. */
  readonly entities: readonly string[]
  readonly healed: boolean
}
/** Incidents with less in common than this are no precedent. */
const ALIKE = 0.5
/** Strength of one precedent with everything in common. */
const ONE = 6

/** @param entities that are strange now */
export const remedyEvidence = (entities: readonly string[], past: readonly Remedy[]): Finding[] => {
  const now = new Set(entities)
  const support = new Map<string, { sum: number; healed: number; failed: number }>()
  for (const r of past) {
    const shared = r.entities.filter(e => now.has(e)).length
    const alike = shared / (now.size + r.entities.length - shared)
    if (!(alike >= ALIKE)) continue
    const s = support.get(r.target) ?? { sum: 0, healed: 0, failed: 0 }
    s.sum += r.healed ? alike : -alike
    s[r.healed ? 'healed' : 'failed']++
    support.set(r.target, s)
  }
  return [...support]
    .filter(([, s]) => s.sum > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([entity, s]): Finding => ({
        entity,
        kind: 'remedied',
        strength: ONE * Math.log2(1 + s.sum),
        name: 'incidents like this one',
        before: s.failed,
        after: s.healed,
      }),
    )
}
