import { seededRandom } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { GradientBoosting } from './gradient-boosting.ts'
import { RandomForest } from './random-forest.ts'
import { balancedWeights, TreeEnsemble } from './tree-ensemble.ts'
import { labelledRows, treeModelContract } from './tree-model.contract.ts'
import { explainAgainst, explainTrees } from './tree-shap.ts'

treeModelContract(() => new RandomForest({ trees: 30 }))
treeModelContract(() => RandomForest.decisionTree())
treeModelContract(() => new GradientBoosting({ rounds: 30, rate: 0.3 }))
treeModelContract(() => new GradientBoosting({ rounds: 30, rate: 0.3, grow: 'leaf', rows: 0.8, columns: 0.75 }))
treeModelContract(() => new GradientBoosting({ rounds: 60, loss: 'squared' }))
treeModelContract(() => new GradientBoosting({ rounds: 60, loss: 'huber', grow: 'leaf' }))

/** What a tree is expected to say when only the columns of `known` are known, by its definition. */
const expectedWhen = (t: TreeEnsemble, row: ArrayLike<number>, known: (f: number) => boolean, k: number): number => {
  const at = (node: number): number => {
    const f = t.feature[node]
    if (f < 0) return t.value[node * t.width + (t.width > 1 ? k : 0)]
    const [l, r] = [t.left[node], t.right[node]]
    if (known(f)) return at(t.goesLeft(node, row[f]) ? l : r)
    return (t.cover[l] * at(l) + t.cover[r] * at(r)) / (t.cover[l] + t.cover[r])
  }
  return t.base[k] + t.scale * [...t.roots].reduce((sum, root, i) => (t.width > 1 || t.output[i] === k ? sum + at(root) : sum), 0)
}
/** Shapley values over all subsets. */
const bruteForce = (width: number, value: (known: (f: number) => boolean) => number): number[] => {
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))
  return Array.from({ length: width }, (_, f) => {
    let sum = 0
    for (let set = 0; set < 1 << width; set++) {
      if (set & (1 << f)) continue
      const size = set.toString(2).replaceAll('0', '').length
      const weight = (factorial(size) * factorial(width - size - 1)) / factorial(width)
      sum += weight * (value(g => ((set | (1 << f)) >> g) % 2 === 1) - value(g => (set >> g) % 2 === 1))
    }
    return sum
  })
}

describe('SHAP values are those of the definition', () => {
  const { rows, targets } = labelledRows(200, 4)
  const forest = new RandomForest({ trees: 5, depth: 6 })
  forest.fit(rows, targets)
  const boosted = new GradientBoosting({ rounds: 6, rate: 0.3, depth: 4 })
  boosted.fit(rows, targets)
  for (const [name, trees] of [
    ['forest', forest.trees],
    ['boosting', boosted.trees],
  ] as const) {
    it(`${name}, path-dependent`, () => {
      for (const row of labelledRows(8, 5).rows) {
        const phi = explainTrees(trees, row)
        for (let k = 0; k < 3; k++)
          bruteForce(4, known => expectedWhen(trees, row, known, k)).forEach((x, f) => {
            expect(Math.abs(phi[k * 5 + f] - x)).toBeLessThan(1e-9)
          })
      }
    })
    it(`${name}, interventional`, () => {
      const background = rows.slice(0, 7)
      for (const row of labelledRows(4, 6).rows) {
        const phi = explainAgainst(trees, row, background)
        for (let k = 0; k < 3; k++)
          bruteForce(4, known => {
            const mean = background.map(b => trees.raw(row.map((x, f) => (known(f) ? x : b[f])))[k])
            return mean.reduce((a, b) => a + b) / mean.length
          }).forEach((x, f) => {
            expect(Math.abs(phi[k * 5 + f] - x)).toBeLessThan(1e-9)
          })
      }
    })
  }
})

describe('boosting', () => {
  it('first steps are those worked out by hand: mean, then minus rate * gradient / (rows + penalty)', () => {
    const model = new GradientBoosting({ loss: 'squared', rounds: 1, rate: 0.5, depth: 1, penalty: 1 })
    model.fit([[0], [1], [2], [3]], [0, 0, 4, 4])
    expect(model.predict([0.9])[0]).toBeCloseTo(2 - (0.5 * 4) / 3, 12)
    expect(model.predict([1.6])[0]).toBeCloseTo(2 + (0.5 * 4) / 3, 12)
  })
  it('learns two classes and chances that add up to 1', () => {
    const { rows, targets } = labelledRows(500, 7)
    const model = new GradientBoosting({ rounds: 50 })
    model.fit(
      rows,
      targets.map(y => (y === 0 ? 1 : 0)),
    )
    const fresh = labelledRows(300, 8)
    const right = fresh.rows.filter((r, i) => {
      const p = model.predict(r)
      expect(p[0] + p[1]).toBeCloseTo(1, 12)
      return p[1] > 0.5 === (fresh.targets[i] === 0)
    })
    expect(right.length).toBeGreaterThan(270)
  })
  it('sends missing values where they belong', () => {
    const random = seededRandom(3)
    const rows = Array.from({ length: 300 }, () => [random() < 0.3 ? Number.NaN : random()])
    const targets = rows.map(([x]) => (Number.isNaN(x) || x < 0.3 ? 1 : 0))
    const model = new GradientBoosting({ rounds: 30 })
    model.fit(rows, targets)
    expect(model.predict([Number.NaN])[1]).toBeGreaterThan(0.9)
    expect(model.predict([0.9])[1]).toBeLessThan(0.1)
  })
  it('stops early and keeps the best', () => {
    const { rows, targets } = labelledRows(200, 9)
    const noisy = targets.map((y, i) => (i % 4 === 0 ? (y + 1) % 3 : y))
    const model = new GradientBoosting({ rounds: 400, patience: 20 })
    const fresh = labelledRows(200, 10)
    model.fit(rows, noisy, { validation: { rows: fresh.rows, targets: fresh.targets } })
    expect(model.trees.roots.length).toBeLessThan(3 * 200)
    expect(model.trees.roots.length % 3).toBe(0)
  })
  it('weights make rare classes count', () => {
    const random = seededRandom(11)
    const rows = Array.from({ length: 1000 }, () => [random()])
    const targets = rows.map(([x]) => (x > 0.9 && random() < 0.4 ? 1 : 0))
    const plain = new GradientBoosting({ rounds: 20 })
    plain.fit(rows, targets)
    const fair = new GradientBoosting({ rounds: 20 })
    fair.fit(rows, targets, { weights: balancedWeights(targets) })
    expect(plain.predict([0.95])[1]).toBeLessThan(0.5)
    expect(fair.predict([0.95])[1]).toBeGreaterThan(0.8)
  })
  it('Huber is not moved by a few wild values', () => {
    const random = seededRandom(12)
    const rows = Array.from({ length: 400 }, () => [random()])
    const targets = rows.map(([x], i) => (i % 20 === 0 ? 1000 : x > 0.5 ? 1 : 0))
    const model = new GradientBoosting({ loss: 'huber', huberDelta: 0.5, rounds: 100 })
    model.fit(rows, targets)
    expect(Math.abs(model.predict([0.8])[0] - 1)).toBeLessThan(0.2)
    expect(Math.abs(model.predict([0.2])[0])).toBeLessThan(0.2)
  })
})

describe('saved trees', () => {
  const { rows, targets } = labelledRows(100, 13)
  const boosted = new GradientBoosting({ rounds: 5 })
  boosted.fit(rows, targets)
  it('come back from JSON as they were', () => {
    const again = GradientBoosting.load(JSON.parse(JSON.stringify(boosted.save())))
    const forest = new RandomForest({ trees: 3 })
    forest.fit(rows, targets)
    const same = RandomForest.load(JSON.parse(JSON.stringify(forest.save())))
    for (const row of rows) {
      expect([...again.predict(row)]).toEqual([...boosted.predict(row)])
      expect([...same.predict(row)]).toEqual([...forest.predict(row)])
    }
  })
  it('are refused where numbers are not finite or nodes hang together wrongly', () => {
    const saved = boosted.save().trees
    const bad = (change: object) => () => new TreeEnsemble({ ...saved, ...change })
    expect(bad({ value: saved.value.map((x, i) => (i === 3 ? Number.NaN : x)) })).toThrow(/value holds NaN/)
    expect(bad({ left: saved.left.map((x, i) => (i === 0 ? 0 : x)) })).toThrow(/children/)
    expect(bad({ feature: saved.feature.map((x, i) => (i === 0 ? 99 : x)) })).toThrow(/feature 99/)
    expect(bad({ cover: [] })).toThrow(/cover/)
  })
})
