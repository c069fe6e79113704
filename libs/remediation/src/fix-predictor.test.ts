import { seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { predictSuccess, type TriedFix } from './fix-predictor.ts'

const KINDS = ['memory', 'cpu', 'pool', 'disk']
/** A restart helps against memory nine times in ten, against the rest one time in five; the other traits tell nothing. */
const chanceOf = (kind: string) => (kind === 'memory' ? 0.9 : 0.2)
function tries(n: number, seed: number): TriedFix[] {
  const random = seededRandom(seed)
  return Array.from({ length: n }, () => {
    const kind = KINDS[Math.floor(random() * KINDS.length)]
    const noise = Math.floor(random() * 6)
    const signature = { [`fault ${kind}`]: 4, [`metric m${noise}`]: 1.5, 'spread wide': 0.5 }
    return { signature, success: random() < chanceOf(kind) }
  })
}
const situation = (kind: string) => ({ [`fault ${kind}`]: 4, 'metric m1': 1.5, 'spread wide': 0.5 })

describe('predictSuccess', () => {
  it('says nothing of what was tried too seldom, or always ended alike', () => {
    const once = { signature: situation('memory'), success: true }
    const failed = { ...once, success: false }
    expect(predictSuccess(situation('memory'), [])).toBeUndefined()
    expect(predictSuccess(situation('memory'), Array(9).fill(once))).toBeUndefined()
    expect(predictSuccess(situation('memory'), Array(50).fill(once))).toBeUndefined()
    expect(predictSuccess(situation('memory'), [...Array(50).fill(once), failed, failed])).toBeUndefined()
    expect(predictSuccess(situation('memory'), [...Array(7).fill(once), failed, failed, failed])).toBeCloseTo(0.7, 3)
  })
  it('tells situations apart by the traits that matter', () => {
    const of = (kind: string) => predictSuccess(situation(kind), tries(200, 3)) as number
    expect(of('memory')).toBeGreaterThan(0.75)
    for (const kind of ['cpu', 'pool', 'disk']) expect(of(kind)).toBeLessThan(0.4)
  })
  it('is nearer the truth on new situations than the plain share that helped, even of few tries', () => {
    for (const n of [20, 40, 100]) {
      let [model, plain] = [0, 0]
      for (let seed = 0; seed < 60; seed++) {
        const known = tries(n, 100 + seed)
        const share = known.filter(t => t.success).length / n
        for (const kind of KINDS) {
          const said = predictSuccess(situation(kind), known)
          if (said === undefined) continue
          model += (said - chanceOf(kind)) ** 2
          plain += (share - chanceOf(kind)) ** 2
        }
      }
      expect(model).toBeLessThan(0.7 * plain)
    }
  })
  it('stays between 0 and 1 where a trait divides all tries', () => {
    const known = [
      ...Array<TriedFix>(20).fill({ signature: { a: 1 }, success: true }),
      ...Array<TriedFix>(20).fill({ signature: { b: 1 }, success: false }),
    ]
    const [a, b, neither] = [{ a: 1 }, { b: 1 }, {}].map(s => predictSuccess(s as never, known) as number)
    expect(a).toBeGreaterThan(0.8)
    expect(b).toBeLessThan(0.2)
    expect(neither).toBeGreaterThan(b)
    expect(neither).toBeLessThan(a)
  })
})
