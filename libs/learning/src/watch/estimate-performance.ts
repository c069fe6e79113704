/**
 * How well a model does where nobody says what was right, from how sure it is: confidence-based performance estimation (NannyML's CBPE). The chances are calibrated on a
 * reference whose truth is known; from then on the expected share of right answers is the mean of the calibrated chance of the answer given.
 *
 * It sees a change of what comes in, also towards harder cases. It cannot see that the same input means something else than before, nor all of a change of how often each
 * truth comes: for that there are outcomes. (Calibrating each answer for itself was tried, and was worse where truths come in other shares.)
 */
import { fitIsotonic, type IsotonicLine, isotonicAt } from '../calibration.ts'

interface Calibrated {
  readonly line: IsotonicLine
  /** Slope and height of a logistic curve over the logarithm of the odds. */
  readonly curve: readonly [slope: number, height: number]
}
const odds = (chance: number): number => {
  const p = Math.min(1 - 1e-4, Math.max(1e-4, chance))
  return Math.log(p / (1 - p))
}
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
/** Platt 1999, by Newton's method, with a little weight on "as it says", so that few cases bend it little. */
function fitCurve(xs: readonly number[], ys: readonly number[]): [slope: number, height: number] {
  let [slope, height] = [1, 0]
  for (let step = 0; step < 25; step++) {
    let [g0, g1, h00, h01, h11] = [-(slope - 1), -height, 1, 0, 1]
    xs.forEach((x, i) => {
      const p = sigmoid(slope * x + height)
      const [error, weight] = [(ys[i] as number) - p, p * (1 - p)]
      g0 += error * x
      g1 += error
      h00 += weight * x * x
      h01 += weight * x
      h11 += weight
    })
    const determinant = h00 * h11 - h01 * h01
    const [ds, dh] = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant]
    slope += ds
    height += dh
    if (Math.abs(ds) + Math.abs(dh) < 1e-9) break
  }
  return [slope, height]
}
/** A rising line follows any shape, and wavers at its ends; a curve of two numbers does not. Their mean is closer than either. */
const chanceOf = ({ line, curve: [slope, height] }: Calibrated, confidence: number): number =>
  (isotonicAt(line, confidence) + sigmoid(slope * odds(confidence) + height)) / 2

export class PerformanceEstimate {
  #calibrated: Calibrated | undefined
  #reference = Number.NaN
  #sum = 0
  #count = 0

  /**
   * @param confidence chance that the model gave its own answer, of each case
   * @param right 1 where it was, 0 where not
   */
  fit(confidence: ArrayLike<number>, right: ArrayLike<number>): void {
    const rows = Array.from({ length: right.length }, (_, i) => i).filter(i => Number.isFinite(confidence[i]))
    const xs = rows.map(i => confidence[i] as number)
    const ys = rows.map(i => right[i] as number)
    this.#calibrated = rows.length > 0 ? { line: fitIsotonic(xs, ys), curve: fitCurve(xs.map(odds), ys) } : undefined
    this.#reference = ys.reduce((sum, y) => sum + y, 0) / Math.max(1, ys.length)
  }
  get ready(): boolean {
    return this.#calibrated !== undefined
  }
  /** Accuracy on the reference. */
  get reference(): number {
    return this.#reference
  }

  add(confidence: number): void {
    if (!this.#calibrated || !Number.isFinite(confidence)) return
    this.#sum += chanceOf(this.#calibrated, confidence)
    this.#count++
  }
  /** Ends a window: the accuracy it is thought to have had; undefined where nothing came. */
  close(): number | undefined {
    const estimate = this.#count > 0 ? this.#sum / this.#count : undefined
    this.#sum = 0
    this.#count = 0
    return estimate
  }

  toJSON() {
    return {
      calibrated: this.#calibrated ?? null,
      reference: this.#calibrated ? this.#reference : null,
      sum: this.#sum,
      count: this.#count,
    }
  }
  load(state: ReturnType<PerformanceEstimate['toJSON']>): this {
    this.#calibrated = state.calibrated ?? undefined
    this.#reference = state.reference ?? Number.NaN
    this.#sum = state.sum
    this.#count = state.count
    return this
  }
}
