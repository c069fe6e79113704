/** Policies at simulated incidents: the contract the remediator uses, and what came of it. */
import { isDisruptive, type Policy } from '@aegis/domain'
import { LearnedPolicy, OPTIONS, type RuledSituation, RulesPolicy } from '@aegis/remediation'
import { encodeSituation } from '@aegis/remediation/encode-situation'
import { LoadedModel, type PpoModel } from '@aegis/remediation/ppo-model'
import { IncidentSim } from './incident-sim.ts'

export const INCIDENT_ENCODING = 'incident-128-2'
export type IncidentPlayer = (sim: IncidentSim) => number

/** What the remediator would hand a policy. */
export const situationOf = (sim: IncidentSim): RuledSituation => {
  const target = sim.incident.causes[0].entity
  return {
    features: encodeSituation(sim.incident, sim.tried),
    options: sim.options.map((o, a) => ({ ...o, allowed: sim.allowed(a) })),
    faultKind: sim.faultKind,
    target,
    tried: sim.tried.filter(t => t.target === target).map(t => t.action),
  }
}
/** Any policy of the contract. */
export const policyPlayer =
  (policy: Policy): IncidentPlayer =>
  sim => {
    const { action, target } = policy.choose(situationOf(sim), () => 0)
    return sim.options.findIndex(o => o.action === action && (o.target === target || action === 'page'))
  }
export const rulesPlayer = (): IncidentPlayer => policyPlayer(new RulesPolicy())
export const learnedPlayer = (model: PpoModel): IncidentPlayer => policyPlayer(new LearnedPolicy(new LoadedModel(model)))
/** The same choices without explaining each of them: for many episodes. */
export const modelPlayer = (model: PpoModel): IncidentPlayer => {
  const loaded = new LoadedModel(model)
  return sim =>
    loaded.consider(
      encodeSituation(sim.incident, sim.tried),
      OPTIONS.map((_, a) => sim.allowed(a)),
    )
}

/** @param onEpisode hears the return of each */
export function playIncidents(
  player: IncidentPlayer,
  seedBase: number,
  episodes: number,
  onEpisode?: (earned: number) => void,
): Readonly<Record<string, number>> {
  const sim = new IncidentSim()
  let [total, healed, first, disruptive, unsafe] = [0, 0, 0, 0, 0]
  for (let k = 0; k < episodes; k++) {
    sim.reset(seedBase + k)
    const before = total
    for (let turn = 0; !sim.done; turn++) {
      total += sim.step(player(sim))
      if (turn === 0 && sim.healed) first++
    }
    onEpisode?.(total - before)
    healed += sim.healed ? 1 : 0
    unsafe += sim.unsafe
    disruptive += sim.tried.filter(t => isDisruptive(t.action)).length
  }
  return {
    return: total / episodes,
    healed_share: healed / episodes,
    healed_first: first / episodes,
    disruptive_per_100: (100 * disruptive) / episodes,
    unsafe_per_100: (100 * unsafe) / episodes,
    paged_share: 1 - healed / episodes,
  }
}
