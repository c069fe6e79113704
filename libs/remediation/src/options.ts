/**
 * What there is to choose from for an incident: every action on its first suspect, every one but paging on its second, and how sure one may be
 * of each once attempts have failed. The same code in training and serving.
 */
import { ACTIONS, type ActionName, type Cause, type Situation } from '@aegis/domain'

/** What was done about an incident and did not help. */
export interface Attempt {
  readonly action: string
  readonly target: string
}
export interface Option {
  /** What models and explanations call it. */
  readonly name: string
  readonly action: ActionName
  /** Rank of the suspect it acts on. */
  readonly suspect: 0 | 1
}
const ACTION_NAMES = Object.keys(ACTIONS) as ActionName[]
export const OPTIONS: readonly Option[] = [
  ...ACTION_NAMES.map((action): Option => ({ name: action, action, suspect: 0 })),
  ...ACTION_NAMES.filter(a => a !== 'page').map(
    (action): Option => ({ name: `${action} the second suspect`, action, suspect: 1 }),
  ),
]
/** Share of the confidence in a suspect that a failed attempt on it leaves; with it, simulated second suspects are to blame as often as is said. */
const LEFT = 0.2

/**
 * Confidence in an entity as the cause, 0 to 1. The diagnosis speaks for the first suspect; another one gains what failed attempts have taken
 * from those before it.
 */
export function confidenceIn(causes: readonly Cause[], entity: string, tried: readonly Attempt[]): number {
  const cause = causes.find(c => c.entity === entity)
  if (!cause) return 0
  if (cause === causes[0]) return cause.confidence
  const left = (c: Cause) => c.confidence * LEFT ** tried.filter(t => t.target === c.entity).length
  const lost = causes.reduce((sum, c) => sum + c.confidence - left(c), 0)
  return Math.min(0.99, left(cause) / Math.max(0.05, 1 - lost))
}

/**
 * The options of an incident. Nothing is tried twice on one entity, and the second suspect is acted on only where the confidence in it is at
 * least `minimumConfidence`, the guard's own limit; paging is always open.
 */
export function optionsOf(
  causes: readonly Cause[],
  tried: readonly Attempt[],
  minimumConfidence: number,
): Situation['options'][number][] {
  const sure = causes[1] !== undefined && confidenceIn(causes, causes[1].entity, tried) >= minimumConfidence
  return OPTIONS.map(({ action, suspect }) => {
    const target = causes[suspect]?.entity ?? ''
    const again = tried.some(t => t.action === action && t.target === target)
    return { action, target, allowed: action === 'page' || (!again && (suspect === 0 || sure)) }
  })
}
