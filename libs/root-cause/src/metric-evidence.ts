/**
 * How far each series moved at the onset: difference of medians over a robust scale (in the line of N-Sigma and BARO's RobustScorer, Pham et
 * al. FSE 2024). Ours differs in that the scale has floors (quantisation, a share of the level, what both windows vary by), and in that a
 * level that was reached before, in the history, is no news: history is full of other faults' minutes.
 */
import { keyOf } from '@aegis/domain'
import type { CutSeries, Finding } from './case-evidence.ts'
import { meaningOf } from './metric-meaning.ts'

export interface DeviationOptions {
  /** Least share of the level that counts as one deviation. Default 0.05. */
  readonly levelShare?: number
  /** Least share of what others of the same name show that counts as one deviation. Default 0.02. */
  readonly peerShare?: number
  /** What is left of a deviation to a level that history knows. Default 0.5. */
  readonly reached?: number
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

export const deviationOf = (
  before: readonly number[],
  after: readonly number[],
  options: DeviationOptions = {},
  floor = 0,
): Deviation => {
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
  const scale = Math.max(mad, spread, Math.abs(mid) * levelShare, floor, 1e-9) * small
  const reached = moved > 0 ? high <= b[b.length - 1] : low >= b[0]
  const raw = (Math.abs(moved) / scale) * (reached && b.length >= 8 ? (options.reached ?? 0.5) : 1)
  return {
    strength: Math.min(cap, mid === 0 && spread === 0 && mad === 0 ? Math.min(raw, 8) : raw),
    direction: moved > 0 ? 1 : moved < 0 ? -1 : 0,
    before: mid,
    after: now,
  }
}

/** The other end's word for the same number: what a client measured without what the server did is the way between. */
const OTHER_END: readonly (readonly [RegExp, string])[] = [
  [/(^|_|\.)client(_|\.|$)/, '$1server$2'],
  [/(^|_|\.)src(_|\.|$)/, '$1dst$2'],
  [/(^|_|\.)source(_|\.|$)/, '$1destination$2'],
]

/** Findings of all series; kind is the meaning, with `_down` where the good direction moved. */
export const metricEvidence = (series: readonly CutSeries[], options: DeviationOptions = {}): Finding[] => {
  const findings: Finding[] = []
  const byName = new Map<string, CutSeries[]>()
  const at = new Map<string, CutSeries>()
  for (const s of series) {
    const list = byName.get(s.metric)
    if (list) list.push(s)
    else byName.set(s.metric, [s])
    at.set(keyOf(s.entity, s.peer ?? '', s.metric), s)
  }
  // Averages over a handful of requests say little: what is measured per request weighs by how many there were.
  const served = new Map<string, number>()
  for (const s of series)
    if (!s.peer && meaningOf(s.metric).meaning === 'traffic' && !served.has(s.entity))
      served.set(s.entity, Math.min(middleOf(s.before), middleOf(s.after)))
  const usual = middleOf([...served.values()].filter(v => v > 0))
  const trust = (s: CutSeries): number => {
    const { meaning } = meaningOf(s.metric)
    if (meaning !== 'latency' && meaning !== 'outbound_latency' && meaning !== 'success' && meaning !== 'error') return 1
    const t = served.get(s.peer ?? s.entity) ?? served.get(s.entity)
    return t === undefined || usual === 0 ? 1 : Math.min(1, Math.sqrt(t / usual))
  }
  for (const [metric, group] of byName) {
    const { meaning, bad } = meaningOf(metric)
    // A share of successes stands near its top: what counts is how much of it is missing.
    const given = meaning === 'success' ? { ...options, levelShare: 0.005 } : options
    // What is next to nothing beside what others of the same name show is no news, however still it was before.
    const levels = meaning === 'success' ? [] : group.map(s => Math.abs(middleOf(s.before))).filter(v => v > 0)
    const floor = levels.length >= 3 ? (options.peerShare ?? 0.02) * middleOf(levels) : 0
    const found = group.map(s => deviationOf(s.before, s.after, given, floor))
    const common = found.length >= 5 ? middleOf(found.map(d => d.strength * d.direction)) : 0
    group.forEach((s, i) => {
      const d = found[i]
      const signed = d.strength * d.direction - common
      // What everything of that name does at once is load or the weather, not a cause.
      const strength = Math.sign(signed) === d.direction ? Math.min(d.strength, Math.abs(signed)) * trust(s) : 0
      findings.push({
        entity: s.entity,
        kind: bad !== 0 && d.direction === -bad ? `${meaning}_down` : meaning,
        strength,
        name: s.metric,
        before: d.before,
        after: d.after,
        ...(s.peer ? { text: s.peer } : {}),
      })
    })
  }
  for (const s of series) {
    const rule = OTHER_END.find(([words]) => words.test(s.metric))
    if (!rule) continue
    const other = at.get(keyOf(s.entity, s.peer ?? '', s.metric.replace(rule[0], rule[1])))
    if (!other || other.before.length !== s.before.length) continue
    const d = deviationOf(
      s.before.map((v, i) => v - other.before[i]),
      s.after.map((v, i) => v - other.after[i]),
      options,
      Math.abs(middleOf(s.before)) * 0.05,
    )
    for (const entity of s.peer ? [s.entity, s.peer] : [s.entity])
      if (d.direction > 0)
        findings.push({
          entity,
          kind: 'metric_gap',
          strength: d.strength * trust(s),
          name: s.metric,
          before: d.before,
          after: d.after,
          ...(s.peer ? { text: s.peer } : {}),
        })
  }
  return findings
}
const middleOf = (values: readonly number[]): number => {
  const s = sorted(values)
  return s.length > 0 ? quantile(s, 0.5) : 0
}
