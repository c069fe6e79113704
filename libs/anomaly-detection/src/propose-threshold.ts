/**
 * A threshold that people's word on past anomalies speaks for. What was told can be told less often: how much a higher threshold would have spared and lost is counted on the
 * anomalies there were. What was never told leaves no trace, so a lower threshold is not proposed.
 */
import { wilson } from '@aegis/learning/wilson'

export interface JudgedAnomaly {
  readonly score: number
  readonly threshold: number
  /** Something was the matter, as somebody confirmed. */
  readonly right: boolean
}
export interface ProposalOptions {
  /** Share of the right ones that may be lost, at the upper end of its interval. Default .05. */
  readonly mostLost?: number
  /** Bound of the change. Default 2: never more than twice the threshold. */
  readonly mostFactor?: number
  /** Right ones and false ones without which nothing is proposed. Default 30 each. */
  readonly fewest?: number
}
export interface Proposal {
  readonly factor: number
  readonly right: number
  readonly false: number
  readonly rightLost: number
  readonly falseSpared: number
  /** Upper end of the share of right ones that would be lost, 95 %. */
  readonly lostAtMost: number
}

/** The factor that spares most false alarms within the bounds; or why there is none. */
export function proposeThreshold(
  anomalies: readonly JudgedAnomaly[],
  { mostLost = 0.05, mostFactor = 2, fewest = 30 }: ProposalOptions = {},
): Proposal | string {
  const told = anomalies.flatMap(({ score, threshold, right }) =>
    threshold > 0 && Number.isFinite(score) ? [{ over: score / threshold, right }] : [],
  )
  const right = told.filter(a => a.right).length
  const wrong = told.length - right
  if (right < fewest || wrong < fewest)
    return `${right} confirmed and ${wrong} false ones are too few: ${fewest} of each are needed`
  let best: Proposal | undefined
  const factors = [...new Set(told.filter(a => !a.right && a.over < mostFactor).map(a => a.over))].sort((a, b) => a - b)
  for (const over of factors) {
    // Just above the false one.
    const factor = Math.min(mostFactor, Math.max(1, Math.ceil(100 * over + 1e-9) / 100))
    const under = told.filter(a => a.over < factor)
    const rightLost = under.filter(a => a.right).length
    const lostAtMost = wilson(rightLost, right).high
    const falseSpared = under.length - rightLost
    if (lostAtMost <= mostLost && falseSpared > (best?.falseSpared ?? 0))
      best = { factor, right, false: wrong, rightLost, falseSpared, lostAtMost }
  }
  return (
    best ??
    `no threshold up to ${mostFactor} times as high spares a false one without risking more than ${mostLost} of the ${right} right ones`
  )
}
