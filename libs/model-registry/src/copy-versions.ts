/**
 * Keeps another registry in step with the `models` stream, which is what serves. What is to be copied follows from comparing the two, so nothing has to be remembered: while
 * the other is away served models go on and registrations wait on the stream; when it is back, what it lacks is copied.
 */
import type { ModelVersion } from '@aegis/domain'
import { type Artifacts, type ModelRegistry, versionOf } from './registry.ts'
import { isModelState, mayBecome } from './states.ts'
import { standing } from './stream-registry.ts'

export interface Copied {
  readonly registered: number
  readonly moved: number
  /** What could not be copied, and why; the rest was. */
  readonly refused: readonly string[]
}
export interface CopyOptions {
  /** What goes with a version there, such as its card. */
  readonly artifactsOf?: (version: ModelVersion, name: string) => Artifacts
}
const nameOf = (id: string): string => id.replace(/\/(candidate|kept\/[^/]+)$/, '')

/** @throws STORE_UNAVAILABLE where the other does not answer: what was copied until then stays, the rest waits */
export async function copyVersions(
  versions: readonly ModelVersion[],
  to: ModelRegistry,
  { artifactsOf = () => ({}) }: CopyOptions = {},
): Promise<Copied> {
  let registered = 0
  let moved = 0
  const refused: string[] = []
  for (const name of new Set(versions.filter(v => v.weights).map(v => nameOf(v.id)))) {
    const there = new Map((await to.versions(name)).map(v => [v.version, v.state]))
    const ours = standing(versions, name)
    for (const v of ours) {
      if (there.has(digestVersion(v))) continue
      try {
        const made = await to.registerModel(v.weights as Uint8Array, name, v.metrics ?? {}, artifactsOf(v, name), {
          environment: v.environment,
          lineage: withoutArtifacts(v.lineage ?? {}),
        })
        registered++
        there.set(made.version, made.state)
      } catch (error) {
        if ((error as { code?: string }).code === 'STORE_UNAVAILABLE') throw error
        refused.push(`${name} ${v.version}: ${(error as Error).message}`)
      }
    }
    // Those that leave first: at no time are there two in force.
    for (const v of [...ours].sort((a, b) => Number(a.state === 'active') - Number(b.state === 'active'))) {
      const [now, next] = [there.get(digestVersion(v)), v.state]
      if (now === undefined || now === next || !isModelState(next)) continue
      const steps = mayBecome(now, next) ? [next] : (['candidate', 'active', next] as const)
      try {
        for (const step of steps) await to.promoteModel(name, digestVersion(v), step)
        moved++
      } catch (error) {
        if ((error as { code?: string }).code === 'STORE_UNAVAILABLE') throw error
        refused.push(`${name} ${v.version} to ${next}: ${(error as Error).message}`)
      }
    }
  }
  return { registered, moved, refused }
}
/** What it is called there, whatever its trainer called it here. */
const digestVersion = (v: ModelVersion): string => versionOf(v.weights as Uint8Array)
const withoutArtifacts = (lineage: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(lineage).filter(([key]) => !key.startsWith('artifact:') && key !== 'signature'))
