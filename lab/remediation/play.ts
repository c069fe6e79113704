/** Plays episodes of RemSim with a policy and sums them up. */
import type { SimPolicy } from './full-information.ts'
import { PAGE, RemSim } from './remsim.ts'

export interface Played {
  readonly episodes: number
  readonly return: number
  readonly returns: Float64Array
  readonly unsafePer100: number
  readonly pagedShare: number
  readonly meanSteps: number
}
export function play(
  policy: SimPolicy,
  seedBase: number,
  episodes: number,
  after: (seed: number, actions: readonly number[]) => void = () => {},
): Played {
  const sim = new RemSim()
  const returns = new Float64Array(episodes)
  let [unsafe, paged, steps] = [0, 0, 0]
  for (let k = 0; k < episodes; k++) {
    sim.reset(seedBase + k)
    policy.reset(sim)
    const actions: number[] = []
    while (!sim.done) {
      const action = policy.act(sim)
      actions.push(action)
      returns[k] += sim.step(action)
    }
    unsafe += sim.unsafe
    paged += actions.at(-1) === PAGE ? 1 : 0
    steps += sim.t
    after(sim.seed, actions)
  }
  return {
    episodes,
    return: returns.reduce((a, b) => a + b, 0) / episodes,
    returns,
    unsafePer100: (100 * unsafe) / episodes,
    pagedShare: paged / episodes,
    meanSteps: steps / episodes,
  }
}
/** 0 is a random player's return, 1 the oracle's, over the same episodes. */
export const scoreOf = (value: number, random: number, oracle: number): number => (value - random) / (oracle - random)
