/** A transformer's folder made from nothing: an ONNX file of one table of embeddings and one product, and a tokenizer of whole words. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { seededRandom } from '@aegis/domain'

const WIDTH = 48

/** Protobuf by hand: the numbers are the fields of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const varint = (value: number): number[] => {
  const out: number[] = []
  let left = value
  do {
    out.push((left % 128) + (left >= 128 ? 128 : 0))
    left = Math.floor(left / 128)
  } while (left > 0)
  return out
}
const int = (field: number, value: number) => Buffer.from([...varint(field * 8), ...varint(value)])
const bytes = (field: number, value: string | Uint8Array) => {
  const content = Buffer.from(value as string)
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(content.length)]), content])
}
const message = (field: number, ...parts: Buffer[]) => bytes(field, Buffer.concat(parts))

const FLOAT = 1
const INT64 = 7
const node = (type: string, inputs: string[], output: string) =>
  message(1, ...inputs.map(name => bytes(1, name)), bytes(2, output), bytes(3, type), bytes(4, type))
const weights = (name: string, dims: number[], values: Float32Array) =>
  message(5, ...dims.map(d => int(1, d)), int(2, FLOAT), bytes(8, name), bytes(9, new Uint8Array(values.buffer)))
const described = (field: number, name: string, type: number, dims: (string | number)[]) => {
  const shape = dims.map(d => message(1, typeof d === 'string' ? bytes(2, d) : int(1, d)))
  return message(field, bytes(1, name), message(2, message(1, int(1, type), message(2, ...shape))))
}

/** Writes the folder; every word of `texts` gets an embedding of its own. */
export function writeTinyEncoder(folder: string, texts: readonly string[]): void {
  const words = [...new Set(texts.flatMap(text => text.toLowerCase().match(/[a-z]+/g) ?? []))]
  const vocabulary = ['[PAD]', '[UNK]', ...words]
  const random = seededRandom(3)
  const noise = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5)
  const batch = ['batch', 'tokens']
  const graph = [
    node('Gather', ['embeddings', 'input_ids'], 'words'),
    node('MatMul', ['words', 'product'], 'last_hidden_state'),
    bytes(2, 'tiny'),
    weights('embeddings', [vocabulary.length, WIDTH], noise(vocabulary.length * WIDTH)),
    weights('product', [WIDTH, WIDTH], noise(WIDTH * WIDTH)),
    described(11, 'input_ids', INT64, batch),
    described(11, 'attention_mask', INT64, batch),
    described(12, 'last_hidden_state', FLOAT, [...batch, WIDTH]),
  ]
  const model = Buffer.concat([int(1, 8), message(7, ...graph), message(8, bytes(1, ''), int(2, 14))])
  mkdirSync(path.join(folder, 'onnx'), { recursive: true })
  writeFileSync(path.join(folder, 'onnx', 'model.onnx'), model)
  const json = (name: string, value: object) => writeFileSync(path.join(folder, name), JSON.stringify(value))
  json('config.json', { model_type: 'bert', hidden_size: WIDTH, vocab_size: vocabulary.length, architectures: ['BertModel'] })
  json('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizer',
    pad_token: '[PAD]',
    unk_token: '[UNK]',
    model_max_length: 128,
  })
  const special = (content: string, id: number) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })
  json('tokenizer.json', {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [special('[PAD]', 0), special('[UNK]', 1)],
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])), unk_token: '[UNK]' },
  })
}
