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

export function runLabelled(args: readonly string[]): void {
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
  console.log(`\ncategories: ${categories.join(', ')}; precision and recall leave out "other"`)
}
