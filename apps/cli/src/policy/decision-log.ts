/** Decisions with the rewards their outcomes brought, from the topics: what candidates are judged by. */
import { type Decision, decisions, isDisruptive, type Outcome, outcomes, type Stream } from '@aegis/domain'
import type { StreamClient } from '@aegis/stack/pipeline/client'

export interface LoggedChoice {
  readonly situation: readonly number[]
  readonly action: string
  readonly target: string
  readonly candidates: readonly { readonly action: string; readonly target: string; readonly probability: number }[]
  readonly reward: number
}
/** Health back is worth 1; every disruptive act costs a little, whether it helped or not; a page costs a person's sleep. */
export const rewardOf = (decision: Decision, last: Outcome['status']): number =>
  (last === 'done' ? 1 : 0) - (decision.action === 'page' ? 0.5 : isDisruptive(decision.action) ? 0.1 : 0)

const ENDS: ReadonlySet<string> = new Set(['done', 'failed', 'undone', 'taken_back'])

/** How each decision that was acted on has ended, by its last word; what is unfinished tells nothing. */
export const endings = (ended: readonly Outcome[]): ReadonlyMap<string, Outcome['status']> =>
  new Map(ended.filter(o => ENDS.has(o.status)).map(o => [o.decision, o.status]))

/** Those that were acted on and have ended, oldest first; what is unfinished tells nothing. */
export function loggedChoices(made: readonly Decision[], ended: readonly Outcome[]): LoggedChoice[] {
  const last = endings(ended)
  return made
    .filter(d => d.status === 'decided' && last.has(d.decision))
    .map(d => ({
      situation: d.situation,
      action: d.action,
      target: d.target,
      candidates: d.candidates.map(({ action, target, probability }) => ({ action, target, probability })),
      reward: rewardOf(d, last.get(d.decision) as string),
    }))
}

/** The decisions and outcomes that are retained; of all environments unless one is named. */
export async function readDecisions(client: StreamClient, environment?: string): Promise<{ made: Decision[]; ended: Outcome[] }> {
  const made: Decision[] = []
  const ended: Outcome[] = []
  await client.all([decisions, outcomes] as unknown as Stream<never>[], decoded => {
    for (const { value, record } of decoded) {
      if (!value || (environment && (value as { environment: string }).environment !== environment)) continue
      if (record.topic === decisions.name) made.push(value as Decision)
      else ended.push(value as Outcome)
    }
  })
  return { made, ended }
}
