import { seededRandom } from '@aegis/domain'
import { wilson } from '@aegis/learning/wilson'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assignArm,
  completeExperiment,
  createExperiment,
  type Experiment,
  experimentResults,
  pauseExperiment,
  recordOutcome,
  resumeExperiment,
  stoppedArms,
} from './experiments.ts'

const two = (share = 50) =>
  createExperiment('e', [
    { name: 'a', policy: 'rules', share },
    { name: 'b', policy: 'ppo', share: 100 - share },
  ])
const counted = (e: Experiment, ...counts: readonly (readonly [number, number])[]): Experiment => ({
  ...e,
  counts: counts.map(([successes, outcomes]) => ({ successes, outcomes })),
})

describe('experiments', () => {
  it('want shares that add up to 100', () => {
    const arm = (name: string, share: number) => ({ name, policy: name, share })
    expect(() => createExperiment('x', [arm('a', 50), arm('b', 49)])).toThrow(/add up to 99/)
    expect(() => createExperiment('x', [arm('a', 50), arm('a', 50)])).toThrow(/same name/)
    expect(() => createExperiment('x', [arm('a', 100)])).toThrow(/two arms/)
    expect(() => createExperiment('x', [arm('a', 110), arm('b', -10)])).toThrow(/above 0/)
    expect(createExperiment('x', [arm('a', 33.3), arm('b', 33.3), arm('c', 33.4)]).state).toBe('running')
  })

  it('give a context the same arm always, also after a restart, in the shares asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), share => {
        const e = two(share)
        const again = JSON.parse(JSON.stringify(e)) as Experiment
        let first = 0
        for (let i = 0; i < 4000; i++) {
          const arm = assignArm(e, `incident-${i}`)
          expect(assignArm(again, `incident-${i}`)).toEqual(arm)
          first += arm?.name === 'a' ? 1 : 0
        }
        expect(Math.abs(first / 40 - share)).toBeLessThan(4)
      }),
      { seed: 5, numRuns: 20 },
    )
  })

  it('assign nothing while paused or completed', () => {
    const paused = pauseExperiment(two())
    expect(assignArm(paused, 'x')).toBeUndefined()
    expect(assignArm(resumeExperiment(paused), 'x')).toBeDefined()
    const done = completeExperiment(paused)
    expect(assignArm(done, 'x')).toBeUndefined()
    expect(() => resumeExperiment(done)).toThrow(/is completed/)
  })

  it('say so under 30 outcomes, and what they see above', () => {
    expect(experimentResults(counted(two(), [20, 200], [29, 29]))[1].verdict).toBe('not enough data')
    expect(experimentResults(counted(two(), [20, 200], [120, 200]))[1].verdict).toBe('better')
    expect(experimentResults(counted(two(), [120, 200], [20, 200]))[1].verdict).toBe('worse')
    expect(experimentResults(counted(two(), [100, 200], [106, 200]))[1].verdict).toBe('no difference shown')
  })

  it('raise few false alarms although every outcome is looked at', () => {
    let alarms = 0
    const trials = 400
    for (let trial = 0; trial < trials; trial++) {
      const random = seededRandom(trial)
      let e = two()
      for (let i = 0; i < 600; i++) {
        e = recordOutcome(e, i % 2 ? 'a' : 'b', random() < 0.6)
        const { verdict } = experimentResults(e)[1]
        if (verdict === 'better' || verdict === 'worse') {
          alarms++
          break
        }
      }
    }
    expect(alarms / trials).toBeLessThan(0.06)
  })

  it('stop an arm that does more harm than the first, and hardly ever one that does not', () => {
    const harms = (...counts: readonly (readonly [number, number])[]) => counts.map(([harmful, acts]) => ({ acts, harmful }))
    expect(stoppedArms(two(), harms([0, 9], [9, 9]))).toEqual([])
    expect(stoppedArms(two(), harms([1, 40], [20, 40]))).toEqual(['b'])
    // The first is what the others are held against: it is not stopped.
    expect(stoppedArms(two(), harms([20, 40], [1, 40]))).toEqual([])
    let stopped = 0
    for (let trial = 0; trial < 300; trial++) {
      const random = seededRandom(trial)
      const count = [0, 1].map(() => ({ acts: 0, harmful: 0 }))
      for (let i = 0; i < 400; i++) {
        const arm = count[i % 2] as { acts: number; harmful: number }
        arm.acts++
        if (random() < 0.1) arm.harmful++
        if (stoppedArms(two(), count).length > 0) {
          stopped++
          break
        }
      }
    }
    expect(stopped / 300).toBeLessThan(0.06)
  })

  it("Wilson's interval has the values of the textbook", () => {
    const { low, high } = wilson(8, 10)
    expect(low).toBeCloseTo(0.4902, 3)
    expect(high).toBeCloseTo(0.9433, 3)
    expect(wilson(0, 10).low).toBe(0)
    expect(wilson(10, 10).high).toBe(1)
  })
})
