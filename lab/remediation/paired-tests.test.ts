import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mcNemar, wilcoxon } from './paired-tests.ts'

describe('mcNemar', () => {
  it('gives the exact binomial chance of the pairs that differ', () => {
    const pairs = (a: number, b: number, same: number) => [
      ...Array<[boolean, boolean]>(a).fill([true, false]),
      ...Array<[boolean, boolean]>(b).fill([false, true]),
      ...Array<[boolean, boolean]>(same).fill([true, true]),
    ]
    // R: binom.test(1, 10)$p.value, binom.test(6, 6)$p.value, binom.test(3, 8)$p.value
    expect(mcNemar(pairs(1, 9, 30))).toMatchObject({ onlyFirst: 1, onlySecond: 9, p: expect.closeTo(0.021484375, 9) })
    expect(mcNemar(pairs(6, 0, 2)).p).toBeCloseTo(0.03125, 9)
    expect(mcNemar(pairs(3, 5, 0)).p).toBeCloseTo(0.7265625, 9)
    expect(mcNemar(pairs(0, 0, 9)).p).toBe(1)
    expect(mcNemar(pairs(4, 4, 9)).p).toBe(1)
  })
})

describe('wilcoxon', () => {
  it('gives the exact chance of the rank sums', () => {
    // R: wilcox.test(c(1.1,2,3,4,5,6.5), paired against zero)$p.value = 0.03125; with one sign turned, V = 20: 0.0625
    const against = (...d: number[]) => wilcoxon(d.map(x => [x, 0] as const))
    expect(against(1.1, 2, 3, 4, 5, 6.5)).toMatchObject({ firstLarger: 21, secondLarger: 0, pairs: 6, p: 0.03125 })
    expect(against(-1.1, 2, 3, 4, 5, 6.5).p).toBeCloseTo(0.0625, 12)
    expect(against(0, 0)).toMatchObject({ pairs: 0, p: 1 })
    // Ties share their ranks: 1.5 and 1.5 of 3.
    expect(against(1, -1, 2)).toMatchObject({ firstLarger: 4.5, secondLarger: 1.5 })
  })
  it('is what trying every sign gives, and the same from both sides', () => {
    const numbers = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(numbers, given => {
        const made = wilcoxon(given.map(x => [x, 0] as const))
        const turned = wilcoxon(given.map(x => [0, x] as const))
        expect(turned.p).toBeCloseTo(made.p, 12)
        expect(turned.firstLarger).toBe(made.secondLarger)
        const sizes = given.filter(x => x !== 0).map(Math.abs)
        const rank = (x: number) => sizes.filter(s => s < x).length + (sizes.filter(s => s === x).length + 1) / 2
        const all = sizes.reduce((sum, s) => sum + rank(s), 0)
        const least = Math.min(made.firstLarger, made.secondLarger)
        let extreme = 0
        for (let signs = 0; signs < 2 ** sizes.length; signs++) {
          const up = sizes.reduce((sum, s, i) => sum + ((signs >> i) & 1 ? rank(s) : 0), 0)
          if (Math.min(up, all - up) <= least) extreme++
        }
        expect(made.p).toBeCloseTo(Math.min(1, extreme / 2 ** sizes.length), 9)
      }),
      { seed: 4, numRuns: 60 },
    )
  })
})
