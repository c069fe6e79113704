/** RemSim as a training environment: a belief of what was seen, and a price for unsafe acts that the policy is told, so that one policy has every caution. */
import type { Environment } from '@aegis/remediation/ppo'
import { BELIEF_FEATURES, Belief } from './belief.ts'
import { ACTION_COUNT, FEATURE_COUNT, RemSim } from './remsim.ts'

export interface RemediationEnvironmentOptions {
  /** What an unsafe act costs on top, drawn per episode from these by its seed. */
  readonly cautions: readonly number[]
  /** Without the belief, the policy sees the simulator's 128 features as they are (and no price). */
  readonly belief: boolean
}

export class RemediationEnvironment implements Environment {
  readonly features = BELIEF_FEATURES
  readonly actions = ACTION_COUNT
  readonly truncated = false
  readonly sim = new RemSim()
  readonly belief = new Belief()
  caution = 0
  readonly #options: RemediationEnvironmentOptions
  readonly #seen = new Float32Array(FEATURE_COUNT)

  constructor(options: RemediationEnvironmentOptions) {
    this.#options = options
  }
  get done(): boolean {
    return this.sim.done
  }
  reset(seed: number): void {
    const { cautions, belief } = this.#options
    this.caution = cautions[(Math.imul(seed, 0x9e3779b1) >>> 8) % cautions.length]
    this.sim.reset(seed)
    this.sim.observe(this.#seen)
    if (!belief) return
    this.belief.reset()
    this.belief.saw(this.#seen)
  }
  observe(into: Float32Array, offset: number): void {
    if (this.#options.belief) this.belief.encode(this.#seen, this.caution, into, offset)
    else into.set(this.#seen, offset)
  }
  mask(into: Uint8Array, offset: number): void {
    for (let a = 0; a < ACTION_COUNT; a++) into[offset + a] = this.sim.allowed(a) ? 1 : 0
  }
  step(action: number): number {
    // The price is that of the chance, not of the event: the same on average, with less noise.
    const price = this.caution === 0 ? 0 : this.caution * (this.#options.belief ? this.belief.unsafeChance(action) : 0)
    const before = this.sim.unsafe
    const reward = this.sim.step(action)
    const paid = this.#options.belief ? price : this.caution * (this.sim.unsafe - before)
    if (!this.sim.done) {
      this.sim.observe(this.#seen)
      if (this.#options.belief) {
        this.belief.acted(action)
        this.belief.saw(this.#seen)
      }
    }
    return reward - paid
  }
}
