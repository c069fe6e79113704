/** Several learners heard together: the mean of their chances, made honest by a temperature learned from answers about rows they had not seen. */
import { fitTemperature, temper } from './calibration.ts'
import { stratifiedFolds } from './row-splits.ts'

export interface ChanceModel {
  fit(rows: readonly Float64Array[], targets: ArrayLike<number>, options?: { readonly weights?: ArrayLike<number> }): void
  /** Chances of the classes. */
  predict(row: Float64Array): Float64Array
}

export class SoftVote<Member extends ChanceModel> {
  readonly #make: () => readonly Member[]
  readonly #shares: readonly number[]
  #members: readonly Member[] = []
  temperature = 1

  /** `shares` says how much each member counts; alike unless given. */
  constructor(make: () => readonly Member[], shares?: readonly number[]) {
    this.#make = make
    const given = shares ?? make().map(() => 1)
    const total = given.reduce((a, b) => a + b, 0)
    this.#shares = given.map(s => s / total)
  }
  static of<Member extends ChanceModel>(members: readonly Member[], temperature: number): SoftVote<Member> {
    const vote = new SoftVote(() => members)
    vote.#members = members
    vote.temperature = temperature
    return vote
  }
  get members(): readonly Member[] {
    return this.#members
  }

  fit(
    rows: readonly Float64Array[],
    targets: ArrayLike<number>,
    { weights, folds = 5 }: { readonly weights?: ArrayLike<number>; readonly folds?: number } = {},
  ): void {
    const train = (numbers: readonly number[]) => {
      const members = this.#make()
      for (const m of members)
        m.fit(
          numbers.map(i => rows[i]),
          numbers.map(i => targets[i]),
          weights ? { weights: numbers.map(i => weights[i]) } : {},
        )
      return members
    }
    const [chances, truth]: [Float64Array[], number[]] = [[], []]
    for (const fold of folds > 1 ? stratifiedFolds(targets, folds) : []) {
      const members = train(fold.train)
      for (const i of fold.test) {
        chances.push(this.#heard(members, rows[i]))
        truth.push(targets[i])
      }
    }
    this.temperature = fitTemperature(chances, truth)
    this.#members = train(rows.map((_, i) => i))
  }
  predict(row: Float64Array): Float64Array {
    return temper(this.#heard(this.#members, row), this.temperature)
  }
  #heard(members: readonly Member[], row: Float64Array): Float64Array {
    const answers = members.map(m => m.predict(row))
    return answers[0].map((_, k) => answers.reduce((sum, p, m) => sum + this.#shares[m] * p[k], 0))
  }
}
