/**
 * Confidence as a chance of being right: a logistic curve over the ranking's margin (Platt 1999), drawn anew from incidents whose true cause
 * a person confirmed. A Gaussian prior holds it at the shipped curve, so that a handful of confirmations moves it a little and many decide.
 */
export interface Calibration {
  readonly bias: number
  readonly slope: number
}
export interface Confirmed {
  /** How far the ranking put its first suspect before the second (margin.ts). */
  readonly margin: number
  /** Whether that suspect was the true cause. */
  readonly right: boolean
}
export interface RecalibrateOptions {
  /** Precision of the prior: the higher, the more confirmations it takes. Default 1. */
  readonly prior?: number
}

export const confidenceOf = (margin: number, { bias, slope }: Calibration): number => 1 / (1 + Math.exp(-(bias + slope * margin)))

/** The curve that explains the confirmed incidents best, given the shipped one. */
export const recalibrate = (
  confirmed: readonly Confirmed[],
  shipped: Calibration,
  options: RecalibrateOptions = {},
): Calibration => {
  if (confirmed.length === 0) return shipped
  const { prior = 1 } = options
  const found = maximum(confirmed, shipped, prior, true)
  // A ranking that is surer must never count for less.
  return found.slope >= 0 ? found : maximum(confirmed, { bias: shipped.bias, slope: 0 }, prior, false)
}

/** Newton steps on a concave problem, halved while they overshoot; with `both` false the slope stays as given. */
const maximum = (confirmed: readonly Confirmed[], start: Calibration, prior: number, both: boolean): Calibration => {
  const loss = (c: Calibration) =>
    confirmed.reduce(
      (sum, { margin, right }) => {
        const z = c.bias + c.slope * margin
        return sum + Math.log1p(Math.exp(-Math.abs(z))) + (right ? Math.max(0, -z) : Math.max(0, z))
      },
      (prior / 2) * ((c.bias - start.bias) ** 2 + (c.slope - start.slope) ** 2),
    )
  let at = start
  for (let step = 0; step < 20; step++) {
    let gb = prior * (at.bias - start.bias)
    let gs = prior * (at.slope - start.slope)
    let bb = prior
    let bs = 0
    let ss = prior
    for (const { margin, right } of confirmed) {
      const p = confidenceOf(margin, at)
      const w = p * (1 - p)
      gb += p - (right ? 1 : 0)
      gs += (p - (right ? 1 : 0)) * margin
      bb += w
      bs += w * margin
      ss += w * margin * margin
    }
    const det = bb * ss - bs * bs
    const bias = both ? (ss * gb - bs * gs) / det : gb / bb
    const slope = both ? (bb * gs - bs * gb) / det : 0
    const now = loss(at)
    let size = 1
    while (size > 1e-6 && loss({ bias: at.bias - size * bias, slope: at.slope - size * slope }) > now) size /= 2
    at = { bias: at.bias - size * bias, slope: at.slope - size * slope }
  }
  return at
}
