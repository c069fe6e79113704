/**
 * How well a model does where nobody says what was right, from how sure it is: confidence-based performance estimation (NannyML's CBPE). The chances are calibrated on a
 * reference whose truth is known; from then on the expected share of right answers is the mean of the calibrated chance of the answer given. Each answer is calibrated for
 * itself as far as the reference has cases of it, so that another mix of answers is another estimate.
 *
 * It sees a change of what comes in, also towards harder cases. It cannot see that the same input means something else than before: for that there are outcomes.
 */
import { fitIsotonic, type IsotonicLine, isotonicAt } from '../calibration.ts'

/** Cases of one answer that count as much as all others together do for it. */
const BORROWED = 100
const ANSWERS = 64

interface Calibrated {
  readonly line: IsotonicLine
  /** Slope and height of a logistic curve over the logarithm of the odds. */
  readonly curve: readonly [slope: number, height: number]
  readonly cases: number
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
  #all: Calibrated | undefined
  #answers = new Map<string, Calibrated>()
  #reference = Number.NaN
  #sum = 0
  #count = 0

  /**
   * @param confidence chance that the model gave its own answer, of each case
   * @param right 1 where it was, 0 where not
   * @param answers what it answered; without it all are calibrated together
   */
  fit(confidence: ArrayLike<number>, right: ArrayLike<number>, answers?: readonly string[]): void {
    const rows = Array.from({ length: right.length }, (_, i) => i).filter(i => Number.isFinite(confidence[i]))
    const of = (some: readonly number[]): Calibrated => {
      const xs = some.map(i => confidence[i] as number)
      const ys = some.map(i => right[i] as number)
      return { line: fitIsotonic(xs, ys), curve: fitCurve(xs.map(odds), ys), cases: some.length }
    }
    this.#all = rows.length > 0 ? of(rows) : undefined
    this.#answers = new Map()
    if (answers) {
      const by = Map.groupBy(rows, i => answers[i] as string)
      for (const [answer, some] of [...by].sort((a, b) => b[1].length - a[1].length).slice(0, ANSWERS))
        this.#answers.set(answer, of(some))
    }
    this.#reference = rows.reduce((sum, i) => sum + (right[i] as number), 0) / Math.max(1, rows.length)
  }
  get ready(): boolean {
    return this.#all !== undefined
  }
  /** Accuracy on the reference. */
  get reference(): number {
    return this.#reference
  }

  add(confidence: number, answer?: string): void {
    if (!this.#all || !Number.isFinite(confidence)) return
    const common = chanceOf(this.#all, confidence)
    const own = answer === undefined ? undefined : this.#answers.get(answer)
    this.#sum += own ? (own.cases * chanceOf(own, confidence) + BORROWED * common) / (own.cases + BORROWED) : common
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
      all: this.#all ?? null,
      answers: [...this.#answers],
      reference: this.#all ? this.#reference : null,
      sum: this.#sum,
      count: this.#count,
    }
  }
  load(state: ReturnType<PerformanceEstimate['toJSON']>): this {
    this.#all = state.all ?? undefined
    this.#answers = new Map(state.answers)
    this.#reference = state.reference ?? Number.NaN
    this.#sum = state.sum
    this.#count = state.count
    return this
  }
}
