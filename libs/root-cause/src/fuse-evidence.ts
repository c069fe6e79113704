/**
 * Ranks the entities of a case by all evidence together: a conditional logit (McFadden 1974) over relative features, so that "which one of
 * these" is what is learned, whatever the number of entities. Where each weight comes from stands in fused-weights.ts: most from simulated systems (lab/root-cause), ten by hand.
 * Confidence is what such a margin of the first over the second was worth on simulated incidents (margin.ts), after a test whether there is
 * anything to explain at all.
 */
import { keyOf } from '@aegis/domain'
import { type Alert, alertHolds, LONG_HISTORY } from './alert-holds.ts'
import type { CauseCase, Finding } from './case-evidence.ts'
import { type CaseFeatures, featureNames, featuresOf, findEvidence, findingKinds } from './cause-features.ts'
import { fusedWeights } from './fused-weights.ts'
import { marginOf, type Suspect } from './margin.ts'
import { meaningOf } from './metric-meaning.ts'
import { type Calibration, confidenceOf } from './recalibrate.ts'

const KINDS: ReadonlySet<string> = new Set(findingKinds)

export interface FuseOptions {
  /** Weights by feature name. Default: those shipped. */
  readonly weights?: Readonly<Record<string, number>>
  /** What was found already; default: looked for in the case. */
  readonly findings?: readonly Finding[]
  /** What raised the incident, if something did. */
  readonly alert?: Alert
  /** Scores below it are no incident, where series alone speak over a long history. Default 3.7. */
  readonly quietBelow?: number
  /** Least confidence of a named cause. Default 0.3. */
  readonly nameFrom?: number
  /** From margin to confidence. Default: as shipped. */
  readonly calibration?: Calibration
}
export interface FusedRanking {
  readonly suspects: readonly Suspect[]
  /** Series of the suspects, most guilty first. */
  readonly metrics: readonly { readonly entity: string; readonly metric: string; readonly peer?: string }[]
  /** Chance that the first is the true cause. */
  readonly confidence: number
  /** How far the first stands before the second, 0 to 1, before calibration. */
  readonly margin: number
  /** False where nothing is strange enough to be explained. */
  readonly incident: boolean
  readonly verdict: 'cause_named' | 'not_enough_evidence'
}

export const scoresOf = (f: CaseFeatures, weights: Readonly<Record<string, number>>): Float64Array => {
  const width = featureNames.length
  const w = featureNames.map(n => weights[n] ?? 0)
  const scores = new Float64Array(f.entities.length)
  for (let i = 0; i < scores.length; i++) {
    let s = 0
    for (let k = 0; k < width; k++) s += w[k] * f.values[i * width + k]
    scores[i] = s
  }
  return scores
}

export const fuseEvidence = (c: CauseCase, options: FuseOptions = {}): FusedRanking => {
  const weights = options.weights ?? fusedWeights.weights
  const findings = options.findings ?? findEvidence(c)
  const features = featuresOf(c, findings, options.alert)
  const scores = scoresOf(features, weights)
  const top = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const odds = Array.from(scores, s => Math.exp(s - top))
  const sum = odds.reduce((a, b) => a + b, 0)
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || (c.entities[a] < c.entities[b] ? -1 : 1))
  const byEntity = new Map<string, Finding[]>()
  for (const f of findings) {
    const list = byEntity.get(f.entity)
    if (list) list.push(f)
    else byEntity.set(f.entity, [f])
  }
  const width = featureNames.length
  const suspects = order.slice(0, 20).map((i): Suspect => {
    const parts: Record<string, number> = {}
    featureNames.forEach((name, k) => {
      const v = (weights[name] ?? 0) * features.values[i * width + k]
      if (Math.abs(v) > 0.01) parts[name] = v
    })
    const worth = (f: Finding) => f.strength * Math.max(0.05, weights[f.kind] ?? 0.05)
    return {
      entity: c.entities[i],
      score: scores[i],
      probability: odds[i] / sum,
      parts,
      all: byEntity.get(c.entities[i]) ?? [],
      findings: (byEntity.get(c.entities[i]) ?? []).filter(f => f.strength > 1).sort((a, b) => worth(b) - worth(a)),
    }
  })
  // With series alone and a long history the score of nothing is known; with spans and lines there is more to be strange by chance.
  const seriesOnly = (c.spans ?? []).length === 0 && (c.lines ?? []).length === 0
  const history = c.series.reduce((most, x) => Math.max(most, x.before.length), 0)
  // A resource far outside its band is something, whatever the sum says.
  const spent = Math.max(
    features.strongest.cpu ?? 0,
    features.strongest.memory ?? 0,
    features.strongest.disk ?? 0,
    features.strongest.pool ?? 0,
  )
  // A graph full of holes lowers every score: then nothing is said to be quiet.
  const connected = c.edges.length >= 0.9 * c.entities.length
  // Whose change no other explains tells suspects apart, not whether there is anything to suspect: something always moves first.
  const score = Math.max(0, ...suspects.map(s => s.score - (s.parts.causal ?? 0)))
  const weak = connected && seriesOnly && history >= LONG_HISTORY && score < (options.quietBelow ?? 3.7)
  const unfelt = options.alert !== undefined && alertHolds(c.series, options.alert) === false
  const quiet = spent < 20 && (weak || unfelt)
  const incident = !quiet && findings.some(f => f.strength > 2 && f.kind !== 'causal')
  const margin = marginOf(suspects, part => KINDS.has(part))
  const known = confidenceOf(margin, options.calibration ?? fusedWeights.calibration)
  // Whether there is an incident at all is one question, who caused it another: what is hardly strange is ranked as surely as its margin says.
  const confidence = incident || weak ? Math.min(0.99, known) : 0.05
  return {
    suspects,
    metrics: rankMetrics(c, suspects),
    confidence,
    margin,
    incident,
    verdict: incident && confidence >= (options.nameFrom ?? 0.3) ? 'cause_named' : 'not_enough_evidence',
  }
}

/**
 * Series in the order of their entity and, within it, of how telling they are: what runs out before what is slow, as the one explains the
 * other; memory before the processor, since running out of it takes the processor along (collecting, swapping) and not the other way; an
 * entity's own series before those of its edges. Time lost on the wire is said of all its times, whatever they show one by one.
 */
const rankMetrics = (c: CauseCase, suspects: readonly Suspect[]): FusedRanking['metrics'] => {
  const names = new Set(c.series.map(s => keyOf(s.entity, s.metric)))
  return suspects.slice(0, 5).flatMap(s => {
    const wire = Math.max(0, ...s.all.filter(f => f.kind === 'metric_gap' || f.kind === 'trace_gap').map(f => f.strength))
    const worth = (f: Finding): number => {
      const { meaning } = meaningOf(f.name)
      const timed = meaning === 'latency' || meaning === 'outbound_latency'
      const strength = timed && !f.text ? Math.max(f.strength, wire) : f.strength
      return (
        Math.log1p(Math.min(30, strength)) *
        (TELLING[meaning] ?? 0.2) *
        (f.kind.endsWith('_down') && !timed ? 0.4 : 1) *
        (f.text ? 0.8 : 1)
      )
    }
    const best = new Map<string, { f: Finding; worth: number }>()
    for (const f of s.all) {
      if (f.kind === 'metric_gap' || f.kind === 'causal' || !names.has(keyOf(f.entity, f.name))) continue
      const key = keyOf(f.text ?? '', f.name)
      const w = worth(f)
      if (w > (best.get(key)?.worth ?? -1)) best.set(key, { f, worth: w })
    }
    return [...best.values()]
      .sort((a, b) => b.worth - a.worth || b.f.strength - a.f.strength || (a.f.name < b.f.name ? -1 : 1))
      .map(({ f }) => ({ entity: s.entity, metric: f.name, ...(f.text ? { peer: f.text } : {}) }))
  })
}
const TELLING: Readonly<Record<string, number>> = {
  memory: 1.1,
  cpu: 1,
  pool: 1,
  disk: 0.5,
  restart: 0.6,
  error: 0.5,
  success: 0.5,
  latency: 0.3,
  outbound_latency: 0.3,
  network: 0.2,
  traffic: 0.15,
  host: 0.15,
  other: 0.15,
}
