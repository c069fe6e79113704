import {
  ACTIONS,
  type Decision,
  type GuardFacts,
  hash32,
  type Incident,
  idOf,
  isDisruptive,
  type Policy,
  seededRandom,
} from '@aegis/domain'
import { encodeSituation, guard, type RuledSituation, type Suggestion } from '@aegis/remediation'

/** Everything a decision follows from, beside the incident and the policy. */
export interface DecisionGrounds {
  /** Counts the decisions of one incident, from 0. */
  readonly attempt: number
  /** Actions that did not help before. */
  readonly tried: readonly string[]
  /** Event time, microseconds. */
  readonly now: number
  readonly facts: Omit<GuardFacts, 'disruptive'>
  /** What helped in situations like this. */
  readonly suggestions?: readonly Suggestion[]
  /** The arm of an experiment that chose the policy. */
  readonly arm?: { readonly experiment: string; readonly arm: string }
}

/** Policy, then guard: pure, so that the same incident, grounds and policy give the same decision again; what both looked at is in it. */
export function makeDecision(policy: Policy, incident: Incident, grounds: DecisionGrounds): Decision {
  const { attempt, tried, now, facts, suggestions = [], arm } = grounds
  const cause = incident.causes[0]
  const seed = hash32(`${incident.id}/${attempt}`)
  const situation: RuledSituation = {
    features: encodeSituation(incident, [...tried]),
    options: Object.keys(ACTIONS).map(action => ({ action, target: cause.entity, allowed: true })),
    faultKind: cause.fault_kind ?? 'unknown',
    target: cause.entity,
    tried: [...tried],
  }
  const choice = policy.choose(situation, seededRandom(seed))
  const { mode, reasons } = guard(choice, { ...facts, disruptive: isDisruptive(choice.action) }, now)
  const decision = idOf('decision', incident.id, attempt)
  return {
    id: idOf(decision, 'decided'),
    environment: incident.environment,
    time: now,
    incident: incident.id,
    incident_revision: incident.revision,
    attempt,
    cause: cause.entity,
    action: choice.action,
    target: choice.target,
    parameters: {},
    mode,
    status: 'decided',
    decision,
    candidates: choice.candidates,
    propensity: choice.propensity,
    situation: [...situation.features],
    facts: JSON.stringify(grounds),
    evidence: cause.evidence,
    reasons: arm ? [...reasons, `experiment ${arm.experiment}: arm ${arm.arm}`] : reasons,
    explanation: `${choice.explanation}. Cause: ${cause.explanation}${suggestions.length > 0 ? ` ${inWords(suggestions[0])}` : ''}`,
    suggestions: suggestions.map(({ command, tried: times, worked, likeness, chance, examples }) => ({
      command,
      tried: times,
      worked,
      likeness,
      chance,
      fixes: examples.map(e => e.fix),
    })),
    policy: policy.name,
    policy_version: policy.version,
    seed,
  }
}

const inWords = ({ command, tried, worked }: Suggestion): string =>
  `When it looked like this before, "${command}" helped ${worked} of ${tried} times.`
