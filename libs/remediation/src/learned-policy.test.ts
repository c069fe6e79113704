import { type Incident, seededRandom } from '@aegis/domain'
import { IncidentSim, SHOP } from '@aegis/lab/remediation/incident-sim'
import { LearnedPlayer } from '@aegis/lab/remediation/learned-player'
import { play, scoreOf } from '@aegis/lab/remediation/play'
import { describe, expect, it } from 'vitest'
import { encodeSituation } from './encode-situation.ts'
import { LearnedPolicy } from './learned-policy.ts'
import { type Attempt, OPTIONS, optionsOf } from './options.ts'
import { LoadedModel } from './ppo-model.ts'
import { type RuledSituation, RulesPolicy } from './rules-policy.ts'
import { shippedIncidentModel, shippedModel } from './shipped-model.ts'

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
  it('come with their lineage, and say what of it was measured on the demo shop', () => {
    expect(shippedModel().lineage.trainedOn).toMatch(/^RemSim/)
    // What each action does to the shop was measured (lab/remediation/shop-effects.json): figures on the shop are no held-out ones.
    expect(shippedIncidentModel().lineage.trainedOn).toContain('half of them of the demo shop')
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

describe('the shipped policy on the demo shop', () => {
  /** Diagnoses of recorded drills: suspects with confidence and kind. */
  const drills: Readonly<Record<string, readonly (readonly [service: string, confidence: number, kind: string])[]>> = {
    'bad-deploy': [
      ['catalog', 0.99, 'deploy'],
      ['storefront', 0.0, 'error'],
    ],
    'bad-config': [
      ['checkout', 0.88, 'config'],
      ['payment', 0.11, 'error'],
      ['storefront', 0.0, 'error'],
    ],
    'killed-dependency': [
      ['inventory', 0.94, 'crash'],
      ['checkout', 0.05, 'error'],
      ['storefront', 0.01, 'error'],
    ],
    'memory-leak': [
      ['catalog', 0.89, 'memory'],
      ['storefront', 0.06, 'latency'],
      ['store', 0.01, 'pool'],
    ],
    'cpu-burn': [
      ['cart', 0.99, 'cpu'],
      ['storefront', 0.0, 'latency'],
    ],
    'slow-store': [
      ['store', 0.59, 'pool'],
      ['cart', 0.23, 'pool'],
      ['inventory', 0.17, 'pool'],
      ['checkout', 0.01, 'latency'],
    ],
    'pool-exhaustion': [
      ['inventory', 0.62, 'pool'],
      ['store', 0.31, 'error'],
      ['checkout', 0.01, 'unknown'],
    ],
    'disk-full': [
      ['store', 0.92, 'disk'],
      ['cart', 0.04, 'error'],
      ['inventory', 0.03, 'error'],
      ['checkout', 0.01, 'error'],
    ],
    overload: [
      ['payment', 0.69, 'pool'],
      ['store', 0.13, 'pool'],
      ['checkout', 0.11, 'cpu'],
      ['cart', 0.03, 'latency'],
    ],
  }
  const policy = new LearnedPolicy(new LoadedModel(shippedIncidentModel()))
  const choose = (causes: (typeof drills)[string], tried: readonly Attempt[] = []) => {
    const kindOf = (kind: string) =>
      kind === 'deploy' || kind === 'config' ? 'change' : kind === 'crash' || kind === 'error' ? 'log' : 'metric'
    const incident: Incident = {
      id: 'i',
      environment: 'shop',
      time: 8e6,
      started: 0,
      state: 'updated',
      revision: 3,
      severity: 'high',
      entities: causes.map(([service]) => `service:${service}`),
      anomalies: ['a', 'b', 'c', 'd'],
      health: causes.map(([service], rank) => ({ entity: `service:${service}`, score: 0.2 + 0.15 * rank })),
      verdict: 'cause_named',
      causes: causes.map(([service, confidence, fault_kind], rank) => ({
        entity: `service:${service}`,
        confidence,
        score: 1 / (rank + 1),
        path: ['a', 'b'],
        metrics: kindOf(fault_kind) === 'metric' ? ['m', 'n', 'o'] : [],
        evidence: ['x', 'y', 'z'].map(text => ({ kind: kindOf(fault_kind), entity: '', text, time: 0, stream: '' })),
        against: rank > 0 ? ['b', 'c'] : [],
        explanation: '',
        fault_kind,
      })),
      timeline: [],
      graph: SHOP.calls.map(() => ({}) as Incident['graph'][number]),
      explanation: '',
    }
    const { action, target } = policy.choose(
      { features: encodeSituation(incident, tried), options: optionsOf(incident.causes, tried, 0.4) },
      () => 0,
    )
    return { action, target }
  }
  it.each(Object.entries(drills))('does first what was measured to heal %s', (name, causes) => {
    const fault = SHOP.faults.find(f => f.name === name)
    const { action, target } = choose(causes)
    expect(target).toBe(`service:${fault?.service}`)
    expect(fault?.heals[action as keyof typeof fault.heals]).toMatchObject({ healed: 1 })
  })
  it('turns to the second suspect when what it did to the first did not help', () => {
    const causes = [
      ['checkout', 0.51, 'latency'],
      ['cart', 0.3, 'cpu'],
      ['storefront', 0.01, 'latency'],
    ] as const
    const tried: Attempt[] = []
    for (let n = 0; n < 3 && tried.at(-1)?.target !== 'service:cart'; n++) tried.push(choose(causes, tried))
    expect(tried.at(-1)).toEqual({ action: 'scale_out', target: 'service:cart' })
  })
})
