import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JudgedAnomaly, type Proposal, proposeThreshold } from './propose-threshold.ts'

const many = (n: number, over: (i: number) => number, right: boolean): JudgedAnomaly[] =>
  Array.from({ length: n }, (_, i) => ({ score: 6 * over(i), threshold: 6, right }))

describe('a proposed threshold', () => {
  it('spares false alarms that lie below what is right', () => {
    const found = proposeThreshold([...many(100, () => 3, true), ...many(60, i => 1.1 + i / 1000, false)]) as Proposal
    expect(found).toMatchObject({ falseSpared: 60, rightLost: 0, right: 100, false: 60 })
    expect(found.factor).toBeGreaterThan(1.15)
    expect(found.factor).toBeLessThan(1.2)
  })
  it('is none where there is too little, or too much would be lost', () => {
    expect(proposeThreshold(many(29, () => 3, true))).toContain('29 confirmed and 0 false ones are too few')
    expect(proposeThreshold([...many(100, () => 1.05, true), ...many(60, () => 1.1, false)])).toContain('no threshold up to 2')
    // Thirty without a loss still leave room for one in nine.
    expect(proposeThreshold([...many(30, () => 3, true), ...many(60, () => 1.1, false)])).toContain('no threshold')
  })
  it('keeps its bounds whatever came', () => {
    const judged = fc.record({
      score: fc.double({ min: 0, max: 100, noNaN: true }),
      threshold: fc.constantFrom(0, 1, 6),
      right: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(judged, { minLength: 80, maxLength: 300 }), list => {
        const found = proposeThreshold(list, { fewest: 10, mostLost: 0.3 })
        if (typeof found === 'string') return
        expect(found.factor).toBeGreaterThanOrEqual(1)
        expect(found.factor).toBeLessThanOrEqual(2)
        expect(found.lostAtMost).toBeLessThanOrEqual(0.3)
        const lost = list.filter(a => a.threshold > 0 && a.right && a.score / a.threshold < found.factor)
        expect(lost).toHaveLength(found.rightLost)
      }),
    )
  })
})
