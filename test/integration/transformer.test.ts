/** A transformer as the log-parser's classifier, by the real package on a tiny model made here. `node tools/setup/transformers.mjs` fetches the package. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type LogLine, logsParsed, logsRaw, seededRandom } from '@aegis/domain'
import { type Category, categories, firstOf, ruleClassifier } from '@aegis/log-mining'
import { categoryLines } from '@aegis/log-mining/category-lines'
import { TransformerClassifier } from '@aegis/log-mining/transformer-classifier'
import { ParseLogs } from '@aegis/log-parser/parse-logs'
import { received, runStage } from '@aegis/runtime/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { writeTinyEncoder } from './tiny-encoder.ts'

const root = path.resolve(import.meta.dirname, '../..')
const { transformersFrom } = (await import(path.join(root, 'tools/setup/transformers.mjs'))) as {
  transformersFrom(): string | undefined
}
const from = transformersFrom()
const lacking = from ? '' : ' (left out: the package is not in the cache; node tools/setup/transformers.mjs fetches its 470 MB)'

describe.skipIf(lacking !== '')(`a transformer for categories${lacking}`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aegis-encoder-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const model = path.join(folder, 'tiny')
  writeTinyEncoder(
    model,
    categoryLines.map(([text]) => text),
  )

  it('takes the mean over the tokens of each text, whatever stands beside it', async () => {
    const encoder = await TransformerClassifier.load({ model, from, lines: categoryLines.slice(0, 40) })
    const [disk, full, both, padded] = await encoder.embed(['disk', 'full', 'disk full', 'disk'])
    expect(disk).toHaveLength(48)
    expect(padded).toEqual(disk)
    both?.forEach((x, j) => {
      expect(x).toBeCloseTo(((disk?.[j] ?? 0) + (full?.[j] ?? 0)) / 2, 5)
    })
    expect(await encoder.embed(['disk full'])).toEqual([both])
  })

  it('learns the categories of the lines it is given, the same way each time', async () => {
    const random = seededRandom(5)
    const letters = () => Array.from({ length: 7 }, () => String.fromCharCode(97 + Math.floor(26 * random()))).join('')
    const words = new Map([...categories, 'any' as const].map(c => [c, Array.from({ length: 6 }, letters)]))
    const draw = (of: Category | 'any') => words.get(of)?.[Math.floor(6 * random())] ?? ''
    const written = (count: number) =>
      Array.from({ length: count }, (_, i) => {
        const category = categories[i % categories.length] as Category
        return [[draw(category), draw('any'), draw(category), draw('any'), draw(category)].join(' '), category] as const
      })
    const [lines, others] = [written(200), written(100)]
    const folderOfWords = path.join(folder, 'words')
    writeTinyEncoder(folderOfWords, [...words.values()].flat())
    const progress: number[] = []
    const load = () =>
      TransformerClassifier.load({ model: folderOfWords, from, lines, least: 0, onProgress: n => progress.push(n) })
    const [one, two] = [await load(), await load()]
    const said = await Promise.all(others.map(([text]) => one.classify(text)))
    expect(said.filter((category, i) => category === others[i]?.[1]).length).toBeGreaterThanOrEqual(90)
    expect(await Promise.all(others.map(([text]) => two.classify(text)))).toEqual(said)
    expect(progress.slice(-2)).toEqual([192, 200])
  })

  it('says in the log-parser what lines are about where the rules are silent', async () => {
    const body = 'quorfle zimbly of the ledger'
    const lines = [[body, 'storage'] as const, ['harmless words of no meaning', 'other'] as const]
    writeTinyEncoder(
      path.join(folder, 'own'),
      lines.map(([text]) => text),
    )
    const own = await TransformerClassifier.load({ model: path.join(folder, 'own'), from, lines })
    const stage = new ParseLogs({ classifier: firstOf(ruleClassifier, own) })
    const line = (text: string, i: number) =>
      received(
        logsRaw,
        {
          id: text,
          environment: 'e',
          time: i,
          observed_time: i,
          body: text,
          severity: 'INFO',
          source: 's',
          attributes: {},
        } as LogLine,
        i,
      )
    const { of } = await runStage(stage, [[line(body, 1), line('connection refused by peer', 2)]])
    expect(of(logsParsed).map(e => e.category)).toEqual(['storage', 'network'])
  })

  it('says what is wrong with a folder that holds no model', async () => {
    const empty = path.join(folder, 'empty')
    writeTinyEncoder(empty, ['a'])
    rmSync(path.join(empty, 'onnx', 'model.onnx'))
    await expect(TransformerClassifier.load({ model: empty, from })).rejects.toThrow(
      /the log model .*empty cannot be loaded \(.*\); give a folder with config\.json, tokenizer\.json and onnx\/model\.onnx/s,
    )
    writeFileSync(path.join(empty, 'onnx', 'model.onnx'), 'no protobuf')
    await expect(TransformerClassifier.load({ model: empty, from })).rejects.toThrow('cannot be loaded')
  })
})
