/**
 * The yardsticks of RemSim: what full information could reach, and what planning on a belief without looking ahead at information reaches.
 *
 * `costToGo` is the expected cost of the best plan when fault and service are known: exact dynamic programming but for two prunings (it pages no
 * later than minute 24, and waits only while a useful cooldown runs or the fault may heal itself). `OraclePolicy` follows it, and is the 1 of the
 * score. `QmdpPolicy` (Littman, Cassandra and Kaelbling 1995) weighs it by a Bayes filter over fault and rank of the suspect, using only what may
 * be seen; it undervalues looking, so a look is forced while the likeliest fault is below 60 % in the first minutes.
 */
import {
  ACTION_COUNT,
  COOL,
  COST,
  CRITICALITY,
  CURES,
  DISRUPTIVE,
  DISRUPTIVE_BUDGET,
  FAULT_COUNT,
  HEALS,
  MITIGATES,
  PAGE,
  PRIOR,
  RANK_PRIOR,
  RELIEF,
  type RemSim,
  RISK,
  SIGNS,
  severity,
} from './remsim.ts'

const LAST_MINUTE = 24
const IMPACT = 4
const PAGE_DELAY = 15
const SIGNALS = 8

/** Actions with any use against a fault; mitigation counts where no cure is good. */
const USEFUL: readonly (readonly number[])[] = Array.from({ length: FAULT_COUNT }, (_, f) => {
  const row = CURES.subarray(f * ACTION_COUNT, (f + 1) * ACTION_COUNT)
  const softens = Math.max(...row) < 0.8
  return Array.from({ length: 16 }, (_, i) => i + 3).filter(
    a => row[a] > 0 || RELIEF[f * ACTION_COUNT + a] >= 0 || (softens && MITIGATES[a] === 1),
  )
})
/** The order in which they are tried: likeliest cure first, so that the bound prunes early. -1 waits. */
const TRIED = USEFUL.map((actions, f) => {
  const order = actions
    .map((_, j) => j)
    .sort((x, y) => CURES[f * ACTION_COUNT + actions[y]] - CURES[f * ACTION_COUNT + actions[x]])
  return order
})
const pageCosts = new Map<number, number>()
const pageCost = (f: number, age: number, mitigated: number): number => {
  const key = (f * 64 + age) * 16 + mitigated
  let sum = pageCosts.get(key)
  if (sum === undefined) {
    sum = 0
    for (let k = 0; k < PAGE_DELAY; k++) sum += IMPACT * severity(f, age + k) * (mitigated - k > 0 ? 0.5 : 1)
    pageCosts.set(key, sum)
  }
  return sum
}
const costOfPage = (f: number, criticality: number, age: number, mitigated: number): number =>
  COST[PAGE] + (1 - HEALS[f]) * criticality * pageCost(f, Math.min(age, 40), mitigated)

interface Known {
  readonly f: number
  readonly criticality: number
  readonly t: number
  readonly age: number
  readonly mitigated: number
  /** Cooldowns of the useful actions. */
  readonly cooldowns: readonly number[]
  readonly disruptions: number
}
interface Plan {
  readonly cost: number
  readonly action: number
}
const plans = new Map<number, Map<number, Plan>>()

function costOf(s: Known, a: number, bound = 1e9): number {
  const { f } = s
  const j = USEFUL[f].indexOf(a)
  const mitigated = MITIGATES[a] === 1 ? 8 : s.mitigated
  const relief = RELIEF[f * ACTION_COUNT + a]
  const age = relief >= 0 ? Math.min(s.age, relief) : s.age
  const p = 1 - (1 - CURES[f * ACTION_COUNT + a]) * (1 - HEALS[f])
  let cost = COST[a] + 3 * RISK[a] + (1 - p) * IMPACT * s.criticality * severity(f, age) * (mitigated > 0 ? 0.5 : 1)
  if (p < 1 && cost < bound)
    cost +=
      (1 - p) *
      costToGo({
        f,
        criticality: s.criticality,
        t: s.t + 1,
        age: Math.min(age + 1, 40),
        mitigated: Math.max(0, mitigated - 1),
        cooldowns: s.cooldowns.map((c, k) => (k === j ? COOL[a] : Math.max(0, c - 1))),
        disruptions: Math.min(DISRUPTIVE_BUDGET, s.disruptions + DISRUPTIVE[a]),
      }).cost
  return cost
}

export function costToGo(s: Known): Plan {
  const table = s.f * 16 + Math.round(s.criticality * 10)
  let memo = plans.get(table)
  if (!memo) plans.set(table, (memo = new Map()))
  let key = ((s.t * 41 + s.age) * 9 + s.mitigated) * 5 + s.disruptions
  for (const c of s.cooldowns) key = key * 13 + c
  const known = memo.get(key)
  if (known) return known
  let best: Plan = { cost: costOfPage(s.f, s.criticality, s.age, s.mitigated), action: PAGE }
  if (s.t < LAST_MINUTE) {
    for (const j of TRIED[s.f]) {
      const a = USEFUL[s.f][j]
      if (s.cooldowns[j] > 0 || (DISRUPTIVE[a] === 1 && s.disruptions >= DISRUPTIVE_BUDGET)) continue
      const cost = costOf(s, a, best.cost)
      if (cost < best.cost - 1e-12) best = { cost, action: a }
    }
    if (HEALS[s.f] > 0 || s.cooldowns.some(c => c > 0)) {
      const cost = costOf(s, 0, best.cost)
      if (cost < best.cost - 1e-12) best = { cost, action: 0 }
    }
  }
  memo.set(key, best)
  return best
}
const cooldownsOf = (sim: RemSim, f: number): number[] => USEFUL[f].map(a => sim.cooldown[a])

/** What every player of the simulator does; the oracle alone looks at what is hidden. */
export interface SimPolicy {
  reset(sim: RemSim): void
  act(sim: RemSim): number
}

export class OraclePolicy implements SimPolicy {
  reset(): void {}
  act(sim: RemSim): number {
    const { fault: f, root, candidates } = sim
    if (f !== 12 && f !== 13 && candidates[sim.focus] !== root) {
      if (candidates.includes(root)) return 2
      return HEALS[f] < 0.2 ? PAGE : 0
    }
    return costToGo({
      f,
      criticality: CRITICALITY[root],
      t: sim.t,
      age: Math.min(sim.age, 40),
      mitigated: sim.mitigated,
      cooldowns: cooldownsOf(sim, f),
      disruptions: sim.disruptions,
    }).action
  }
}

export class QmdpPolicy implements SimPolicy {
  readonly #logs = new Float64Array(FAULT_COUNT * 4)
  readonly #seen = new Float32Array(128)

  reset(): void {
    for (let f = 0; f < FAULT_COUNT; f++) for (let k = 0; k < 4; k++) this.#logs[f * 4 + k] = Math.log(PRIOR[f] * RANK_PRIOR[k])
  }

  act(sim: RemSim): number {
    const logs = this.#logs
    sim.observe(this.#seen)
    const { candidates, focus } = sim
    const order = [candidates[focus], ...candidates.filter(c => c !== candidates[focus])]
    for (let f = 0; f < FAULT_COUNT; f++) {
      const shown = 0.5 + severity(f, sim.age)
      for (let k = 0; k < 3; k++) {
        const row = order.indexOf(candidates[k]) * SIGNALS
        const sd = sim.probing && k === focus ? 0.25 : 1
        let none = 0
        let caller = 0
        let root = 0
        for (let j = 0; j < SIGNALS; j++) {
          const x = Math.fround(this.#seen[row + j] * 3)
          const mean = SIGNS[f * SIGNALS + j] * shown
          none += (x / sd) ** 2
          caller += ((x - 0.6 * mean) / sd) ** 2
          root += ((x - mean) / sd) ** 2
        }
        const a = -0.5 * none + Math.log(0.6)
        const b = -0.5 * caller + Math.log(0.4)
        logs[f * 4 + k] += -0.5 * root - (Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))))
      }
    }
    const top = Math.max(...logs)
    const belief = logs.map(l => Math.exp(l - top))
    const sum = belief.reduce((x, y) => x + y, 0)
    let likeliest = 0
    for (let f = 0; f < FAULT_COUNT; f++)
      likeliest = Math.max(likeliest, (belief[f * 4] + belief[f * 4 + 1] + belief[f * 4 + 2] + belief[f * 4 + 3]) / sum)
    if (likeliest < 0.6 && sim.t < 4 && !sim.probing) return 1

    const q = new Float64Array(ACTION_COUNT).fill(1e9)
    const actions: number[] = []
    for (let a = 0; a < ACTION_COUNT; a++) if (a !== 1 && sim.allowed(a)) actions.push(a)
    for (const a of actions) q[a] = 0
    const age = Math.min(sim.age, 40)
    const { mitigated, t, disruptions } = sim
    for (let f = 0; f < FAULT_COUNT; f++) {
      for (let k = 0; k < 4; k++) {
        const w = belief[f * 4 + k] / sum
        if (w <= 0.003) continue
        const criticality = k < 3 ? CRITICALITY[candidates[k]] : 0.6
        const cooldowns = cooldownsOf(sim, f)
        const felt = IMPACT * criticality * severity(f, age) * (mitigated > 0 ? 0.5 : 1)
        const here = k === focus || f === 12 || f === 13
        let later: number | undefined
        for (const a of actions) {
          if (a === PAGE) q[a] += w * costOfPage(f, criticality, age, mitigated)
          else if (here && a !== 2) q[a] += w * costOf({ f, criticality, t, age, mitigated, cooldowns, disruptions }, a)
          else {
            if (later === undefined) {
              const next = {
                f,
                criticality,
                t: t + 1,
                age: Math.min(age + 1, 40),
                mitigated: Math.max(0, mitigated - 1),
                disruptions,
              }
              const value =
                k > focus && k < 3
                  ? costToGo({ ...next, cooldowns: cooldowns.map(c => Math.max(0, c - 1)) }).cost
                  : costOfPage(f, criticality, age + 1, mitigated)
              later = (1 - HEALS[f]) * (felt + value)
            }
            q[a] += w * (COST[a] * (a < 3 ? 1 : 2) + 3 * RISK[a] + later + (a !== 2 && k > focus ? felt : 0))
          }
        }
      }
    }
    let action = 0
    for (let a = 1; a < ACTION_COUNT; a++) if (q[a] < q[action]) action = a
    if (action > 2 && action < PAGE)
      for (let f = 0; f < FAULT_COUNT; f++) logs[f * 4 + focus] += Math.log(Math.max(1e-3, 1 - CURES[f * ACTION_COUNT + action]))
    return action
  }
}
