/** Training of a network by Adam, with checks on rows held back: the best weights seen are the ones that stay. */
import type * as TensorFlow from '@tensorflow/tfjs'
import { Adam, weightsOf } from './adam.ts'
import type { Tf } from './tensorflow.ts'

export interface Progress {
  readonly step: number
  readonly steps: number
  readonly loss: number
  readonly validation: number
}
export interface Training {
  readonly networks: readonly TensorFlow.LayersModel[]
  /** Steps at most. */
  readonly steps: number
  /** Learning rate of Adam. */
  readonly rate: number
  /** Steps between checks. */
  readonly checkEvery: number
  /** Checks in a row without a better validation error after which training stops. */
  readonly patience: number
  /** What a step lowers; steps count from 1. */
  readonly cost: (step: number) => TensorFlow.Scalar
  /** The error on what is held back. */
  readonly validation: () => TensorFlow.Scalar
  readonly onProgress: (progress: Progress) => void
}

export function trainNetwork(tf: Tf, training: Training): void {
  const { steps, checkEvery } = training
  const variables = training.networks.flatMap(weightsOf)
  const optimizer = new Adam(tf, variables, training.rate)
  let best = Number.POSITIVE_INFINITY
  let kept: TensorFlow.Tensor[] = []
  let worse = 0
  for (let step = 1; step <= steps; step++) {
    const wanted = step % checkEvery === 0 || step === steps
    const loss = tf.tidy(() => {
      const cost = optimizer.minimize(() => training.cost(step))
      return wanted ? cost.dataSync()[0] : 0
    })
    if (!wanted) continue
    const validation = tf.tidy(() => training.validation().dataSync()[0])
    training.onProgress({ step, steps, loss, validation })
    if (validation < best) {
      best = validation
      worse = 0
      tf.dispose(kept)
      kept = variables.map(v => v.clone())
    } else if (++worse >= training.patience) break
  }
  kept.forEach((value, i) => {
    variables[i].assign(value as never)
  })
  tf.dispose(kept)
  optimizer.dispose()
}
