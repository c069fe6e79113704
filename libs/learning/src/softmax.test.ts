import { seededRandom } from '@aegis/domain'
import { expect, it } from 'vitest'
import { type Labelled, Softmax } from './softmax.ts'

const labels = ['memory', 'network', 'storage', 'timeout', 'other']
/** Vectors around one direction per label, beside columns that say nothing and one that is large. */
const rows = (count: number, width: number, seed: number): Labelled<string>[] => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const label = labels[i % labels.length]
    const vector = Float32Array.from({ length: width }, (_, j) => (j === 0 ? 1000 : 0.5 * (random() - 0.5)))
    vector[1 + (i % labels.length)] += 1
    return { vector, label }
  })
}
const best = (chances: Float64Array) => labels[chances.indexOf(Math.max(...chances))]

it.each([16, 64])('tells classes apart by %i columns, the same way each time', width => {
  const head = Softmax.train(labels, rows(300, width, 1))
  const seen = rows(100, width, 2)
  const right = seen.filter(({ vector, label }) => best(head.chances(vector)) === label).length
  expect(right).toBeGreaterThanOrEqual(90)
  const [first] = seen
  const chances = head.chances((first as Labelled<string>).vector)
  expect(chances.reduce((a, b) => a + b)).toBeCloseTo(1)
  expect(Softmax.train(labels, rows(300, width, 1)).chances((first as Labelled<string>).vector)).toEqual(chances)
})
