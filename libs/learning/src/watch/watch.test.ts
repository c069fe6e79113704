import { seededRandom } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normal } from '../random.ts'
import { PerformanceEstimate } from './estimate-performance.ts'
import { FeatureDrift } from './feature-drift.ts'
import { RollingAccuracy } from './rolling-accuracy.ts'
import { falseDiscoveries, independentShare, kolmogorovSmirnov, rankShift, stabilityIndex } from './two-samples.ts'

const numbers = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 5, maxLength: 60 })

describe('two samples', () => {
  it('has the values of a known example', () => {
    // scipy.stats.ks_2samp(method='asymp') has .5 and .0783 without Stephens' correction.
    const { distance, p } = kolmogorovSmirnov(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
      [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18],
    )
    expect(distance).toBeCloseTo(0.5, 6)
    expect(p).toBeGreaterThan(0.05)
    expect(p).toBeLessThan(0.1)
  })
  it('is the same whichever comes first, and under any rising change of scale', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const one = kolmogorovSmirnov(a, b)
        expect(kolmogorovSmirnov(b, a)).toEqual(one)
        const rising = (x: number) => x * 2 + 1
        expect(kolmogorovSmirnov(a.map(rising), b.map(rising)).distance).toBeCloseTo(one.distance, 9)
        expect(kolmogorovSmirnov(a, a)).toEqual({ distance: 0, p: 1 })
        expect(one.p).toBeGreaterThanOrEqual(0)
        expect(one.p).toBeLessThanOrEqual(1)
      }),
    )
  })
  it('calls one in twenty of like samples different at 5 %, and no more of those that follow one another', () => {
    for (const r of [0, 0.6]) {
      let [called, moved] = [0, 0]
      for (let t = 0; t < 400; t++) {
        const random = seededRandom(t)
        let last = normal(random)
        const draw = (n: number) => Array.from({ length: n }, () => (last = r * last + Math.sqrt(1 - r * r) * normal(random)))
        const [a, b] = [draw(600), draw(200)]
        const share = independentShare(a)
        if (kolmogorovSmirnov(a, b, share, share).p < 0.05) called++
        if (
          rankShift(
            [...a].sort((x, y) => x - y),
            b,
            share,
            share,
          ) < 0.05
        )
          moved++
      }
      expect(called / 400).toBeLessThan(0.08)
      expect(moved / 400).toBeLessThan(0.08)
    }
  })
  it('ranks as Mann and Whitney do', () => {
    // scipy.stats.mannwhitneyu(method='asymptotic', use_continuity=False) has 3.6e-3 with the variance of small samples.
    const p = rankShift([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
    expect(p).toBeGreaterThan(0.0005)
    expect(p).toBeLessThan(0.01)
    expect(rankShift([1, 2, 3], [2, 2, 2])).toBeCloseTo(1, 6)
    expect(rankShift([1, 2, 3], [])).toBe(1)
  })
  it('gives a stability of nothing for like shares, and more the further apart', () => {
    const random = seededRandom(4)
    const draw = (shift: number) => Array.from({ length: 2000 }, () => normal(random) + shift)
    const reference = draw(0)
    const [same, near, far] = [0, 0.3, 1].map(shift => stabilityIndex(reference, draw(shift))) as [number, number, number]
    expect(same).toBeLessThan(0.02)
    expect(near).toBeGreaterThan(0.05)
    expect(far).toBeGreaterThan(0.25)
    expect(stabilityIndex([1, 1, 1], [])).toBe(0)
  })
  it('lets through at most the share that is chance', () => {
    expect(falseDiscoveries([0.001, 0.02, 0.03, 0.5])).toEqual([true, true, true, false])
    expect(falseDiscoveries([0.04, 0.06, 0.5])).toEqual([false, false, false])
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), ps => {
        const stands = falseDiscoveries(ps)
        // What stands is below everything that does not.
        const kept = ps.filter((_, i) => stands[i])
        const left = ps.filter((_, i) => !stands[i])
        for (const p of kept) for (const q of left) expect(p).toBeLessThanOrEqual(q)
        expect(Math.max(0, ...kept)).toBeLessThanOrEqual(0.05)
      }),
    )
  })
})

describe('what a model is given', () => {
  const stream = (seed: number, shiftAt: number, shift: number) => {
    const random = seededRandom(seed)
    return (i: number) => [normal(random), normal(random) + (i >= shiftAt ? shift : 0), 7]
  }
  const watch = () => new FeatureDrift({ features: ['a', 'b', 'c'] })
  it('alarms within 500 of a shift, names the feature, and is the same after a restart', () => {
    for (let seed = 0; seed < 20; seed++) {
      const next = stream(seed, 2050, 1)
      let drift = watch()
      let found = 0
      for (let i = 0; i < 3000 && found === 0; i++) {
        if (i === 2100) drift = watch().load(JSON.parse(JSON.stringify(drift)))
        const report = drift.add(next(i))
        if (!report?.alarm) continue
        found = i
        expect(report.drifted[0]?.feature).toBe('b')
      }
      expect(found).toBeGreaterThanOrEqual(2050)
      expect(found).toBeLessThan(2550)
    }
  })
  it('is silent for a day in which nothing moves, and leaves out what is no number', () => {
    const next = stream(1, Number.POSITIVE_INFINITY, 0)
    const drift = watch()
    for (let i = 0; i < 86_400; i++) {
      const [a, b, c] = next(i) as [number, number, number]
      expect(drift.add([a, i % 50 === 0 ? Number.NaN : b, c])?.alarm ?? false).toBe(false)
    }
  })
})

describe('accuracy', () => {
  const outcomes = (rolling: RollingAccuracy, count: number, chance: number, seed: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: count }, () => rolling.add(random() < chance, chance)).filter(r => r !== undefined)
  }
  it('degrades by five in a hundred and by more than chance, over ten windows', () => {
    const rolling = new RollingAccuracy()
    const before = outcomes(rolling, 1000, 0.9, 1)
    expect(before).toHaveLength(10)
    expect(before.some(r => r.degraded)).toBe(false)
    const after = outcomes(rolling, 500, 0.75, 2)
    expect(after.at(-1)?.degraded).toBe(true)
    expect(after.at(-1)?.calibration).toBeLessThan(0.05)
    expect(new RollingAccuracy().load(JSON.parse(JSON.stringify(rolling))).toJSON()).toEqual(rolling.toJSON())
  })
  it('is not said to where it only wavers', () => {
    let said = 0
    for (let seed = 0; seed < 50; seed++) said += outcomes(new RollingAccuracy(), 5000, 0.8, seed).filter(r => r.degraded).length
    expect(said).toBeLessThanOrEqual(1)
  })
})

describe('accuracy without labels', () => {
  it('follows the truth where cases get harder, also through a restart', () => {
    const random = seededRandom(9)
    // Too sure of itself by a third: calibration takes that out.
    const answer = (hard: number) => {
      const chance = 0.5 + 0.5 * random() * (1 - hard)
      return { confidence: Math.min(1, chance ** 0.66), right: Number(random() < chance) }
    }
    const reference = Array.from({ length: 4000 }, () => answer(0))
    let estimate = new PerformanceEstimate()
    expect(estimate.close()).toBeUndefined()
    estimate.fit(
      reference.map(a => a.confidence),
      reference.map(a => a.right),
    )
    estimate = new PerformanceEstimate().load(JSON.parse(JSON.stringify(estimate)))
    for (const hard of [0, 0.4, 0.8]) {
      const window = Array.from({ length: 2000 }, () => answer(hard))
      for (const a of window) estimate.add(a.confidence)
      const truth = window.reduce((sum, a) => sum + a.right, 0) / window.length
      expect(Math.abs((estimate.close() as number) - truth)).toBeLessThan(0.03)
    }
  })
})
