/** How good answers are. `truth` and `guess` are class numbers. */

/** Mean of the F1 of the classes that the truth shows. */
export function macroF1(truth: ArrayLike<number>, guess: ArrayLike<number>): number {
  const classes = new Set(Array.from(truth))
  let sum = 0
  for (const k of classes) {
    let [both, either] = [0, 0]
    for (let i = 0; i < truth.length; i++) {
      if (truth[i] === k && guess[i] === k) both++
      either += (truth[i] === k ? 1 : 0) + (guess[i] === k ? 1 : 0)
    }
    sum += (2 * both) / either
  }
  return classes.size > 0 ? sum / classes.size : 0
}
export function accuracy(truth: ArrayLike<number>, guess: ArrayLike<number>): number {
  let right = 0
  for (let i = 0; i < truth.length; i++) if (truth[i] === guess[i]) right++
  return truth.length > 0 ? right / truth.length : 0
}
/** Expected calibration error: ten bins of equal width, weighted by how many fall into each. */
export function calibrationError(confidence: ArrayLike<number>, right: ArrayLike<number>): number {
  const bins = Array.from({ length: 10 }, () => ({ confidence: 0, right: 0 }))
  for (let i = 0; i < confidence.length; i++) {
    const bin = bins[Math.min(9, Math.floor(confidence[i] * 10))]
    bin.confidence += confidence[i]
    bin.right += right[i]
  }
  return confidence.length > 0 ? bins.reduce((sum, b) => sum + Math.abs(b.confidence - b.right), 0) / confidence.length : 0
}
export const argmax = (values: ArrayLike<number>): number => {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i
  return best
}
