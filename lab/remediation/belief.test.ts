import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BELIEF_FEATURE_NAMES, BELIEF_FEATURES, Belief } from './belief.ts'
import { ACTION_COUNT, FEATURE_COUNT, PAGE, RemSim, uniform } from './remsim.ts'

/** Plays allowed actions by hash, telling a belief what may be seen; calls back at every minute. */
function follow(seed: number, each: (sim: RemSim, belief: Belief, seen: Float32Array) => void): void {
  const sim = new RemSim()
  const belief = new Belief()
  const seen = new Float32Array(FEATURE_COUNT)
  sim.reset(seed)
  belief.reset()
  for (let turn = 0; !sim.done; turn++) {
    sim.observe(seen)
    belief.saw(seen)
    each(sim, belief, seen)
    const allowed = Array.from({ length: ACTION_COUNT }, (_, a) => a).filter(a => sim.allowed(a) && a !== PAGE)
    const action = turn === 0 ? 1 : (allowed[Math.floor(uniform(seed, 5, turn) * allowed.length)] as number)
    sim.step(action)
    if (!sim.done) belief.acted(action)
  }
}

describe('Belief', () => {
  it('is a distribution at every minute, and its features are finite', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 899_999 }), seed => {
        const features = new Float32Array(BELIEF_FEATURES)
        follow(seed, (_, belief, seen) => {
          expect(belief.joint.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
          belief.encode(seen, 3, features, 0)
          expect(features.every(Number.isFinite)).toBe(true)
          for (let a = 0; a < ACTION_COUNT; a++) {
            expect(belief.unsafeChance(a)).toBeGreaterThanOrEqual(0)
            expect(belief.unsafeChance(a)).toBeLessThanOrEqual(1)
          }
        })
      }),
      { seed: 8, numRuns: 60 },
    )
  })

  it('names every feature once', () => {
    expect(BELIEF_FEATURE_NAMES).toHaveLength(BELIEF_FEATURES)
    expect(new Set(BELIEF_FEATURE_NAMES).size).toBe(BELIEF_FEATURES)
  })

  it('says 80 % of what is so four times in five', () => {
    // Calibration of the likeliest hypothesis, over many minutes, in five bands.
    const bands = Array.from({ length: 5 }, () => ({ said: 0, so: 0, n: 0 }))
    for (let seed = 0; seed < 1500; seed++)
      follow(seed, (sim, belief) => {
        let top = 0
        for (let h = 1; h < belief.joint.length; h++) if (belief.joint[h] > belief.joint[top]) top = h
        const rank = sim.candidates.indexOf(sim.root)
        const band = bands[Math.min(4, Math.floor(belief.joint[top] * 5))]
        band.said += belief.joint[top]
        band.so += top === sim.fault * 4 + (rank < 0 ? 3 : rank) ? 1 : 0
        band.n++
      })
    for (const { said, so, n } of bands) if (n > 200) expect(Math.abs(said - so) / n).toBeLessThan(0.06)
  })

  it('reads nothing hidden: two worlds that look alike give the same belief', () => {
    // The same observations are fed while the simulator behind them is another one.
    const first: number[] = []
    const frames: Float32Array[] = []
    follow(4242, (_, belief, seen) => {
      first.push(...belief.joint)
      frames.push(seen.slice())
    })
    const belief = new Belief()
    belief.reset()
    belief.saw(frames[0])
    expect([...belief.joint]).toEqual(first.slice(0, belief.joint.length))
  })

  it('expects an unsafe act as often as it happens', () => {
    let [expected, happened] = [0, 0]
    for (let seed = 0; seed < 800; seed++) {
      const sim = new RemSim()
      const belief = new Belief()
      const seen = new Float32Array(FEATURE_COUNT)
      sim.reset(seed)
      belief.reset()
      for (let turn = 0; !sim.done; turn++) {
        sim.observe(seen)
        belief.saw(seen)
        const allowed = Array.from({ length: ACTION_COUNT }, (_, a) => a).filter(a => sim.allowed(a))
        const action = allowed[Math.floor(uniform(seed, 6, turn) * allowed.length)] as number
        const before = sim.unsafe
        expected += belief.unsafeChance(action)
        sim.step(action)
        happened += sim.unsafe - before
        if (!sim.done) belief.acted(action)
      }
    }
    expect(Math.abs(expected - happened) / happened).toBeLessThan(0.05)
  })
})
