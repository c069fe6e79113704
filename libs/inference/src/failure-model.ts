/** The forest that says what failed, from a file that says what it was trained on and how it did. */
import { createHash } from 'node:crypto'
import { FatalError } from '@aegis/domain'
import { TreeEnsemble } from '@aegis/learning/tree-ensemble'
import { FAILURE_FEATURES } from './failure-features.ts'
import { FAILURE_NAMES, type FailureName } from './failure-types.ts'

export interface FailureOpinion {
  readonly type: FailureName | 'none'
  readonly probability: number
}
/** Says what failed by a window's features (FAILURE_FEATURES), the likeliest first. */
export interface FailureModel {
  readonly name: string
  readonly version: string
  /** What it was trained on, in a sentence. */
  readonly trainedOn: string
  /** How it did when it was judged. */
  readonly figures: Readonly<Record<string, number>>
  predict(features: Float64Array): readonly FailureOpinion[]
}
export interface SavedFailureModel {
  readonly name: string
  readonly version: string
  readonly trained_on: string
  /** SHA-256 of classes, features and trees. */
  readonly digest: string
  readonly figures: Readonly<Record<string, number>>
  readonly classes: readonly string[]
  readonly features: readonly string[]
  readonly trees: ConstructorParameters<typeof TreeEnsemble>[0]
}

/** @throws CONFIG_INVALID for a file that was changed, or made for other features or types than these */
export const forestModel = (saved: SavedFailureModel): FailureModel => {
  const { classes, features, trees, digest } = saved
  const object = (what: string) =>
    new FatalError(
      'CONFIG_INVALID',
      `the model of failures ${what}; "node lab/inference/train-failures.ts --write" makes it anew`,
    )
  if (createHash('sha256').update(JSON.stringify({ classes, features, trees })).digest('hex') !== digest)
    throw object('is not what its digest says')
  if (features.join() !== FAILURE_FEATURES.join()) throw object('was trained on other features')
  if (classes.join() !== ['none', ...FAILURE_NAMES].join()) throw object('knows other types of failures')
  const ensemble = new TreeEnsemble(trees)
  return {
    name: saved.name,
    version: saved.version,
    trainedOn: saved.trained_on,
    figures: saved.figures,
    predict: row =>
      Array.from(ensemble.raw(row), (probability, i) => ({ type: classes[i] as FailureOpinion['type'], probability })).sort(
        (a, b) => b.probability - a.probability,
      ),
  }
}
