/**
 * Softmax regression: multinomial logistic regression, trained by gradient descent with momentum over all rows at once (Polyak 1964) and a penalty on
 * the weights, on standardised columns. The same rows give the same weights.
 */
export interface SoftmaxOptions {
  /** Steps. Default 200. */
  readonly steps?: number
  /** Step length. Default 0.5. */
  readonly rate?: number
  /** Penalty on the squared weights. Default 0.01. */
  readonly penalty?: number
}
export interface Labelled<Label> {
  readonly vector: ArrayLike<number>
  readonly label: Label
}

export class Softmax<Label> {
  readonly labels: readonly Label[]
  readonly #width: number
  readonly #mean: Float64Array
  readonly #spread: Float64Array
  /** Per label in the order of `labels`: a weight per column, then the bias. */
  readonly #weights: Float64Array

  private constructor(labels: readonly Label[], width: number, mean: Float64Array, spread: Float64Array, weights: Float64Array) {
    this.labels = labels
    this.#width = width
    this.#mean = mean
    this.#spread = spread
    this.#weights = weights
  }

  static train<Label>(labels: readonly Label[], rows: readonly Labelled<Label>[], options: SoftmaxOptions = {}): Softmax<Label> {
    const { steps = 200, rate = 0.5, penalty = 0.01 } = options
    const width = rows[0]?.vector.length ?? 0
    const mean = new Float64Array(width)
    const spread = new Float64Array(width)
    for (const { vector } of rows) for (let j = 0; j < width; j++) mean[j] += vector[j] / rows.length
    for (const { vector } of rows) for (let j = 0; j < width; j++) spread[j] += (vector[j] - mean[j]) ** 2 / rows.length
    // Columns count alike, and all of them together as one: the step is right for any width.
    for (let j = 0; j < width; j++) spread[j] = (Math.sqrt(spread[j]) + 1e-6) * Math.sqrt(width)
    const count = labels.length * (width + 1)
    const head = new Softmax(labels, width, mean, spread, new Float64Array(count))
    const inputs = rows.map(({ vector }) => head.#standard(vector))
    const targets = rows.map(({ label }) => labels.indexOf(label))
    const speed = new Float64Array(count)
    const gradient = new Float64Array(count)
    for (let step = 0; step < steps; step++) {
      gradient.fill(0)
      inputs.forEach((input, i) => {
        const p = head.#chances(input)
        for (let c = 0; c < p.length; c++) {
          const error = (p[c] - (c === targets[i] ? 1 : 0)) / rows.length
          const at = c * (width + 1)
          for (let j = 0; j < width; j++) gradient[at + j] += error * input[j]
          gradient[at + width] += error
        }
      })
      for (let w = 0; w < count; w++) {
        const decay = w % (width + 1) === width ? 0 : penalty * head.#weights[w]
        speed[w] = 0.9 * speed[w] - rate * (gradient[w] + decay)
        head.#weights[w] += speed[w]
      }
    }
    return head
  }

  /** Chance of each label, in the order of `labels`. */
  chances(vector: ArrayLike<number>): Float64Array {
    return this.#chances(this.#standard(vector))
  }

  #standard(vector: ArrayLike<number>): Float64Array {
    return Float64Array.from({ length: this.#width }, (_, j) => (vector[j] - this.#mean[j]) / this.#spread[j])
  }
  #chances(input: Float64Array): Float64Array {
    const out = new Float64Array(this.labels.length)
    for (let c = 0; c < out.length; c++) {
      const at = c * (this.#width + 1)
      let sum = this.#weights[at + this.#width]
      for (let j = 0; j < this.#width; j++) sum += this.#weights[at + j] * input[j]
      out[c] = sum
    }
    const most = out.reduce((a, b) => Math.max(a, b))
    let total = 0
    for (let c = 0; c < out.length; c++) total += out[c] = Math.exp(out[c] - most)
    return out.map(x => x / total)
  }
}
