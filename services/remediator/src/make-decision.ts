import {
  type Choice,
  type Decision,
  type GuardFacts,
  hash32,
  type Incident,
  idOf,
  isDisruptive,
  MODES,
  type Mode,
  type Policy,
  seededRandom,
} from '@aegis/domain'
import {
  type Attempt,
  confidenceIn,
  encodeSituation,
  guard,
  optionsOf,
  type RuledSituation,
  type Suggestion,
} from '@aegis/remediation'

/** Everything a decision follows from, beside the incident and the policy. */
export interface DecisionGrounds {
  /** Counts the decisions of one incident, from 0. */
  readonly attempt: number
  /** What did not help before. */
  readonly tried: readonly Attempt[]
  /** Event time, microseconds. */
  readonly now: number
  readonly facts: Omit<GuardFacts, 'disruptive' | 'confidence' | 'evidenceCount'>
  /** What helped in situations like this. */
  readonly suggestions?: readonly Suggestion[]
  /** The arm of an experiment that chose the policy. */
  readonly arm?: { readonly experiment: string; readonly arm: string }
  /** Why only a person may be called: what was chosen before was refused. */
  readonly refused?: string
  /** Name and version of the policy that decides while this one only says what it would have done. */
  readonly inShadowOf?: string
}

const situationOf = (
  incident: Incident,
  { tried, facts, refused }: Pick<DecisionGrounds, 'tried' | 'facts' | 'refused'>,
): RuledSituation => {
  const [cause] = incident.causes
  const options = optionsOf(incident.causes, tried, facts.limits.minimumConfidence)
  return {
    features: encodeSituation(incident, tried),
    options: refused === undefined ? options : options.map(o => ({ ...o, allowed: o.action === 'page' })),
    faultKind: cause.fault_kind ?? 'unknown',
    target: cause.entity,
    tried: tried.filter(t => t.target === cause.entity).map(t => t.action),
  }
}
const seedOf = (incident: Incident, attempt: number) => hash32(`${incident.id}/${attempt}`)
/**
 * Whether a decision was refused by somebody who may: the policy service, a list, protection. The ladder and the kill switch are the word of people
 * who know, and what is under way is somebody's already.
 */
export const isRefused = ({ mode, action, target, facts }: Decision): boolean => {
  const { ladder, defaultMode, killSwitch, recent } = (JSON.parse(facts) as { facts: GuardFacts }).facts
  const allowed = Object.hasOwn(ladder, action) ? ladder[action] : defaultMode
  return (
    mode === 'refuse' &&
    action !== 'page' &&
    allowed !== 'refuse' &&
    MODES.includes(allowed) &&
    !killSwitch &&
    !recent.some(r => !r.finished && r.target === target)
  )
}
/** What the policy prefers, before the guard: the same as in the decision made on the same grounds. */
export const chooseAction = (
  policy: Policy,
  incident: Incident,
  grounds: Pick<DecisionGrounds, 'attempt' | 'tried' | 'facts'>,
): Choice => policy.choose(situationOf(incident, grounds), seededRandom(seedOf(incident, grounds.attempt)))

/** Policy, then guard: pure, so that the same incident, grounds and policy give the same decision again; what both looked at is in it. */
export function makeDecision(policy: Policy, incident: Incident, grounds: DecisionGrounds): Decision {
  const { attempt, tried, now, facts, suggestions = [], arm, refused, inShadowOf } = grounds
  const situation = situationOf(incident, grounds)
  const seed = seedOf(incident, attempt)
  const choice = policy.choose(situation, seededRandom(seed))
  const cause = incident.causes.find(c => c.entity === choice.target) ?? incident.causes[0]
  const handed: GuardFacts = {
    ...facts,
    disruptive: isDisruptive(choice.action),
    confidence: confidenceIn(incident.causes, cause.entity, tried),
    evidenceCount: cause.evidence.length,
  }
  const verdict = guard(choice, handed, now)
  const mode: Mode = inShadowOf ? lower(verdict.mode, 'shadow') : verdict.mode
  const reasons = [
    ...verdict.reasons,
    ...(refused === undefined ? [] : [refused]),
    ...(arm ? [`experiment ${arm.experiment}: arm ${arm.arm}`] : []),
    ...(inShadowOf ? [`in shadow of ${inShadowOf}, which decides`] : []),
  ]
  const decision = idOf(inShadowOf ? `decision of ${policy.name} ${policy.version} in shadow` : 'decision', incident.id, attempt)
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
    facts: JSON.stringify({ ...grounds, facts: handed }),
    evidence: cause.evidence,
    reasons,
    explanation: `${choice.explanation}. Cause: ${cause.explanation}${suggestions.length > 0 ? ` ${inWords(suggestions[0])}` : ''}`,
    suggestions: suggestions.map(({ command, tried: times, worked, likeness, chance, predicted, examples }) => ({
      command,
      tried: times,
      worked,
      likeness,
      chance,
      predicted: predicted ?? null,
      fixes: examples.map(e => e.fix),
    })),
    policy: policy.name,
    policy_version: policy.version,
    seed,
  }
}

const lower = (a: Mode, b: Mode): Mode => (MODES.indexOf(a) < MODES.indexOf(b) ? a : b)
const inWords = ({ command, tried, worked, predicted }: Suggestion): string =>
  `When it looked like this before, "${command}" helped ${worked} of ${tried} times${
    predicted === undefined ? '' : `; learned from all its tries, it helps here with a chance of ${Math.round(100 * predicted)} %`
  }.`
