import { parentPort, workerData } from 'node:worker_threads'
import { makeNetwork, type NetworkName } from './make-detector.ts'
import type { Rows } from './row-model.ts'
import { loadTensorFlow } from './tensorflow.ts'

/** The other end of `trainInWorker`. */
const { name, rows, options } = workerData as { name: NetworkName; rows: Rows; options: object }
const tensors = await loadTensorFlow()
const started = performance.now()
const model = makeNetwork(name, tensors, { ...options, onProgress: progress => parentPort?.postMessage({ progress }) })
model.fit(rows)
parentPort?.postMessage({ done: { state: model.save(), tier: tensors.tier, seconds: (performance.now() - started) / 1000 } })
