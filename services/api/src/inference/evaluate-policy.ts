/** What the guard says of an action that somebody outside wants to do: the same pure function, on facts as they stand. */
import { type Control, type GuardFacts, isDisruptive, isFinal, type Mode, type Outcome } from '@aegis/domain'
import { ourAction } from '@aegis/inference'
import { guard } from '@aegis/remediation/guard'

export interface PolicyQuestion {
  readonly action: string
  readonly resource: string
  readonly type: string
  readonly context: { readonly userId: string; readonly role: string; readonly metadata: Readonly<Record<string, unknown>> }
}
export interface PolicyAnswer {
  readonly allowed: boolean
  readonly reason: string
  readonly matched_rules: readonly string[]
}
export interface PolicyState {
  readonly environment: string
  readonly control: Control | undefined
  /** Outcomes of the environment within the last hour. */
  readonly outcomes: readonly Outcome[]
  readonly now: number
  readonly defaultMode: Mode
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly limits: GuardFacts['limits']
}
const share = (value: unknown, fallback: number): number => {
  const n = Number(value)
  return value !== undefined && value !== null && value !== '' && Number.isFinite(n) ? Math.min(1, Math.max(0, n)) : fallback
}

/**
 * Rules that the guard's sentences stand for, by how they begin. What is not known is `guard`.
 */
const RULES: readonly (readonly [rule: string, sentence: RegExp])[] = [
  ['kill_switch', /kill switch/],
  ['deny_list', /deny list/],
  ['allow_list', /allow list/],
  ['protected', /is protected$/],
  ['confidence', /^confidence /],
  ['evidence', /pieces of evidence/],
  ['under_way', /under way/],
  ['cooldown', /cools down/],
  ['disruptive_per_hour', /disruptive actions in the last hour/],
  ['maintenance', /^maintenance:/],
  ['error_budget', /error budget/],
  ['ladder', /^the ladder/],
]
const ruleOf = (sentence: string): string => RULES.find(([, pattern]) => pattern.test(sentence))?.[0] ?? 'guard'

/**
 * Whether it may be done by a machine now. Aegis itself, asking (`userId: aegis`, `role: remediator`), holds every action to the ladder already; its question is
 * answered from what is left, so that a rung that waits for approval is not turned into a no. Nobody is asked any further: a policy service that is Aegis asks no policy service.
 */
export const evaluatePolicy = ({ action: word, resource, context }: PolicyQuestion, state: PolicyState): PolicyAnswer => {
  const action = ourAction(word)
  const { control, now } = state
  const started = new Map<string, GuardFacts['recent'][number]>()
  for (const o of [...state.outcomes].sort((a, b) => a.time - b.time)) {
    const known = started.get(o.decision)
    started.set(o.decision, {
      action: o.action,
      target: o.target,
      time: known?.time ?? o.time,
      disruptive: isDisruptive(o.action),
      finished: known?.finished || isFinal(o),
    })
  }
  const own = context.userId === 'aegis' && context.role === 'remediator'
  const facts: GuardFacts = {
    environment: state.environment,
    killSwitch: control?.kill_switch ?? false,
    ladder: own ? { [action]: 'act' } : ((control?.ladder ?? {}) as Record<string, Mode>),
    defaultMode: ((control?.default_mode || undefined) as Mode | undefined) ?? state.defaultMode,
    allow: state.allow,
    deny: state.deny,
    protectedEntities: control?.protected ?? [],
    maintenance: (control?.maintenance ?? []).map(w => ({ ...w, entities: w.entities ?? [] })),
    recent: [...started.values()],
    limits: state.limits,
    confidence: share(context.metadata.confidence, 1),
    evidenceCount: Number.isFinite(Number(context.metadata.evidence_count ?? Number.NaN))
      ? Number(context.metadata.evidence_count)
      : state.limits.minimumEvidence,
    disruptive: isDisruptive(action),
  }
  const verdict = guard({ action, target: resource, candidates: [], propensity: 1, explanation: '' }, facts, now)
  const allowed = verdict.mode === 'act' || verdict.mode === 'canary'
  const reasons = own ? verdict.reasons.slice(1) : verdict.reasons
  return {
    allowed,
    reason: allowed
      ? (reasons.at(-1) ?? 'nothing speaks against it')
      : (verdict.reasons.at(-1) ?? `the guard allows ${verdict.mode}`),
    matched_rules: [...new Set(reasons.map(ruleOf))],
  }
}
