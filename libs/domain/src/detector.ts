/** At most one observation per series, at one time. Typed arrays: a round of 256 series is scored at once. */
export interface Round {
  /** Event time, microseconds. */
  readonly time: number
  /** Series handles: small integers given out once per series by whoever feeds the detector. */
  readonly series: Int32Array
  /** One value per handle; NaN where the observation is missing. */
  readonly values: Float64Array
}

/** What a detector says about a round; arrays run parallel to `round.series`. */
export interface Expectation {
  readonly low: Float64Array
  readonly high: Float64Array
}

/**
 * Scores rounds and learns from them. Scores are continuous, higher is stranger; NaN means "still learning".
 * `score` changes nothing; `learn` comes after it. What was flagged is not learned from, unless it has become the new normal.
 */
export interface Detector {
  readonly name: string
  score(round: Round): Float64Array
  learn(round: Round, flagged: readonly boolean[]): void
  /** Band in which each value was expected, where the detector has one. */
  expect?(round: Round): Expectation
  /** These handles go to other series from now on: what was learned of the old ones goes. Without it handles are never given out again. */
  forget?(series: readonly number[]): void
  snapshot(): Uint8Array
  restore(bytes: Uint8Array): void
}
