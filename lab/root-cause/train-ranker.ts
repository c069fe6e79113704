/**
 * Learns the weights of fuse-evidence.ts from cases whose cause is known: conditional logit by full-batch gradient descent with momentum and
 * an L2 pull towards the starting weights. Evidence never counts against its entity: weights of findings are kept at or above zero, which
 * keeps a model learned on simulated systems sane on real ones.
 */
import { seededRandom } from '@aegis/domain'
import { type CaseFeatures, featureNames, featuresOf, findingKinds } from '@aegis/root-cause/cause-features'
import { fuseEvidence, scoresOf } from '@aegis/root-cause/fuse-evidence'
import { type Calibration, type Confirmed, recalibrate } from '@aegis/root-cause/recalibrate'
import { type FaultKind, type SimulateOptions, simulateCase } from './simulate-cases.ts'

export interface TrainingCase {
  readonly features: CaseFeatures
  readonly cause: string
  readonly weight?: number
}
export interface TrainOptions {
  /** Pull towards the start. Default 0.01. */
  readonly l2?: number
  readonly steps?: number
  readonly rate?: number
  readonly start?: Readonly<Record<string, number>>
}

export const trainRanker = (cases: readonly TrainingCase[], options: TrainOptions = {}): Record<string, number> => {
  const { l2 = 0.01, steps = 400, rate = 0.3, start = {} } = options
  const width = featureNames.length
  const origin = Float64Array.from(featureNames, n => start[n] ?? 0)
  const w = Float64Array.from(origin)
  const velocity = new Float64Array(width)
  const second = new Float64Array(width)
  const total = cases.reduce((s, c) => s + (c.weight ?? 1), 0)
  for (let step = 1; step <= steps; step++) {
    const gradient = new Float64Array(width)
    for (const c of cases) {
      const n = c.features.entities.length
      const x = c.features.values
      const truth = c.features.entities.indexOf(c.cause)
      if (truth < 0) continue
      const odds = new Float64Array(n)
      let top = Number.NEGATIVE_INFINITY
      for (let i = 0; i < n; i++) {
        let s = 0
        for (let k = 0; k < width; k++) s += w[k] * x[i * width + k]
        odds[i] = s
        if (s > top) top = s
      }
      let sum = 0
      for (let i = 0; i < n; i++) sum += odds[i] = Math.exp(odds[i] - top)
      const share = (c.weight ?? 1) / total
      for (let i = 0; i < n; i++) {
        const g = (odds[i] / sum - (i === truth ? 1 : 0)) * share
        if (g !== 0) for (let k = 0; k < width; k++) gradient[k] += g * x[i * width + k]
      }
    }
    for (let k = 0; k < width; k++) {
      const g = gradient[k] + l2 * (w[k] - origin[k])
      velocity[k] = 0.9 * velocity[k] + 0.1 * g
      second[k] = 0.999 * second[k] + 0.001 * g * g
      w[k] -= (rate * (velocity[k] / (1 - 0.9 ** step))) / (Math.sqrt(second[k] / (1 - 0.999 ** step)) + 1e-8)
      if (k < findingKinds.length && w[k] < 0) w[k] = 0
    }
  }
  return Object.fromEntries(featureNames.map((n, k) => [n, Math.round(w[k] * 1000) / 1000]))
}

const HARD: Partial<Record<FaultKind, number>> = { error: 3, network: 2 }
/** Simulated cases to learn from; the hard faults count more, so that they are not drowned by the easy ones. */
const simulated = (count: number, seed: number, graph: SimulateOptions['graph']): TrainingCase[] =>
  Array.from({ length: count }, (_, i): TrainingCase => {
    const s = simulateCase(seededRandom(seed + i), { graph })
    return { features: featuresOf(s.evidence, undefined, s.alert), cause: s.cause, weight: HARD[s.fault] ?? 1 }
  })

/** The recipe of the shipped weights: simulated cases alone. */
export const trainOnSimulated = (
  options: { readonly cases?: number; readonly seed?: number; readonly l2?: number } = {},
): Record<string, number> => {
  const { cases = 2500, seed = 1000, l2 = 0.004 } = options
  return trainRanker(simulated(cases, seed, undefined), { l2, steps: 200 })
}

/**
 * The recipe of the shipped curve from margin to confidence: simulated incidents that somebody would notice, others than those learned from.
 * Crashes are left out, since what tells them, silence, is not simulated.
 */
export const calibrateOnSimulated = (
  weights: Readonly<Record<string, number>>,
  options: { readonly cases?: number; readonly seed?: number } = {},
): Calibration => {
  const { cases = 2500, seed = 7_000_000 } = options
  const known: Confirmed[] = []
  for (let i = 0; i < cases; i++) {
    const s = simulateCase(seededRandom(seed + i))
    if (!s.felt || s.fault === 'crash') continue
    const { margin, suspects } = fuseEvidence(s.evidence, { weights, alert: s.alert })
    known.push({ margin, right: suspects[0]?.entity === s.cause })
  }
  return recalibrate(known, { bias: 0, slope: 1 }, { prior: 1e-6 })
}

/** Share of cases whose cause the weights put first. */
export const firstRight = (cases: readonly TrainingCase[], weights: Readonly<Record<string, number>>): number =>
  cases.filter(({ features, cause }) => {
    const scores = scoresOf(features, weights)
    return features.entities[scores.indexOf(Math.max(...scores))] === cause
  }).length / Math.max(1, cases.length)

/** Weights for one system: learned on incidents simulated on its graph, starting from those given, judged on incidents not learned from. */
export const trainOnGraph = (
  graph: NonNullable<SimulateOptions['graph']>,
  start: Readonly<Record<string, number>>,
  options: { readonly cases?: number; readonly seed?: number } = {},
): { readonly weights: Readonly<Record<string, number>>; readonly before: number; readonly after: number } => {
  const { cases = 400, seed = 1 } = options
  const held = simulated(Math.max(50, Math.floor(cases / 2)), seed + 10_000_000, graph)
  const weights = { ...start, ...trainRanker(simulated(cases, seed, graph), { l2: 0.01, steps: 120, start }) }
  return { weights, before: firstRight(held, start), after: firstRight(held, weights) }
}
