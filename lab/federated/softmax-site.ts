/** A site with data of its own: softmax regression whose weights come and go as one vector. Li et al. 2020 for the proximal term (FedProx); with 0 it is FedAvg (McMahan et al. 2017). */
import { normal } from '@aegis/learning/random'

export interface Case {
  readonly x: ArrayLike<number>
  readonly label: number
}
export interface LocalOptions {
  readonly classes: number
  readonly epochs?: number
  readonly rate?: number
  readonly penalty?: number
  /** Pull towards the weights it was given. */
  readonly proximal?: number
}
export const widthOf = (features: number, classes: number): number => classes * (features + 1)

export function chancesOf(weights: ArrayLike<number>, x: ArrayLike<number>, classes: number): Float64Array {
  const width = x.length + 1
  const out = new Float64Array(classes)
  let most = Number.NEGATIVE_INFINITY
  for (let c = 0; c < classes; c++) {
    let sum = weights[c * width + x.length] as number
    for (let j = 0; j < x.length; j++) sum += (weights[c * width + j] as number) * (x[j] as number)
    out[c] = sum
    most = Math.max(most, sum)
  }
  let total = 0
  for (let c = 0; c < classes; c++) total += out[c] = Math.exp((out[c] as number) - most)
  for (let c = 0; c < classes; c++) out[c] = (out[c] as number) / total
  return out
}
/** Adds the gradient of one case. */
function addGradient(into: Float64Array, weights: ArrayLike<number>, { x, label }: Case, classes: number, scale: number): void {
  const p = chancesOf(weights, x, classes)
  const width = x.length + 1
  for (let c = 0; c < classes; c++) {
    const error = scale * ((p[c] as number) - (c === label ? 1 : 0))
    for (let j = 0; j < x.length; j++) into[c * width + j] = (into[c * width + j] as number) + error * (x[j] as number)
    into[c * width + x.length] = (into[c * width + x.length] as number) + error
  }
}
/** Full-batch steps with momentum from the weights given; what comes back is how far it went. */
export function localUpdate(cases: readonly Case[], global: Float64Array, options: LocalOptions): Float64Array {
  const { classes, epochs = 8, rate = 0.5, penalty = 1e-4, proximal = 0 } = options
  const weights = Float64Array.from(global)
  const speed = new Float64Array(weights.length)
  for (let epoch = 0; epoch < epochs; epoch++) {
    const gradient = new Float64Array(weights.length)
    for (const c of cases) addGradient(gradient, weights, c, classes, 1 / cases.length)
    for (let i = 0; i < weights.length; i++) {
      const w = weights[i] as number
      const pull = (gradient[i] as number) + penalty * w + proximal * (w - (global[i] as number))
      speed[i] = 0.9 * (speed[i] as number) - rate * pull
      weights[i] = w + (speed[i] as number)
    }
  }
  return weights.map((w, i) => w - (global[i] as number))
}
/** Sum of gradients, each no longer than `clip`, with a part of the noise: over all sites it adds up to `noise` times `clip`. Abadi et al. 2016. */
export function privateGradient(
  cases: readonly Case[],
  weights: Float64Array,
  { classes, clip, noise, sites, random }: { classes: number; clip: number; noise: number; sites: number; random: () => number },
): Float64Array {
  const sum = new Float64Array(weights.length)
  for (const c of cases) {
    // The length of a case's gradient: errors times the row with its constant 1.
    const p = chancesOf(weights, c.x, classes)
    let [errors, row] = [0, 1]
    for (let k = 0; k < classes; k++) errors += ((p[k] as number) - (k === c.label ? 1 : 0)) ** 2
    for (let j = 0; j < c.x.length; j++) row += (c.x[j] as number) ** 2
    const length = Math.sqrt(errors * row)
    addGradient(sum, weights, c, classes, Math.min(1, clip / Math.max(length, 1e-12)))
  }
  const spread = (noise * clip) / Math.sqrt(sites)
  return sum.map(g => g + spread * normal(random))
}
export const accuracyOf = (weights: Float64Array, cases: readonly Case[], classes: number): number =>
  cases.filter(({ x, label }) => {
    const p = chancesOf(weights, x, classes)
    return p.indexOf(Math.max(...p)) === label
  }).length / cases.length
