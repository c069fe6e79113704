/** What every tree model must keep to. Called once per implementation. */
import { seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import type { TreeModel } from './tree-ensemble.ts'

/** Three classes by rings and sides, one column of noise, some values missing. */
export function labelledRows(count: number, seed: number): { rows: Float64Array[]; targets: number[] } {
  const random = seededRandom(seed)
  const rows = Array.from({ length: count }, () =>
    Float64Array.from({ length: 4 }, () => Math.round((random() * 2 - 1) * 1000) / 1000),
  )
  const targets = rows.map(([a, b]) => (a * a + b * b < 0.4 ? 0 : a > 0 ? 1 : 2))
  for (const row of rows) if (random() < 0.05) row[2] = Number.NaN
  return { rows, targets }
}

export function treeModelContract(make: () => TreeModel): void {
  describe(`${make().name} keeps to the contract of tree models`, () => {
    const { rows, targets } = labelledRows(600, 1)
    const fitted = () => {
      const model = make()
      model.fit(rows, targets)
      return model
    }
    it('learns, and answers alike however often it is asked', () => {
      const [one, two] = [fitted(), fitted()]
      const fresh = labelledRows(200, 2)
      for (const row of fresh.rows) two.explain(row)
      expect(fresh.rows.map(r => [...two.predict(r)])).toEqual(fresh.rows.map(r => [...one.predict(r)]))
      const off = fresh.rows.map((r, i) => {
        const p = one.predict(r)
        return p.length === 1 ? Math.abs(p[0] - fresh.targets[i]) : 1 - p[fresh.targets[i]]
      })
      expect(off.reduce((a, b) => a + b) / off.length).toBeLessThan(0.25)
    })
    it('explains: values add up to the answer', () => {
      const model = fitted()
      for (const row of labelledRows(20, 3).rows) {
        const [phi, raw] = [model.explain(row), model.raw(row)]
        const stride = phi.length / raw.length
        raw.forEach((x, k) => {
          expect(phi.slice(k * stride, (k + 1) * stride).reduce((a, b) => a + b)).toBeCloseTo(x, 9)
        })
      }
    })
    it('leaves rows as they are, and stays finite where all is alike, one row, or missing', () => {
      const before = rows.map(r => [...r])
      fitted()
      expect(rows.map(r => [...r])).toEqual(before)
      const gone = new Float64Array(4).fill(Number.NaN)
      for (const few of [
        [new Float64Array(4)],
        Array.from({ length: 9 }, () => Float64Array.of(1, 1, 1, 1)),
        [gone, gone, gone],
      ]) {
        const model = make()
        model.fit(
          few,
          few.map((_, i) => i % 3),
        )
        for (const row of [few[0], rows[0], gone]) for (const x of model.predict(row)) expect(Number.isFinite(x)).toBe(true)
      }
    })
    it('says so when asked before it learned', () => {
      expect(() => make().predict(rows[0])).toThrow(/before it learned/)
    })
  })
}
