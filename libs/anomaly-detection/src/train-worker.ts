/** The other end of `trainInWorker`: trains what it is sent, says so, and ends when it is let go, or with whoever started it. */
import { needsTensorFlow } from './make-detector.ts'
import { loadTensorFlow } from './tensorflow.ts'
import { type TrainMessage, type TrainRequest, trainEntity } from './train-entity.ts'

const say = (message: TrainMessage): Promise<void> =>
  new Promise((resolve, reject) => process.send!(message, (error: Error | null) => (error ? reject(error) : resolve())))

process.once('disconnect', () => process.exit(1))
process.once('message', async (request: TrainRequest) => {
  try {
    const tensors = needsTensorFlow(request.detector) ? await loadTensorFlow() : undefined
    await say({ done: trainEntity(request, tensors, progress => void say({ progress })) })
  } catch (error) {
    await say({ failed: (error as Error).message })
  }
})
