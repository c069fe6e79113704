/**
 * Why a change was made, learned from an organisation's own labelled changes: two ways of boosting and a forest in a soft vote, on what the change shows,
 * the terms it is written in, what changes of the same author, repository, folder and wording were labelled, and what the rules think.
 */
import { GradientBoosting } from '@aegis/learning/gradient-boosting'
import { RandomForest } from '@aegis/learning/random-forest'
import { stratifiedFolds } from '@aegis/learning/row-splits'
import { SoftVote } from '@aegis/learning/soft-vote'
import { type ChangeReading, readChange } from '../code/change-features.ts'
import { chooseTerms, type TermWeights, termsOf, weighTerms } from '../code/change-terms.ts'
import type { CodeChange } from '../code/code-change.ts'

/** A change as read once. */
export interface ReadChange {
  readonly change: CodeChange
  readonly reading: ChangeReading
  readonly terms: ReadonlyMap<string, number>
}
export const readForLearning = (change: CodeChange): ReadChange => {
  const reading = readChange(change)
  return { change, reading, terms: termsOf(change, reading.patch) }
}

/** Whose habits a change may share. */
const groupsOf = ({ change }: ReadChange): string[] => {
  const path = change.files[0]?.path ?? ''
  const parts = path.split('/')
  return [
    change.repo,
    `${change.repo} ${change.author}`,
    `${change.repo} ${parts.slice(0, -1).join('/')}`,
    path.split('.').at(-1) ?? '',
  ]
}

/** How changes like this one were labelled: shares by group, drawn towards the shares of all, and by the nearest in wording. */
class Memory {
  readonly #classes: number
  readonly #known: readonly ReadChange[]
  readonly #targets: readonly number[]
  readonly #prior: Float64Array
  readonly #groups = new Map<string, Float64Array>()
  readonly #weights: TermWeights
  readonly #vectors: readonly Float64Array[]

  constructor(known: readonly ReadChange[], targets: readonly number[], classes: number) {
    this.#classes = classes
    this.#known = known
    this.#targets = targets
    this.#prior = new Float64Array(classes).fill(0.5 / classes)
    for (const y of targets) this.#prior[y] += 1
    const total = this.#prior.reduce((a, b) => a + b, 0)
    for (let k = 0; k < classes; k++) this.#prior[k] /= total
    known.forEach((c, i) => {
      groupsOf(c).forEach((g, at) => {
        const counts = this.#groups.get(`${at} ${g}`) ?? new Float64Array(classes)
        counts[targets[i]]++
        this.#groups.set(`${at} ${g}`, counts)
      })
    })
    this.#weights = chooseTerms(
      known.map(c => c.terms),
      targets,
      600,
      3,
    )
    this.#vectors = known.map(c => weighTerms(this.#weights, c.terms))
  }
  recall(change: ReadChange): number[] {
    const out: number[] = []
    groupsOf(change).forEach((g, at) => {
      const counts = this.#groups.get(`${at} ${g}`)
      const n = counts?.reduce((a, b) => a + b, 0) ?? 0
      out.push(Math.log1p(n))
      for (let k = 0; k < this.#classes; k++) out.push(((counts?.[k] ?? 0) + 4 * this.#prior[k]) / (n + 4))
    })
    const vector = weighTerms(this.#weights, change.terms)
    const near = this.#vectors
      .map((v, i) => ({ i, s: v.reduce((sum, x, j) => sum + x * vector[j], 0) }))
      .filter(({ i, s }) => s > 0 && this.#known[i].change.id !== change.change.id)
      .sort((a, b) => b.s - a.s)
      .slice(0, 12)
    const by = this.#prior.map(p => 0.3 * p)
    for (const { i, s } of near) by[this.#targets[i]] += s * s
    const total = by.reduce((a, b) => a + b, 0)
    out.push(near[0]?.s ?? 0, ...by.map(x => x / total))
    return out
  }
}

type Member = GradientBoosting | RandomForest
export interface LearnOptions {
  readonly classes: number
  /** What is thought of a change without labels, as columns. */
  readonly prior: (reading: ChangeReading) => ArrayLike<number>
  /**
   * Whether labels of changes of the same author, repository, folder and wording are heard. Default true; of no use where rows were chosen so that these
   * are alike.
   */
  readonly memory?: boolean
  /** Rounds of boosting; the forest gets two and a half times as many trees. Default 120. */
  readonly rounds?: number
  readonly seed?: number
}

export class ChangeLearner {
  readonly #options: LearnOptions
  #names: readonly string[] = []
  #terms: TermWeights = { terms: [], idf: [] }
  #memory: Memory | undefined
  #vote: SoftVote<Member> | undefined

  constructor(options: LearnOptions) {
    this.#options = options
  }

  fit(changes: readonly ReadChange[], targets: readonly number[]): void {
    const { classes, seed = 1, rounds = 120 } = this.#options
    const heard = this.#options.memory !== false
    this.#names = Object.keys(changes[0].reading.values)
    this.#terms = chooseTerms(
      changes.map(c => c.terms),
      targets,
      100,
    )
    this.#memory = new Memory(changes, targets, classes)
    // What is remembered of a row must not know the row: each fifth is looked up in a memory of the others.
    const rows: Float64Array[] = []
    for (const { train, test } of stratifiedFolds(targets, 5, seed)) {
      const memory = new Memory(
        train.map(i => changes[i]),
        train.map(i => targets[i]),
        classes,
      )
      for (const i of test) rows[i] = this.#rowOf(changes[i], memory)
    }
    const counts = new Float64Array(classes)
    for (const y of targets) counts[y]++
    const weights = Float64Array.from(targets, y => (targets.length / (classes * counts[y])) ** 0.5)
    // With memory the columns are strong and few rows tell; without it many weak ones are heard a little each.
    this.#vote = new SoftVote<Member>(() => [
      new GradientBoosting({
        classes,
        rounds: Math.round(heard ? rounds : 1.25 * rounds),
        rate: heard ? 0.06 : 0.04,
        depth: heard ? 4 : 2,
        rows: heard ? 0.8 : 0.7,
        columns: heard ? 0.4 : 0.3,
        minWeight: heard ? 2 : 3,
        penalty: heard ? 3 : 5,
        seed,
      }),
      new GradientBoosting({
        classes,
        rounds,
        rate: 0.06,
        grow: 'leaf',
        leaves: 12,
        rows: 0.7,
        columns: 0.3,
        minWeight: 3,
        penalty: 5,
        seed: seed + 1,
      }),
      new RandomForest({
        classes,
        trees: Math.round(2.5 * rounds),
        minRows: heard ? 2 : 8,
        columns: heard ? 40 : 30,
        seed: seed + 2,
      }),
    ])
    this.#vote.fit(rows, targets, { weights })
  }
  predict(change: ReadChange): Float64Array {
    if (!this.#vote || !this.#memory) throw new Error('the learner of changes was asked before it learned anything')
    return this.#vote.predict(this.#rowOf(change, this.#memory))
  }
  #rowOf(change: ReadChange, memory: Memory): Float64Array {
    return Float64Array.from([
      ...this.#names.map(n => change.reading.values[n]),
      ...weighTerms(this.#terms, change.terms),
      ...(this.#options.memory === false ? [] : memory.recall(change)),
      ...Array.from(this.#options.prior(change.reading), p => Math.log(Math.max(1e-4, p))),
    ])
  }
}
