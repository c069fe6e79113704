import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { AegisError } from '@aegis/domain'
import type { CodeChange } from '@aegis/drift-analysis/code/code-change'
import { CAUSES, type Cause } from '@aegis/drift-analysis/why/causes'
import { readForLearning } from '@aegis/drift-analysis/why/learn-causes'
import { studyCauses } from '@aegis/drift-analysis/why/study-causes'
import { Command } from 'commander'

/** How well causes can be learned from own labelled changes. */
export const driftLearnCommand = (): Command =>
  new Command('learn')
    .description('how well causes of changes are learned from your own labelled ones')
    .argument('<file>', 'JSON lines, .gz too: a change each, with its "label"')
    .option('--json', 'the figures as JSON')
    .addHelpText('after', `\nLabels: ${CAUSES.join(', ')}.`)
    .action((file: string, options: { json?: boolean }) => {
      const rows = readLabelled(file)
      const changes = rows.map(({ change }) => readForLearning(change))
      const lines = studyCauses(
        changes,
        rows.map(r => r.label),
        what => console.error(what),
      )
      if (options.json) console.log(JSON.stringify(lines, null, 2))
      else
        for (const l of lines)
          console.log(
            `${l.way.padEnd(50)} accuracy ${l.accuracy.toFixed(2)}  macro-F1 ${l.macroF1.toFixed(2)}  ECE ${l.calibrationError.toFixed(2)}`,
          )
    })

const readLabelled = (file: string): { change: CodeChange; label: Cause }[] => {
  let text: string
  try {
    const bytes = readFileSync(file)
    text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `${file} cannot be read: ${(error as Error).message}`)
  }
  const rows = text.split('\n').flatMap((line, i) => {
    if (!line.trim()) return []
    let row: CodeChange & { label?: string }
    try {
      row = JSON.parse(line)
    } catch (error) {
      throw new AegisError('INPUT_INVALID', `${file} line ${i + 1} is not JSON: ${(error as Error).message}`)
    }
    if (!CAUSES.includes(row.label as Cause))
      throw new AegisError('INPUT_INVALID', `${file} line ${i + 1}: label ${row.label} is none of ${CAUSES.join(', ')}`)
    for (const key of [
      'id',
      'repo',
      'time',
      'author',
      'files',
      'patch',
      'authorHistory',
      'fileHistory',
      'repoHistory',
      'earlierSameFiles',
      'earlier24h',
    ] as const)
      if (row[key] === undefined) throw new AegisError('INPUT_INVALID', `${file} line ${i + 1}: ${key} is missing`)
    return [{ change: row, label: row.label as Cause }]
  })
  if (rows.length < 30)
    throw new AegisError('INPUT_INVALID', `${file} holds ${rows.length} labelled changes; at least 30 are needed`)
  return rows
}
