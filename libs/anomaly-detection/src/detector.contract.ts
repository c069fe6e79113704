/** What every detector must keep to. Called once per implementation. */
import type { Detector, Round } from '@aegis/domain'
import { normal, seededRandom } from '@aegis/learning/random'
import { describe, expect, it } from 'vitest'

export interface ContractOptions {
  /** Rounds it needs before it scores. */
  readonly warmUp: number
  /** Least ratio of the score of a gross anomaly to the largest of normal rounds. Default 1. */
  readonly margin?: number
}

/** Three series that belong together: a wave, the same wave late and noisy, and a level. */
function roundsOf(count: number, seed: number): Round[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) => ({
    time: i * 1e6,
    series: Int32Array.from([7, 3, 11]),
    values: Float64Array.from([
      50 + 10 * Math.sin(i / 12) + normal(random),
      20 + 4 * Math.sin((i - 3) / 12) + 0.5 * normal(random),
      1000 + 5 * normal(random),
    ]),
  }))
}
const no = [false, false, false]
const most = (scores: Float64Array) => Math.max(...scores)

export function detectorContract(name: string, make: () => Detector, options: ContractOptions): void {
  describe(`${name} keeps to the contract of detectors`, () => {
    const feed = (detector: Detector, rounds: readonly Round[]) => {
      const scores: number[] = []
      for (const round of rounds) {
        scores.push(most(detector.score(round)))
        detector.learn(round, no)
      }
      return scores
    }

    it('gives one score per series, parallel to the round, NaN while learning', () => {
      const detector = make()
      const scores = detector.score(roundsOf(1, 1)[0])
      expect(scores).toHaveLength(3)
      expect([...scores].every(Number.isNaN)).toBe(true)
    })

    it('changes nothing by scoring', () => {
      const detector = make()
      const rounds = roundsOf(options.warmUp + 20, 2)
      feed(detector, rounds.slice(0, -1))
      const last = rounds[rounds.length - 1]
      const first = detector.score(last)
      for (let i = 0; i < 5; i++) detector.score(rounds[i])
      expect(detector.score(last)).toEqual(first)
    })

    it('scores a gross anomaly higher than anything normal, and goes on', () => {
      const detector = make()
      const rounds = roundsOf(options.warmUp + 300, 3)
      const usual = feed(detector, rounds.slice(0, -10)).slice(options.warmUp + 40)
      let worst = 0
      for (const round of rounds.slice(-10)) {
        const strange = { ...round, values: Float64Array.from(round.values, (v, i) => (i === 2 ? v + 400 : v + 150)) }
        worst = Math.max(worst, most(detector.score(strange)))
        detector.learn(strange, [true, true, true])
      }
      expect(worst).toBeGreaterThan((options.margin ?? 1) * Math.max(...usual.slice(-200)))
      expect(detector.score(rounds[0])).toHaveLength(3)
    })

    it('does without a value that is missing', () => {
      const detector = make()
      const rounds = roundsOf(options.warmUp + 60, 4)
      const holed = rounds.map((r, i) =>
        i % 7 === 3 ? { ...r, values: Float64Array.from([r.values[0], Number.NaN, r.values[2]]) } : r,
      )
      const scores = feed(detector, holed)
      expect(scores.slice(options.warmUp + 5).filter(s => s === Number.POSITIVE_INFINITY)).toEqual([])
      expect(Number.isFinite(most(detector.score(rounds[rounds.length - 1])))).toBe(true)
    })

    it('goes on after a restart as if there had been none', () => {
      const rounds = roundsOf(options.warmUp + 80, 5)
      const one = make()
      feed(one, rounds.slice(0, options.warmUp + 40))
      const two = make()
      two.restore(one.snapshot())
      const rest = rounds.slice(options.warmUp + 40)
      const a = feed(one, rest)
      const b = feed(two, rest)
      a.forEach((score, i) => {
        expect(b[i]).toBeCloseTo(score, 6)
      })
    })

    it('gives the same scores for the same rounds', () => {
      const rounds = roundsOf(options.warmUp + 40, 6)
      expect(feed(make(), rounds)).toEqual(feed(make(), rounds))
    })
  })
}
