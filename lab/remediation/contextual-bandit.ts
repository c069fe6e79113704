/**
 * A contextual bandit: for each action a linear model of its reward with the uncertainty of that model, and the action with the best upper bound.
 *
 * LinUCB with separate models (Li et al., "A Contextual-Bandit Approach to Personalized News Article Recommendation", 2010). It treats every decision
 * as the only one. The inverse is kept up to date by Sherman and Morrison's formula. With probability `epsilon` any allowed action is taken,
 * so that every decision has a propensity that off-policy evaluation can use.
 */
import type { Choice, Policy, Situation } from '@aegis/domain'
import { choiceOf } from '@aegis/remediation/choice'
import type { Experience, Learner, UpdateReport } from './learner.ts'

export interface BanditOptions {
  /** How many standard deviations of doubt are counted in an action's favour. */
  readonly optimism: number
  /** Strength of the prior that every weight is zero. */
  readonly ridge: number
  readonly epsilon: number
}
export const BANDIT_DEFAULTS: BanditOptions = { optimism: 0.5, ridge: 1, epsilon: 0.1 }

interface Model {
  readonly inverse: Float64Array
  readonly moment: Float64Array
  readonly weights: Float64Array
  count: number
}

export class ContextualBandit implements Policy, Learner {
  readonly name = 'contextual-bandit'
  readonly #features: number
  readonly #options: BanditOptions
  readonly #models = new Map<string, Model>()
  #learned = 0

  constructor(features: number, options: Partial<BanditOptions> = {}) {
    this.#features = features
    this.#options = { ...BANDIT_DEFAULTS, ...options }
  }
  get version(): string {
    return String(this.#learned)
  }

  choose(situation: Situation, random: () => number): Choice {
    const scores = situation.options.map(o => this.#score(o.action, situation.features))
    return choiceOf(situation, scores, this.#options.epsilon, random, (action, value) => {
      const tried = this.#models.get(action)?.count ?? 0
      return `${action} has the best upper bound, ${value.toFixed(2)}, after ${tried} tries`
    })
  }

  async update(experiences: readonly Experience[]): Promise<UpdateReport> {
    let error = 0
    for (const { situation, choice, reward } of experiences) {
      const x = situation.features
      const m = this.#model(choice.action)
      const d = this.#features
      const ax = this.#times(m.inverse, x)
      let [bottom, predicted] = [1, 0]
      for (let i = 0; i < d; i++) {
        bottom += x[i] * ax[i]
        predicted += m.weights[i] * x[i]
      }
      error += (reward - predicted) ** 2
      for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) m.inverse[i * d + j] -= (ax[i] * ax[j]) / bottom
      for (let i = 0; i < d; i++) m.moment[i] += reward * x[i]
      m.weights.set(this.#times(m.inverse, m.moment))
      m.count++
      this.#learned++
    }
    return { experiences: experiences.length, figures: { meanSquaredError: experiences.length ? error / experiences.length : 0 } }
  }

  #model(action: string): Model {
    let m = this.#models.get(action)
    if (!m) {
      const d = this.#features
      m = { inverse: new Float64Array(d * d), moment: new Float64Array(d), weights: new Float64Array(d), count: 0 }
      for (let i = 0; i < d; i++) m.inverse[i * d + i] = 1 / this.#options.ridge
      this.#models.set(action, m)
    }
    return m
  }
  #times(matrix: Float64Array, x: ArrayLike<number>): Float64Array {
    const d = this.#features
    return Float64Array.from({ length: d }, (_, i) => {
      let sum = 0
      for (let j = 0; j < d; j++) sum += matrix[i * d + j] * x[j]
      return sum
    })
  }
  #score(action: string, x: Float32Array): number {
    const m = this.#model(action)
    const ax = this.#times(m.inverse, x)
    let [mean, doubt] = [0, 0]
    for (let i = 0; i < this.#features; i++) {
      mean += m.weights[i] * x[i]
      doubt += ax[i] * x[i]
    }
    return mean + this.#options.optimism * Math.sqrt(Math.max(0, doubt))
  }
}
