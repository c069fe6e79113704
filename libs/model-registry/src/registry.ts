/** Where versions of models are kept and moved. Two implementations pass one contract (`registry.contract.ts`): the `models` stream, and an MLflow server. */
import { AegisError } from '@aegis/domain'
import { digestOf } from './check-model.ts'
import { type Alias, type ModelState, mayBecome } from './states.ts'

/** How it measured, by name; each a finite number. */
export type Metrics = Readonly<Record<string, number>>
/** What goes with a model: its card and the like, texts by name. */
export type Artifacts = Readonly<Record<string, string>>
/** Which one is meant: its version, `latest` registered, or the one that an alias names. */
export type Which = string | 'latest' | Alias

export interface RegisteredVersion {
  readonly name: string
  /** Twelve digits of the digest of its bytes: the same bytes are the same version, however often they are registered. */
  readonly version: string
  readonly state: ModelState
  /** When it was registered, microseconds. */
  readonly time: number
  readonly metrics: Metrics
  /** What it was made from. */
  readonly lineage: Readonly<Record<string, string>>
}
export interface LoadedModel extends RegisteredVersion {
  readonly weights: Uint8Array
  readonly artifacts: Artifacts
}
export interface RegisterOptions {
  readonly environment?: string
  readonly lineage?: Readonly<Record<string, string>>
}

export interface ModelRegistry {
  /** Keeps a version; one that is there already stays as it is. @throws INPUT_INVALID where it may not be used: too large, or figures that are none */
  registerModel(
    weights: Uint8Array,
    name: string,
    metrics: Metrics,
    artifacts?: Artifacts,
    options?: RegisterOptions,
  ): Promise<RegisteredVersion>
  /** @throws INPUT_INVALID where there is none, or its bytes are not what was registered */
  loadModel(name: string, which: Which): Promise<LoadedModel>
  /** Moves a version; what it displaces is archived. @throws INPUT_INVALID where it cannot go there */
  promoteModel(name: string, version: string, stage: ModelState): Promise<RegisteredVersion>
  /** In the order in which they were registered. */
  versions(name: string): Promise<readonly RegisteredVersion[]>
}

export const versionOf = (weights: Uint8Array): string => digestOf(weights).slice(7, 19)

export const noModel = (name: string, which: Which, known: readonly RegisteredVersion[]): AegisError =>
  new AegisError(
    'INPUT_INVALID',
    known.length === 0
      ? `no model is called ${name}`
      : `${name} has no version ${which}; there are ${[...new Set(known.map(v => v.version))].join(', ')}`,
  )
export function mayMove(version: RegisteredVersion, stage: ModelState): void {
  if (version.state !== stage && !mayBecome(version.state, stage))
    throw new AegisError('INPUT_INVALID', `${version.name} ${version.version} is ${version.state} and cannot become ${stage}`)
}
