import { randomBytes } from 'node:crypto'
import { seededRandom } from '@aegis/domain'
import { normal } from '@aegis/learning/random'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noiseFor, PrivacyAccount } from './privacy.ts'
import { clipped, trimmedMean } from './robust-mean.ts'
import { MaskedSite, meetAll, shareOut, together, unmask } from './secure-sum.ts'
import { accuracyOf, type Case, localUpdate, widthOf } from './softmax-site.ts'

describe('secure sums', () => {
  const meeting = (n: number, threshold: number) => {
    const sites = Array.from({ length: n }, (_, i) => new MaskedSite(i, randomBytes))
    return { sites, keys: meetAll(sites, threshold) }
  }
  it('give the sum of those that answered, whoever drops out, down to the threshold', () => {
    const random = seededRandom(1)
    const vectors = Array.from({ length: 7 }, () => Array.from({ length: 20 }, () => 10 * normal(random)))
    for (const gone of [[], [3], [0, 6], [1, 2, 5]] as number[][]) {
      const { sites, keys } = meeting(7, 4)
      const there = sites.filter(site => !gone.includes(site.id))
      const masked = new Map(there.map(site => [site.id, site.masked(vectors[site.id] as number[])]))
      const sum = unmask(masked, there, keys, 4)
      for (let j = 0; j < 20; j++) {
        const truth = there.reduce((s, site) => s + ((vectors[site.id] as number[])[j] as number), 0)
        expect(Math.abs((sum[j] as number) - truth)).toBeLessThan(1e-3)
      }
      expect(() => unmask(masked, there.slice(0, 3), keys, 4)).toThrow('3 sites are left, and 4 are needed')
    }
  })
  it('show nothing of a single vector: what is sent looks like noise, other noise each time, and once only', () => {
    const sent = [0, 1].map(() => (meeting(3, 2).sites[0] as MaskedSite).masked(new Array(4000).fill(1))) as [
      Int32Array,
      Int32Array,
    ]
    for (const one of sent) expect(Math.abs(one.reduce((s, x) => s + x / 2 ** 31 / one.length, 0))).toBeLessThan(0.05)
    expect([...sent[0]].filter((x, i) => x === sent[1][i]).length).toBeLessThan(3)
    const { sites } = meeting(3, 2)
    expect(() => (sites[0] as MaskedSite).masked([1e9])).toThrow('does not fit')
    expect(() => (sites[0] as MaskedSite).masked([1])).toThrow('a site masks one vector')
  })
  it('shares of a secret give it back from any of them that are enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (threshold, secret) => {
        const shares = shareOut(secret, 8, threshold, randomBytes)
        expect(Buffer.from(together(shares.slice(8 - threshold)))).toEqual(Buffer.from(secret))
        expect(Buffer.from(together(shares.slice(1, threshold)))).not.toEqual(Buffer.from(secret))
      }),
      { numRuns: 20 },
    )
  })
})

describe('privacy', () => {
  it('costs what the Gaussian mechanism costs', () => {
    // One round with noise 4: the exact value of the analytic Gaussian mechanism is about 1.0 at delta 1e-5.
    const one = new PrivacyAccount(1e-5)
    one.round(4)
    expect(one.epsilon).toBeGreaterThan(0.9)
    expect(one.epsilon).toBeLessThan(1.3)
    const many = new PrivacyAccount(1e-5)
    for (let i = 0; i < 16; i++) many.round(16)
    // Sixteen rounds at four times the noise give away as much as one.
    expect(many.epsilon).toBeCloseTo(one.epsilon, 9)
    expect(new PrivacyAccount().epsilon).toBe(0)
  })
  it('the noise asked for keeps within what was asked', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 10, noNaN: true }), fc.integer({ min: 1, max: 200 }), (epsilon, rounds) => {
        const account = new PrivacyAccount()
        const noise = noiseFor(epsilon, rounds)
        for (let i = 0; i < rounds; i++) account.round(noise)
        expect(account.epsilon).toBeLessThanOrEqual(epsilon + 1e-6)
        expect(account.epsilon).toBeGreaterThan(0.98 * epsilon)
      }),
      { numRuns: 30 },
    )
  })
})

describe('means of updates', () => {
  it('are moved by liars no further than the honest spread', () => {
    const honest = Array.from({ length: 8 }, (_, i) => Float64Array.of(1 + i / 100, -1))
    const liars = [Float64Array.of(1e9, 1e9), Float64Array.of(-1e9, 1e9)]
    const mean = trimmedMean([...honest, ...liars], 0.2)
    expect(mean[0]).toBeGreaterThanOrEqual(1)
    expect(mean[0]).toBeLessThanOrEqual(1.07)
    expect(mean[1]).toBe(-1)
    expect(() => trimmedMean(honest.slice(0, 2), 0.5)).toThrow('none is left')
    expect(Math.hypot(...clipped(Float64Array.of(3, 4), 1))).toBeCloseTo(1, 12)
    expect(clipped(Float64Array.of(0.3, 0.4), 1)).toEqual(Float64Array.of(0.3, 0.4))
  })
  it('of sites that each know one class only still learn all of them', () => {
    const random = seededRandom(2)
    const draw = (label: number): Case => ({ label, x: [0, 1, 2].map(c => normal(random) + (c === label ? 3 : 0)) })
    const sites = [0, 1, 2].map(label => Array.from({ length: 100 }, () => draw(label)))
    let weights = new Float64Array(widthOf(3, 3))
    for (let round = 0; round < 20; round++) {
      const updates = sites.map(own => localUpdate(own, weights, { classes: 3, epochs: 2, proximal: 0.1 }))
      weights = weights.map((w, i) => w + updates.reduce((sum, u) => sum + (u[i] as number), 0) / sites.length)
    }
    expect(
      accuracyOf(
        weights,
        Array.from({ length: 600 }, (_, i) => draw(i % 3)),
        3,
      ),
    ).toBeGreaterThan(0.9)
  })
})
