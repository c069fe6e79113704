/** What every outlier model must keep to. Called once per implementation. */
import { seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import type { OutlierModel } from './outlier-model.ts'

const WIDTH = 12

/** Two habits: rows of length 1 around either of two directions. */
export function ordinaryRows(count: number, seed: number): Float64Array[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const row = Float64Array.from({ length: WIDTH }, (_, j) => (j < 3 || (i % 2 === 1 && j < 6) ? 1 + 0.1 * random() : 0))
    const length = Math.hypot(...row)
    return row.map(x => x / length)
  })
}
const unit = (slot: number): Float64Array => Float64Array.from({ length: WIDTH }, (_, j) => (j === slot ? 1 : 0))

export function outlierModelContract(make: () => OutlierModel): void {
  describe(`${make().name} keeps to the contract of outlier models`, () => {
    const fitted = () => {
      const model = make()
      model.fit(ordinaryRows(64, 1))
      return model
    }

    it('scores strange rows above all ordinary ones it has not seen', () => {
      const model = fitted()
      const ordinary = ordinaryRows(100, 2).map(row => model.score(row))
      for (const slot of [7, 11]) expect(model.score(unit(slot))).toBeGreaterThan(Math.max(...ordinary))
    })
    it('scoring changes nothing, and the same rows give the same model', () => {
      const [one, two] = [fitted(), fitted()]
      const rows = ordinaryRows(20, 3)
      for (const row of rows) two.score(row)
      expect(rows.map(row => two.score(row))).toEqual(rows.map(row => one.score(row)))
    })
    it('leaves its inputs as they are', () => {
      const rows = ordinaryRows(30, 4)
      const before = rows.map(row => [...row])
      const model = make()
      model.fit(rows)
      for (const row of rows) model.score(row)
      expect(rows.map(row => [...row])).toEqual(before)
    })
    it('stays finite on rows that are all alike, all zero, or few', () => {
      for (const rows of [
        Array.from({ length: 20 }, () => unit(1)),
        [new Float64Array(WIDTH), new Float64Array(WIDTH)],
        [unit(2)],
      ]) {
        const model = make()
        model.fit(rows)
        for (const row of [unit(1), unit(5), new Float64Array(WIDTH)]) expect(Number.isFinite(model.score(row))).toBe(true)
      }
    })
  })
}
