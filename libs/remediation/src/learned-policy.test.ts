import { seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { LearnedPolicy } from './learned-policy.ts'
import { OPTIONS } from './options.ts'
import { LoadedModel } from './ppo-model.ts'
import { type RuledSituation, RulesPolicy } from './rules-policy.ts'
import { shippedIncidentModel, shippedModel } from './shipped-model.ts'
import { IncidentSim } from './sim/incident-sim.ts'
import { LearnedPlayer } from './sim/learned-player.ts'
import { play, scoreOf } from './sim/play.ts'

const situationOf = (sim: IncidentSim, forbidden: readonly string[] = []): RuledSituation => {
  const features = new Float32Array(sim.features)
  sim.observe(features, 0)
  const target = sim.incident.causes[0].entity
  return {
    features,
    options: sim.options.map((o, a) => ({ ...o, allowed: sim.allowed(a) && !forbidden.includes(o.action) })),
    faultKind: sim.faultKind,
    target,
    tried: sim.tried.filter(t => t.target === target).map(t => t.action),
  }
}
const returnOf = (choose: (s: RuledSituation) => number, episodes: number): number => {
  const sim = new IncidentSim()
  let total = 0
  for (let k = 0; k < episodes; k++) {
    sim.reset(1_000_000 + k)
    while (!sim.done) total += sim.step(choose(situationOf(sim)))
  }
  return total / episodes
}

describe('the shipped policies', () => {
  it('come with their lineage, from simulators only', () => {
    for (const { lineage, features } of [shippedModel(), shippedIncidentModel()]) {
      expect(lineage.trainedOn).toMatch(/seeds below 900,000$/)
      expect(lineage.command).toMatch(/^aegis policy train/)
      expect(features).toBe(128)
    }
  })

  it('score above 0.85 at few unsafe acts on held-out episodes of RemSim', () => {
    const p = play(new LearnedPlayer(new LoadedModel(shippedModel())), 2_000_000, 300)
    // What a random player and the oracle earn there; the oracle's planning takes seconds.
    const [low, high] = [-49.685, -4.105]
    expect(scoreOf(p.return, low, high)).toBeGreaterThan(0.85)
    expect(p.unsafePer100).toBeLessThan(5)
    expect(p.pagedShare).toBeLessThan(0.18)
  })

  it('earn more than the runbook on held-out incidents', () => {
    const model = new LoadedModel(shippedIncidentModel())
    const learned = returnOf(
      s =>
        model.consider(
          s.features,
          s.options.map(o => o.allowed),
        ),
      1000,
    )
    const rules = new RulesPolicy()
    expect(learned).toBeGreaterThan(
      returnOf(s => OPTIONS.findIndex(o => o.suspect === 0 && o.action === rules.choose(s, () => 0).action), 1000),
    )
  })
})

describe('LearnedPolicy', () => {
  const sim = new IncidentSim()
  const policy = new LearnedPolicy(new LoadedModel(shippedIncidentModel()), { exploration: 0.2 })

  it('gives probabilities that add up, and the propensity of what it took', () => {
    const random = seededRandom(5)
    for (let seed = 0; seed < 20; seed++) {
      sim.reset(seed)
      const choice = policy.choose(situationOf(sim, ['restart']), random)
      expect(choice.candidates.some(c => c.action === 'restart')).toBe(false)
      expect(choice.candidates.reduce((s, c) => s + c.probability, 0)).toBeCloseTo(1, 9)
      expect(choice.candidates.find(c => c.action === choice.action)?.probability).toBe(choice.propensity)
      expect(choice.explanation.length).toBeGreaterThan(20)
    }
  })

  it('makes the same choice from the same record', () => {
    sim.reset(77)
    const record = JSON.parse(JSON.stringify({ ...situationOf(sim), features: [...situationOf(sim).features] }))
    const again = { ...record, features: Float32Array.from(record.features) }
    expect(policy.choose(again, seededRandom(1))).toEqual(policy.choose(situationOf(sim), seededRandom(1)))
  })

  it('takes nothing when nothing is allowed', () => {
    sim.reset(1)
    expect(() =>
      policy.choose(
        situationOf(
          sim,
          OPTIONS.map(o => o.action),
        ),
        () => 0,
      ),
    ).toThrow(/no action is allowed/)
  })
})
