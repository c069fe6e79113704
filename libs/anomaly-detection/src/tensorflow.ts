/**
 * TensorFlow.js on the fastest tier this machine has: tfjs-node-gpu, tfjs-node, wasm, cpu, in this order, or the one named by `AEGIS_TF_BACKEND`
 * (gpu, node, wasm, cpu). A tier is accepted only after it computed a small network as plain arithmetic does. One native package per process.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import type * as TensorFlow from '@tensorflow/tfjs'
import { fuse } from './fuse-lstm.ts'

export type Tf = typeof TensorFlow
export const TIERS = ['gpu', 'node', 'wasm', 'cpu'] as const
export type Tier = (typeof TIERS)[number]

export interface Tensors {
  readonly tf: Tf
  readonly tier: Tier
  /** Greatest difference from plain arithmetic in the check at the start. */
  readonly parity: number
  /** Swaps the LSTM layers of a model for fused kernels where the tier has them; returns how many. */
  fuse(model: TensorFlow.LayersModel): number
}
export interface LoadOptions {
  /** Only this tier. Default: `AEGIS_TF_BACKEND`, else the first that works. */
  readonly tier?: string
  readonly log?: (line: string) => void
}

let loaded: Promise<Tensors> | undefined

/** Once per process: later calls get what the first one loaded. */
export function loadTensorFlow(options: LoadOptions = {}): Promise<Tensors> {
  loaded ??= load(options).catch(error => {
    loaded = undefined
    throw error
  })
  return loaded
}

async function load({ tier = process.env.AEGIS_TF_BACKEND, log = () => {} }: LoadOptions): Promise<Tensors> {
  if (tier && !TIERS.includes(tier as Tier)) throw new Error(`AEGIS_TF_BACKEND is "${tier}": expected one of ${TIERS.join(', ')}`)
  const reasons: string[] = []
  for (const candidate of tier ? [tier as Tier] : TIERS) {
    try {
      const tf = await start(candidate)
      const parity = difference(tf)
      if (!(parity < 1e-4)) throw new Error(`differs from plain arithmetic by ${parity}`)
      log(`TensorFlow.js ${tf.version_core ?? ''} on ${candidate}, parity ${parity.toExponential(1)}`)
      return { tf, tier: candidate, parity, fuse: model => (candidate === 'node' || candidate === 'gpu' ? fuse(tf, model) : 0) }
    } catch (error) {
      const reason = `${candidate}: ${(error as Error).message.split('\n')[0]}`
      reasons.push(reason)
      log(`TensorFlow.js not on ${reason}`)
    }
  }
  throw new Error(`no tier of TensorFlow.js works here: ${reasons.join('; ')}`)
}

const requireHere = createRequire(import.meta.url)

async function start(tier: Tier): Promise<Tf> {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  if (tier === 'gpu' || tier === 'node') {
    // tfjs-node calls helpers that Node 23 took away.
    const util = requireHere('node:util') as Record<string, unknown>
    util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined
    util.isArray ??= Array.isArray
  }
  if (tier === 'gpu') {
    // Without the driver it would run on the CPU and not say so.
    const folders = [
      ...(process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean),
      '/usr/lib/x86_64-linux-gnu',
      '/usr/lib64',
      '/usr/lib/aarch64-linux-gnu',
      '/usr/local/cuda/compat',
      '/usr/lib/wsl/lib',
    ]
    if (!folders.some(folder => existsSync(`${folder}/libcuda.so.1`))) throw new Error('no CUDA driver (libcuda.so.1)')
    const tf = requireHere('@tensorflow/tfjs-node-gpu') as Tf
    await tf.ready()
    if (!(tf.backend() as unknown as { isUsingGpuDevice?: boolean }).isUsingGpuDevice) throw new Error('no CUDA device in use')
    return tf
  }
  if (tier === 'node') {
    const tf = requireHere('@tensorflow/tfjs-node') as Tf
    await tf.ready()
    return tf
  }
  const tf = requireHere('@tensorflow/tfjs') as Tf
  if (tier === 'wasm') requireHere('@tensorflow/tfjs-backend-wasm')
  if (!(await tf.setBackend(tier))) throw new Error('the backend does not start')
  await tf.ready()
  return tf
}

/** tanh(x W) and its mean of squares, by the backend and by hand. */
function difference(tf: Tf): number {
  const x = [0.5, -1, 2, 0.25, 1, -0.75]
  const w = [0.1, 0.7, -0.4, 0.3, 0.9, -0.2]
  const found = tf.tidy(() => tf.tanh(tf.matMul(tf.tensor2d(x, [2, 3]), tf.tensor2d(w, [3, 2]))).dataSync())
  let worst = 0
  for (let i = 0; i < 2; i++)
    for (let j = 0; j < 2; j++) {
      let sum = 0
      for (let k = 0; k < 3; k++) sum += x[3 * i + k] * w[2 * k + j]
      worst = Math.max(worst, Math.abs(Math.tanh(sum) - found[2 * i + j]))
    }
  return worst
}
