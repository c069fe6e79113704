/**
 * The ensemble: members of different kinds, brought to one scale and weighed without labels.
 *
 * Each member's score becomes a surprise (`tail-probability.ts`), learned from the rows it was fitted on; the ensemble's is their weighted mean
 * (averaging of normalised outlier scores: Kriegel et al. 2011, "Interpreting and Unifying Outlier Scores"). Ours lowers the weight of a member whose
 * surprise has been high for a long time, since that is drift and not an event. The mean is then held over an event (`hold-score.ts`).
 */

import { TailProbability } from '@aegis/learning/tail-probability'
import { Blame } from './blame.ts'
import { HoldScore } from './hold-score.ts'
import { type RowModel, type Rows, replay } from './row-model.ts'

export interface Member {
  readonly model: RowModel
  readonly weight: number
  /** Learns with every row pushed, so that what it said of rows it was fitted on means nothing. */
  readonly online?: boolean
  /** Its guilt is a surprise per metric, and names the guilty for all; where no member's is, each has its say. */
  readonly names?: boolean
}
export interface EnsembleOptions {
  readonly members: readonly Member[]
  /** Calibrates from the scores as they come, rather than once: for streams without history. Default false. */
  readonly streaming?: boolean
  /** Half-life of the memory of drift, rows. Default 1000. */
  readonly driftHalfLife?: number
  /** Shortest hold of an event, rows. Default 6, streaming 40. */
  readonly hold?: number
}
/** Mean surprise in normal life is 1; up to here nothing is called drift. */
const NORMAL = 1.5

export class Ensemble implements RowModel {
  readonly name = 'ensemble'
  readonly #members: readonly Member[]
  readonly #streaming: boolean
  readonly #drift: number
  readonly #holdRows: number
  #tails: TailProbability[] = []
  #means: number[] = []
  #hold: HoldScore
  #surprises: number[]
  #seed: Float64Array = new Float64Array(0)
  #guilt: Float64Array[] = []
  readonly #names: boolean
  readonly #blame = new Blame()
  #named = new Float64Array(0)
  #blamed = new Float64Array(0)
  /** The row last scored, so that pushing it costs nothing twice. */
  #scored: Float64Array | undefined
  #mixed = 0

  constructor(options: EnsembleOptions) {
    this.#members = options.members
    this.#streaming = options.streaming ?? false
    this.#drift = 1 - 0.5 ** (1 / (options.driftHalfLife ?? 1000))
    this.#holdRows = options.hold ?? (this.#streaming ? 40 : 6)
    this.#hold = this.#newHold()
    this.#surprises = this.#members.map(() => 0)
    this.#names = this.#members.some(m => m.names)
  }

  #newHold(): HoldScore {
    return new HoldScore({
      shortest: this.#holdRows,
      longest: Math.max(40, 2 * this.#holdRows),
    })
  }

  /** Scores of the rows it was fitted on, as they would have come out: what a threshold is set from. */
  get fitted(): Float64Array {
    return this.#seed
  }

  fit(rows: Rows): void {
    const again = this.#tails.length > 0 && this.#streaming
    this.#guilt = this.#members.map(() => new Float64Array(rows.metrics))
    this.#named = new Float64Array(rows.metrics)
    this.#blamed = new Float64Array(rows.metrics)
    this.#blame.fit(rows)
    const raw = this.#members.map(({ model, online }) => {
      if (again || !online) model.fit(rows)
      if (again) return new Float64Array(0)
      if (!online) return replay(model, rows)
      const first = Math.min(rows.count, 20)
      model.fit({
        ...rows,
        count: first,
        values: rows.values.subarray(0, first * rows.metrics),
      })
      const rest = {
        ...rows,
        times: rows.times && Array.from(rows.times).slice(first),
        count: rows.count - first,
        values: rows.values.subarray(first * rows.metrics),
      }
      return Float64Array.from([...new Float64Array(first).fill(Number.NaN), ...replay(model, rest)])
    })
    if (again) return
    this.#tails = raw.map(scores => {
      const tail = new TailProbability()
      if (this.#streaming) for (const score of scores) tail.add(score)
      else tail.fit(scores)
      return tail
    })
    this.#means = this.#members.map(() => NORMAL)
    this.#hold = this.#newHold()
    this.#seed = new Float64Array(rows.count)
    for (let i = 0; i < rows.count; i++) {
      for (let k = 0; k < raw.length; k++) this.#surprises[k] = this.#tails[k].of(raw[k][i])
      this.#seed[i] = this.#hold.push(this.#mix())
      this.#remember()
    }
    // Drift is what changed since: the slate is clean at the end of what was fitted.
    this.#means = this.#members.map(() => NORMAL)
    this.#hold = this.#newHold()
    this.#scored = undefined
  }

  #mix(): number {
    let sum = 0
    let weights = 0
    for (let k = 0; k < this.#members.length; k++) {
      const surprise = this.#surprises[k]
      if (Number.isNaN(surprise)) continue
      const weight = this.#members[k].weight / Math.max(NORMAL, this.#means[k]) ** 2
      sum += weight * surprise
      weights += weight
    }
    return weights > 0 ? sum / weights : Number.NaN
  }

  #remember(): void {
    for (let k = 0; k < this.#members.length; k++)
      if (!Number.isNaN(this.#surprises[k])) this.#means[k] += this.#drift * (Math.min(6, this.#surprises[k]) - this.#means[k])
  }

  at(seconds: number): void {
    for (const { model } of this.#members) model.at?.(seconds)
  }

  score(row: Float64Array, guilt: Float64Array): number {
    if (this.#tails.length === 0) return Number.NaN
    for (let k = 0; k < this.#members.length; k++)
      this.#surprises[k] = this.#tails[k].of(this.#members[k].model.score(row, this.#guilt[k]))
    this.#mixed = this.#mix()
    this.#scored = row
    this.#name()
    this.#blame.peek(row, this.#named, this.#mixed, this.#blamed)
    guilt.set(this.#blamed)
    return this.#hold.peek(this.#mixed)
  }

  /** What the members say of each metric, as surprises; guilt that is none is brought to the size of the member's. */
  #name(): void {
    const named = this.#named.fill(0)
    for (let k = 0; k < this.#members.length; k++) {
      const surprise = this.#surprises[k]
      if (!(surprise > 0) || (this.#names && !this.#members[k].names)) continue
      const share = this.#guilt[k]
      let most = this.#names ? surprise : 0
      if (!this.#names) for (let j = 0; j < share.length; j++) if (share[j] > most) most = share[j]
      if (most > 0) for (let j = 0; j < share.length; j++) named[j] += (surprise * share[j]) / most
    }
  }

  push(row: Float64Array): void {
    if (this.#tails.length === 0) return
    if (this.#scored !== row) this.score(row, new Float64Array(row.length))
    this.#hold.push(this.#mixed)
    this.#remember()
    this.#blame.push(row, this.#blamed, this.#mixed)
    for (let k = 0; k < this.#members.length; k++) {
      if (this.#streaming) this.#tails[k].add(this.#members[k].model.score(row, this.#guilt[k]))
      this.#members[k].model.push(row)
    }
    this.#scored = undefined
  }

  foresee(rows: Rows): void {
    for (const { model } of this.#members) model.foresee?.(rows)
  }

  expected(out: Float64Array): void {
    this.#members.find(m => m.model.expected)?.model.expected?.(out)
  }

  save() {
    return {
      members: this.#members.map(m => m.model.save()),
      tails: this.#tails.map(t => t.save()),
      means: this.#means,
      hold: this.#hold.save(),
      metrics: this.#guilt[0]?.length ?? 0,
      blame: this.#blame.save(),
    }
  }
  load(state: ReturnType<Ensemble['save']>): void {
    this.#members.forEach((m, k) => {
      m.model.load(state.members[k])
    })
    this.#tails = state.tails.map(t => {
      const tail = new TailProbability()
      tail.load(t)
      return tail
    })
    this.#means = [...state.means]
    this.#hold = this.#newHold()
    this.#hold.load(state.hold)
    this.#guilt = this.#members.map(() => new Float64Array(state.metrics))
    // Models published before there was blame name the guilty by their members alone.
    if (state.blame) this.#blame.load(state.blame)
    this.#named = new Float64Array(state.metrics)
    this.#blamed = new Float64Array(state.metrics)
    this.#scored = undefined
  }
}
