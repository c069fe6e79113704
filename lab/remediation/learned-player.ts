/** A trained policy at the controls of RemSim: it is handed observations and allowed actions, keeps a belief, and asks its model. */
import type { LoadedModel } from '@aegis/remediation/ppo-model'
import { BELIEF_FEATURES, Belief } from './belief.ts'
import type { SimPolicy } from './full-information.ts'
import { ACTION_COUNT, FEATURE_COUNT, type RemSim } from './remsim.ts'

export const BELIEF_ENCODING = 'remsim-belief-128'
export const RAW_ENCODING = 'remsim-128'

export interface LearnedPlayerOptions {
  /** What an unsafe act is said to cost: the dial between score and safety. */
  readonly caution: number
  /** Disruptive acts believed unsafe with more than this chance are not considered; 1 leaves them all in. */
  readonly unsafeLimit: number
}
export const LEARNED_PLAYER_DEFAULTS: LearnedPlayerOptions = { caution: 30, unsafeLimit: 1 }

export class LearnedPlayer implements SimPolicy {
  readonly #model: LoadedModel
  readonly #options: LearnedPlayerOptions
  readonly #raw: boolean
  readonly belief = new Belief()
  readonly seen = new Float32Array(FEATURE_COUNT)
  readonly features = new Float32Array(BELIEF_FEATURES)
  readonly allowed = new Uint8Array(ACTION_COUNT)
  #last = -1

  constructor(model: LoadedModel, options: Partial<LearnedPlayerOptions> & { readonly raw?: boolean } = {}) {
    this.#model = model
    this.#options = { ...LEARNED_PLAYER_DEFAULTS, ...options }
    this.#raw = options.raw ?? false
  }

  reset(): void {
    this.belief.reset()
    this.#last = -1
  }

  act(sim: RemSim): number {
    sim.observe(this.seen)
    for (let a = 0; a < ACTION_COUNT; a++) this.allowed[a] = sim.allowed(a) ? 1 : 0
    return this.choose()
  }

  /** The choice for what `seen` and `allowed` hold. */
  choose(): number {
    const { belief, allowed } = this
    if (this.#raw) this.#last = this.#model.consider(this.seen, allowed)
    else {
      if (this.#last >= 0) belief.acted(this.#last)
      belief.saw(this.seen)
      belief.encode(this.seen, this.#options.caution, this.features, 0)
      if (this.#options.unsafeLimit < 1)
        for (let a = 0; a < ACTION_COUNT; a++)
          if (allowed[a] && belief.unsafeChance(a) > this.#options.unsafeLimit) allowed[a] = 0
      this.#last = this.#model.consider(this.features, allowed)
    }
    return this.#last
  }
}
