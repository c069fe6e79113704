/** A trained policy as a file: weights, what normalises its observations, and where it came from. JSON, numbers as base64 of single precision. */
import { ActorCritic, Normaliser, type PpoCheckpoint, type PpoOptions } from './ppo.ts'

export interface Lineage {
  /** What it was trained on; never data of a user unless it says so. */
  readonly trainedOn: string
  readonly command: string
  readonly seed: number
  readonly steps: number
  /** Figures on validation seeds, which are neither training's nor the test's. */
  readonly figures: Readonly<Record<string, number>>
}
export interface PpoModel {
  readonly format: 1
  readonly name: string
  readonly version: string
  readonly encoding: string
  readonly features: number
  readonly actions: readonly string[]
  readonly hidden: number
  readonly observationClip: number
  readonly lineage: Lineage
  readonly weights: string
  readonly mean: string
  readonly variance: string
}
/** What is needed to go on with training, beside the model. */
export interface SavedTraining {
  readonly model: PpoModel
  readonly options: PpoOptions
  readonly steps: number
  readonly episodes: number
  readonly gradientSteps: number
  readonly recent: readonly number[]
  readonly moments: readonly [string, string]
  readonly count: number
}

const toText = (numbers: ArrayLike<number>): string => {
  const bytes = new Uint8Array(Float32Array.from(numbers).buffer)
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(text)
}
const toNumbers = (text: string): Float32Array => new Float32Array(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer)

export const modelOf = (
  checkpoint: PpoCheckpoint,
  about: Pick<PpoModel, 'name' | 'version' | 'encoding' | 'actions' | 'lineage'>,
): PpoModel => ({
  format: 1,
  ...about,
  features: checkpoint.features,
  hidden: checkpoint.options.hidden,
  observationClip: checkpoint.options.observationClip,
  weights: toText(checkpoint.weights),
  mean: toText(checkpoint.normaliser.mean),
  variance: toText(checkpoint.normaliser.variance),
})
export const saveTraining = (checkpoint: PpoCheckpoint, model: PpoModel): SavedTraining => ({
  model,
  options: checkpoint.options,
  steps: checkpoint.steps,
  episodes: checkpoint.episodes,
  gradientSteps: checkpoint.gradientSteps,
  recent: checkpoint.recent,
  moments: [toText(checkpoint.moments[0]), toText(checkpoint.moments[1])],
  count: checkpoint.normaliser.count,
})
export const resumeTraining = (saved: SavedTraining): PpoCheckpoint => ({
  ...saved,
  // An infinite goal does not survive JSON.
  options: { ...saved.options, goal: saved.options.goal ?? Infinity },
  features: saved.model.features,
  actions: saved.model.actions.length,
  weights: toNumbers(saved.model.weights),
  moments: [toNumbers(saved.moments[0]), toNumbers(saved.moments[1])],
  normaliser: {
    count: saved.count,
    mean: Float64Array.from(toNumbers(saved.model.mean)),
    variance: Float64Array.from(toNumbers(saved.model.variance)),
  },
})

/** A model ready to be asked: one situation at a time. */
export class LoadedModel {
  readonly model: Pick<PpoModel, 'name' | 'version' | 'features' | 'actions'>
  readonly #network: ActorCritic
  readonly #normaliser: Normaliser
  /** Preferences of the actions, their probabilities among those allowed, and the value expected of the situation. */
  readonly logits: Float32Array
  readonly probabilities: Float64Array
  value = 0
  /** Mean of each feature over training. */
  get usual(): Float64Array {
    return this.#normaliser.mean
  }

  constructor(model: PpoModel) {
    if (model.format !== 1) throw new RangeError(`model ${model.name} has format ${model.format}; this version reads format 1`)
    this.model = model
    this.#network = new ActorCritic(model.features, model.actions.length, model.hidden, 4)
    const weights = toNumbers(model.weights)
    if (weights.length !== this.#network.weights.length)
      throw new RangeError(
        `model ${model.name} holds ${weights.length} weights where its shape needs ${this.#network.weights.length}`,
      )
    this.#network.weights.set(weights)
    this.#network.changed()
    this.#normaliser = new Normaliser(model.features, model.observationClip)
    this.#normaliser.mean.set(toNumbers(model.mean))
    this.#normaliser.variance.set(toNumbers(model.variance))
    this.#normaliser.changed()
    this.logits = this.#network.output.subarray(0, model.actions.length)
    this.probabilities = new Float64Array(model.actions.length)
  }

  /** Fills `probabilities` and `value`; returns the allowed action that is liked best, or -1 when none is allowed. */
  consider(features: Float32Array, allowed: ArrayLike<number | boolean>): number {
    const { input } = this.#network
    input.set(features)
    this.#normaliser.apply(input, 0)
    this.#network.forwardOne()
    this.value = this.#network.output[this.probabilities.length]
    let best = -1
    for (let a = 0; a < this.probabilities.length; a++)
      if (allowed[a] && (best < 0 || this.logits[a] > this.logits[best])) best = a
    let sum = 0
    for (let a = 0; a < this.probabilities.length; a++)
      sum += this.probabilities[a] = allowed[a] ? Math.exp(this.logits[a] - this.logits[best]) : 0
    for (let a = 0; a < this.probabilities.length; a++) this.probabilities[a] /= sum
    return best
  }
}
