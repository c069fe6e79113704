import { MODES } from './policy.ts'
import type { Control, ControlWanted } from './words.generated.ts'

/**
 * What a wish makes of the controls in force; undefined where it does not count. Wishes count in the order of their stream, whoever wrote them, so that
 * none is lost between two writers:
 *
 * - what a wish does not name stays, so a change of the ladder never undoes a stop;
 * - a stop always counts;
 * - taking a stop back counts only for who has seen the newest stop;
 * - one that holds to the version it has seen counts only while that is in force.
 */
export const setControl = (before: Control | undefined, wanted: ControlWanted): Control | undefined => {
  const change = readChange(wanted.change)
  if (!change) return undefined
  const version = before?.version ?? 0
  const stopped_at = before?.stopped_at ?? null
  if (change.kill_switch !== true) {
    if (wanted.only_if_seen && wanted.seen !== version) return undefined
    if (change.kill_switch === false && stopped_at !== null && wanted.seen < stopped_at) return undefined
  }
  const next = version + 1
  return {
    id: `${wanted.environment}@${next}`,
    environment: wanted.environment,
    time: wanted.time,
    version: next,
    kill_switch: change.kill_switch ?? before?.kill_switch ?? false,
    // Nobody said: what the remediator's settings say goes on.
    default_mode: change.default_mode ?? before?.default_mode ?? '',
    ladder: { ...before?.ladder, ...change.ladder },
    protected: change.protected ?? before?.protected ?? [],
    maintenance: change.maintenance ?? before?.maintenance ?? [],
    experiment: change.experiment === undefined ? (before?.experiment ?? null) : change.experiment,
    who: wanted.who,
    wanted: wanted.id,
    stopped_at: change.kill_switch === true ? next : stopped_at,
  }
}

type Change = Partial<Pick<Control, 'kill_switch' | 'default_mode' | 'ladder' | 'protected' | 'maintenance' | 'experiment'>>
/** A way in has looked at it already; what is no object, or names a mode there is not, never counts. */
const readChange = (text: string): Change | undefined => {
  try {
    const change = JSON.parse(text) as Change | null
    if (typeof change !== 'object' || change === null) return undefined
    const modes = [change.default_mode || undefined, ...Object.values(change.ladder ?? {})].filter(m => m !== undefined)
    return modes.every(m => (MODES as readonly string[]).includes(m)) ? change : undefined
  } catch {
    return undefined
  }
}
