import { Worker } from 'node:worker_threads'
import type { Progress } from './lstm-autoencoder.ts'
import type { TrainedEntity, TrainRequest } from './train-entity.ts'

export interface TrainInWorkerOptions {
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

/**
 * `trainEntity` in a thread of its own: the loop that scores, and its heartbeats, never wait for it. Rejects when it is stopped by the signal, or when the
 * thread fails (no tier of TensorFlow.js, no memory).
 */
export function trainInWorker(request: TrainRequest, { onProgress, signal }: TrainInWorkerOptions = {}): Promise<TrainedEntity> {
  const { promise, resolve, reject } = Promise.withResolvers<TrainedEntity>()
  const worker = new Worker(new URL('./train-worker.ts', import.meta.url), { workerData: request })
  const stop = () => void worker.terminate()
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  worker.on('message', ({ progress, done }: { progress?: Progress; done?: TrainedEntity }) => {
    if (progress) onProgress?.(progress)
    if (done) resolve(done)
  })
  worker.on('error', reject)
  worker.on('exit', code => reject(new Error(signal?.aborted ? 'training was stopped' : `training ended early, exit ${code}`)))
  return promise.finally(() => signal?.removeEventListener('abort', stop))
}
