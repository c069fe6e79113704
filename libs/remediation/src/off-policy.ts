/**
 * What another policy would have earned, from the log of the one that acted: inverse propensities, their self-normalised form, and doubly robust.
 *
 * IPS (Horvitz and Thompson 1952) weighs a reward by w = π(a|x) / p; SNIPS (Swaminathan and Joachims 2015) divides by the sum of weights; DR (Dudík,
 * Langford and Li 2011) adds to a model's prediction the weighted error where the act is known. Intervals are normal, from the spread of the
 * per-decision terms (for SNIPS and DR by linearisation), widened by Student's t. Two numbers say whether to believe them: the effective
 * sample size (Σw)² / Σw² (Kish 1965), and coverage, the share of the candidate's acts that the log could have shown.
 *
 * `judgeCandidate` is the rule of promotion: only when the candidate's lower bound beats what the present policy earned, never under an effective
 * sample size of 200 or a coverage of 0.9.
 */
export interface LoggedDecision {
  /** Index of the act taken, its reward, and the probabilities that policy gave each act. */
  readonly chosen: number
  readonly reward: number
  readonly logged: ArrayLike<number>
  /** What the candidate gives each act in the same situation, and optionally what a model expects each to earn. */
  readonly candidate: ArrayLike<number>
  readonly expected?: ArrayLike<number>
}
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}
export interface OffPolicyEstimate {
  readonly decisions: number
  readonly ips: Interval
  readonly snips: Interval
  /** Only when every decision came with a model's expectation. */
  readonly doublyRobust?: Interval
  /** What the logging policy earned itself. */
  readonly present: Interval
  readonly effectiveSampleSize: number
  readonly coverage: number
  readonly largestWeight: number
}
export interface OffPolicyOptions {
  /** Standard errors on each side of a value: 1.96 is 95 %. */
  readonly width: number
  /** An act the log gave less than this counts as never shown. */
  readonly smallestPropensity: number
}
export const OFF_POLICY_DEFAULTS: OffPolicyOptions = { width: 1.96, smallestPropensity: 0.005 }

/** Student's t instead of the normal, to first order (Cornish and Fisher). */
const widened = (z: number, n: number): number => (n > 1 ? z + (z ** 3 + z) / (4 * (n - 1)) : Number.POSITIVE_INFINITY)
function interval(terms: Float64Array, width: number): Interval {
  const n = terms.length
  const value = terms.reduce((a, b) => a + b, 0) / n
  const square = terms.reduce((s, x) => s + (x - value) ** 2, 0)
  const half = widened(width, n) * Math.sqrt(square / Math.max(1, n - 1) / n)
  return { value, low: value - half, high: value + half }
}

export function estimateOffPolicy(log: readonly LoggedDecision[], options: Partial<OffPolicyOptions> = {}): OffPolicyEstimate {
  const { width, smallestPropensity } = { ...OFF_POLICY_DEFAULTS, ...options }
  const n = log.length
  if (n === 0) throw new RangeError('there are no decisions to estimate from')
  const weights = new Float64Array(n)
  let [sum, squares, shown, largestWeight] = [0, 0, 0, 0]
  log.forEach((d, i) => {
    const propensity = d.logged[d.chosen]
    if (!(propensity > 0 && propensity <= 1)) throw new RangeError(`decision ${i} was taken with propensity ${propensity}`)
    const w = d.candidate[d.chosen] / propensity
    weights[i] = w
    sum += w
    squares += w * w
    largestWeight = Math.max(largestWeight, w)
    for (let a = 0; a < d.candidate.length; a++) if (d.logged[a] >= smallestPropensity) shown += d.candidate[a]
  })
  const ips = interval(
    weights.map((w, i) => w * log[i].reward),
    width,
  )
  const ratio = sum > 0 ? (ips.value * n) / sum : 0
  const around = interval(
    weights.map((w, i) => (sum > 0 ? (w * (log[i].reward - ratio) * n) / sum : 0)),
    width,
  )
  const half = around.high - around.value
  const modelled = log.every(d => d.expected !== undefined)
  return {
    decisions: n,
    ips,
    snips: { value: ratio, low: ratio - half, high: ratio + half },
    doublyRobust: modelled
      ? interval(
          weights.map((w, i) => {
            const d = log[i]
            const expected = d.expected as ArrayLike<number>
            let direct = 0
            for (let a = 0; a < d.candidate.length; a++) direct += d.candidate[a] * expected[a]
            return direct + w * (d.reward - expected[d.chosen])
          }),
          width,
        )
      : undefined,
    present: interval(
      Float64Array.from(log, d => d.reward),
      width,
    ),
    effectiveSampleSize: squares > 0 ? (sum * sum) / squares : 0,
    coverage: shown / n,
    largestWeight,
  }
}

export interface PromotionOptions {
  readonly minimumEffectiveSampleSize: number
  readonly minimumCoverage: number
}
export const PROMOTION_DEFAULTS: PromotionOptions = { minimumEffectiveSampleSize: 200, minimumCoverage: 0.9 }
export interface Judgement {
  readonly verdict: 'promote' | 'keep' | 'refuse'
  readonly reasons: readonly string[]
}

export function judgeCandidate(estimate: OffPolicyEstimate, options: Partial<PromotionOptions> = {}): Judgement {
  const { minimumEffectiveSampleSize, minimumCoverage } = { ...PROMOTION_DEFAULTS, ...options }
  const reasons: string[] = []
  // Written so that what is not a number is refused.
  if (!(estimate.effectiveSampleSize >= minimumEffectiveSampleSize))
    reasons.push(
      `the log is worth ${estimate.effectiveSampleSize.toFixed(0)} decisions, ${minimumEffectiveSampleSize} are needed`,
    )
  if (!(estimate.coverage >= minimumCoverage))
    reasons.push(
      `the log could have shown ${(100 * estimate.coverage).toFixed(0)} % of what it does, ${100 * minimumCoverage} % are needed`,
    )
  if (reasons.length > 0) return { verdict: 'refuse', reasons }
  const { value, low } = estimate.doublyRobust ?? estimate.snips
  const present = estimate.present.value
  return low > present
    ? { verdict: 'promote', reasons: [`its lower bound ${low.toFixed(3)} beats the ${present.toFixed(3)} earned at present`] }
    : {
        verdict: 'keep',
        reasons: [`its estimate is ${value.toFixed(3)}, at least ${low.toFixed(3)}; at present ${present.toFixed(3)} is earned`],
      }
}
