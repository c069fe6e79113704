/**
 * Local Outlier Factor: how much thinner a row's surroundings are than those of its neighbours.
 *
 * Breunig, Kriegel, Ng and Sander 2000, "LOF: Identifying Density-Based Local Outliers", scoring rows that were not learned from (novelty).
 * About 1 for ordinary rows. Distances are Euclidean; a floor keeps the density of rows that repeat exactly finite, so that rows which are all
 * alike do not make the smallest change infinitely strange.
 */
import type { OutlierModel } from './outlier-model.ts'

export interface LofOptions {
  /** Neighbours looked at. Default 8. */
  readonly neighbours?: number
  /** Least distance between rows; the rows have length 1. Default 0.05. */
  readonly floor?: number
}

export class LocalOutlierFactor implements OutlierModel {
  readonly name = 'local-outlier-factor'
  readonly #neighbours: number
  readonly #floor: number
  #rows: readonly Float64Array[] = []
  #reach: number[] = []
  #density: number[] = []

  constructor(options: LofOptions = {}) {
    this.#neighbours = options.neighbours ?? 8
    this.#floor = options.floor ?? 0.05
  }

  fit(rows: readonly Float64Array[]): void {
    this.#rows = rows
    const near = rows.map((row, i) => this.#nearest(row, i))
    this.#reach = near.map(list => list[list.length - 1]?.distance ?? this.#floor)
    this.#density = near.map(list => this.#densityOf(list))
  }

  score(row: Float64Array): number {
    const near = this.#nearest(row, -1)
    if (near.length === 0) return 1
    const around = near.reduce((sum, { at }) => sum + (this.#density[at] as number), 0) / near.length
    return around / this.#densityOf(near)
  }

  /** The nearest rows learned, nearest first, without the one numbered `except`. */
  #nearest(row: Float64Array, except: number): { at: number; distance: number }[] {
    const all: { at: number; distance: number }[] = []
    for (const [at, other] of this.#rows.entries()) {
      if (at === except) continue
      let sum = 0
      for (let j = 0; j < row.length; j++) sum += ((row[j] as number) - (other[j] as number)) ** 2
      all.push({ at, distance: Math.max(this.#floor, Math.sqrt(sum)) })
    }
    return all.sort((a, b) => a.distance - b.distance || a.at - b.at).slice(0, this.#neighbours)
  }

  #densityOf(near: readonly { at: number; distance: number }[]): number {
    if (near.length === 0) return 1 / this.#floor
    const reach = near.reduce((sum, { at, distance }) => sum + Math.max(distance, this.#reach[at] as number), 0)
    return near.length / reach
  }
}
