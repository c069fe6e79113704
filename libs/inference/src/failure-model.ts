import type { FailureGuess } from './failure-heuristic.ts'
import type { FailureName } from './failure-types.ts'

/** Says what failed by a window's features (FAILURE_FEATURES), the likeliest first. */
export interface FailureModel {
  /** Name and version. */
  readonly name: string
  /** What it was trained on, in a sentence. */
  readonly trainedOn: string
  predict(
    features: Float64Array,
  ): readonly (FailureGuess | { readonly type: FailureName | 'none'; readonly probability: number })[]
}
