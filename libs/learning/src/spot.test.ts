import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normal, seededRandom } from './random.ts'
import { excursions, Spot } from './spot.ts'
import { TailProbability } from './tail-probability.ts'

describe('Spot', () => {
  it('keeps to its budget of alarms on more of the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), seed => {
        const random = seededRandom(seed)
        const scores = (n: number) => Float64Array.from({ length: n }, () => Math.abs(normal(random)))
        const spot = new Spot({ alarmsPerDay: 0.5, rowsPerDay: 1440 })
        spot.fit(scores(20_000))
        const days = 20
        let alarms = 0
        for (const score of scores(1440 * days)) if (spot.push(score)) alarms++
        expect(alarms).toBeLessThanOrEqual(3 * 0.5 * days)
      }),
      { numRuns: 3, seed: 1 },
    )
  })

  it('flags at most twice the nominal share once the level has drifted to twice what it was', () => {
    const random = seededRandom(5)
    const spot = new Spot({ alarmsPerDay: 10, rowsPerDay: 1440, gap: 0, driftWindow: 2000, follow: 1, release: 1 })
    spot.fit(Float64Array.from({ length: 10_000 }, () => 1 + 0.3 * Math.abs(normal(random))))
    let flagged = 0
    for (let i = 0; i < 12_000; i++) {
      const over = spot.push((1 + Math.min(1, i / 5000)) * (1 + 0.3 * Math.abs(normal(random))))
      if (over && i >= 7000) flagged++
    }
    expect(flagged / 5000).toBeLessThanOrEqual((2 * 10) / 1440)
  })

  it('goes on after a restart', () => {
    const random = seededRandom(2)
    const one = new Spot()
    one.fit(Float64Array.from({ length: 3000 }, () => random()))
    const two = new Spot()
    two.load(JSON.parse(JSON.stringify(one.save())))
    for (let i = 0; i < 500; i++) {
      const score = 2 * random()
      expect(two.push(score)).toBe(one.push(score))
    }
    expect(two.threshold).toBe(one.threshold)
  })

  it('outlasts a lull shorter than asked for, and ends after a longer one', () => {
    const random = seededRandom(2)
    const calm = Float64Array.from({ length: 3000 }, () => random())
    const flagged = (quiet: number) => {
      const spot = new Spot({ quiet, driftWindow: 0 })
      spot.fit(calm)
      // Two rows strange, three calm, one strange, ten calm.
      return [5, 5, 0, 0, 0, 5, ...new Array<number>(10).fill(0)].map(score => Number(spot.push(score))).join('')
    }
    expect(flagged(1)).toBe('1100010000000000')
    expect(flagged(5)).toBe('1111111111000000')
  })

  it('ends when the score has fallen far from what it last rose to, and opens again on a rise alone', () => {
    const random = seededRandom(2)
    const calm = Float64Array.from({ length: 3000 }, () => random())
    const flagged = (fall: number) => {
      const spot = new Spot({ fall, driftWindow: 0 })
      spot.fit(calm)
      // A hill with a long tail, a second rise out of the tail, and a plateau that is strange all along.
      return [20, 16, 12.5, 10, 8, 6, 9, 6, 5, 0, 20, 12.5, 13, 11, 8, 8.5, 8, 8].map(score => Number(spot.push(score))).join('')
    }
    expect(flagged(0)).toBe('111111111011111111')
    expect(flagged(0.6)).toBe('111000110011111111')
  })

  it('counts an excursion once, by its peak', () => {
    expect([...excursions([0, 3, 5, 4, 0, 0, 0, 7, 0, 6, 0], 2, 2)]).toEqual([7, 5])
  })
})

describe('TailProbability', () => {
  it('never falls when the score rises, learned once or as it goes', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 60, maxLength: 300 }), values => {
        const once = new TailProbability()
        once.fit(values)
        const going = new TailProbability()
        for (const value of values) going.add(value)
        const probes = [...values, -1, 101, 1000].sort((a, b) => a - b)
        for (const tail of [once, going])
          for (let i = 1; i < probes.length; i++) expect(tail.of(probes[i])).toBeGreaterThanOrEqual(tail.of(probes[i - 1]) - 0.1)
      }),
      { numRuns: 40, seed: 3 },
    )
  })
  it('means what it says: one in a hundred is 4.6', () => {
    const tail = new TailProbability()
    tail.fit(Float64Array.from({ length: 10_000 }, (_, i) => i))
    expect(tail.of(9000)).toBeCloseTo(-Math.log(0.1), 1)
    expect(tail.of(9900)).toBeCloseTo(-Math.log(0.01), 0)
  })
})
