import { seededRandom } from '@aegis/domain'
import { expect, it } from 'vitest'
import { type Category, categories } from './categories.ts'
import { type Labelled, SoftmaxHead } from './softmax-head.ts'
import { TransformerClassifier } from './transformer-classifier.ts'

/** Vectors around one direction per category, beside columns that say nothing and one that is large. */
const rows = (count: number, width: number, seed: number): Labelled[] => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const category = categories[i % categories.length] as Category
    const vector = Float32Array.from({ length: width }, (_, j) => (j === 0 ? 1000 : 0.5 * (random() - 0.5)))
    vector[1 + (i % categories.length)] += 1
    return { vector, category }
  })
}
const best = (chances: Float64Array) => categories[chances.indexOf(Math.max(...chances))]

it.each([16, 64])('tells classes apart by %i columns, the same way each time', width => {
  const head = SoftmaxHead.train(rows(300, width, 1))
  const seen = rows(100, width, 2)
  const right = seen.filter(({ vector, category }) => best(head.chances(vector)) === category).length
  expect(right).toBeGreaterThanOrEqual(90)
  const [first] = seen
  const chances = head.chances((first as Labelled).vector)
  expect(chances.reduce((a, b) => a + b)).toBeCloseTo(1)
  expect(SoftmaxHead.train(rows(300, width, 1)).chances((first as Labelled).vector)).toEqual(chances)
})

it('names the package and the command where it is not installed', async () => {
  await expect(TransformerClassifier.load({ model: '/nowhere', from: '/nowhere/package.json' })).rejects.toThrow(
    /needs the package @huggingface\/transformers, which is not installed \(470 MB\): npm install --no-save --ignore-scripts @huggingface\/transformers@\d/,
  )
})
