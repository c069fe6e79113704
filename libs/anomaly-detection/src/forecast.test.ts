import { normal, seededRandom } from '@aegis/learning/random'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forecast, willCross } from './forecast.ts'

const times = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('forecast', () => {
  it('holds what comes inside its band as often as it says, or more', () => {
    const random = seededRandom(1)
    let inside = 0
    let all = 0
    for (let s = 0; s < 40; s++) {
      const slope = random() - 0.5
      const series = times(150).map(i => 100 + slope * i + 3 * normal(random))
      const f = forecast(times(120), series.slice(0, 120), 30)
      for (let h = 0; h < 30; h++) {
        all++
        if (series[120 + h] >= f.low[h] && series[120 + h] <= f.high[h]) inside++
      }
    }
    expect(inside / all).toBeGreaterThan(0.85)
  })
  it('knows the time of day', () => {
    const wave = (i: number) => 10 * Math.sin((2 * Math.PI * i) / 48)
    const f = forecast(times(480), times(480).map(wave), 48, { season: 48 })
    f.middle.forEach((v, h) => {
      expect(Math.abs(v - wave(480 + h))).toBeLessThan(2)
    })
  })
  it('is not tilted by a few wild points', () => {
    const f = forecast(
      times(100),
      times(100).map(i => (i % 17 === 0 ? 1e6 : 2 * i)),
      10,
    )
    expect(f.middle[9]).toBeCloseTo(2 * 109, 0)
  })
})

describe('willCross', () => {
  it('says when a filling disk is full, an hour before it is, within a tenth of the time left', () => {
    const random = seededRandom(2)
    for (let s = 0; s < 20; s++) {
      const series = times(240).map(i => 40 + 0.2 * i + 0.5 * normal(random))
      const crossing = willCross(times(240), series, 100, 120)
      expect(crossing).toBeDefined()
      expect(Math.abs((crossing as { time: number }).time - 300)).toBeLessThan(6 + 3)
      expect((crossing as { earliest: number }).earliest).toBeLessThanOrEqual(300)
    }
  })
  it('keeps quiet about series that go nowhere or away from the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: -2, max: 0, noNaN: true }), (seed, slope) => {
        const random = seededRandom(seed)
        const series = times(120).map(i => 50 + slope * i + normal(random))
        return willCross(times(120), series, 90, 600) === undefined || slope > -0.001
      }),
      { numRuns: 100, seed: 7 },
    )
  })
})
