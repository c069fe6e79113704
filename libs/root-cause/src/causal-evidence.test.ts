import { seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { causalEvidence } from './causal-evidence.ts'

/** A chain front → middle → back: each series follows the one below it; the fault shifts one of them for the last rows. */
const chain = (at: string | undefined, shift = 4, before = 60, after = 12) => {
  const random = seededRandom(5)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const rows = Array.from({ length: before + after }, (_, i) => {
    const hit = (entity: string) => (entity === at && i >= before ? shift : 0)
    const back = normal() + hit('back')
    const middle = back + 0.5 * normal() + hit('middle')
    return { back, middle, front: middle + 0.5 * normal() + hit('front'), aside: normal() + hit('aside') }
  })
  const series = (['front', 'middle', 'back', 'aside'] as const).map(entity => ({
    entity,
    metric: 'load',
    before: rows.slice(0, before).map(r => r[entity]),
    after: rows.slice(before).map(r => r[entity]),
  }))
  return { entities: ['front', 'middle', 'back', 'aside'], edges: [], series }
}
const ranked = (c: Parameters<typeof causalEvidence>[0]) =>
  causalEvidence(c)
    .sort((a, b) => b.strength - a.strength)
    .map(f => f.entity)

describe('causalEvidence', () => {
  it.each(['back', 'middle', 'front', 'aside'])('finds the fault at %s though all above it move as well', at =>
    expect(ranked(chain(at))[0]).toBe(at),
  )
  it('lets what follows from others go', () => {
    const found = causalEvidence(chain('back', 6, 200, 60))
    const strength = (entity: string) => found.find(f => f.entity === entity)?.strength ?? 0
    expect(strength('back')).toBeGreaterThan(strength('front'))
  })
  it('says next to nothing where nothing happened, and nothing of too few rows, gaps or flat series', () => {
    for (const f of causalEvidence(chain(undefined))) expect(f.strength).toBeLessThan(2)
    expect(causalEvidence(chain('back', 4, 60, 2))).toEqual([])
    const flat = {
      ...chain('back'),
      series: [{ entity: 'a', metric: 'm', before: new Array(60).fill(1), after: new Array(12).fill(1) }],
    }
    const gaps = { ...flat, series: [{ ...flat.series[0], before: new Array(60).fill(Number.NaN) }] }
    expect([...causalEvidence(flat), ...causalEvidence(gaps)]).toEqual([])
  })
  it('does not change what it reads, and says the same of shuffled series', () => {
    const c = chain('middle')
    const copy = structuredClone(c)
    const found = causalEvidence(c)
    expect(c).toEqual(copy)
    const shuffled = causalEvidence({ ...c, series: [...c.series].reverse() })
    expect(shuffled.map(f => [f.entity, f.strength.toFixed(9)])).toEqual(found.map(f => [f.entity, f.strength.toFixed(9)]))
  })
})
