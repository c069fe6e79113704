/**
 * Variational autoencoder: a row and its recent means are described by a few hidden numbers with noise on them, and rebuilt; what cannot be rebuilt is
 * strange.
 *
 * Kingma and Welling 2014, "Auto-Encoding Variational Bayes"; for anomalies Xu et al. 2018, "Unsupervised Anomaly Detection via Variational Auto-Encoder"
 * (Donut). Ours stands for the window by three numbers per metric (now, the mean of the last five, the mean of the five before), scores with the
 * mean of the hidden numbers rather than with samples, and each metric's error on that metric's own scale.
 */

import { seededRandom } from '@aegis/learning/random'
import type * as TensorFlow from '@tensorflow/tfjs'
import { RecentRows } from './recent-rows.ts'
import { clip, packFloats, type RowModel, type Rows, rowOf, unpackFloats } from './row-model.ts'
import type { Tensors } from './tensorflow.ts'
import { type Progress, trainNetwork } from './train-network.ts'
import { WorstMetrics } from './worst-metrics.ts'

export interface VaeOptions {
  /** Hidden numbers. Default 8. */
  readonly latent?: number
  /** Units between. Default 64. */
  readonly units?: number
  /** Training steps at most. Default 1500. */
  readonly steps?: number
  /** Rows per step. Default 128. */
  readonly batch?: number
  /** Learning rate of Adam. Default 0.002. */
  readonly rate?: number
  /** Weight of the distance of the hidden numbers from a standard normal. Default 0.02. */
  readonly beta?: number
  /** Checks (one in 100 steps) without a better validation error after which training stops. Default 4. */
  readonly patience?: number
  /** Seed of weights, noise and order. Default 1. */
  readonly seed?: number
  readonly onProgress?: (progress: Progress) => void
}
const LIMIT = 20
const SPAN = 5
const CHECK_EVERY = 100

export class VariationalAutoencoder implements RowModel {
  readonly name = 'vae'
  readonly #tensors: Tensors
  readonly #options: Required<Omit<VaeOptions, 'onProgress'>>
  readonly #onProgress: (progress: Progress) => void
  /** The few hidden numbers rebuild nothing but what metrics have in common: a fault shows in many of them, and one that drifts must not speak for all. */
  readonly #worst = new WorstMetrics({ worst: Number.POSITIVE_INFINITY, cap: 10 })
  #encoder: TensorFlow.LayersModel | undefined
  #decoder: TensorFlow.LayersModel | undefined
  #recent: RecentRows | undefined
  #foreseen: { errors: Float64Array; next: number; count: number } | undefined

  constructor(tensors: Tensors, options: VaeOptions = {}) {
    this.#tensors = tensors
    this.#options = { latent: 8, units: 64, steps: 1500, batch: 128, rate: 0.002, beta: 0.02, patience: 4, seed: 1, ...options }
    this.#onProgress = options.onProgress ?? (() => {})
  }

  get networks(): readonly TensorFlow.LayersModel[] {
    return this.#encoder && this.#decoder ? [this.#encoder, this.#decoder] : []
  }

  #start(metrics: number): void {
    const { tf } = this.#tensors
    const { units, latent, seed } = this.#options
    let next = seed
    const dense = (size: number, activation?: 'relu', inputShape?: number[]) =>
      tf.layers.dense({ units: size, activation, inputShape, kernelInitializer: tf.initializers.glorotUniform({ seed: next++ }) })
    this.#encoder?.dispose()
    this.#decoder?.dispose()
    const encoder = tf.sequential()
    encoder.add(dense(units, 'relu', [3 * metrics]))
    encoder.add(dense(2 * latent))
    const decoder = tf.sequential()
    decoder.add(dense(units, 'relu', [latent]))
    decoder.add(dense(3 * metrics))
    this.#encoder = encoder
    this.#decoder = decoder
    this.#recent = new RecentRows(metrics, LIMIT, [SPAN - 1, 2 * SPAN - 1])
  }

  #features(rows: Rows, advance: boolean): Float32Array {
    const m = rows.metrics
    const out = new Float32Array(rows.count * 3 * m)
    const kept = advance ? undefined : this.#recent?.save()
    const recent = this.#recent as RecentRows
    for (let i = 0; i < rows.count; i++) {
      const row = rowOf(rows, i)
      if (recent.empty) recent.push(row)
      const near = recent.sum(0)
      const far = recent.sum(1)
      const at = i * 3 * m
      for (let j = 0; j < m; j++) {
        const x = clip(row[j], LIMIT)
        out[at + j] = x
        out[at + m + j] = (near[j] + x) / SPAN
        out[at + 2 * m + j] = (far[j] - near[j]) / SPAN
      }
      recent.push(row)
    }
    if (kept) recent.load(kept)
    return out
  }

  fit(rows: Rows): void {
    const { tf } = this.#tensors
    const { latent, steps, batch, rate, beta, patience, seed } = this.#options
    this.#start(rows.metrics)
    this.#foreseen = undefined
    const encoder = this.#encoder as TensorFlow.LayersModel
    const decoder = this.#decoder as TensorFlow.LayersModel
    const d = 3 * rows.metrics
    const all = this.#features(rows, true)
    const random = seededRandom(seed)
    const held = rows.count > 50 ? Math.floor(0.1 * rows.count) : 0
    const stack = (count: number, from: number, to: number) => {
      const flat = new Float32Array(count * d)
      for (let k = 0; k < count; k++) {
        const i = from + Math.floor(random() * Math.max(1, to - from))
        flat.set(all.subarray(i * d, (i + 1) * d), k * d)
      }
      return tf.tensor2d(flat, [count, d])
    }
    const rebuilt = (x: TensorFlow.Tensor, step: number) => {
      const code = encoder.apply(x) as TensorFlow.Tensor
      const mean = tf.slice(code, [0, 0], [-1, latent])
      const logVariance = tf.clipByValue(tf.slice(code, [0, latent], [-1, latent]), -8, 4)
      const noise = step > 0 ? tf.randomNormal(mean.shape, 0, 1, 'float32', seed + step) : tf.zerosLike(mean)
      const hidden = tf.add(mean, tf.mul(noise, tf.exp(tf.mul(0.5, logVariance))))
      const y = decoder.apply(hidden) as TensorFlow.Tensor
      const error = tf.mean(tf.square(tf.sub(x, y)))
      const far = tf.mean(tf.sub(tf.add(tf.square(mean), tf.exp(logVariance)), tf.add(logVariance, 1)))
      return { y, cost: tf.add(error, tf.mul(beta, far)) as TensorFlow.Scalar, error }
    }
    const check = stack(512, rows.count - held, rows.count)
    trainNetwork(tf, {
      networks: [encoder, decoder],
      steps,
      rate,
      checkEvery: CHECK_EVERY,
      patience,
      cost: step => rebuilt(stack(batch, 0, rows.count - held), step).cost,
      validation: () => rebuilt(check, 0).error as TensorFlow.Scalar,
      onProgress: this.#onProgress,
    })
    check.dispose()
    const errors = this.#errorsOf(all, rows.count, rows.metrics)
    const perMetric = Array.from({ length: rows.metrics }, (_, j) =>
      Float64Array.from({ length: rows.count }, (_, i) => errors[i * rows.metrics + j]),
    )
    this.#worst.fit(perMetric)
  }

  #errorsOf(features: Float32Array, count: number, metrics: number): Float64Array {
    const { tf } = this.#tensors
    const { latent } = this.#options
    const d = 3 * metrics
    const errors = new Float64Array(count * metrics)
    const size = 4096
    for (let from = 0; from < count; from += size) {
      const n = Math.min(size, count - from)
      const y = tf.tidy(() => {
        const x = tf.tensor2d(features.subarray(from * d, (from + n) * d), [n, d])
        const code = (this.#encoder as TensorFlow.LayersModel).apply(x) as TensorFlow.Tensor
        const back = (this.#decoder as TensorFlow.LayersModel).apply(tf.slice(code, [0, 0], [-1, latent])) as TensorFlow.Tensor
        return tf.sub(x, back).dataSync()
      })
      for (let i = 0; i < n; i++)
        for (let j = 0; j < metrics; j++)
          errors[(from + i) * metrics + j] = Math.hypot(y[i * d + j], y[i * d + metrics + j], y[i * d + 2 * metrics + j])
    }
    return errors
  }

  foresee(rows: Rows): void {
    if (!this.#worst.ready) return
    this.#foreseen = { errors: this.#errorsOf(this.#features(rows, false), rows.count, rows.metrics), next: 0, count: rows.count }
  }

  score(row: Float64Array, guilt: Float64Array): number {
    if (!this.#worst.ready || !this.#recent) return Number.NaN
    const ahead = this.#foreseen
    if (ahead) return this.#worst.score(ahead.errors, guilt, ahead.next * row.length)
    const rows = { count: 1, metrics: row.length, values: row }
    return this.#worst.score(this.#errorsOf(this.#features(rows, false), 1, row.length), guilt)
  }

  push(row: Float64Array): void {
    if (this.#foreseen && ++this.#foreseen.next >= this.#foreseen.count) this.#foreseen = undefined
    this.#recent?.push(row)
  }

  save() {
    return {
      metrics: this.#recent?.metrics ?? 0,
      recent: this.#recent?.save(),
      weights: this.networks.map(n => n.getWeights().map(w => packFloats(w.dataSync()))),
      worst: this.#worst.save(),
    }
  }
  load(state: ReturnType<VariationalAutoencoder['save']>): void {
    if (!state.recent) return
    const { tf } = this.#tensors
    this.#start(state.metrics)
    this.#foreseen = undefined
    this.#recent?.load(state.recent)
    this.networks.forEach((network, n) => {
      const weights = network.getWeights().map((w, i) => tf.tensor(unpackFloats(state.weights[n][i]), w.shape))
      network.setWeights(weights)
      tf.dispose(weights)
    })
    this.#worst.load(state.worst)
  }
  dispose(): void {
    for (const network of this.networks) network.dispose()
    this.#encoder = undefined
    this.#decoder = undefined
  }
}
