/**
 * The metrics of one entity under the `Detector` contract, with any row model inside. Series become columns; values are standardised; what is missing
 * keeps its last value, for at most a few rounds. It learns from history when there is some, else from its first `warmUp` rounds, and again as it has
 * seen half as much more. What was flagged is not learned from, unless it has lasted for `adoptAfter` rounds: then it is the new normal.
 */
import type { Detector, Expectation, Round } from '@aegis/domain'
import type { RowModel, Rows } from './row-model.ts'
import { type Scale, scaleOf } from './standardise.ts'

export interface EntityDetectorOptions {
  readonly model: RowModel
  /** Rounds before the first score, when there is no history. Default 120. */
  readonly warmUp?: number
  /** Rounds kept to learn from. Default 12000. */
  readonly history?: number
  /** Flagged rounds in a row after which they are the new normal. Default 600. */
  readonly adoptAfter?: number
  /** Rounds for which a missing value is taken to be as it was. Default 5. */
  readonly carry?: number
  /** Learns again as the history grows. Default true. */
  readonly refit?: boolean
}

export class EntityDetector implements Detector {
  readonly name: string
  readonly #model: RowModel
  readonly #warmUp: number
  readonly #history: number
  readonly #adoptAfter: number
  readonly #carry: number
  readonly #refit: boolean
  #columns = new Map<number, number>()
  #scale: Scale | undefined
  #rows: number[][] = []
  #strange: number[][] = []
  #fittedOn = 0
  #last = new Float64Array(0)
  #age = new Float64Array(0)
  #row = new Float64Array(0)
  #guilt = new Float64Array(0)

  constructor(options: EntityDetectorOptions) {
    this.#model = options.model
    this.name = options.model.name
    this.#warmUp = options.warmUp ?? 120
    this.#history = options.history ?? 12_000
    this.#adoptAfter = options.adoptAfter ?? 600
    this.#carry = options.carry ?? 5
    this.#refit = options.refit ?? true
  }

  /** Whether it still gathers what it needs; and how many rounds more. */
  get learning(): number {
    return this.#scale ? 0 : Math.max(1, this.#warmUp - this.#rows.length)
  }

  /** Learns from the past at once: rows of values (NaN where missing), columns in the order of `series`. */
  learnHistory(series: Int32Array, rows: Rows): void {
    this.#columns = new Map(Array.from(series, (handle, j) => [handle, j]))
    this.#rows = []
    const from = Math.max(0, rows.count - this.#history)
    if (this.#refit)
      for (let i = from; i < rows.count; i++)
        this.#rows.push(Array.from(rows.values.subarray(i * rows.metrics, (i + 1) * rows.metrics)))
    this.#fit(rows)
  }

  #fit(rows: Rows): void {
    const scale = scaleOf(rows)
    const { count, metrics } = rows
    const values = new Float64Array(count * metrics)
    for (let i = 0; i < count; i++)
      for (let j = 0; j < metrics; j++) {
        const x = (rows.values[i * metrics + j] - scale.mean[j]) / scale.spread[j]
        values[i * metrics + j] = Number.isFinite(x) ? x : i > 0 ? values[(i - 1) * metrics + j] : 0
      }
    this.#scale = scale
    this.#model.fit({ count, metrics, values })
    this.#fittedOn = count
    this.#last = values.slice((count - 1) * metrics)
    this.#age = new Float64Array(metrics)
    this.#guilt = new Float64Array(metrics)
  }

  /** The round as a standardised row; returns how many of its values are there. */
  #fill(round: Round): number {
    const scale = this.#scale as Scale
    this.#row = Float64Array.from(this.#last)
    for (let j = 0; j < this.#row.length; j++) if (this.#age[j] >= this.#carry) this.#row[j] = 0
    let found = 0
    for (let i = 0; i < round.series.length; i++) {
      const j = this.#columns.get(round.series[i])
      if (j === undefined || !Number.isFinite(round.values[i]) || j >= this.#row.length) continue
      this.#row[j] = (round.values[i] - scale.mean[j]) / scale.spread[j]
      found++
    }
    return found
  }

  score(round: Round): Float64Array {
    const scores = new Float64Array(round.series.length).fill(Number.NaN)
    if (!this.#scale || this.#fill(round) === 0) return scores
    const score = this.#model.score(this.#row, this.#guilt)
    let most = 0
    for (const g of this.#guilt) if (g > most) most = g
    // The guiltiest series scores as the entity does, the others by their share.
    for (let i = 0; i < scores.length; i++) {
      const j = this.#columns.get(round.series[i])
      if (j === undefined || j >= this.#guilt.length || Number.isNaN(round.values[i])) continue
      scores[i] = most > 0 ? (score * this.#guilt[j]) / most : score
    }
    return scores
  }

  expect(round: Round): Expectation {
    const low = new Float64Array(round.series.length).fill(Number.NaN)
    const high = new Float64Array(round.series.length).fill(Number.NaN)
    const scale = this.#scale
    if (!scale) return { low, high }
    const middle = Float64Array.from(this.#last)
    this.#model.expected?.(middle)
    for (let i = 0; i < low.length; i++) {
      const j = this.#columns.get(round.series[i])
      if (j === undefined || j >= middle.length) continue
      low[i] = (middle[j] - 3) * scale.spread[j] + scale.mean[j]
      high[i] = (middle[j] + 3) * scale.spread[j] + scale.mean[j]
    }
    return { low, high }
  }

  learn(round: Round, flagged: readonly boolean[]): void {
    const isFlagged = flagged.some(f => f)
    const raw = this.#raw(round)
    if (this.#scale && this.#fill(round) > 0) {
      this.#model.push(this.#row)
      for (let j = 0; j < this.#last.length; j++) {
        this.#age[j] = Number.isFinite(raw[j]) ? 0 : this.#age[j] + 1
        if (this.#age[j] === 0) this.#last[j] = this.#row[j]
      }
    }
    if (!this.#refit && this.#scale) return
    if (isFlagged) {
      this.#strange.push(raw)
      if (this.#strange.length < this.#adoptAfter) return
      this.#rows = this.#strange
      this.#strange = []
      this.#fitRows()
      return
    }
    this.#strange = []
    this.#rows.push(raw)
    if (this.#rows.length > this.#history) this.#rows.splice(0, this.#rows.length - this.#history)
    if (!this.#scale ? this.#rows.length >= this.#warmUp : this.#due()) this.#fitRows()
  }

  /** Half as much again since it last learned; a full history learns anew each time a half of it is new. */
  #sinceFit = 0
  #due(): boolean {
    return ++this.#sinceFit >= Math.max(this.#warmUp, this.#fittedOn >> 1) || this.#columns.size > this.#last.length
      ? this.#sinceFit >= this.#warmUp
      : false
  }

  #raw(round: Round): number[] {
    for (const handle of round.series) if (!this.#columns.has(handle)) this.#columns.set(handle, this.#columns.size)
    const raw = new Array<number>(this.#columns.size).fill(Number.NaN)
    for (let i = 0; i < round.series.length; i++) raw[this.#columns.get(round.series[i]) as number] = round.values[i]
    return raw
  }

  #fitRows(): void {
    this.#sinceFit = 0
    const metrics = this.#columns.size
    const values = new Float64Array(this.#rows.length * metrics).fill(Number.NaN)
    this.#rows.forEach((row, i) => {
      values.set(row, i * metrics)
    })
    this.#fit({ count: this.#rows.length, metrics, values })
  }

  snapshot(): Uint8Array {
    const scale = this.#scale
    const state = {
      columns: [...this.#columns],
      scale: scale && {
        mean: Array.from(scale.mean),
        spread: Array.from(scale.spread),
      },
      rows: this.#rows.map(r => r.map(x => (Number.isNaN(x) ? null : x))),
      strange: this.#strange.map(r => r.map(x => (Number.isNaN(x) ? null : x))),
      fittedOn: this.#fittedOn,
      sinceFit: this.#sinceFit,
      last: Array.from(this.#last),
      age: Array.from(this.#age),
      model: scale ? this.#model.save() : null,
    }
    return new TextEncoder().encode(JSON.stringify(state))
  }

  restore(bytes: Uint8Array): void {
    const state = JSON.parse(new TextDecoder().decode(bytes))
    const rows = (list: (number | null)[][]) => list.map(r => r.map(x => x ?? Number.NaN))
    this.#columns = new Map(state.columns)
    this.#scale = state.scale && {
      mean: Float64Array.from(state.scale.mean),
      spread: Float64Array.from(state.scale.spread),
    }
    this.#rows = rows(state.rows)
    this.#strange = rows(state.strange)
    this.#fittedOn = state.fittedOn
    this.#sinceFit = state.sinceFit
    this.#last = Float64Array.from(state.last)
    this.#age = Float64Array.from(state.age)
    this.#guilt = new Float64Array(this.#last.length)
    if (state.model) this.#model.load(state.model)
  }
}
