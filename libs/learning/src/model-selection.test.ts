import { seededRandom } from '@aegis/domain'
import { expect, it } from 'vitest'
import { fitIsotonic, fitIsotonicClasses, fitTemperature, isotonicAt, isotonicChances, temper } from './calibration.ts'
import { accuracy, argmax, calibrationError, macroF1 } from './classification-scores.ts'
import { crossValidate, eliminateColumns, gridOf, gridSearch } from './model-selection.ts'
import { RandomForest } from './random-forest.ts'
import { groupFolds, holdOut, stratifiedFolds, timeFolds } from './row-splits.ts'
import { smote } from './smote.ts'
import { labelledRows } from './tree-model.contract.ts'

const targets = Array.from({ length: 100 }, (_, i) => (i % 10 === 0 ? 1 : 0))

it('stratified folds deal out each class', () => {
  const folds = stratifiedFolds(targets, 5)
  expect(folds.flatMap(f => f.test).sort((a, b) => a - b)).toEqual(targets.map((_, i) => i))
  for (const { train, test } of folds) {
    expect(test.filter(i => targets[i] === 1)).toHaveLength(2)
    expect(train.some(i => test.includes(i))).toBe(false)
  }
})
it('grouped folds keep groups together, time folds never look ahead, parts of 70/15/15 are whole', () => {
  const groups = targets.map((_, i) => `g${i % 7}`)
  for (const { train, test } of groupFolds(groups, 3))
    expect(test.some(i => train.some(j => groups[i] === groups[j]))).toBe(false)
  const times = targets.map((_, i) => (i * 37) % 101)
  for (const { train, test } of timeFolds(times, 5))
    expect(Math.max(...train.map(i => times[i]))).toBeLessThan(Math.min(...test.map(i => times[i])))
  const parts = holdOut(targets, [0.7, 0.15, 0.15])
  expect(parts.map(p => p.length)).toEqual([70, 16, 14])
  expect(parts.flat().sort((a, b) => a - b)).toEqual(targets.map((_, i) => i))
})
it('SMOTE makes classes alike with rows that lie between rows of the class', () => {
  const rows = targets.map((y, i) => Float64Array.of(y * 10 + (i % 7) / 7, i % 3))
  const made = smote(rows, targets)
  expect(made.targets.filter(y => y === 1)).toHaveLength(90)
  for (const row of made.rows.slice(100)) {
    expect(row[0]).toBeGreaterThanOrEqual(10)
    expect(row[0]).toBeLessThanOrEqual(11)
  }
})
it('temperature takes back what was said too surely', () => {
  const random = seededRandom(5)
  const chances = Array.from({ length: 2000 }, () => (random() < 0.5 ? [0.99, 0.01] : [0.01, 0.99]))
  const truth = chances.map(p => (random() < 0.7 ? argmax(p) : 1 - argmax(p)))
  const t = fitTemperature(chances, truth)
  expect(t).toBeGreaterThan(3)
  expect(temper(chances[0], t)[argmax(chances[0])]).toBeCloseTo(0.7, 1)
})
it('isotonic lines: figures of scikit-learn 1.9.1', () => {
  // IsotonicRegression(out_of_bounds='clip').fit([1,2,3,4,5,6],[1,3,2,4,3,6]).predict([0,1.5,2.5,3.5,4.5,9])
  const line = fitIsotonic([1, 2, 3, 4, 5, 6], [1, 3, 2, 4, 3, 6])
  const said = [0, 1.5, 2.5, 3.5, 4.5, 9].map(x => isotonicAt(line, x))
  ;[1, 1.75, 2.5, 3, 3.5, 6].forEach((x, i) => {
    expect(said[i]).toBeCloseTo(x, 9)
  })
  const lines = fitIsotonicClasses(
    [
      [0.9, 0.1],
      [0.8, 0.2],
      [0.3, 0.7],
      [0.2, 0.8],
    ],
    [0, 1, 1, 1],
  )
  expect([...isotonicChances(lines, [0.9, 0.1])]).toEqual([1, 0])
})
it('scores: figures of scikit-learn 1.9.1', () => {
  // f1_score([0,1,2,2,1,0],[0,2,2,1,1,0], average='macro'), accuracy_score
  const [truth, guess] = [
    [0, 1, 2, 2, 1, 0],
    [0, 2, 2, 1, 1, 0],
  ]
  expect(macroF1(truth, guess)).toBeCloseTo(2 / 3, 12)
  expect(accuracy(truth, guess)).toBeCloseTo(2 / 3, 12)
  expect(calibrationError([0.95, 0.95, 0.55], [1, 1, 0])).toBeCloseTo((0.1 + 0.55) / 3, 12)
})
it('grid search takes the best, elimination keeps the columns that tell', () => {
  const { rows, targets } = labelledRows(300, 1)
  const folds = stratifiedFolds(targets, 3)
  const score = (truth: ArrayLike<number>, answers: readonly Float64Array[]) => accuracy(truth, answers.map(argmax))
  const settings = gridOf({ depth: [1, 8], trees: [5] })
  expect(settings).toEqual([
    { depth: 1, trees: 5 },
    { depth: 8, trees: 5 },
  ])
  const { best } = gridSearch(settings, s => crossValidate(() => new RandomForest(s), rows, targets, folds, score))
  expect(best.depth).toBe(8)
  expect(eliminateColumns(() => new RandomForest({ trees: 10 }), rows, targets, 2)).toEqual([0, 1])
})
