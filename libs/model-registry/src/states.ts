/**
 * What a version of a model may be. The words stand in `ModelVersion.state` on the `models` stream.
 *
 * learning → candidate → active → retired; `held` is a version that somebody, or an unsafe act, put in force against newer ones: it stays until it is
 * released. A candidate speaks in the shadow and decides nothing.
 */
export const MODEL_STATES = ['learning', 'candidate', 'active', 'held', 'retired'] as const
export type ModelState = (typeof MODEL_STATES)[number]

/** Where a version may go from each state. */
const NEXT: Readonly<Record<ModelState, readonly ModelState[]>> = {
  learning: ['learning', 'candidate', 'active'],
  candidate: ['candidate', 'active', 'retired'],
  active: ['active', 'held', 'retired'],
  held: ['held', 'active', 'retired'],
  retired: ['candidate', 'active', 'held'],
}
export const isModelState = (state: string): state is ModelState => (MODEL_STATES as readonly string[]).includes(state)
export const mayBecome = (from: ModelState, to: ModelState): boolean => NEXT[from].includes(to)

/** Newer versions wait while this one is held. */
export const isHeld = (version: { readonly state: string } | undefined): boolean => version?.state === 'held'
/** It is listened to, and does not decide. */
export const isShadow = (version: { readonly state: string } | undefined): boolean => version?.state === 'candidate'
