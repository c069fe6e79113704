/** How well causes can be learned from an organisation's own labelled changes, and by which way: nothing is kept, the figures are for people. */
import { fitIsotonicClasses, isotonicChances } from '@aegis/learning/calibration'
import { accuracy, argmax, calibrationError, macroF1 } from '@aegis/learning/classification-scores'
import { GradientBoosting } from '@aegis/learning/gradient-boosting'
import { crossValidate, eliminateColumns, gridOf, gridSearch } from '@aegis/learning/model-selection'
import { type Fold, groupFolds, holdOut, stratifiedFolds, timeFolds } from '@aegis/learning/row-splits'
import { smote } from '@aegis/learning/smote'
import { balancedWeights, type FitOptions, type TreeModel } from '@aegis/learning/tree-ensemble'
import { causesByRule } from './cause-rules.ts'
import { CAUSES, type Cause } from './causes.ts'
import { ChangeLearner, type ReadChange } from './learn-causes.ts'

export interface StudyLine {
  readonly way: string
  readonly accuracy: number
  readonly macroF1: number
  readonly calibrationError: number
}

/** Boosting on rows that were made even by SMOTE. */
class Evened implements TreeModel {
  readonly name = 'boosting on evened classes'
  readonly #inner: GradientBoosting
  constructor(inner: GradientBoosting) {
    this.#inner = inner
  }
  fit(rows: readonly ArrayLike<number>[], targets: ArrayLike<number>, options?: FitOptions): void {
    const even = smote(
      rows.map(r => Float64Array.from(r)),
      targets,
    )
    this.#inner.fit(even.rows, even.targets, options)
  }
  predict = (row: ArrayLike<number>) => this.#inner.predict(row)
  explain = (row: ArrayLike<number>) => this.#inner.explain(row)
  raw = (row: ArrayLike<number>) => this.#inner.raw(row)
}

/** Changes in order of time are not needed; a label for each. At least ten changes. */
export function studyCauses(
  changes: readonly ReadChange[],
  labels: readonly Cause[],
  say: (what: string) => void = () => {},
  rounds = 120,
): StudyLine[] {
  const targets = labels.map(l => CAUSES.indexOf(l))
  const lines: StudyLine[] = []
  const judge = (way: string, folds: readonly Fold[], answer: (fold: Fold) => (i: number) => ArrayLike<number>) => {
    say(way)
    const [truth, guess, sure]: [number[], number[], number[]] = [[], [], []]
    for (const fold of folds) {
      const chances = answer(fold)
      for (const i of fold.test) {
        const p = chances(i)
        truth.push(targets[i])
        guess.push(argmax(p))
        sure.push(p[argmax(p)])
      }
    }
    const right = truth.map((y, i) => (y === guess[i] ? 1 : 0))
    lines.push({
      way,
      accuracy: accuracy(truth, guess),
      macroF1: macroF1(truth, guess),
      calibrationError: calibrationError(sure, right),
    })
  }
  const vote = (fold: Fold) => {
    const learner = new ChangeLearner({ classes: CAUSES.length, prior: r => causesByRule(r.values), rounds })
    learner.fit(
      fold.train.map(i => changes[i]),
      fold.train.map(i => targets[i]),
    )
    return (i: number) => learner.predict(changes[i])
  }
  const stratified = stratifiedFolds(targets, 5)
  judge('rules, nothing learned', stratified, () => i => causesByRule(changes[i].reading.values))
  judge('soft vote, stratified folds', stratified, vote)
  judge(
    'soft vote, the past teaches',
    timeFolds(
      changes.map(c => Date.parse(c.change.time)),
      4,
    ),
    vote,
  )
  const repos = new Set(changes.map(c => c.change.repo)).size
  if (repos > 1)
    judge(
      'soft vote, other repositories teach',
      groupFolds(
        changes.map(c => c.change.repo),
        Math.min(5, repos),
      ),
      vote,
    )
  // Beside the vote: boosting alone, with settings, columns and calibration chosen on 70 %, stopped on 15 %, judged on 15 %.
  const rows = changes.map(c => Float64Array.from(Object.values(c.reading.values)))
  const [train, stop, test] = holdOut(targets, [0.7, 0.15, 0.15])
  const of = <T>(list: readonly T[], numbers: readonly number[]) => numbers.map(i => list[i])
  const score = (truth: ArrayLike<number>, answers: readonly Float64Array[]) => macroF1(truth, answers.map(argmax))
  const classes = CAUSES.length
  const inner = stratifiedFolds(of(targets, train), 3)
  const { best } = gridSearch(gridOf({ depth: [3, 5], columns: [0.4, 0.8], even: [false, true] }), ({ even, ...settings }) => {
    const make = () => new GradientBoosting({ classes, rounds: Math.ceil(rounds / 3), rate: 0.15, rows: 0.8, ...settings })
    return crossValidate(() => (even ? new Evened(make()) : make()), of(rows, train), of(targets, train), inner, score)
  })
  say(`settings ${JSON.stringify(best)}`)
  const columns = eliminateColumns(
    () => new GradientBoosting({ classes, rounds: Math.ceil(rounds / 8), rate: 0.3, depth: best.depth, columns: best.columns }),
    of(rows, train),
    of(targets, train),
    Math.min(60, rows[0].length),
    0.4,
  )
  const narrow = rows.map(r => Float64Array.from(columns, c => r[c]))
  const model = new GradientBoosting({
    classes,
    rounds: 4 * rounds,
    rate: 0.05,
    rows: 0.8,
    depth: best.depth,
    columns: best.columns,
  })
  model.fit(of(narrow, train), of(targets, train), {
    weights: balancedWeights(of(targets, train)),
    validation: { rows: of(narrow, stop), targets: of(targets, stop) },
  })
  const lift = fitIsotonicClasses(
    of(narrow, stop).map(r => model.predict(r)),
    of(targets, stop),
  )
  judge(
    `boosting on ${columns.length} columns, 70/15/15, isotonic`,
    [{ train, test }],
    () => i => isotonicChances(lift, model.predict(narrow[i])),
  )
  return lines
}
