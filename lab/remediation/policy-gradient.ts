/**
 * Epsilon-greedy policy gradient: a softmax policy stepped along reward-weighted log-probabilities of replayed decisions.
 *
 * REINFORCE (Williams 1992) with the value head as baseline, and importance weights, cut at 2, for decisions an earlier policy took (Degris, White and
 * Sutton 2012). It explores by taking any allowed action with probability ε; a buffer of the last 10,000 experiences is replayed at every update.
 * The simple learner that PPO is measured against; decisions count one by one, without what follows them.
 */
import { type Choice, hash32, type Policy, type Situation, seededRandom } from '@aegis/domain'
import { choiceOf } from '@aegis/remediation/choice'
import { ActorCritic } from '@aegis/remediation/ppo'
import type { Experience, Learner, UpdateReport } from './learner.ts'

export interface PolicyGradientOptions {
  /** Share of decisions taken at random. */
  readonly epsilon: number
  /** Adam's rate. */
  readonly rate: number
  /** Experiences kept for replay. */
  readonly buffer: number
  /** Experiences in a gradient step (a multiple of 4), and steps in an update. */
  readonly batch: number
  readonly stepsPerUpdate: number
  readonly hidden: number
  readonly seed: number
}
export const POLICY_GRADIENT_DEFAULTS: PolicyGradientOptions = {
  epsilon: 0.1,
  rate: 0.001,
  buffer: 10_000,
  batch: 64,
  stepsPerUpdate: 8,
  hidden: 64,
  seed: 0,
}

export class EpsilonGreedyPolicyGradient implements Policy, Learner {
  readonly name = 'policy-gradient'
  readonly #options: PolicyGradientOptions
  readonly #actions: readonly string[]
  readonly #network: ActorCritic
  readonly #random: () => number
  #buffer: Experience[] = []
  #steps = 0

  constructor(features: number, actions: readonly string[], options: Partial<PolicyGradientOptions> = {}) {
    this.#options = { ...POLICY_GRADIENT_DEFAULTS, ...options }
    this.#actions = actions
    this.#network = new ActorCritic(features, actions.length, this.#options.hidden, this.#options.batch)
    this.#random = seededRandom(hash32(`policy-gradient/${this.#options.seed}`))
    this.#network.initialise(this.#random)
  }
  get version(): string {
    return String(this.#steps)
  }

  choose(situation: Situation, random: () => number): Choice {
    this.#network.input.set(situation.features)
    this.#network.forwardOne()
    const scores = situation.options.map(o => this.#network.output[this.#actions.indexOf(o.action)])
    return choiceOf(situation, scores, this.#options.epsilon, random, action => `${action} is what past rewards speak for`)
  }

  async update(experiences: readonly Experience[]): Promise<UpdateReport> {
    const { buffer, batch, stepsPerUpdate, rate } = this.#options
    this.#buffer = [...this.#buffer, ...experiences].slice(-buffer)
    const { width, outputs, input, output, outputGradient } = this.#network
    const n = this.#actions.length
    const p = new Float64Array(n)
    let error = 0
    if (this.#buffer.length === 0) return { experiences: 0, figures: {} }
    for (let step = 0; step < stepsPerUpdate; step++) {
      const drawn = Array.from({ length: batch }, () => this.#buffer[Math.floor(this.#random() * this.#buffer.length)])
      drawn.forEach((e, r) => {
        input.set(e.situation.features, r * width)
      })
      this.#network.forward(batch)
      outputGradient.fill(0)
      drawn.forEach(({ situation, choice, reward }, r) => {
        const at = r * outputs
        const allowed = situation.options.filter(o => o.allowed).map(o => this.#actions.indexOf(o.action))
        const top = Math.max(...allowed.map(a => output[at + a]))
        p.fill(0)
        for (const a of allowed) p[a] = Math.exp(output[at + a] - top)
        const sum = p.reduce((x, y) => x + y, 0)
        const chosen = this.#actions.indexOf(choice.action)
        const weight = Math.min(2, p[chosen] / sum / Math.max(choice.propensity, 1e-3))
        const advantage = reward - output[at + n]
        for (const a of allowed) outputGradient[at + a] = (-weight * advantage * ((a === chosen ? 1 : 0) - p[a] / sum)) / batch
        outputGradient[at + n] = -advantage / batch
        error += advantage * advantage
      })
      this.#network.backward(batch)
      this.#network.descend(++this.#steps, rate, 1)
    }
    return {
      experiences: experiences.length,
      figures: { valueError: error / (batch * stepsPerUpdate), replayed: this.#buffer.length },
    }
  }
}
