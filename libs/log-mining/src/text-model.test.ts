import { labelledLines } from '@aegis/lab/evaluation/labelled-lines'
import { describe, expect, it } from 'vitest'
import { categories, ruleClassifier, type SyncClassifier } from './categories.ts'
import { categoryLines, categoryTerms } from './category-lines.ts'
import { categoryWeights } from './category-weights.ts'
import { lineClassifier } from './line-classifier.ts'
import { firstOf, LEAST_CHANCE, TextModel, trainTextModel } from './text-model.ts'

const FOLDS = 5
/** Precision and recall of all categories but `other`. */
const measure = (lines: readonly (readonly [string, string])[], classify: (text: string, i: number) => string) => {
  let [right, found, expected] = [0, 0, 0]
  for (const [i, [text, category]] of lines.entries()) {
    const said = classify(text, i)
    if (said !== 'other') found++
    if (category !== 'other') expected++
    if (said === category && said !== 'other') right++
  }
  return { precision: right / found, recall: right / expected }
}

describe('text model', () => {
  const folds = Array.from(
    { length: FOLDS },
    (_, fold) =>
      new TextModel(trainTextModel([...categoryTerms, ...categoryLines.filter((_, i) => i % FOLDS !== fold)]), LEAST_CHANCE),
  )
  it('helps the rules on lines it was not trained on: more found, no more wrong', () => {
    const rules = measure(categoryLines, text => ruleClassifier.classify(text))
    const both = measure(categoryLines, (text, i) => firstOf(ruleClassifier, folds[i % FOLDS] as SyncClassifier).classify(text))
    expect(both.recall).toBeGreaterThan(rules.recall + 0.3)
    expect(both.precision).toBeGreaterThanOrEqual(rules.precision)
  })
  it('leaves what the rules say of the labelled sample', () => {
    const { precision, recall } = measure(
      labelledLines.map(([text, , category]) => [text, category]),
      text => lineClassifier.classify(text),
    )
    expect(precision).toBeGreaterThanOrEqual(0.95)
    expect(recall).toBeGreaterThanOrEqual(0.95)
  })
  it('has the weights that its lines give', () => {
    expect(trainTextModel([...categoryTerms, ...categoryLines])).toEqual(categoryWeights)
  })
  it('gives a category for any text, and refuses weights that do not fit', () => {
    for (const text of ['', '\u0000', 'x'.repeat(1e6), '日本語']) expect(categories).toContain(lineClassifier.classify(text))
    expect(() => new TextModel({ ...categoryWeights, buckets: 17 })).toThrow('train it again')
  })
})
