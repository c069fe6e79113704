import { seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { alertHolds } from './alert-holds.ts'
import { fuseEvidence } from './fuse-evidence.ts'

const random = seededRandom(1)
const before = Array.from({ length: 200 }, () => 100 + 10 * random())
const series = (after: readonly number[], metric = 'latency_p90') => [{ entity: 'shop', metric, before, after }]
const alert = { entity: 'shop', metric: 'latency_p90' }
describe('alertHolds', () => {
  it('is true of one bad row in the window, and false of a window like those before', () => {
    expect(alertHolds(series([104, 105, 180, 104]), alert)).toBe(true)
    expect(alertHolds(series([104, 101, 106, 103]), alert)).toBe(false)
    expect(alertHolds(series([104, 180, 104, 104]), { entity: 'shop', metric: 'shop__latency_p90' })).toBe(true)
  })
  it('looks the bad way only: a success rate that falls, not one that rises', () => {
    const up = { entity: 'shop', metric: 'success_rate' }
    expect(alertHolds(series([104, 60, 104], 'success_rate'), up)).toBe(true)
    expect(alertHolds(series([104, 180, 104], 'success_rate'), up)).toBe(false)
  })
  it('cannot tell without the series, a direction or a history', () => {
    expect(alertHolds([], alert)).toBeUndefined()
    expect(alertHolds(series([1, 2], 'requests'), { entity: 'shop', metric: 'requests' })).toBeUndefined()
    expect(
      alertHolds([{ entity: 'shop', metric: 'latency_p90', before: before.slice(0, 50), after: [180] }], alert),
    ).toBeUndefined()
  })
  it('leaves a window alone in which only somebody else moved', () => {
    const moved = { entity: 'store', metric: 'latency_p90', before, after: [400, 410, 420, 400] }
    const at = (after: readonly number[]) =>
      fuseEvidence({ entities: ['shop', 'store'], edges: [['shop', 'store']], series: [...series(after), moved] }, { alert })
    expect(at([400, 410, 420, 400])).toMatchObject({ incident: true, suspects: [{ entity: 'store' }, {}] })
    expect(at([104, 101, 106, 103]).incident).toBe(false)
  })
})
