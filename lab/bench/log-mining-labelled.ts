/**
 * `npm run bench -- log-mining --labelled`: precision and recall of what lines are understood as, on lines labelled by hand. `--write` trains the text
 * model of categories on all of its lines and writes its weights.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Category,
  categories,
  findMentions,
  lineClassifier,
  matchFault,
  parseLine,
  ruleClassifier,
  type SyncClassifier,
  severityOfText,
} from '@aegis/log-mining'
import { categoryLines, categoryTerms } from '@aegis/log-mining/category-lines'
import { firstOf, LEAST_CHANCE, TextModel, trainTextModel } from '@aegis/log-mining/text-model'
import { TransformerClassifier } from '@aegis/log-mining/transformer-classifier'
import { formatLines } from '../evaluation/format-lines.ts'
import { labelledLines } from '../evaluation/labelled-lines.ts'

const FOLDS = 5
type Pair = readonly [found: readonly string[], expected: readonly string[]]

/** Per kind: how many were expected, precision and recall. */
function table(title: string, pairs: readonly Pair[]): void {
  const kinds = new Map<string, { right: number; found: number; expected: number }>()
  const count = (name: string, field: 'right' | 'found' | 'expected') => {
    for (const key of [name, 'all']) {
      const row = kinds.get(key) ?? { right: 0, found: 0, expected: 0 }
      row[field]++
      kinds.set(key, row)
    }
  }
  for (const [found, expected] of pairs) {
    for (const one of found) {
      count(one.split(' ')[0], 'found')
      if (expected.includes(one)) count(one.split(' ')[0], 'right')
    }
    for (const one of expected) count(one.split(' ')[0], 'expected')
  }
  console.log(`\n${title.padEnd(30)} expected  precision  recall`)
  const share = (right: number, of: number) => (of === 0 ? '    –' : (right / of).toFixed(3).padStart(5))
  for (const [kind, { right, found, expected }] of [...kinds].sort((a, b) => Number(a[0] === 'all') - Number(b[0] === 'all')))
    console.log(
      `  ${kind.padEnd(28)} ${String(expected).padStart(8)}  ${share(right, found).padStart(9)}  ${share(right, expected)}`,
    )
}
const some = (value: string | undefined, none: string): string[] =>
  value === undefined || value === '' || value === none ? [] : [value]

/** Each line classified by a model that was trained without its fold. */
export function crossValidated(least: number): SyncClassifier {
  const models = Array.from(
    { length: FOLDS },
    (_, fold) => new TextModel(trainTextModel([...categoryTerms, ...categoryLines.filter((_, i) => i % FOLDS !== fold)]), least),
  )
  const foldOf = new Map(categoryLines.map(([text], i) => [text, i % FOLDS]))
  return { classify: text => (models[foldOf.get(text) ?? 0] as TextModel).classify(text) }
}

/** The same lines by an encoder in a folder: trained without each fold, beside the small model in the same run. */
async function byEncoder(model: string): Promise<void> {
  const { transformersFrom } = (await import(join(import.meta.dirname, '../../tools/setup/transformers.mjs'))) as {
    transformersFrom(): string | undefined
  }
  const answers: [text: string, category: Category, alone: Category, afterRules: Category][] = []
  for (let fold = 0; fold < FOLDS; fold++) {
    const lines = [...categoryTerms, ...categoryLines.filter((_, i) => i % FOLDS !== fold)]
    const encoder = await TransformerClassifier.load({ model, from: transformersFrom(), lines })
    for (const [text, category] of categoryLines.filter((_, i) => i % FOLDS === fold)) {
      const alone = await encoder.classify(text)
      const ruled = ruleClassifier.classify(text)
      answers.push([text, category, alone, ruled === 'other' ? alone : ruled])
    }
  }
  const pairs = (of: (a: (typeof answers)[number]) => Category): Pair[] =>
    answers.map(a => [some(of(a), 'other'), some(a[1], 'other')])
  table(
    'category, encoder alone, 5 folds',
    pairs(a => a[2]),
  )
  table(
    'category, rules then encoder, 5 folds',
    pairs(a => a[3]),
  )
  const learned = await TransformerClassifier.load({ model, from: transformersFrom() })
  const own = await Promise.all(categoryLines.map(async ([text, category]) => [await learned.classify(text), category] as const))
  console.log(
    `\nof its own training lines right ${own.filter(([a, b]) => a === b).length} of ${own.length}, "other" ${own.filter(([a]) => a === 'other').length}`,
  )
}

export async function runLabelled(args: readonly string[]): Promise<void> {
  if (args.includes('--write')) {
    const weights = trainTextModel([...categoryTerms, ...categoryLines])
    const path = join(import.meta.dirname, '../../libs/log-mining/src/category-weights.ts')
    writeFileSync(
      path,
      `/** Weights of the text model of categories, made of category-lines.ts by \`npm run bench -- log-mining --labelled --write\`. */\nimport type { TextModelWeights } from '../../bench/text-model.ts'\n\nexport const categoryWeights: TextModelWeights = {\n  buckets: ${weights.buckets},\n  scale: ${weights.scale},\n  weights:\n    '${weights.weights}',\n}\n`,
    )
    console.log(`weights written, ${weights.weights.length} characters`)
  }
  console.log(
    `${labelledLines.length} labelled lines; ${categoryLines.length} lines of categories; ${formatLines.length} lines of formats`,
  )
  table(
    'severity',
    labelledLines.map(([text, severity]) => [some(severityOfText(text), 'INFO'), some(severity, 'INFO')]),
  )
  table(
    'fault pattern',
    labelledLines.map(([text, , , fault]) => [some(matchFault(text)?.kind, ''), some(fault, '')]),
  )
  table(
    'entities',
    labelledLines.map(([text, , , , mentions]) => [
      findMentions(text).map(m => (m.kind === 'user' ? 'user *' : `${m.kind} ${m.text}`)),
      mentions,
    ]),
  )
  table(
    'format',
    formatLines.map(([text, format]) => [[parseLine(text).format.replaceAll(' ', '+')], [format.replaceAll(' ', '+')]]),
  )
  const by = (name: string, lines: readonly (readonly [string, Category])[], classifier: SyncClassifier) =>
    table(
      `category, ${name}`,
      lines.map(([text, category]) => [some(classifier.classify(text), 'other'), some(category, 'other')]),
    )
  const labelled = labelledLines.map(([text, , category]) => [text, category] as const)
  by('rules, labelled lines', labelled, ruleClassifier)
  by('rules', categoryLines, ruleClassifier)
  by('model alone, labelled lines', labelled, new TextModel(trainTextModel([...categoryTerms, ...categoryLines]), LEAST_CHANCE))
  by('model alone, 5 folds', categoryLines, crossValidated(LEAST_CHANCE))
  by('rules then model, 5 folds', categoryLines, firstOf(ruleClassifier, crossValidated(LEAST_CHANCE)))
  by('as in use, labelled lines', labelled, lineClassifier)
  const at = args.indexOf('--encoder')
  if (at >= 0) await byEncoder(args[at + 1] as string)
  console.log(`\ncategories: ${categories.join(', ')}; precision and recall leave out "other"`)
}
