/**
 * What may be said of a mean while one goes on looking: a confidence sequence, which holds at all times together rather than at one. Normal mixture with the variance that was
 * seen (Robbins 1970; Waudby-Smith et al. 2024, "Time-uniform central limit theory").
 */

/** Observations after which the variance is believed. */
const BURN_IN = 100

/**
 * Half the width of the sequence at `n` observations, in standard errors.
 * @param alpha chance that the mean ever leaves it
 * @param tuned number of observations at which it is narrowest
 */
export function alwaysValid(n: number, alpha: number, tuned: number): number {
  const a = -2 * Math.log(alpha)
  const rho2 = (a + Math.log(a) + 1) / tuned
  return Math.sqrt((2 * (n * rho2 + 1) * Math.log(Math.sqrt(n * rho2 + 1) / alpha)) / (n * rho2))
}

/** Mean and variance of differences, one at a time. */
export class Differences {
  #n = 0
  #sum = 0
  #squares = 0

  add(difference: number): void {
    this.#n++
    this.#sum += difference
    this.#squares += difference * difference
  }
  get count(): number {
    return this.#n
  }
  get mean(): number {
    return this.#n > 0 ? this.#sum / this.#n : 0
  }
  /** Of the mean; never nothing, since what has not differed yet may. */
  get error(): number {
    if (this.#n === 0) return Number.POSITIVE_INFINITY
    const variance = Math.max(this.#squares / this.#n - this.mean ** 2, 1 / this.#n)
    return Math.sqrt(variance / this.#n)
  }
  /** The mean lies in here at all times, but for a chance of 2 `alpha`; everything is possible before there is enough. */
  sequence(alpha: number, tuned: number): { readonly low: number; readonly high: number } {
    if (this.#n < BURN_IN) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
    const half = this.error * alwaysValid(this.#n, alpha, tuned)
    return { low: this.mean - half, high: this.mean + half }
  }
  toJSON() {
    return { n: this.#n, sum: this.#sum, squares: this.#squares }
  }
  load(state: ReturnType<Differences['toJSON']>): this {
    this.#n = state.n
    this.#sum = state.sum
    this.#squares = state.squares
    return this
  }
}

/** The point above which a standard normal value lies with this chance. Acklam's rational approximation, good to 1e-9. */
export function normalQuantile(chance: number): number {
  const p = 1 - chance
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239]
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572]
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783,
  ]
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416]
  const poly = (k: readonly number[], x: number) => k.reduce((sum, v) => sum * x + v, 0)
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p))
    return poly(c, q) / (poly(d, q) * q + 1)
  }
  if (p > 1 - 0.02425) return -normalQuantile(p)
  const q = p - 0.5
  const r = q * q
  return (poly(a, r) * q) / (poly(b, r) * r + 1)
}
