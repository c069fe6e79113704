/** What every model of an entity's rows must keep to. Called once per implementation. */
import { normal, seededRandom } from '@aegis/learning/random'
import { describe, expect, it } from 'vitest'
import { type RowModel, type Rows, rowOf } from './row-model.ts'

export interface RowModelPromises {
  /** Least ratio of the score of a gross anomaly to the largest of normal rows. Default 1. */
  readonly margin?: number
}
const METRICS = 3
const LEARNED = 300

/** A wave, the same wave late and noisy, and a level, each standardised: rows that belong together. */
function rowsOf(count: number, seed: number): Rows {
  const random = seededRandom(seed)
  const values = new Float64Array(count * METRICS)
  for (let i = 0; i < count; i++)
    values.set(
      [1.4 * Math.sin(i / 12) + 0.1 * normal(random), 1.3 * Math.sin((i - 3) / 12) + 0.2 * normal(random), normal(random)],
      i * METRICS,
    )
  return { count, metrics: METRICS, values }
}
const part = (rows: Rows, from: number, to = rows.count): Rows => ({
  ...rows,
  count: to - from,
  values: rows.values.slice(from * METRICS, to * METRICS),
})

export function rowModelContract(name: string, make: () => RowModel, promises: RowModelPromises = {}): void {
  describe(`${name} keeps to the contract of row models`, () => {
    const learned = (rows: Rows) => {
      const model = make()
      model.fit(part(rows, 0, LEARNED))
      return model
    }
    const feed = (model: RowModel, rows: Rows) =>
      Array.from({ length: rows.count }, (_, i) => {
        const score = model.score(rowOf(rows, i), new Float64Array(METRICS))
        model.push(rowOf(rows, i))
        return score
      })

    it('changes nothing by scoring', () => {
      const rows = rowsOf(LEARNED + 40, 2)
      const model = learned(rows)
      feed(model, part(rows, LEARNED, LEARNED + 30))
      const last = rowOf(rows, LEARNED + 30)
      const first = model.score(last, new Float64Array(METRICS))
      for (let i = 0; i < 5; i++) model.score(rowOf(rows, i), new Float64Array(METRICS))
      expect(model.score(last, new Float64Array(METRICS))).toBe(first)
    })

    it('scores a gross anomaly higher than anything normal, blames what moved, and goes on', () => {
      const rows = rowsOf(LEARNED + 300, 3)
      const model = learned(rows)
      const usual = Math.max(...feed(model, part(rows, LEARNED, LEARNED + 290)).slice(40))
      let worst = 0
      const blamed = new Float64Array(METRICS)
      for (let i = LEARNED + 290; i < rows.count; i++) {
        const strange = rowOf(rows, i).map((v, j) => (j === 2 ? v + 80 : v))
        const guilt = new Float64Array(METRICS)
        worst = Math.max(worst, model.score(strange, guilt))
        guilt.forEach((g, j) => {
          blamed[j] += g
        })
        model.push(strange)
      }
      expect(worst).toBeGreaterThan((promises.margin ?? 1) * usual)
      expect(blamed.indexOf(Math.max(...blamed))).toBe(2)
      expect(Number.isFinite(model.score(rowOf(rows, 0), new Float64Array(METRICS)))).toBe(true)
    })

    it('goes on after a restart as if there had been none', () => {
      const rows = rowsOf(LEARNED + 80, 5)
      const one = learned(rows)
      feed(one, part(rows, LEARNED, LEARNED + 40))
      const two = make()
      two.load(JSON.parse(JSON.stringify(one.save())))
      const rest = part(rows, LEARNED + 40)
      const scores = feed(two, rest)
      feed(one, rest).forEach((score, i) => {
        expect(scores[i]).toBeCloseTo(score, 6)
      })
    })

    it('gives the same scores for the same rows, and leaves them as they are', () => {
      const rows = rowsOf(LEARNED + 40, 6)
      const before = rows.values.slice()
      expect(feed(learned(rows), part(rows, LEARNED))).toEqual(feed(learned(rows), part(rows, LEARNED)))
      expect(rows.values).toEqual(before)
    })
  })
}
