/**
 * A small trained text model for the category of a line: multinomial logistic regression over hashed words, pairs of words and pieces of words.
 *
 * Features are hashed into a fixed number of buckets ("hashing trick", Weinberger et al. 2009), each counted once, the row scaled to length 1;
 * digits are all alike. Trained by stochastic gradient steps with decay of the weights, in an order drawn from a seed: the same lines give the same
 * weights. Weights are kept as whole numbers of 8 bits, one scale for all.
 */
import { hash32, seededRandom } from '@aegis/domain'
import { type Category, type Classifier, categories, type SyncClassifier } from './categories.ts'

export interface TextModelWeights {
  readonly buckets: number
  /** What a step of the 8-bit weights is worth. */
  readonly scale: number
  /** Base64 of int8: per category in the order of `categories`, a weight per bucket and then the bias. */
  readonly weights: string
}
export interface TrainingOptions {
  /** Buckets of features. Default 2,048. */
  readonly buckets?: number
  /** Passes over the lines. Default 60. */
  readonly epochs?: number
  /** Step. Default 0.5. */
  readonly rate?: number
  /** Decay of the weights per step. Default 2e-5. */
  readonly decay?: number
  /** Seed of the order. Default 1. */
  readonly seed?: number
}

const HEAD = 300
const PIECE = 4

/** Buckets of a text's features, each once. */
function featuresOf(text: string, buckets: number): number[] {
  const found = new Set<number>()
  let before = '^'
  for (const word of text
    .slice(0, HEAD)
    .toLowerCase()
    .match(/[a-z]+|\d+|[^\sa-z\d]/g) ?? []) {
    const token = /^\d/.test(word) ? '0' : word
    found.add(hash32(`w ${token}`) % buckets)
    found.add(hash32(`p ${before} ${token}`) % buckets)
    for (let i = 0; i + PIECE <= token.length; i++) found.add(hash32(`c ${token.slice(i, i + PIECE)}`) % buckets)
    before = token
  }
  return [...found]
}

/** Chance of each category, in the order of `categories`. */
function chances(features: readonly number[], weights: Float64Array | Int8Array, buckets: number, scale: number): Float64Array {
  const share = features.length === 0 ? 0 : scale / Math.sqrt(features.length)
  const out = new Float64Array(categories.length)
  for (let c = 0; c < out.length; c++) {
    const at = c * (buckets + 1)
    let sum = (weights[at + buckets] as number) * scale
    for (const f of features) sum += (weights[at + f] as number) * share
    out[c] = sum
  }
  const most = Math.max(...out)
  let total = 0
  for (let c = 0; c < out.length; c++) total += out[c] = Math.exp((out[c] as number) - most)
  return out.map(x => x / total)
}

export function trainTextModel(
  lines: readonly (readonly [text: string, category: Category])[],
  options: TrainingOptions = {},
): TextModelWeights {
  const { buckets = 2048, epochs = 60, rate = 0.5, decay = 2e-5, seed = 1 } = options
  const random = seededRandom(seed)
  const rows = lines.map(([text, category]) => ({ features: featuresOf(text, buckets), category: categories.indexOf(category) }))
  const weights = new Float64Array(categories.length * (buckets + 1))
  const order = rows.map((_, i) => i)
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[order[i], order[j]] = [order[j] as number, order[i] as number]
    }
    const step = rate / (1 + (4 * epoch) / epochs)
    for (const at of order) {
      const { features, category } = rows[at] as (typeof rows)[number]
      const p = chances(features, weights, buckets, 1)
      const share = 1 / Math.sqrt(Math.max(1, features.length))
      for (let c = 0; c < categories.length; c++) {
        const error = (c === category ? 1 : 0) - (p[c] as number)
        const base = c * (buckets + 1)
        weights[base + buckets] = (weights[base + buckets] as number) + 0.1 * step * error
        for (const f of features) weights[base + f] = (weights[base + f] as number) + step * error * share
      }
    }
    const kept = (1 - decay) ** rows.length
    for (let w = 0; w < weights.length; w++) weights[w] = (weights[w] as number) * kept
  }
  const scale = weights.reduce((most, w) => Math.max(most, Math.abs(w)), 1e-9) / 127
  return { buckets, scale, weights: Buffer.from(Int8Array.from(weights, w => Math.round(w / scale)).buffer).toString('base64') }
}

export class TextModel implements SyncClassifier {
  readonly #buckets: number
  readonly #scale: number
  readonly #weights: Int8Array
  readonly #least: number

  /** @param least chance below which it says `other` */
  constructor({ buckets, scale, weights }: TextModelWeights, least = 0) {
    this.#buckets = buckets
    this.#scale = scale
    this.#weights = new Int8Array(Buffer.from(weights, 'base64'))
    this.#least = least
    if (this.#weights.length !== categories.length * (buckets + 1))
      throw new Error(
        `text model: ${this.#weights.length} weights for ${categories.length} categories of ${buckets} buckets; train it again`,
      )
  }

  /** Chance of each category, in the order of `categories`. */
  chances(text: string): Float64Array {
    return chances(featuresOf(text, this.#buckets), this.#weights, this.#buckets, this.#scale)
  }
  classify(text: string): Category {
    const p = this.chances(text)
    const best = p.indexOf(Math.max(...p))
    return (p[best] as number) >= this.#least ? (categories[best] as Category) : 'other'
  }
}

/** Chance from which the model's word counts: below it, more of what it says is wrong than the rules are (docs/ideas/log-mining.md). */
export const LEAST_CHANCE = 0.3

/** The first classifier's word, and where it is `other` the second's. */
export function firstOf(first: SyncClassifier, second: SyncClassifier): SyncClassifier
export function firstOf(first: SyncClassifier, second: Classifier): Classifier
export function firstOf(first: SyncClassifier, second: Classifier): Classifier {
  return {
    classify(text) {
      const category = first.classify(text)
      return category === 'other' ? second.classify(text) : category
    },
  }
}
