/**
 * What rounds of noisy sums give away. Rényi differential privacy of the Gaussian mechanism (Mironov 2017), added up over rounds, and turned into (ε, δ) as in Canonne,
 * Kamath and Steinke 2020. All take part in every round: nothing is gained by sampling. The unit is a record: what one labelled case can change.
 */
const ORDERS = [1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 128, 256]

export class PrivacyAccount {
  readonly #delta: number
  /** Sum over rounds of 1 / (2 z²): times the order, it is the Rényi divergence. */
  #spent = 0
  #rounds = 0

  constructor(delta = 1e-5) {
    this.#delta = delta
  }
  get rounds(): number {
    return this.#rounds
  }
  /** @param noise standard deviation of the noise, in units of what one record can change the sum by */
  round(noise: number): void {
    this.#spent += 1 / (2 * noise * noise)
    this.#rounds++
  }
  /** ε in all so far. */
  get epsilon(): number {
    return epsilonOf(this.#spent, this.#delta)
  }
}
const epsilonOf = (spent: number, delta: number): number =>
  spent === 0
    ? 0
    : Math.max(0, Math.min(...ORDERS.map(a => a * spent + Math.log((a - 1) / a) - (Math.log(delta) + Math.log(a)) / (a - 1))))
/** The least noise with which so many rounds stay within ε. */
export function noiseFor(epsilon: number, rounds: number, delta = 1e-5): number {
  let [low, high] = [1e-2, 1e4]
  for (let i = 0; i < 80; i++) {
    const middle = Math.sqrt(low * high)
    if (epsilonOf(rounds / (2 * middle * middle), delta) > epsilon) low = middle
    else high = middle
  }
  return high
}
