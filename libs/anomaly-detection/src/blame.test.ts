import { normal, seededRandom } from '@aegis/learning/random'
import { expect, it } from 'vitest'
import { makeDetector } from './make-detector.ts'

const METRICS = 12
const random = seededRandom(11)
/** A day of rows in which all metrics follow one load, each with its own noise. */
function rowsOf(count: number, from: number): Float64Array {
  const values = new Float64Array(count * METRICS)
  for (let i = 0; i < count; i++) {
    const load = Math.sin((from + i) / 60)
    for (let j = 0; j < METRICS; j++) values[i * METRICS + j] = load + 0.1 * (1 + j / 4) * normal(random)
  }
  return values
}
/** Metrics in order of guilt in the second row of what is added to normal rows. */
function named(detector: ReturnType<typeof makeDetector>, from: number, added: readonly ReadonlyMap<number, number>[]): number[] {
  const values = rowsOf(added.length, from)
  const guilt = new Float64Array(METRICS)
  added.forEach((extra, i) => {
    const row = values.subarray(i * METRICS, (i + 1) * METRICS)
    for (const [j, size] of extra) row[j] += size
    detector.score(row, guilt)
    detector.push(row)
  })
  return Array.from(guilt.keys()).sort((a, b) => guilt[b] - guilt[a])
}

it('names what joins a row later, what went back a row later, and not what was strange before', () => {
  const detector = makeDetector('ensemble')
  detector.fit({ count: 3000, metrics: METRICS, values: rowsOf(3000, 0) })
  const calm = new Map<number, number>()
  named(detector, 3000, Array(40).fill(calm))
  const first = named(detector, 3040, [new Map([[3, 3]]), new Map([[7, 3]])])
  expect(new Set(first.slice(0, 2))).toEqual(new Set([3, 7]))
  named(detector, 3042, Array(40).fill(calm))
  const second = named(detector, 3082, [new Map([[10, 4]]), new Map([[1, 4]])])
  expect(new Set(second.slice(0, 2))).toEqual(new Set([10, 1]))
})

it('scores with models published before there was blame', () => {
  const detector = makeDetector('ensemble')
  detector.fit({ count: 2000, metrics: METRICS, values: rowsOf(2000, 0) })
  const { blame: _blame, ...older } = detector.save()
  const again = makeDetector('ensemble')
  again.load(older as ReturnType<typeof detector.save>)
  expect(named(again, 2000, [new Map(), new Map([[5, 4]])])[0]).toBe(5)
})
