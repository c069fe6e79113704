/**
 * LSTM autoencoder: the last 100 rows are squeezed through 16 numbers and rebuilt; what comes back wrong in the newest row is strange.
 *
 * Malhotra et al. 2016, "LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection": 100 rows of 50 features, LSTM 64, LSTM 32, dense 16, repeated, LSTM
 * 32, LSTM 64, dense 50, mean squared error. Ours counts the newest rows most in training, and scores the newest row's error per metric on that metric's own
 * scale rather than the mean over the window, so that one metric among many is heard and the answer does not wait for the window to fill; the plain error
 * stays at hand (`plainErrors`). Fewer metrics are padded with zeros, more are projected on 50 fixed random directions.
 */

import { normal, seededRandom } from '@aegis/learning/random'
import type * as TensorFlow from '@tensorflow/tfjs'
import { clip, packFloats, plain, type RowModel, type Rows, rowOf, unpackFloats } from './row-model.ts'
import type { Tensors } from './tensorflow.ts'
import { type Progress, trainNetwork } from './train-network.ts'
import { WorstMetrics } from './worst-metrics.ts'

export interface LstmOptions {
  /** Rows per window. Default 100. */
  readonly rows?: number
  /** Training steps at most. Default 400. */
  readonly steps?: number
  /** Windows per step. Default 32. */
  readonly batch?: number
  /** Learning rate of Adam. Default 0.003. */
  readonly rate?: number
  /** Checks without a better validation error after which training stops. Default 3. */
  readonly patience?: number
  /** Seed of weights and order. Default 1. */
  readonly seed?: number
  readonly onProgress?: (progress: Progress) => void
}
const FEATURES = 50
/** The network sees standardised values cut here; what is beyond is error, up to the second. */
const LIMIT = 5
const FAR = 50
const CHECK_EVERY = 50
/** Rows back at which an error counts half in training. */
const HALF_LIFE = 10

export function lstmNetwork(tf: Tensors['tf'], rows: number, seed: number): TensorFlow.LayersModel {
  const model = tf.sequential()
  let next = seed
  const lstm = (units: number, returnSequences: boolean, inputShape?: number[]) =>
    tf.layers.lstm({
      units,
      returnSequences,
      inputShape,
      recurrentActivation: 'sigmoid',
      kernelInitializer: tf.initializers.glorotUniform({ seed: next++ }),
      recurrentInitializer: tf.initializers.glorotUniform({ seed: next++ }),
    })
  const dense = (units: number, activation?: 'relu') =>
    tf.layers.dense({ units, activation, kernelInitializer: tf.initializers.glorotUniform({ seed: next++ }) })
  model.add(lstm(64, true, [rows, FEATURES]))
  model.add(lstm(32, false))
  model.add(dense(16, 'relu'))
  model.add(tf.layers.repeatVector({ n: rows }))
  model.add(lstm(32, true))
  model.add(lstm(64, true))
  // A dense layer takes every row of a sequence at once; `timeDistributed` would go through them one by one.
  model.add(dense(FEATURES))
  return model
}

/**
 * Mean squared error of windows rebuilt, rows counted the less the older they are: half as much for each ten rows. Sixteen numbers cannot hold a hundred
 * rows, and the newest one is what is scored; with all rows alike the net spends its first hundreds of steps on the mean of the window.
 * @param x windows [count, rows, features]
 */
export function windowError(tf: Tensors['tf'], x: TensorFlow.Tensor, rebuilt: TensorFlow.Tensor): TensorFlow.Scalar {
  const rows = x.shape[1] as number
  const weights = Float32Array.from({ length: rows }, (_, t) => 0.5 ** ((rows - 1 - t) / HALF_LIFE))
  const mean = weights.reduce((sum, w) => sum + w, 0) / rows
  const share = tf.tensor3d(
    weights.map(w => w / mean),
    [1, rows, 1],
  )
  return tf.mean(tf.mul(share, tf.squaredDifference(x, rebuilt))) as TensorFlow.Scalar
}

export class LstmAutoencoder implements RowModel {
  readonly name = 'lstm-autoencoder'
  readonly #tensors: Tensors
  readonly #options: Required<Omit<LstmOptions, 'onProgress'>>
  readonly #onProgress: (progress: Progress) => void
  /** Far rows are loud: a metric that drifts for days would drown the others at the usual cap. */
  readonly #worst = new WorstMetrics({ cap: 20 })
  #model: TensorFlow.LayersModel | undefined
  #metrics = 0
  #projection: Float64Array | undefined
  /** The last rows as features, oldest first. */
  #window = new Float32Array(0)
  #foreseen: { errors: Float64Array; next: number; rows: Rows } | undefined
  /** Mean squared error of each window it was fitted on. */
  plainErrors = new Float64Array(0)

  constructor(tensors: Tensors, options: LstmOptions = {}) {
    this.#tensors = tensors
    this.#options = { rows: 100, steps: 400, batch: 32, rate: 0.003, patience: 3, seed: 1, ...options }
    this.#onProgress = options.onProgress ?? (() => {})
  }

  /** The network, for saving in the format of tf.layers. */
  get networks(): readonly TensorFlow.LayersModel[] {
    return this.#model ? [this.#model] : []
  }

  #start(metrics: number): void {
    this.#metrics = metrics
    this.#window = new Float32Array(this.#options.rows * FEATURES)
    this.#model?.dispose()
    this.#model = lstmNetwork(this.#tensors.tf, this.#options.rows, this.#options.seed)
    this.#tensors.fuse(this.#model)
    this.#projection = undefined
    if (metrics <= FEATURES) return
    const random = seededRandom(this.#options.seed)
    this.#projection = Float64Array.from({ length: FEATURES * metrics }, () => normal(random) / Math.sqrt(metrics))
  }

  #put(row: Float64Array, out: Float32Array, at: number): void {
    const m = this.#metrics
    const projection = this.#projection
    if (!projection) for (let j = 0; j < m; j++) out[at + j] = clip(row[j], LIMIT)
    else
      for (let f = 0; f < FEATURES; f++) {
        let sum = 0
        for (let j = 0; j < m; j++) sum += projection[f * m + j] * clip(row[j], LIMIT)
        out[at + f] = sum
      }
  }

  fit(rows: Rows): void {
    const { tf } = this.#tensors
    const { rows: length, batch, steps, rate, patience, seed } = this.#options
    this.#start(rows.metrics)
    const model = this.#model as TensorFlow.LayersModel
    const all = new Float32Array(rows.count * FEATURES)
    for (let i = 0; i < rows.count; i++) this.#put(rowOf(rows, i), all, i * FEATURES)
    const windows = rows.count - length + 1
    if (windows > 1) {
      // The last tenth tells when to stop; what comes after it is not looked at.
      const held = windows > 20 ? Math.floor(0.1 * windows) : 0
      const random = seededRandom(seed)
      const pick = (from: number, to: number) => from + Math.floor(random() * Math.max(1, to - from))
      const stack = (starts: number[]) => {
        const flat = new Float32Array(starts.length * length * FEATURES)
        starts.forEach((s, k) => {
          flat.set(all.subarray(s * FEATURES, (s + length) * FEATURES), k * length * FEATURES)
        })
        return tf.tensor3d(flat, [starts.length, length, FEATURES])
      }
      const check = stack(Array.from({ length: batch }, () => pick(windows - held, windows)))
      trainNetwork(tf, {
        networks: [model],
        steps,
        rate,
        checkEvery: CHECK_EVERY,
        patience,
        cost: () => {
          const x = stack(Array.from({ length: batch }, () => pick(0, windows - held)))
          return windowError(tf, x, model.apply(x, { training: true }) as TensorFlow.Tensor)
        },
        validation: () => windowError(tf, check, model.apply(check) as TensorFlow.Tensor),
        onProgress: this.#onProgress,
      })
      check.dispose()
    }
    this.#window.fill(0)
    const errors = this.#errorsOf(rows)
    const plainErrors = new Float64Array(rows.count)
    const perMetric = Array.from({ length: rows.metrics }, () => new Float64Array(rows.count))
    for (let i = 0; i < rows.count; i++)
      for (let j = 0; j < rows.metrics; j++) {
        const e = errors[i * rows.metrics + j]
        perMetric[j][i] = e
        plainErrors[i] += (e * e) / rows.metrics
      }
    this.plainErrors = plainErrors
    this.#worst.fit(perMetric)
    for (let i = Math.max(0, rows.count - length); i < rows.count; i++) this.push(rowOf(rows, i))
  }

  /** Errors of the newest row per metric, for the rows to come after those pushed, many windows at a time. */
  #errorsOf(rows: Rows): Float64Array {
    const { tf } = this.#tensors
    const { rows: length } = this.#options
    const m = this.#metrics
    const errors = new Float64Array(rows.count * m)
    const all = new Float32Array((length + rows.count) * FEATURES)
    all.set(this.#window)
    for (let i = 0; i < rows.count; i++) this.#put(rowOf(rows, i), all, (length + i) * FEATURES)
    // More at once is slower: 32 windows stay in the cache.
    const size = 32
    for (let from = 0; from < rows.count; from += size) {
      const count = Math.min(size, rows.count - from)
      const flat = new Float32Array(count * length * FEATURES)
      for (let k = 0; k < count; k++)
        flat.set(all.subarray((from + k + 1) * FEATURES, (from + k + 1 + length) * FEATURES), k * length * FEATURES)
      const rebuilt = tf.tidy(() => {
        const y = (this.#model as TensorFlow.LayersModel).apply(tf.tensor3d(flat, [count, length, FEATURES])) as TensorFlow.Tensor
        return tf.slice(y, [0, length - 1, 0], [count, 1, FEATURES]).dataSync()
      })
      for (let k = 0; k < count; k++)
        this.#metricErrors(
          all.subarray((from + k + length) * FEATURES),
          rebuilt.subarray(k * FEATURES),
          rowOf(rows, from + k),
          errors.subarray((from + k) * m),
        )
    }
    return errors
  }

  /** @param seen the features of the row, with `rebuilt` what the network made of them */
  #metricErrors(seen: Float32Array, rebuilt: ArrayLike<number>, row: Float64Array, out: Float64Array): void {
    const m = this.#metrics
    const projection = this.#projection
    for (let j = 0; j < m; j++) {
      let error = 0
      // Back from the directions to the metrics they were made of.
      if (projection) for (let f = 0; f < FEATURES; f++) error += projection[f * m + j] * (seen[f] - rebuilt[f])
      else error = seen[j] - rebuilt[j]
      out[j] = Math.abs(error + clip(row[j], FAR) - clip(row[j], LIMIT))
    }
  }

  foresee(rows: Rows): void {
    if (this.#model && this.#worst.ready) this.#foreseen = { errors: this.#errorsOf(rows), next: 0, rows }
  }

  score(row: Float64Array, guilt: Float64Array): number {
    if (!this.#model || !this.#worst.ready) return Number.NaN
    const ahead = this.#foreseen
    if (ahead && ahead.next < ahead.rows.count) return this.#worst.score(ahead.errors, guilt, ahead.next * this.#metrics)
    const errors = this.#errorsOf({ count: 1, metrics: this.#metrics, values: row })
    return this.#worst.score(errors, guilt)
  }

  push(row: Float64Array): void {
    if (this.#metrics === 0) return
    if (this.#foreseen && ++this.#foreseen.next >= this.#foreseen.rows.count) this.#foreseen = undefined
    this.#window.copyWithin(0, FEATURES)
    this.#window.fill(0, this.#window.length - FEATURES)
    this.#put(row, this.#window, this.#window.length - FEATURES)
  }

  save() {
    return {
      metrics: this.#metrics,
      window: plain(this.#window),
      weights: this.#model?.getWeights().map(w => packFloats(w.dataSync())) ?? [],
      worst: this.#worst.save(),
    }
  }
  load(state: ReturnType<LstmAutoencoder['save']>): void {
    if (state.weights.length === 0) return
    const { tf } = this.#tensors
    this.#start(state.metrics)
    this.#window.set(state.window)
    this.#foreseen = undefined
    const model = this.#model as TensorFlow.LayersModel
    const weights = model.getWeights().map((w, i) => tf.tensor(unpackFloats(state.weights[i]), w.shape))
    model.setWeights(weights)
    tf.dispose(weights)
    this.#worst.load(state.worst)
  }
  dispose(): void {
    this.#model?.dispose()
    this.#model = undefined
  }
}
