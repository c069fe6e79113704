/** Events that are rare and come at a rate of their own: how many in the last windows are more than is usual here. */

/** Standard deviations of a Poisson count that are no chance. */
const DEVIATIONS = 6
const WINDOWS = 4

/** Whether `seen` lies far above what a Poisson count of this mean reaches by chance. `variance` where the counts are known to spread wider. */
export const farAbove = (seen: number, expected: number, variance = expected, bar = 1): boolean =>
  seen > expected + bar * DEVIATIONS * Math.sqrt(Math.max(expected, variance, 0.02))

/** The bar after another window: what comes in bursts raises its own bar with each burst, and lowers it over hours of peace. 1 is the lowest. */
export const nextBar = (bar: number, burstBegins: boolean): number =>
  burstBegins ? Math.min(50, 1.6 * bar) : 1 + 0.9995 * (bar - 1)

/** Counts over the last few windows held against their usual rate, which is learned from the windows that were not unusual. */
export class UnusualCount {
  #usual = 0
  #windows = 0
  #recent: number[] = []
  readonly #least: number

  /** @param least events in the last four windows below which nothing is unusual */
  constructor(least: number) {
    this.#least = least
  }

  /** Ends a window in which there were `count`; whether the last four together are unusual. */
  close(count: number): boolean {
    this.#recent.push(count)
    if (this.#recent.length > WINDOWS) this.#recent.shift()
    const seen = this.#recent.reduce((a, b) => a + b, 0)
    const unusual = seen >= this.#least && farAbove(seen, this.#usual * this.#recent.length)
    this.#windows++
    // What is unusual is learned slowly, so that it becomes usual only where it stays.
    this.#usual += Math.max(1 / this.#windows, unusual ? 0.005 : 0.02) * (count - this.#usual)
    return unusual
  }

  toJSON() {
    return { usual: this.#usual, windows: this.#windows, recent: this.#recent }
  }
  load(state: ReturnType<UnusualCount['toJSON']>): this {
    this.#usual = state.usual
    this.#windows = state.windows
    this.#recent = [...state.recent]
    return this
  }
}
