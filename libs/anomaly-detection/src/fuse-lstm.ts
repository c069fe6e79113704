/**
 * One kernel per LSTM layer instead of one per gate and step: `BlockLSTMV2` of TensorFlow and its gradient, called from TensorFlow.js.
 *
 * Hochreiter and Schmidhuber 1997, "Long Short-Term Memory", in the fused form of Appleyard et al. 2016, "Optimizing Performance of Recurrent Neural
 * Networks on GPUs". Only the way a layer is computed is swapped: weights, shapes and the saved format stay, so the same file runs unfused elsewhere.
 */
import { createRequire } from 'node:module'
import type * as TensorFlow from '@tensorflow/tfjs'

type Tf = typeof TensorFlow
type Tensor = TensorFlow.Tensor
interface Attribute {
  readonly name: string
  readonly type: number
  readonly value: number | boolean
}
/** What the native backend has beyond the public one. */
interface NativeBackend {
  readonly binding: Record<'TF_ATTR_FLOAT' | 'TF_ATTR_BOOL' | 'TF_ATTR_TYPE' | 'TF_FLOAT', number>
  executeMultipleOutputs(name: string, attributes: readonly Attribute[], inputs: readonly unknown[], outputs: number): Tensor[]
}
interface LstmLayer {
  readonly returnSequences: boolean
  readonly stateful: boolean
  readonly goBackwards: boolean
  readonly cell: {
    readonly activation: { getClassName(): string }
    readonly recurrentActivation: { getClassName(): string }
    readonly useBias: boolean
    readonly dropout: number
    readonly recurrentDropout: number
    readonly kernel: { read(): Tensor }
    readonly recurrentKernel: { read(): Tensor }
    readonly bias: { read(): Tensor }
  }
  getClassName(): string
  call(inputs: Tensor | Tensor[]): Tensor
}

interface RepeatLayer {
  readonly n: number
  call(inputs: Tensor | Tensor[]): Tensor
}

export function fuse(tf: Tf, model: TensorFlow.LayersModel): number {
  const lstm = fusedLstm(tf)
  let fused = 0
  for (const layer of model.layers as unknown as LstmLayer[]) {
    if (layer.getClassName() === 'RepeatVector') repeatAtOnce(tf, layer as unknown as RepeatLayer)
    if (layer.getClassName() !== 'LSTM') continue
    const { cell } = layer
    // The kernel knows the plain cell only; the others stay as they are.
    const plain =
      cell.activation.getClassName() === 'tanh' && cell.recurrentActivation.getClassName() === 'sigmoid' && cell.useBias
    if (!plain || cell.dropout || cell.recurrentDropout || layer.stateful || layer.goBackwards) continue
    layer.call = inputs =>
      tf.tidy(() => {
        const x = Array.isArray(inputs) ? inputs[0] : inputs
        const steps = x.shape[1] as number
        const h = lstm(tf.transpose(x, [1, 0, 2]), cell.kernel.read(), cell.recurrentKernel.read(), cell.bias.read())
        return layer.returnSequences ? tf.transpose(h, [1, 0, 2]) : tf.squeeze(tf.slice(h, [steps - 1, 0, 0], [1, -1, -1]), [0])
      })
    fused++
  }
  return fused
}

/** The gradient of a repetition is a sum; TensorFlow.js cuts it in slices, one per repetition, and adds those one by one. */
function repeatAtOnce(tf: Tf, layer: RepeatLayer): void {
  const repeat = tf.customGrad(x => ({
    value: tf.tile(tf.expandDims(x as Tensor, 1), [1, layer.n, 1]),
    gradFunc: dy => tf.sum(dy, 1),
  }))
  layer.call = inputs => repeat(Array.isArray(inputs) ? inputs[0] : inputs)
}

/** x [time, batch, in] to h [time, batch, units]; gates in the order i, c, f, o, which is also that of Keras. */
function fusedLstm(tf: Tf) {
  const backend = tf.backend() as unknown as NativeBackend
  const Int64 = int64()
  const { TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT } = backend.binding
  const backward = [
    { name: 'use_peephole', type: TF_ATTR_BOOL, value: false },
    { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
  ]
  const forward = [{ name: 'cell_clip', type: TF_ATTR_FLOAT, value: 0 }, ...backward]
  return (x: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor): Tensor => {
    const units = recurrent.shape[0]
    const [steps, batch, width] = x.shape
    const run = tf.customGrad((...args) => {
      const [x, kernel, recurrent, bias, save] = args as [Tensor, Tensor, Tensor, Tensor, (tensors: Tensor[]) => void]
      const length = new Int64(steps)
      const weights = tf.concat([kernel, recurrent], 0)
      const zero = tf.zeros([batch, units])
      const none = tf.zeros([units])
      const outs = backend.executeMultipleOutputs(
        'BlockLSTMV2',
        forward,
        [length, x, zero, zero, weights, none, none, none, bias],
        7,
      )
      save([x, weights, bias, ...outs])
      return {
        value: outs[6],
        gradFunc: (dy, saved) => {
          const [x, weights, bias, i, cs, f, o, ci, co, h] = saved
          const zero = tf.zeros([batch, units])
          const none = tf.zeros([units])
          const inputs = [length, x, zero, zero, weights, none, none, none, bias, i, cs, f, o, ci, co, h, tf.zerosLike(cs), dy]
          const grads = backend.executeMultipleOutputs('BlockLSTMGradV2', backward, inputs, 8)
          const [dx, , , dw, , , , db] = grads
          return [dx, tf.slice(dw, [0, 0], [width, 4 * units]), tf.slice(dw, [width, 0], [units, 4 * units]), db]
        },
      }
    })
    return run(x, kernel, recurrent, bias)
  }
}

/** The number of steps goes to the kernel as a 64-bit integer, which tensors here cannot hold. */
function int64(): new (value: number) => object {
  const require = createRequire(import.meta.url)
  const loaded = Object.keys(require.cache).find(path => /tfjs-node(-gpu)?[\\/]dist[\\/]int64_tensors\.js$/.test(path))
  return require(loaded ?? '@tensorflow/tfjs-node/dist/int64_tensors').Int64Scalar
}
