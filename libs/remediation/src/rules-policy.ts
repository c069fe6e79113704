/** The runbook as a table: kind of fault to actions in the order they are tried; after them, a person. The policy to beat. */
import type { Candidate, Choice, Policy, Situation } from '@aegis/domain'

export const RUNBOOK: Readonly<Record<string, readonly string[]>> = {
  crash: ['start', 'restart'],
  memory: ['restart', 'rollback_deploy'],
  cpu: ['restart', 'scale_out'],
  deploy: ['rollback_deploy', 'restart'],
  config: ['revert_config', 'rollback_deploy'],
  pool: ['raise_limit', 'restart'],
  latency: ['raise_limit', 'restart', 'scale_out'],
  disk: ['clean_disk', 'restart'],
  error: ['restart'],
  model: ['rollback_deploy'],
}

/** What the table needs to know; the feature vector holds the same for learned policies. */
export interface RuledSituation extends Situation {
  readonly faultKind: string
  readonly target: string
  /** Actions already tried on the target. */
  readonly tried: readonly string[]
}

export class RulesPolicy implements Policy {
  readonly name = 'rules'
  readonly version = '1'

  choose(situation: Situation, _random: () => number): Choice {
    const { faultKind, target, tried, options } = situation as RuledSituation
    const allowed = new Set(options.filter(o => o.allowed && o.target === target).map(o => o.action))
    const listed = (RUNBOOK[faultKind] ?? []).filter(a => allowed.has(a) && !tried.includes(a))
    const ranked = [...listed, 'page']
    const candidates: Candidate[] = ranked.map((action, i) => ({
      action,
      target,
      probability: i === 0 ? 1 : 0,
      value: ranked.length - i,
    }))
    const action = ranked[0]
    const why =
      action === 'page'
        ? tried.length > 0
          ? `${tried.join(' and ')} did not help; a person is needed`
          : `no safe action is known for ${faultKind}; a person is needed`
        : `the runbook answers ${faultKind} with ${action}${tried.length > 0 ? ` after ${tried.join(', ')}` : ''}`
    return { action, target, propensity: 1, candidates, explanation: why }
  }
}
