import { parentPort, workerData } from 'node:worker_threads'
import { needsTensorFlow } from './make-detector.ts'
import { loadTensorFlow } from './tensorflow.ts'
import { type TrainRequest, trainEntity } from './train-entity.ts'

/** The other end of `trainInWorker`. */
const request = workerData as TrainRequest
const tensors = needsTensorFlow(request.detector) ? await loadTensorFlow() : undefined
const done = trainEntity(request, tensors, progress => parentPort?.postMessage({ progress }))
parentPort?.postMessage({ done })
