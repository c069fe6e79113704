/**
 * Adam over all weights of a network as one vector. Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization".
 *
 * The optimiser of TensorFlow.js goes through a dozen kernels for each weight tensor, 200 for the LSTM autoencoder; what calling them costs is more than
 * what they compute. One vector takes a dozen in all, and the same numbers come out.
 */
import type * as TensorFlow from '@tensorflow/tfjs'
import type { Tf } from './tensorflow.ts'

const FIRST = 0.9
const SECOND = 0.999
const TINY = 1e-7

export const weightsOf = (model: TensorFlow.LayersModel): TensorFlow.Variable[] =>
  model.trainableWeights.map(w => (w as unknown as { val: TensorFlow.Variable }).val)

export class Adam {
  readonly #tf: Tf
  readonly #variables: readonly TensorFlow.Variable[]
  readonly #rate: number
  readonly #mean: TensorFlow.Variable
  readonly #square: TensorFlow.Variable
  #steps = 0

  /** @param rate learning rate */
  constructor(tf: Tf, variables: readonly TensorFlow.Variable[], rate: number) {
    this.#tf = tf
    this.#variables = variables
    this.#rate = rate
    const size = variables.reduce((sum, v) => sum + v.size, 0)
    const zeros = () => tf.tidy(() => tf.variable(tf.zeros([size]), false))
    this.#mean = zeros()
    this.#square = zeros()
  }

  /** One step down the gradient of a cost; returns the cost before it, which the caller disposes of. */
  minimize(cost: () => TensorFlow.Scalar): TensorFlow.Scalar {
    const tf = this.#tf
    return tf.tidy(() => {
      const { value, grads } = tf.variableGrads(cost, [...this.#variables])
      const gradient = tf.concat(this.#variables.map(v => tf.reshape(grads[v.name], [v.size])))
      this.#mean.assign(tf.add(tf.mul(this.#mean, FIRST), tf.mul(gradient, 1 - FIRST)))
      this.#square.assign(tf.add(tf.mul(this.#square, SECOND), tf.mul(tf.square(gradient), 1 - SECOND)))
      this.#steps++
      // Both moments start at zero; the correction for that is folded into the rate and the divisor.
      const root = Math.sqrt(1 - SECOND ** this.#steps)
      const rate = (this.#rate * root) / (1 - FIRST ** this.#steps)
      const change = tf.div(tf.mul(this.#mean, rate), tf.add(tf.sqrt(this.#square), TINY * root))
      const sizes = this.#variables.map(v => v.size)
      tf.split(change, sizes).forEach((part, i) => {
        const variable = this.#variables[i]
        variable.assign(tf.sub(variable, tf.reshape(part, variable.shape)) as never)
      })
      return value
    })
  }

  dispose(): void {
    this.#mean.dispose()
    this.#square.dispose()
  }
}
