import { seededRandom } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Differences, normalQuantile } from './evidence.ts'
import { type PairedCase, Trial } from './trial.ts'

/** Cases of two models that agree in most; the candidate is right `more` often. */
const pairs = (seed: number, more: number, slice: (random: () => number) => { slice?: string; more?: number } = () => ({})) => {
  const random = seededRandom(seed)
  return (): PairedCase => {
    const of = slice(random)
    const own = of.more ?? more
    const differ = random() < 0.2
    if (!differ) {
      const both = random() < 0.85 ? 1 : 0
      return { present: both, candidate: both, slice: of.slice }
    }
    // Of the fifth in which they differ one of them is right.
    const candidate = random() < 0.5 + own / 0.4 ? 1 : 0
    return { present: 1 - candidate, candidate, slice: of.slice }
  }
}
const many = (n: number, next: () => PairedCase) => Array.from({ length: n }, next)
const shadowed = (trial: Trial, next: () => PairedCase, most = 10_000) => {
  for (let i = 0; i < most; i++) {
    const verdict = trial.shadow(next())
    if (verdict) return verdict
  }
  return undefined
}

describe('evidence', () => {
  it('knows the quantiles of the normal distribution', () => {
    for (const [chance, at] of [
      [0.5, 0],
      [0.1, 1.2815516],
      [0.025, 1.959964],
      [0.001, 3.0902323],
      [0.00001, 4.2648908],
      [0.975, -1.959964],
    ] as const)
      expect(normalQuantile(chance)).toBeCloseTo(at, 5)
  })
  it('holds at all times together: of walks without drift hardly one ever leaves', () => {
    let left = 0
    for (let seed = 0; seed < 300; seed++) {
      const random = seededRandom(seed)
      const d = new Differences()
      for (let i = 0; i < 3000; i++) {
        d.add(random() < 0.5 ? -1 : 1)
        if (d.sequence(0.05, 1000).low > 0) {
          left++
          break
        }
      }
    }
    expect(left / 300).toBeLessThan(0.06)
  })
})

describe('a trial', () => {
  it('leads one that is better from hold-out to shadow to canary to force, and survives restarts on the way', () => {
    let trial = new Trial('t')
    const again = () => (trial = new Trial('t').load(JSON.parse(JSON.stringify(trial))))
    expect(trial.enough(1000).state).toBe('registered')
    const next = pairs(1, 0.05)
    expect(trial.holdOut(many(2000, next))).toMatchObject({
      state: 'candidate',
      reason: expect.stringContaining('hold-out: +0.0'),
    })
    again()
    expect(shadowed(trial, next)?.state).toBe('canary')
    again()
    const entities = Array.from({ length: 5000 }, (_, i) => `service:${i}`)
    const chosen = entities.filter(e => trial.decidesFor(e))
    expect(chosen.length / 50).toBeGreaterThan(8)
    expect(chosen.length / 50).toBeLessThan(12)
    again()
    expect(entities.filter(e => trial.decidesFor(e))).toEqual(chosen)
    const random = seededRandom(2)
    let verdict: ReturnType<Trial['canary']>
    for (let i = 0; !verdict; i++) {
      const by = trial.decidesFor(`service:${i}`) ? 'candidate' : 'present'
      verdict = trial.canary(by, random() < (by === 'candidate' ? 0.85 : 0.8) ? 1 : 0)
    }
    expect(verdict.state).toBe('active')
    expect(trial.decidesFor('service:0')).toBe(true)
    // Later it is not what it was.
    const worse = pairs(3, -0.08)
    for (let i = 0; i < 10_000 && trial.state === 'active'; i++) trial.twin(worse())
    expect(trial.state).toBe('rolled_back')
  })
  it('says what is too few', () => {
    expect(new Trial('t').enough(999)).toEqual({
      state: 'retired',
      reason: '999 new samples are too few: the model in force stays until there are 1000',
    })
    expect(new Trial('t').holdOut(many(299, pairs(1, 0.1))).reason).toContain('are too few')
  })
  it('finds out in the shadow what learned the hold-out by heart', () => {
    const trial = new Trial('t')
    expect(trial.holdOut(many(2000, pairs(1, 0.15))).state).toBe('candidate')
    expect(shadowed(trial, pairs(2, -0.05))).toMatchObject({ state: 'retired', reason: expect.stringContaining('shadow: worse') })
    const equal = new Trial('t')
    equal.holdOut(many(2000, pairs(1, 0.15)))
    expect(shadowed(equal, pairs(3, 0))).toMatchObject({ state: 'retired', reason: expect.stringContaining('no advantage') })
  })
  it('lets none pass that is worse on a slice, however good it is elsewhere', () => {
    const poisoned = (random: () => number) => (random() < 0.05 ? { slice: 'payments', more: -0.18 } : { slice: 'rest' })
    const trial = new Trial('t')
    expect(trial.holdOut(many(3000, pairs(1, 0.06, poisoned)))).toMatchObject({
      state: 'retired',
      reason: expect.stringContaining('on "payments"'),
    })
  })
  it('takes no answer that is no number, at no step', () => {
    const bad = (c: PairedCase): PairedCase => ({ ...c, candidate: Number.NaN })
    const next = pairs(1, 0.1)
    expect(new Trial('t').holdOut(many(500, () => bad(next()))).state).toBe('retired')
    const trial = new Trial('t')
    trial.holdOut(many(2000, next))
    expect(trial.shadow(bad(next()))?.state).toBe('retired')
    expect(() => trial.shadow(next())).toThrow('no longer on trial')
    expect(() => trial.holdOut([])).toThrow('was used already')
  })
  it('puts one that is no better in force hardly ever', () => {
    let passed = 0
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), seed => {
        const trial = new Trial('t')
        const next = pairs(seed, 0)
        if (trial.holdOut(many(1000, next)).state !== 'candidate') return
        if (shadowed(trial, next, 4000)?.state === 'canary') passed++
      }),
      { numRuns: 100, seed: 3 },
    )
    expect(passed).toBe(0)
  })
})
