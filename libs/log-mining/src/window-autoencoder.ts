/**
 * A small autoencoder: a window is squeezed through few hidden units and rebuilt; what cannot be rebuilt is strange.
 *
 * Hawkins et al. 2002, "Outlier Detection Using Replicator Neural Networks", with one hidden layer of tanh units, linear output and Adam
 * (Kingma and Ba 2015), written out in typed arrays: at this size a tensor library costs more than it saves, and the stage needs none. The score
 * is the Euclidean distance between a row and what was rebuilt of it.
 */
import { seededRandom } from '@aegis/domain'
import type { WindowModel } from './window-model.ts'

export interface AutoencoderOptions {
  /** Hidden units. Default 8. */
  readonly hidden?: number
  /** Passes over the rows. Default 40. */
  readonly epochs?: number
  /** Learning rate of Adam. Default 0.01. */
  readonly rate?: number
  /** Seed of the weights and of the order of the rows. Default 1. */
  readonly seed?: number
}

export class WindowAutoencoder implements WindowModel {
  readonly name = 'autoencoder'
  readonly #hidden: number
  readonly #epochs: number
  readonly #rate: number
  readonly #seed: number
  #width = 0
  /** Encoder (hidden × width), its biases, decoder (width × hidden), its biases: one array, so that Adam is one loop. */
  #weights = new Float64Array(0)

  constructor(options: AutoencoderOptions = {}) {
    this.#hidden = options.hidden ?? 8
    this.#epochs = options.epochs ?? 40
    this.#rate = options.rate ?? 0.01
    this.#seed = options.seed ?? 1
  }

  fit(rows: readonly Float64Array[]): void {
    const d = rows[0]?.length ?? 0
    const h = this.#hidden
    const random = seededRandom(this.#seed)
    this.#width = d
    const w = (this.#weights = Float64Array.from({ length: 2 * d * h + h + d }, () => (2 * random() - 1) / Math.sqrt(d + h)))
    const gradient = new Float64Array(w.length)
    const mean = new Float64Array(w.length)
    const square = new Float64Array(w.length)
    const code = new Float64Array(h)
    const rebuilt = new Float64Array(d)
    const back = new Float64Array(h)
    let step = 0
    for (let epoch = 0; epoch < this.#epochs; epoch++)
      for (let i = 0; i < rows.length; i++) {
        const row = rows[Math.floor(random() * rows.length)] as Float64Array
        this.#rebuild(row, code, rebuilt)
        back.fill(0)
        for (let j = 0; j < d; j++) {
          const error = (rebuilt[j] as number) - (row[j] as number)
          const at = h * d + h + j * h
          gradient[w.length - d + j] = error
          for (let k = 0; k < h; k++) {
            gradient[at + k] = error * (code[k] as number)
            back[k] = (back[k] as number) + error * (w[at + k] as number)
          }
        }
        for (let k = 0; k < h; k++) {
          const slope = (back[k] as number) * (1 - (code[k] as number) ** 2)
          gradient[h * d + k] = slope
          for (let j = 0; j < d; j++) gradient[k * d + j] = slope * (row[j] as number)
        }
        step++
        const rate = (this.#rate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step)
        for (let p = 0; p < w.length; p++) {
          const g = gradient[p] as number
          mean[p] = 0.9 * (mean[p] as number) + 0.1 * g
          square[p] = 0.999 * (square[p] as number) + 0.001 * g * g
          w[p] = (w[p] as number) - (rate * (mean[p] as number)) / (Math.sqrt(square[p] as number) + 1e-8)
        }
      }
  }

  score(row: Float64Array): number {
    if (this.#width === 0) return 0
    const rebuilt = new Float64Array(this.#width)
    this.#rebuild(row, new Float64Array(this.#hidden), rebuilt)
    let sum = 0
    for (let j = 0; j < this.#width; j++) sum += ((rebuilt[j] as number) - (row[j] as number)) ** 2
    return Math.sqrt(sum)
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
