/**
 * How far the first suspect stands before the second: the gap as a share of its score (the relative margin of a classifier), so that neither the
 * number of suspects nor how much telemetry there is counts by itself, divided among the sources (series, spans, lines) that put somebody else
 * first. A probability of the model says less: where much is recorded it is near 1 whoever is right, as its weights know simulated systems only.
 */
import type { Finding } from './case-evidence.ts'

/** Somebody who may be the cause, and what speaks for it. */
export interface Suspect {
  readonly entity: string
  readonly score: number
  readonly probability: number
  /** Strongest first. */
  readonly findings: readonly Finding[]
  /** Everything found on it, weak or strong. */
  readonly all: readonly Finding[]
  /** What each feature added to the score. */
  readonly parts: Readonly<Record<string, number>>
}

type Source = 'series' | 'spans' | 'lines'
const LINES = new Set(['accused', 'config_error'])
const sourceOf = (kind: string): Source =>
  kind.startsWith('trace_') ? 'spans' : kind.includes('log_') || LINES.has(kind) ? 'lines' : 'series'
/** What a source adds at least to have a say. */
const LEAST = 0.05

/**
 * From 0 (a tie) to 1 (nobody else is suspected and no source disagrees).
 * @param suspects in the order of their scores
 * @param isEvidence whether a part of a score is evidence on the entity itself
 */
export const marginOf = (suspects: readonly Suspect[], isEvidence: (part: string) => boolean): number => {
  const [first, second] = suspects
  if (!first || first.score <= 0) return 0
  const lead = Math.min(1, (first.score - (second?.score ?? 0)) / first.score)
  const best = new Map<Source, { entity: string; sum: number }>()
  for (const s of suspects) {
    const sums = new Map<Source, number>()
    for (const [part, value] of Object.entries(s.parts))
      if (isEvidence(part)) sums.set(sourceOf(part), (sums.get(sourceOf(part)) ?? 0) + value)
    for (const [source, sum] of sums)
      if (sum > Math.max(LEAST, best.get(source)?.sum ?? 0)) best.set(source, { entity: s.entity, sum })
  }
  const dissent = [...best.values()].filter(b => b.entity !== first.entity).length
  return lead / (1 + dissent)
}
