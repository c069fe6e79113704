import { Worker } from 'node:worker_threads'
import type { LstmOptions, Progress } from './lstm-autoencoder.ts'
import type { NetworkName } from './make-detector.ts'
import type { Rows } from './row-model.ts'
import type { Tier } from './tensorflow.ts'

export interface Trained {
  /** For `load` of a model of the same name: weights and what normal errors are. */
  readonly state: unknown
  readonly tier: Tier
  readonly seconds: number
}
export interface TrainOptions extends Omit<LstmOptions, 'onProgress'> {
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

/** Trains a network on standardised rows in a thread of its own: the loop that scores never waits for it. */
export function trainInWorker(
  name: NetworkName,
  rows: Rows,
  { onProgress, signal, ...options }: TrainOptions = {},
): Promise<Trained> {
  const { promise, resolve, reject } = Promise.withResolvers<Trained>()
  const worker = new Worker(new URL('./train-worker.ts', import.meta.url), {
    workerData: { name, rows: { ...rows, values: rows.values.slice() }, options },
  })
  const stop = () => void worker.terminate()
  signal?.addEventListener('abort', stop, { once: true })
  worker.on('message', ({ progress, done }: { progress?: Progress; done?: Trained }) => {
    if (progress) onProgress?.(progress)
    if (done) resolve(done)
  })
  worker.on('error', reject)
  worker.on('exit', code => reject(new Error(signal?.aborted ? 'training was stopped' : `training ended early, exit ${code}`)))
  return promise.finally(() => signal?.removeEventListener('abort', stop))
}
