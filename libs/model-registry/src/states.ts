/**
 * What a version of a model may be. The words stand in `ModelVersion.state` on the `models` stream.
 *
 * learning → registered → candidate (in shadow) → canary → active (in force) → retired (archived). `held` is a version that somebody, or an unsafe act, put in force
 * against newer ones: it stays until it is released. `rolled_back` was in force or a canary and did harm: it comes back only as a new candidate. A candidate speaks in the
 * shadow and decides nothing; a canary decides for a share of entities.
 */
export const MODEL_STATES = ['learning', 'registered', 'candidate', 'canary', 'active', 'held', 'rolled_back', 'retired'] as const
export type ModelState = (typeof MODEL_STATES)[number]

/** Where a version may go from each state. */
const NEXT: Readonly<Record<ModelState, readonly ModelState[]>> = {
  learning: ['learning', 'registered', 'candidate', 'active'],
  registered: ['candidate', 'active', 'retired'],
  candidate: ['candidate', 'canary', 'active', 'retired'],
  canary: ['canary', 'active', 'candidate', 'rolled_back', 'retired'],
  active: ['active', 'held', 'rolled_back', 'retired'],
  held: ['held', 'active', 'rolled_back', 'retired'],
  rolled_back: ['candidate', 'held', 'retired'],
  retired: ['candidate', 'active', 'held'],
}
export const isModelState = (state: string): state is ModelState => (MODEL_STATES as readonly string[]).includes(state)
export const mayBecome = (from: ModelState, to: ModelState): boolean => NEXT[from].includes(to)

/** Newer versions wait while this one is held. */
export const isHeld = (version: { readonly state: string } | undefined): boolean => version?.state === 'held'
/** It is listened to, and does not decide. */
export const isShadow = (version: { readonly state: string } | undefined): boolean => version?.state === 'candidate'
/** It decides. */
export const decides = (version: { readonly state: string } | undefined): boolean =>
  version?.state === 'active' || version?.state === 'held'

/** What each state is called in other registries: one alias of a model names one version. */
export const ALIASES = ['champion', 'challenger', 'archived'] as const
export type Alias = (typeof ALIASES)[number]
export const aliasOf = (state: ModelState): Alias | undefined =>
  state === 'active' || state === 'held'
    ? 'champion'
    : state === 'candidate' || state === 'canary'
      ? 'challenger'
      : state === 'retired' || state === 'rolled_back'
        ? 'archived'
        : undefined
