import { fork } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import type { TrainedEntity, TrainMessage, TrainRequest } from './train-entity.ts'
import type { Progress } from './train-network.ts'

export interface TrainInWorkerOptions {
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}
/** Trainings of this process stand in a line: one at a time, since two would take the cores of those who watch. */
let line: Promise<unknown> = Promise.resolve()

/**
 * `trainEntity` in a process of its own, one after the other and behind everybody else for the processor: the loop that scores, and its heartbeats, never
 * wait for it. Not a thread: V8 can bring a process down where threads come and go beside compiled code ("Check failed: jit_page.has_value()",
 * nodejs/node 64500), and a fault of native TensorFlow would do the same.
 * Rejects when it is stopped by the signal, or when training fails (no tier of TensorFlow.js, no memory).
 */
export function trainInWorker(request: TrainRequest, options: TrainInWorkerOptions = {}): Promise<TrainedEntity> {
  const trained = line.then(() => inWorker(request, options))
  line = trained.catch(() => undefined)
  return trained
}

function inWorker(request: TrainRequest, { onProgress, signal }: TrainInWorkerOptions): Promise<TrainedEntity> {
  const { promise, resolve, reject } = Promise.withResolvers<TrainedEntity>()
  if (signal?.aborted) return Promise.reject(new Error('training was stopped'))
  const worker = fork(new URL('./train-worker.ts', import.meta.url), { serialization: 'advanced', execArgv: [] })
  if (worker.pid !== undefined) setPriority(worker.pid, constants.priority.PRIORITY_LOW)
  const stop = () => void worker.kill('SIGKILL')
  signal?.addEventListener('abort', stop, { once: true })
  worker.on('message', message => {
    const { progress, done, failed } = message as TrainMessage
    if (progress) onProgress?.(progress)
    if (failed === undefined && !done) return
    if (done) resolve(done)
    else reject(new Error(failed))
    // It ends when it is let go: its last word is here by then, which an exit could outrun.
    if (worker.connected) worker.disconnect()
  })
  worker.on('error', reject)
  worker.on('exit', (code, by) =>
    reject(new Error(signal?.aborted ? 'training was stopped' : `training ended early, ${by ?? `exit ${code}`}`)),
  )
  worker.send(request, error => error && reject(error))
  return promise.finally(() => signal?.removeEventListener('abort', stop))
}
