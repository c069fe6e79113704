/** What follows from the versions published of a model, oldest first as they stand on the `models` stream. Pure: publishing is the caller's. */
import { AegisError, type ModelVersion } from '@aegis/domain'
import { isModelState, type ModelState, mayBecome } from './states.ts'

/** The last published of each id. */
export const inForce = (versions: readonly ModelVersion[]): ModelVersion[] => [...new Map(versions.map(m => [m.id, m])).values()]

/** @throws INPUT_INVALID where no model has this id */
export function presentVersion(versions: readonly ModelVersion[], id: string): ModelVersion {
  const found = versions.findLast(m => m.id === id)
  if (!found) throw new AegisError('INPUT_INVALID', `no model is called ${id}; "aegis models list" names them`)
  return found
}

export interface EarlierOptions {
  /** This version rather than the one before the present one. */
  readonly to?: string
  /** A version that needs no weights, and stands before the first: what decides when nothing learned does. */
  readonly floor?: ModelVersion
}

/** The version before the present one, or the one asked for. Going back twice goes back further: what counts is when the present version first appeared. */
export function earlierVersion(versions: readonly ModelVersion[], id: string, options: EarlierOptions = {}): ModelVersion {
  const { to, floor } = options
  const now = presentVersion(versions, id)
  const all = versions.filter(m => m.id === id)
  const usable = all.filter(m => m.version !== now.version && (m.weights || m.version === floor?.version))
  const first = all.findIndex(m => m.version === now.version)
  const before = () => usable.findLast(m => all.indexOf(m) < first) ?? (now.version === floor?.version ? undefined : floor)
  const found =
    to === undefined ? before() : (usable.findLast(m => m.version === to) ?? (to === floor?.version ? floor : undefined))
  if (found) return found
  const known = [...new Set([...usable.map(m => m.version), ...(floor ? [floor.version] : [])])].join(', ')
  throw new AegisError(
    'INPUT_INVALID',
    to === undefined
      ? `${id} has no version before ${now.version}`
      : `${id} has no version ${to} to go back to${known ? `; there are ${known}` : ''}`,
  )
}

/**
 * The same version in another state, from `time` (microseconds) on.
 * @throws INPUT_INVALID where no version goes that way: what is retired must be a candidate or chosen before it is in force
 */
export function moved(version: ModelVersion, state: ModelState, time: number): ModelVersion {
  if (isModelState(version.state) && version.state !== state && !mayBecome(version.state, state))
    throw new AegisError('INPUT_INVALID', `${version.id} ${version.version} is ${version.state} and cannot become ${state}`)
  return { ...version, state, time }
}
