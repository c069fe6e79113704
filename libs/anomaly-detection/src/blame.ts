/**
 * Which metrics are to blame for a strange row: those that the members name, and those that have left the level they had of late. Each counts as a surprise on
 * its own scale, gathered since the event began, so that what joins a row later is named as well and what was strange before is not.
 */

import { TailProbability } from '@aegis/learning/tail-probability'
import { clip, type Rows, rowOf } from './row-model.ts'

/** Weight of a new row in the level of late: an exponential mean of about sixty rows. */
const LEVEL = 2 / 61
/** What is left of a row's blame one row later. */
const KEEP = 0.7
/** Standardised values beyond this are cut. */
const LIMIT = 20
/** A row this much more surprising than the three before it begins an event, if its surprise is at least `STRANGE`. */
const RISE = 1.25
const STRANGE = 2.5

export class Blame {
  #tails: TailProbability[] = []
  #level = new Float64Array(0)
  #gathered = new Float64Array(0)
  /** Surprises of the last three rows. */
  #before = [0, 0, 0]

  /** Learns how far each metric strays from its level in normal life; ends as if the rows had been pushed. */
  fit(rows: Rows): void {
    const { count, metrics } = rows
    const departures = Array.from({ length: metrics }, () => new Float64Array(count))
    this.#start(metrics)
    for (let i = 0; i < count; i++) {
      const row = rowOf(rows, i)
      if (i === 0) for (let j = 0; j < metrics; j++) this.#level[j] = clip(row[j], LIMIT)
      for (let j = 0; j < metrics; j++) departures[j][i] = Math.abs(clip(row[j], LIMIT) - this.#level[j])
      this.#follow(row)
    }
    this.#tails = departures.map(d => {
      const tail = new TailProbability()
      tail.fit(d)
      return tail
    })
  }
  #start(metrics: number): void {
    this.#level = new Float64Array(metrics)
    this.#gathered = new Float64Array(metrics)
    this.#before = [0, 0, 0]
  }
  #follow(row: Float64Array): void {
    for (let j = 0; j < this.#level.length; j++) this.#level[j] += LEVEL * (clip(row[j], LIMIT) - this.#level[j])
  }

  /** Blame with this row, into `out`: `named` is what the members say of each metric, `surprise` of the row. Changes nothing. */
  peek(row: Float64Array, named: Float64Array, surprise: number, out: Float64Array): void {
    const keep = surprise >= STRANGE && surprise > RISE * Math.max(...this.#before) ? 0 : KEEP
    for (let j = 0; j < out.length; j++) {
      const departed = j < this.#tails.length ? this.#tails[j].of(Math.abs(clip(row[j], LIMIT) - this.#level[j])) : 0
      out[j] = keep * (this.#gathered[j] ?? 0) + named[j] + departed
    }
  }
  /** The row has happened; `blame` is what `peek` gave for it. */
  push(row: Float64Array, blame: Float64Array, surprise: number): void {
    this.#gathered.set(blame.subarray(0, this.#gathered.length))
    this.#before = [this.#before[1], this.#before[2], Number.isNaN(surprise) ? 0 : surprise]
    this.#follow(row)
  }

  save() {
    return {
      weights: this.#tails.map(t => t.save()),
      level: Array.from(this.#level),
      gathered: Array.from(this.#gathered),
      before: this.#before,
    }
  }
  load(state: ReturnType<Blame['save']>): void {
    this.#tails = state.weights.map(s => {
      const tail = new TailProbability()
      tail.load(s)
      return tail
    })
    this.#level = Float64Array.from(state.level)
    this.#gathered = Float64Array.from(state.gathered)
    this.#before = [...state.before]
  }
}
