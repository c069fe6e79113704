import { seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { WIDTH, type WindowCounts, WindowEnsemble } from './window-ensemble.ts'

describe('WindowEnsemble', () => {
  const window = (random: () => number, load = 1): WindowCounts =>
    [0, 1, 2, 3].map(slot => [slot, Math.round(load * (20 + 10 * random()))] as const)
  const trained = (windows = 128) => {
    const random = seededRandom(5)
    const ensemble = new WindowEnsemble()
    for (let i = 0; i < windows; i++) ensemble.learn(window(random))
    return ensemble
  }

  it('says nothing before it has learned, and is quiet on what it knows at any load', () => {
    expect(trained(40).score([[0, 5]])).toBeUndefined()
    const ensemble = trained()
    const random = seededRandom(6)
    const scores = Array.from({ length: 500 }, (_, i) => ensemble.score(window(random, i % 2 === 0 ? 1 : 4)))
    // One in ten thousand is asked for, of a tail seen in 64 windows; a single one is never told of (log-watch.ts).
    expect(scores.filter(s => s && s.score > s.threshold).length).toBeLessThanOrEqual(2)
  })
  it('finds another mix: a template that takes over, one that is gone, ones never seen', () => {
    const ensemble = trained()
    for (const strange of [
      [
        [0, 200],
        [1, 1],
        [2, 1],
        [3, 1],
      ],
      [
        [0, 25],
        [1, 25],
        [3, 25],
      ],
      [
        [0, 25],
        [1, 25],
        [2, 25],
        [3, 25],
        [9, 30],
        [WIDTH - 1, 30],
      ],
    ] as WindowCounts[]) {
      const scored = ensemble.score(strange)
      expect(scored?.score).toBeGreaterThan(scored?.threshold ?? Number.POSITIVE_INFINITY)
      expect(Object.keys(scored?.members ?? {})).toEqual(['isolation-forest', 'local-outlier-factor', 'autoencoder'])
    }
  })
  it('goes on from its counts alone', () => {
    const one = trained(150)
    const two = WindowEnsemble.fromJSON(JSON.parse(JSON.stringify(one)))
    const random = seededRandom(7)
    for (let i = 0; i < 80; i++) {
      const next = window(random)
      expect(two.score(next)).toEqual(one.score(next))
      one.learn(next)
      two.learn(next)
    }
  })
})
