/**
 * Accuracy of a model where its predictions are joined to what came out: windows of a hundred, ten of them remembered, the mean of the last five against the first five.
 *
 * It has degraded where that mean fell by 5 % of itself and by more than chance: of a model that is right four times in five, five hundred outcomes alone fall by 5 % once in
 * twenty looks. Calibration is judged beside it: the mean gap between what it was sure of and how often it was right.
 */
import { calibrationError } from '../classification-scores.ts'

export interface RollingOptions {
  /** Outcomes of a window. Default 100. */
  readonly window?: number
  /** Windows remembered; half of them are held against the other half. Default 10. */
  readonly windows?: number
  /** Share of itself that the mean must fall by. Default .05. */
  readonly degradation?: number
  /** Standard errors that it must fall by as well. Default 3.5: by chance once in 4,000 windows. */
  readonly sure?: number
}
export interface AccuracyReport {
  /** Of the window that ended. */
  readonly accuracy: number
  /** Expected calibration error of the last five windows; of those outcomes that came with a confidence. */
  readonly calibration: number | undefined
  readonly before: number | undefined
  readonly lately: number | undefined
  readonly degraded: boolean
}
interface Window {
  right: number
  count: number
  confidence: number[]
  hits: number[]
}
const fresh = (): Window => ({ right: 0, count: 0, confidence: [], hits: [] })
const mean = (windows: readonly Window[]): number =>
  windows.reduce((sum, w) => sum + w.right / w.count, 0) / Math.max(1, windows.length)

export class RollingAccuracy {
  readonly #options: Required<RollingOptions>
  #windows: Window[] = []
  #open = fresh()
  #outcomes = 0

  constructor(options: RollingOptions = {}) {
    this.#options = { window: 100, windows: 10, degradation: 0.05, sure: 3.5, ...options }
  }
  get outcomes(): number {
    return this.#outcomes
  }

  /** One outcome: whether it was right, and how sure it was. A report at the end of each window. */
  add(right: boolean, confidence?: number): AccuracyReport | undefined {
    const { window, windows, degradation, sure } = this.#options
    this.#outcomes++
    this.#open.count++
    if (right) this.#open.right++
    if (confidence !== undefined && Number.isFinite(confidence)) {
      this.#open.confidence.push(confidence)
      this.#open.hits.push(right ? 1 : 0)
    }
    if (this.#open.count < window) return undefined
    this.#windows.push(this.#open)
    if (this.#windows.length > windows) this.#windows.shift()
    const accuracy = this.#open.right / this.#open.count
    this.#open = fresh()
    const half = windows >> 1
    const last = this.#windows.slice(-half)
    const sure5 = last.flatMap(w => w.confidence)
    const calibration =
      sure5.length > 0
        ? calibrationError(
            sure5,
            last.flatMap(w => w.hits),
          )
        : undefined
    if (this.#windows.length < windows) return { accuracy, calibration, before: undefined, lately: undefined, degraded: false }
    const [before, lately] = [mean(this.#windows.slice(0, half)), mean(last)]
    const n = half * window
    const pooled = (before + lately) / 2
    const error = Math.sqrt(Math.max((2 * pooled * (1 - pooled)) / n, 1e-12))
    const fall = before - lately
    return { accuracy, calibration, before, lately, degraded: fall >= degradation * before && fall >= sure * error }
  }

  toJSON() {
    return { windows: this.#windows, open: this.#open, outcomes: this.#outcomes }
  }
  load(state: ReturnType<RollingAccuracy['toJSON']>): this {
    this.#windows = state.windows
    this.#open = state.open
    this.#outcomes = state.outcomes
    return this
  }
}
