import { type Policy, type Situation, seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { ContextualBandit } from './contextual-bandit.ts'
import type { Experience, Learner } from './learner.ts'
import { EpsilonGreedyPolicyGradient } from './policy-gradient.ts'

const ACTIONS = ['restart', 'scale_out', 'page']
/** The feature that is set names the action that helps; one other action may be forbidden. */
const situation = (random: () => number): { situation: Situation; right: string } => {
  const right = Math.floor(random() * 3)
  const forbidden = random() < 0.3 ? (right + 1) % 3 : -1
  return {
    right: ACTIONS[right],
    situation: {
      features: Float32Array.from([0, 1, 2, 3], i => (i === 3 || i === right ? 1 : 0)),
      options: ACTIONS.map((action, i) => ({ action, target: 'cart', allowed: i !== forbidden })),
    },
  }
}
const learners: Readonly<Record<string, () => Policy & Learner>> = {
  'contextual bandit': () => new ContextualBandit(4),
  'policy gradient': () => new EpsilonGreedyPolicyGradient(4, ACTIONS, { hidden: 16, rate: 0.005, stepsPerUpdate: 16, seed: 1 }),
}

describe.each(Object.entries(learners))('%s', (_, create) => {
  it('learns what helps, keeps to what is allowed, and logs true propensities', async () => {
    const learner = create()
    const random = seededRandom(9)
    let right = 0
    for (let round = 0; round < 60; round++) {
      const experiences: Experience[] = Array.from({ length: 20 }, () => {
        const { situation: s, right: wanted } = situation(random)
        const choice = learner.choose(s, random)
        expect(s.options.find(o => o.action === choice.action)?.allowed).toBe(true)
        expect(choice.candidates.reduce((sum, c) => sum + c.probability, 0)).toBeCloseTo(1, 9)
        expect(choice.candidates.find(c => c.action === choice.action)?.probability).toBe(choice.propensity)
        const reward = choice.action === wanted ? 1 : 0
        if (round >= 50) right += reward
        return { situation: s, choice, reward, done: true }
      })
      await learner.update(experiences)
    }
    expect(right / 200).toBeGreaterThan(0.85)
  })

  it('draws as often as its propensities say', () => {
    const learner = create()
    const { situation: s } = situation(seededRandom(3))
    const random = seededRandom(4)
    const counts = new Map<string, number>()
    let first = learner.choose(s, random)
    for (let i = 0; i < 5000; i++) {
      first = learner.choose(s, random)
      counts.set(first.action, (counts.get(first.action) ?? 0) + 1)
    }
    for (const { action, probability } of first.candidates)
      expect(Math.abs((counts.get(action) ?? 0) / 5000 - probability)).toBeLessThan(0.03)
  })

  it('throws when nothing is allowed', () => {
    const { situation: s } = situation(seededRandom(3))
    const none = { ...s, options: s.options.map(o => ({ ...o, allowed: false })) }
    expect(() => create().choose(none, Math.random)).toThrow(/no action is allowed/)
  })
})
