import { seededRandom } from '@aegis/domain'
import { Belief } from '@aegis/lab/remediation/belief'
import { ACTION_COUNT, FEATURE_COUNT, PAGE, RemSim } from '@aegis/lab/remediation/remsim'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateOffPolicy, judgeCandidate, type LoggedDecision } from './off-policy.ts'

/** After one look, a policy acts once; if that did not heal, a person is paged. Softmax of the chance to heal, mixed with any allowed act. */
const policy = (cures: Float64Array, sim: RemSim, sharpness: number, exploration: number): Float64Array => {
  const p = new Float64Array(ACTION_COUNT)
  let [sum, allowed] = [0, 0]
  for (let a = 0; a < ACTION_COUNT; a++) {
    if (!sim.allowed(a)) continue
    allowed++
    sum += p[a] = Math.exp(sharpness * (a === PAGE ? 0.4 : cures[a]))
  }
  return p.map((x, a) => (sim.allowed(a) ? ((1 - exploration) * x) / sum + exploration / allowed : 0))
}
function episode(seed: number, random: () => number, sharpness: number, exploration: number) {
  const sim = new RemSim()
  const belief = new Belief()
  const seen = new Float32Array(FEATURE_COUNT)
  sim.reset(seed)
  belief.reset()
  sim.observe(seen)
  belief.saw(seen)
  let reward = sim.step(1)
  // A fault that went by itself during the look leaves nothing to decide.
  if (sim.done) return undefined
  belief.acted(1)
  sim.observe(seen)
  belief.saw(seen)
  const cures = Float64Array.from({ length: ACTION_COUNT }, (_, a) => belief.cureChance(a))
  const logged = policy(cures, sim, sharpness, exploration)
  const candidate = policy(cures, sim, 12, 0.02)
  const expected = Float64Array.from({ length: ACTION_COUNT }, (_, a) => (a === PAGE ? -30 : 40 * cures[a] - 45))
  let left = random()
  let chosen = 0
  for (let a = 0; a < ACTION_COUNT && left >= 0; a++) {
    if (logged[a] === 0) continue
    chosen = a
    left -= logged[a]
  }
  reward += sim.step(chosen)
  if (!sim.done) reward += sim.step(PAGE)
  return { chosen, reward, logged, candidate, expected } satisfies LoggedDecision
}
const collect = (from: number, count: number, sharpness: number, exploration: number): LoggedDecision[] => {
  const random = seededRandom(from)
  const log: LoggedDecision[] = []
  for (let seed = from; log.length < count; seed++) {
    const decision = episode(seed, random, sharpness, exploration)
    if (decision) log.push(decision)
  }
  return log
}

describe('off-policy estimates', () => {
  it('cover the true value in at least 90 of 100 trials on the simulator', { timeout: 300_000 }, () => {
    const truth = collect(500_000, 10_000, 12, 0.02).reduce((s, d) => s + d.reward, 0) / 10_000
    const covered = { ips: 0, snips: 0, doublyRobust: 0 }
    let widths = { ips: 0, snips: 0, doublyRobust: 0 }
    for (let trial = 0; trial < 100; trial++) {
      const estimate = estimateOffPolicy(collect(trial * 1000, 200, 3, 0.3))
      for (const name of ['ips', 'snips', 'doublyRobust'] as const) {
        const { low, high } = estimate[name] as { low: number; high: number }
        covered[name] += low <= truth && truth <= high ? 1 : 0
        widths = { ...widths, [name]: widths[name] + (high - low) / 100 }
      }
    }
    console.log(
      `the true value ${truth.toFixed(2)} is covered in, of 100 trials: ${JSON.stringify(covered)}; widths ${JSON.stringify(widths)}`,
    )
    for (const [name, count] of Object.entries(covered)) expect(count, `${name} covers`).toBeGreaterThanOrEqual(90)
    expect(widths.doublyRobust).toBeLessThan(widths.ips)
  })

  it('of the logging policy itself are what it earned', () => {
    const log = collect(1, 300, 3, 0.3).map(d => ({ ...d, candidate: d.logged }))
    const e = estimateOffPolicy(log)
    expect(e.ips.value).toBeCloseTo(e.present.value, 9)
    expect(e.snips.value).toBeCloseTo(e.present.value, 9)
    expect(e.effectiveSampleSize).toBeCloseTo(300, 6)
    expect(e.coverage).toBeCloseTo(1, 9)
  })

  it('shift with the rewards, for the forms that are normalised', () => {
    const log = collect(7, 200, 3, 0.3)
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), shift => {
        const moved = log.map(d => ({
          ...d,
          reward: d.reward + shift,
          expected: d.expected && Array.from(d.expected, x => x + shift),
        }))
        const [a, b] = [estimateOffPolicy(log), estimateOffPolicy(moved)]
        expect(b.snips.value).toBeCloseTo(a.snips.value + shift, 6)
      }),
      { seed: 3, numRuns: 50 },
    )
  })

  it('refuse a log without propensities, and an empty one', () => {
    expect(() => estimateOffPolicy([])).toThrow(/no decisions/)
    expect(() => estimateOffPolicy([{ chosen: 0, reward: 1, logged: [0, 1], candidate: [1, 0] }])).toThrow(/propensity 0/)
  })
})

describe('promotion', () => {
  const log = (count: number, logged: readonly number[], candidate: readonly number[]): LoggedDecision[] => {
    const random = seededRandom(count)
    return Array.from({ length: count }, () => {
      const chosen = random() < logged[0] ? 0 : 1
      return { chosen, reward: chosen === 0 ? 1 : 0, logged, candidate }
    })
  }
  it('asks for 200 decisions’ worth and nine tenths covered, and then for a better lower bound', () => {
    expect(judgeCandidate(estimateOffPolicy(log(100, [0.5, 0.5], [0.9, 0.1]))).verdict).toBe('refuse')
    expect(judgeCandidate(estimateOffPolicy(log(2000, [0.5, 0.5], [0.9, 0.1]))).verdict).toBe('promote')
    expect(judgeCandidate(estimateOffPolicy(log(2000, [0.5, 0.5], [0.1, 0.9]))).verdict).toBe('keep')
    const unseen = judgeCandidate(estimateOffPolicy(log(5000, [1, 0], [0.85, 0.15])))
    expect(unseen).toMatchObject({ verdict: 'refuse', reasons: [expect.stringMatching(/85 %/)] })
  })
})
