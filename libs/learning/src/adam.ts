/** Adam: gradient descent whose step along each coordinate follows the size of the gradients seen there. Kingma and Ba 2015. */
export interface AdamOptions {
  /** Length of a step. */
  readonly rate: number
  /** What of the mean, and of the mean square, is kept from step to step. Default 0.9 and 0.999. */
  readonly keepMean?: number
  readonly keepSquare?: number
}
const TINY = 1e-8

/** A function that takes one step of `weights`, in place, down the gradient it is given. */
export function adam(weights: Float64Array, options: AdamOptions): (gradient: Float64Array) => void {
  const { rate, keepMean = 0.9, keepSquare = 0.999 } = options
  const mean = new Float64Array(weights.length)
  const square = new Float64Array(weights.length)
  let steps = 0
  return gradient => {
    steps++
    // Both means start at zero, which their first steps make up for.
    const ofMean = 1 - keepMean ** steps
    const ofSquare = 1 - keepSquare ** steps
    for (let i = 0; i < weights.length; i++) {
      const g = gradient[i]
      mean[i] = keepMean * mean[i] + (1 - keepMean) * g
      square[i] = keepSquare * square[i] + (1 - keepSquare) * g * g
      weights[i] -= (rate * (mean[i] / ofMean)) / (Math.sqrt(square[i] / ofSquare) + TINY)
    }
  }
}
