import { describe, expect, it } from 'vitest'
import { confidenceOf, recalibrate } from './recalibrate.ts'

const shipped = { bias: 0.5, slope: 0.8 }
describe('recalibrate', () => {
  it('is what was shipped as long as nobody confirmed anything', () => {
    expect(recalibrate([], shipped)).toEqual(shipped)
  })
  it('comes down where sure rankings were wrong, and the more so the more often', () => {
    const wrong = (n: number) => Array.from({ length: n }, () => ({ margin: 3, right: false }))
    const sure = (n: number) => confidenceOf(3, recalibrate(wrong(n), shipped))
    expect(sure(1)).toBeLessThan(sure(0))
    expect(sure(30)).toBeLessThan(0.3)
    expect(recalibrate(wrong(200), shipped).slope).toBeGreaterThanOrEqual(0)
  })
  it('reaches the share that was right, given enough of them', () => {
    const confirmed = Array.from({ length: 400 }, (_, i) => ({
      margin: i % 2 === 0 ? 2 : -1,
      right: i % 2 === 0 ? i % 10 !== 0 : i % 5 === 1,
    }))
    const curve = recalibrate(confirmed, shipped)
    const share = (at: number) => confirmed.filter(c => c.margin === at && c.right).length / 200
    expect(confidenceOf(2, curve)).toBeCloseTo(share(2), 1)
    expect(confidenceOf(-1, curve)).toBeCloseTo(share(-1), 1)
  })
})
