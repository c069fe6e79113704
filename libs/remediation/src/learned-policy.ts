/**
 * A trained model as a `Policy`: situations of real incidents in, a choice with values, probabilities and reasons out.
 *
 * The best allowed action is taken; a share `exploration` of choices is drawn from the model's own probabilities instead, so that what it takes to
 * be nearly as good is tried now and then, and the propensity is on record. What the model does not know is left to other policies.
 */
import type { Choice, Policy, Situation } from '@aegis/domain'
import { drawn } from './choice.ts'
import { SITUATION_FEATURES } from './encode-situation.ts'
import { type ChoiceExplanation, explainChoice } from './explain-choice.ts'
import { OPTIONS } from './options.ts'
import type { LoadedModel } from './ppo-model.ts'
import { inPlainWords } from './situation-words.ts'

const OPTION_NAMES = OPTIONS.map(o => o.name)

export interface LearnedPolicyOptions {
  /** Share of choices drawn by the model's probabilities. */
  readonly exploration: number
}
export const LEARNED_POLICY_DEFAULTS: LearnedPolicyOptions = { exploration: 0 }

export class LearnedPolicy implements Policy {
  readonly name: string
  readonly version: string
  readonly #model: LoadedModel
  readonly #options: LearnedPolicyOptions

  constructor(model: LoadedModel, options: Partial<LearnedPolicyOptions> = {}) {
    this.#model = model
    this.#options = { ...LEARNED_POLICY_DEFAULTS, ...options }
    this.name = model.model.name
    // What it takes to choose the same again is part of the version.
    this.version = `${model.model.version}${this.#options.exploration > 0 ? ` exploring ${this.#options.exploration}` : ''}`
  }

  choose(situation: Situation, random: () => number): Choice {
    const { actions } = this.#model.model
    const options = actions.map(name => situation.options[OPTION_NAMES.indexOf(name)])
    const allowed = options.map(o => o?.allowed ?? false)
    const best = this.#model.consider(situation.features, allowed)
    if (best < 0) throw new RangeError('no action is allowed')
    const { exploration } = this.#options
    const candidates = options
      .map((o, a) => ({
        action: o?.action ?? '',
        target: o?.target ?? '',
        value: this.#model.logits[a],
        probability: exploration * this.#model.probabilities[a] + (a === best ? 1 - exploration : 0),
      }))
      .filter((_, a) => allowed[a])
      .sort((a, b) => b.value - a.value)
    const explanation = this.explain(situation)
    return drawn(candidates, random, chosen =>
      chosen === 0
        ? `the trained policy prefers ${explanation.sentence}`
        : `${candidates[chosen].action} was drawn to learn something; preferred is ${explanation.sentence}`,
    )
  }

  /** Values of the options, the features that moved the choice (at most `most`), and the runner-up. */
  explain({ features, options }: Pick<Situation, 'features' | 'options'>, most?: number): ChoiceExplanation {
    const allowed = this.#model.model.actions.map(name => options[OPTION_NAMES.indexOf(name)]?.allowed ?? false)
    return explainChoice(this.#asked(), features, allowed, most)
  }

  /** The model as `explainChoice` asks it; its values are copied, since asking again overwrites them. */
  #asked() {
    const { actions } = this.#model.model
    const all = actions.map(() => true)
    return {
      actions,
      featureNames: SITUATION_FEATURES,
      usual: this.#model.usual,
      words: inPlainWords,
      preferences: (features: Float32Array) => {
        this.#model.consider(features, all)
        return this.#model.logits.slice()
      },
    }
  }
}
