import type { Candidate } from './words.generated.ts'

/** What a policy sees: named numbers in a fixed order, and which actions may be taken now. */
export interface Situation {
  readonly features: Float32Array
  /** Action ids with the entity each would act on, in the policy's order. */
  readonly options: readonly { readonly action: string; readonly target: string; readonly allowed: boolean }[]
}

/** What the policy prefers. Probabilities of the candidates add up to 1; `propensity` is the one of the chosen action. */
export interface Choice {
  readonly action: string
  readonly target: string
  readonly propensity: number
  readonly candidates: readonly Candidate[]
  readonly explanation: string
}
export interface Policy {
  readonly name: string
  readonly version: string
  choose(situation: Situation, random: () => number): Choice
}

/** The ladder: how far an action may go in an environment. */
export const MODES = ['refuse', 'observe', 'shadow', 'suggest', 'approve', 'canary', 'act'] as const
export type Mode = (typeof MODES)[number]

/** Everything the guard may look at; recorded with the decision, so that the verdict can be computed again. Times in microseconds. */
export interface GuardFacts {
  readonly environment: string
  readonly killSwitch: boolean
  readonly ladder: Readonly<Record<string, Mode>>
  readonly defaultMode: Mode
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly protectedEntities: readonly string[]
  readonly maintenance: readonly {
    readonly from: number
    readonly to: number
    readonly reason: string
    readonly entities: readonly string[]
  }[]
  /** Actions started in this environment, newest last. */
  readonly recent: readonly {
    readonly action: string
    readonly target: string
    readonly time: number
    readonly disruptive: boolean
    readonly finished: boolean
  }[]
  readonly limits: {
    readonly disruptivePerHour: number
    readonly concurrent: number
    readonly cooldownMs: number
    readonly minimumConfidence: number
    readonly minimumEvidence: number
    /** Disruptive actions are refused while less than this share of the error budget is left; 0 switches the check off. */
    readonly errorBudgetFloor: number
  }
  /** Share of the error budget left, 0 to 1, where known. */
  readonly errorBudgetLeft?: number
  readonly confidence: number
  readonly evidenceCount: number
  readonly disruptive: boolean
  /** Answer of the external policy service, when one is configured: its word, or that it did not answer. */
  readonly policyService?: {
    readonly asked: boolean
    readonly answered: boolean
    readonly allowed: boolean
    readonly reason: string
  }
}
export interface Verdict {
  readonly mode: Mode
  readonly reasons: readonly string[]
}
export type Guard = (choice: Choice, facts: GuardFacts, now: number) => Verdict

/** Whether a pattern of the settings stands for this environment: the same name, or its beginning where the pattern ends in `*`. */
export const standsFor = (pattern: string, environment: string): boolean =>
  pattern.endsWith('*') ? environment.startsWith(pattern.slice(0, -1)) : pattern === environment
