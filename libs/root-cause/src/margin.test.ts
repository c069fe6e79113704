import { seededRandom } from '@aegis/domain'
import { simulateCase } from '@aegis/lab/root-cause/simulate-cases'
import { calibrateOnSimulated } from '@aegis/lab/root-cause/train-ranker'
import { describe, expect, it } from 'vitest'
import { fuseEvidence } from './fuse-evidence.ts'
import { fusedWeights } from './fused-weights.ts'
import type { Suspect } from './margin.ts'
import { marginOf } from './margin.ts'
import { confidenceOf } from './recalibrate.ts'

const suspect = (entity: string, score: number, parts: Record<string, number>): Suspect => ({
  entity,
  score,
  probability: 0,
  findings: [],
  all: [],
  parts,
})
const all = () => true
describe('marginOf', () => {
  it('is the gap as a share of the first score', () => {
    expect(marginOf([], all)).toBe(0)
    expect(marginOf([suspect('a', 4, { cpu: 4 })], all)).toBe(1)
    expect(marginOf([suspect('a', 4, { cpu: 4 }), suspect('b', 3, { cpu: 3 })], all)).toBeCloseTo(0.25)
    expect(marginOf([suspect('a', 4, { cpu: 4 }), suspect('b', -2, {})], all)).toBe(1)
  })
  it('is halved by a source that puts somebody else first, if it is evidence', () => {
    const two = [suspect('a', 4, { cpu: 4 }), suspect('b', 3, { log_new: 1, in_reach: 2 })]
    expect(marginOf(two, all)).toBeCloseTo(0.25 / 2)
    expect(marginOf(two, part => part === 'cpu')).toBeCloseTo(0.25)
  })
})
describe('calibrateOnSimulated', () => {
  it('says what simulated incidents it was not drawn from bear out', () => {
    const curve = calibrateOnSimulated(fusedWeights.weights, { cases: 120, seed: 300 })
    let said = 0
    let right = 0
    let count = 0
    for (let seed = 0; seed < 80; seed++) {
      const s = simulateCase(seededRandom(5_000_000 + seed), { entities: 25 })
      if (!s.felt || s.fault === 'crash') continue
      const { margin, suspects } = fuseEvidence(s.evidence, { alert: s.alert })
      said += confidenceOf(margin, curve)
      if (suspects[0].entity === s.cause) right++
      count++
    }
    expect(Math.abs(said - right) / count).toBeLessThan(0.15)
    expect(curve.slope).toBeGreaterThan(1)
  }, 120_000)
})
