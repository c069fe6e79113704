/**
 * A small autoencoder: a row is squeezed through few hidden units and rebuilt; what cannot be rebuilt is strange.
 *
 * Hawkins et al. 2002, "Outlier Detection Using Replicator Neural Networks", with one hidden layer of tanh units, linear output and Adam
 * (Kingma and Ba 2015) over small batches, written out in typed arrays: at this size a tensor library costs more than it saves, and the stage
 * needs none. The score is the Euclidean distance between a row and what was rebuilt of it.
 */
import { seededRandom } from '@aegis/domain'
import { adam } from './adam.ts'
import type { OutlierModel } from './outlier-model.ts'

export interface AutoencoderOptions {
  /** Hidden units. Default 8. */
  readonly hidden?: number
  /** Passes over the rows. Default 40. */
  readonly epochs?: number
  /** Rows per step: Adam's own work, per step and not per row, is what costs. Default 8. */
  readonly batch?: number
  /** Learning rate of Adam. Default 0.03. */
  readonly rate?: number
  /** Seed of the weights and of the order of the rows. Default 1. */
  readonly seed?: number
}

export class SmallAutoencoder implements OutlierModel {
  readonly name = 'autoencoder'
  readonly #hidden: number
  readonly #epochs: number
  readonly #batch: number
  readonly #rate: number
  readonly #seed: number
  /** Columns that the rows learned had anything in; of the others nothing is expected. */
  #columns: readonly number[] = []
  #width = 0
  /** Encoder (hidden × width), its biases, decoder (width × hidden), its biases: one array, so that Adam is one loop. */
  #weights = new Float64Array(0)

  constructor(options: AutoencoderOptions = {}) {
    this.#hidden = options.hidden ?? 8
    this.#epochs = options.epochs ?? 40
    this.#batch = options.batch ?? 8
    this.#rate = options.rate ?? 0.03
    this.#seed = options.seed ?? 1
  }

  fit(learned: readonly Float64Array[]): void {
    this.#columns = Array.from(learned[0] ?? [], (_, j) => j).filter(j => learned.some(row => row[j] !== 0))
    const rows = learned.map(row => this.#known(row))
    const d = this.#columns.length
    const h = this.#hidden
    const random = seededRandom(this.#seed)
    this.#width = d
    const w = (this.#weights = Float64Array.from({ length: 2 * d * h + h + d }, () => (2 * random() - 1) / Math.sqrt(d + h)))
    // What a usual row looks like need not be learned step by step.
    for (let j = 0; j < d; j++) w[w.length - d + j] = rows.reduce((sum, row) => sum + (row[j] as number), 0) / rows.length
    const gradient = new Float64Array(w.length)
    const descend = adam(w, { rate: this.#rate })
    const code = new Float64Array(h)
    const rebuilt = new Float64Array(d)
    const back = new Float64Array(h)
    const steps = Math.ceil((this.#epochs * rows.length) / this.#batch)
    for (let step = 0; step < steps; step++) {
      gradient.fill(0)
      for (let i = 0; i < this.#batch; i++) {
        const row = rows[Math.floor(random() * rows.length)] as Float64Array
        this.#rebuild(row, code, rebuilt)
        back.fill(0)
        for (let j = 0; j < d; j++) {
          const error = ((rebuilt[j] as number) - (row[j] as number)) / this.#batch
          const at = h * d + h + j * h
          gradient[w.length - d + j] += error
          for (let k = 0; k < h; k++) {
            gradient[at + k] += error * (code[k] as number)
            back[k] += error * (w[at + k] as number)
          }
        }
        for (let k = 0; k < h; k++) {
          const slope = (back[k] as number) * (1 - (code[k] as number) ** 2)
          gradient[h * d + k] += slope
          for (let j = 0; j < d; j++) gradient[k * d + j] += slope * (row[j] as number)
        }
      }
      descend(gradient)
    }
  }

  score(row: Float64Array): number {
    const known = this.#known(row)
    const rebuilt = new Float64Array(this.#width)
    this.#rebuild(known, new Float64Array(this.#hidden), rebuilt)
    let sum = row.reduce((all, x) => all + x * x, 0)
    for (let j = 0; j < this.#width; j++) sum += ((rebuilt[j] as number) - (known[j] as number)) ** 2 - (known[j] as number) ** 2
    return Math.sqrt(Math.max(0, sum))
  }

  #known(row: Float64Array): Float64Array {
    return Float64Array.from(this.#columns, j => row[j] as number)
  }

  #rebuild(row: Float64Array, code: Float64Array, rebuilt: Float64Array): void {
    const w = this.#weights
    const d = this.#width
    const h = this.#hidden
    for (let k = 0; k < h; k++) {
      let sum = w[h * d + k] as number
      for (let j = 0; j < d; j++) sum += (w[k * d + j] as number) * (row[j] as number)
      code[k] = Math.tanh(sum)
    }
    for (let j = 0; j < d; j++) {
      let sum = w[w.length - d + j] as number
      for (let k = 0; k < h; k++) sum += (w[h * d + h + j * h + k] as number) * (code[k] as number)
      rebuilt[j] = sum
    }
  }
}
