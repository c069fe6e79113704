/** Why a change was made; `none` is ordinary work. */
export const CAUSES = [
  'none',
  'configuration_error',
  'manual_troubleshooting',
  'intentional_override',
  'security_response',
  'automated_response',
  'emergency_fix',
] as const
export type Cause = (typeof CAUSES)[number]
export interface CauseReading {
  readonly cause: Cause
  readonly probabilities: Readonly<Record<Cause, number>>
  /** True where no cause is likely enough to act on. */
  readonly abstain: boolean
}
export const readingOf = (chances: ArrayLike<number>): CauseReading => {
  let best = 0
  for (let k = 1; k < CAUSES.length; k++) if (chances[k] > chances[best]) best = k
  return {
    cause: CAUSES[best],
    probabilities: Object.fromEntries(CAUSES.map((c, k) => [c, chances[k]])) as Record<Cause, number>,
    abstain: chances[best] < 0.35,
  }
}
