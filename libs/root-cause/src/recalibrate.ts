/**
 * Confidence as a chance of being right: a logistic curve over the ranking's log-odds (Platt 1999), drawn anew from incidents whose true cause
 * a person confirmed. A Gaussian prior holds it at the shipped curve, so that a handful of confirmations moves it a little and many decide.
 */
export interface Calibration {
  readonly bias: number
  readonly slope: number
}
export interface Confirmed {
  /** Log-odds the ranking gave its first suspect. */
  readonly logOdds: number
  /** Whether that suspect was the true cause. */
  readonly right: boolean
}
export interface RecalibrateOptions {
  /** Precision of the prior: how many confirmations weigh about as much as it. Default 4. */
  readonly prior?: number
}

export const confidenceOf = (logOdds: number, { bias, slope }: Calibration): number =>
  1 / (1 + Math.exp(-(bias + slope * logOdds)))

/** The curve that explains the confirmed incidents best, given the shipped one: ten Newton steps of a concave problem. */
export const recalibrate = (
  confirmed: readonly Confirmed[],
  shipped: Calibration,
  options: RecalibrateOptions = {},
): Calibration => {
  const { prior = 4 } = options
  let { bias, slope } = shipped
  if (confirmed.length === 0) return shipped
  for (let step = 0; step < 10; step++) {
    let gb = prior * (bias - shipped.bias)
    let gs = prior * (slope - shipped.slope)
    let bb = prior
    let bs = 0
    let ss = prior
    for (const { logOdds, right } of confirmed) {
      const p = confidenceOf(logOdds, { bias, slope })
      const w = p * (1 - p)
      gb += p - (right ? 1 : 0)
      gs += (p - (right ? 1 : 0)) * logOdds
      bb += w
      bs += w * logOdds
      ss += w * logOdds * logOdds
    }
    const det = bb * ss - bs * bs
    bias -= (ss * gb - bs * gs) / det
    slope -= (bb * gs - bs * gb) / det
  }
  // A ranking that is surer must never count for less.
  return { bias, slope: Math.max(0, slope) }
}
