/**
 * A transformer behind the classifier's interface: an encoder of any kind that transformers.js runs on ONNX (CodeBERT and its like), the mean of its last hidden
 * state over the tokens, and a small head trained on labelled lines when it is loaded. Its chances and those of the small model of words, trained on the same lines, are
 * averaged: the one knows what words mean, the other which of them tell, and together they are right more often than either (docs/ideas/log-mining.md).
 *
 * The package is 470 MB, so it is nobody's dependency: it is loaded only where a model is asked for, and what is missing is named then.
 * Reimers and Gurevych 2019, "Sentence-BERT", for the mean over tokens.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { AegisError } from '@aegis/domain'
import { Softmax } from '@aegis/learning/softmax'
import { type Category, type Classifier, categories } from './categories.ts'
import { categoryLines, categoryTerms } from './category-lines.ts'
import { TextModel, trainTextModel } from './text-model.ts'

const PACKAGE = '@huggingface/transformers'
const VERSION = '4.3.1'
/** Tokens of a line that are read. */
const TOKENS = 128
/** Lines embedded at once while the head is trained. */
const BATCH = 32
/** Chance from which their word counts: the mean of two is flatter than either. */
const LEAST_TOGETHER = 0.2

/** What is used of the package. */
interface Transformers {
  readonly env: { allowRemoteModels: boolean; allowLocalModels: boolean; localModelPath: string; cacheDir: string | null }
  readonly AutoTokenizer: { from_pretrained(model: string): Promise<Tokenizer> }
  readonly AutoModel: { from_pretrained(model: string, options: object): Promise<Encoder> }
}
interface Tensor {
  readonly dims: readonly number[]
  readonly data: ArrayLike<number | bigint>
}
type Tokenizer = (texts: string[], options: object) => Promise<{ readonly attention_mask: Tensor }>
type Encoder = (inputs: object) => Promise<{ readonly last_hidden_state?: Tensor }>

export interface TransformerOptions {
  /** A folder with config.json, tokenizer.json and onnx/model.onnx, or a name on the hub. */
  readonly model: string
  /** Lines the head is trained on. Default our own. */
  readonly lines?: readonly (readonly [text: string, category: Category])[]
  /** Chance below which it says `other`. Default .2. */
  readonly least?: number | undefined
  /** File beside whose node_modules the package is looked for. Default this one. */
  readonly from?: string
  /** Where models of the hub are kept. Default the package's own folder. */
  readonly cacheFolder?: string
  readonly onProgress?: (lines: number, of: number) => void
}

export class TransformerClassifier implements Classifier {
  readonly #tokenizer: Tokenizer
  readonly #encoder: Encoder
  readonly #model: string
  readonly #least: number
  #head: Softmax<Category> | undefined
  #words: TextModel | undefined

  private constructor(model: string, tokenizer: Tokenizer, encoder: Encoder, least: number) {
    this.#model = model
    this.#tokenizer = tokenizer
    this.#encoder = encoder
    this.#least = least
  }

  /** Loads the encoder and trains the head. Throws where the package or the model is missing, saying what to do. */
  static async load(options: TransformerOptions): Promise<TransformerClassifier> {
    const { model, lines = [...categoryTerms, ...categoryLines], least, onProgress } = options
    const { env, AutoTokenizer, AutoModel } = await loadPackage(options.from ?? import.meta.filename)
    const isFolder = existsSync(model)
    const folder = path.resolve(model)
    env.allowLocalModels = isFolder
    env.allowRemoteModels = !isFolder
    if (isFolder) env.localModelPath = path.dirname(folder)
    else if (options.cacheFolder) env.cacheDir = options.cacheFolder
    const name = isFolder ? path.basename(folder) : model
    let parts: readonly [Tokenizer, Encoder]
    try {
      parts = [
        await AutoTokenizer.from_pretrained(name),
        // One thread: the same sums in the same order wherever it runs.
        await AutoModel.from_pretrained(name, { dtype: 'fp32', device: 'cpu', session_options: { intraOpNumThreads: 1 } }),
      ]
    } catch (cause) {
      throw new AegisError(
        'CONFIG_INVALID',
        `the log model ${model} cannot be loaded (${(cause as Error).message}); give a folder with config.json, tokenizer.json and onnx/model.onnx, or a name on the hub that can be reached from here`,
        { cause },
      )
    }
    const classifier = new TransformerClassifier(model, ...parts, least ?? LEAST_TOGETHER)
    const rows = []
    for (let i = 0; i < lines.length; i += BATCH) {
      const some = lines.slice(i, i + BATCH)
      const vectors = await classifier.embed(some.map(([text]) => text))
      rows.push(...some.map(([, category], k) => ({ label: category, vector: vectors[k] as Float32Array })))
      onProgress?.(rows.length, lines.length)
    }
    classifier.#head = Softmax.train(categories, rows)
    classifier.#words = new TextModel(trainTextModel(lines))
    return classifier
  }

  /** The mean of the last hidden state over the tokens of each text. */
  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const inputs = await this.#tokenizer([...texts], { padding: true, truncation: true, max_length: TOKENS })
    const { last_hidden_state: hidden } = await this.#encoder(inputs)
    if (hidden?.dims.length !== 3)
      throw new AegisError('CONFIG_INVALID', `the log model ${this.#model} gives no last_hidden_state: it is no encoder`)
    const [, tokens, width] = hidden.dims as [number, number, number]
    const mask = inputs.attention_mask.data
    return texts.map((_, i) => {
      const mean = new Float32Array(width)
      let count = 0
      for (let t = 0; t < tokens; t++) {
        if (Number(mask[i * tokens + t]) === 0) continue
        count++
        for (let j = 0; j < width; j++) mean[j] += Number(hidden.data[(i * tokens + t) * width + j])
      }
      return mean.map(sum => sum / Math.max(1, count))
    })
  }

  async classify(text: string): Promise<Category> {
    const [vector] = await this.embed([text])
    const [meaning, words] = [this.#head?.chances(vector as Float32Array), this.#words?.chances(text)]
    const chances = categories.map((_, c) => ((meaning?.[c] ?? 0) + (words?.[c] ?? 0)) / 2)
    const best = chances.indexOf(Math.max(...chances))
    return (chances[best] as number) >= this.#least ? (categories[best] as Category) : 'other'
  }
}

async function loadPackage(from: string): Promise<Transformers> {
  try {
    return (await import(pathToFileURL(createRequire(from).resolve(PACKAGE)).href)) as Transformers
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'MODULE_NOT_FOUND') throw cause
    throw new AegisError(
      'CONFIG_INVALID',
      `a log model needs the package ${PACKAGE}, which is not installed (470 MB): npm install --no-save --ignore-scripts ${PACKAGE}@${VERSION}`,
      { cause },
    )
  }
}
