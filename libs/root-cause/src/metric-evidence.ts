/**
 * How far each series moved at the onset: difference of medians over a robust scale (in the line of N-Sigma and BARO's RobustScorer, Pham et
 * al. FSE 2024). Ours differs in that the scale has floors (quantisation, a share of the level, what both windows vary by), and in that a
 * level that was reached before, in the history, is no news: history is full of other faults' minutes.
 */
import type { CutSeries, Finding } from './case-evidence.ts'
import { meaningOf } from './metric-meaning.ts'

export interface DeviationOptions {
  /** Least share of the level that counts as one deviation. Default 0.05. */
  readonly levelShare?: number
  /** Strength beyond which more says nothing. Default 50. */
  readonly cap?: number
}
export interface Deviation {
  readonly strength: number
  readonly direction: -1 | 0 | 1
  readonly before: number
  readonly after: number
}

const sorted = (values: readonly number[]): number[] => values.filter(Number.isFinite).sort((a, b) => a - b)
const quantile = (s: readonly number[], q: number): number => {
  const at = (s.length - 1) * q
  const low = Math.floor(at)
  return s[low] + ((s[low + 1] ?? s[low]) - s[low]) * (at - low)
}

export const deviationOf = (before: readonly number[], after: readonly number[], options: DeviationOptions = {}): Deviation => {
  const { levelShare = 0.05, cap = 50 } = options
  const b = sorted(before)
  const a = sorted(after)
  if (b.length < 2 || a.length < 1) return { strength: 0, direction: 0, before: b[0] ?? 0, after: a[0] ?? 0 }
  const mid = quantile(b, 0.5)
  const now = quantile(a, 0.5)
  // Upper part of the window, as the first rows may still be clean.
  const high = quantile(a, 0.75)
  const low = quantile(a, 0.25)
  const up = high - mid
  const down = mid - low
  const moved = up >= down ? up : -down
  const spread = (quantile(b, 0.9) - quantile(b, 0.1)) / 2.56
  const mad = 1.4826 * quantile(sorted(b.map(v => Math.abs(v - mid))), 0.5)
  // Few rows say little about how much the series varies.
  const small = 1 + 3 / b.length
  const scale = Math.max(mad, spread, Math.abs(mid) * levelShare, 1e-9) * small
  const raw = Math.abs(moved) / scale
  return {
    strength: Math.min(cap, mid === 0 && spread === 0 && mad === 0 ? Math.min(raw, 8) : raw),
    direction: moved > 0 ? 1 : moved < 0 ? -1 : 0,
    before: mid,
    after: now,
  }
}

/** Findings of all series; kind is the meaning, with `_down` where the good direction moved. */
export const metricEvidence = (series: readonly CutSeries[], options: DeviationOptions = {}): Finding[] =>
  series.map(s => {
    const { meaning, bad } = meaningOf(s.metric)
    // A share of successes stands near its top: what counts is how much of it is missing.
    const d = deviationOf(s.before, s.after, meaning === 'success' ? { ...options, levelShare: 0.005 } : options)
    const good = bad !== 0 && d.direction === -bad
    return {
      entity: s.entity,
      kind: good ? `${meaning}_down` : meaning,
      strength: d.strength,
      name: s.metric,
      before: d.before,
      after: d.after,
      ...(s.peer ? { text: s.peer } : {}),
    }
  })
