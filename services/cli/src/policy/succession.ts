/** Who is in charge, kept as a file: a candidate is judged by the decisions of the present policy before it may take over. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AegisError } from '@aegis/domain'
import {
  demoted,
  estimateOffPolicy,
  type Judgement,
  judgeCandidate,
  type LoggedDecision,
  type OffPolicyEstimate,
  promoted,
  type Succession,
  shadowed,
} from '@aegis/remediation/off-policy'
import { LoadedModel, type PpoModel } from '@aegis/remediation/ppo-model'

/** A line of the log: a decision as it was written down, and the reward its outcome brought. */
interface LogLine {
  readonly situation: readonly number[]
  readonly action: string
  readonly candidates: readonly { readonly action: string; readonly probability: number }[]
  readonly reward: number
}
const FIRST: Succession = { present: 'rules', previous: [], history: [] }

export async function readSuccession(folder: string): Promise<Succession> {
  const text = await readFile(join(folder, 'succession.json'), 'utf8').catch(() => undefined)
  return text === undefined ? FIRST : (JSON.parse(text) as Succession)
}
async function writeSuccession(folder: string, s: Succession): Promise<Succession> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'succession.json'), `${JSON.stringify(s, null, 2)}\n`)
  return s
}

/** Logged decisions beside what the candidate would have done, over the actions either knows. */
export function logFor(model: PpoModel, lines: readonly string[]): LoggedDecision[] {
  const loaded = new LoadedModel(model)
  return lines.map((text, i) => {
    let line: LogLine
    try {
      line = JSON.parse(text) as LogLine
    } catch {
      throw new AegisError('INPUT_INVALID', `line ${i + 1} of the log is not JSON`)
    }
    const { situation, action, candidates, reward } = line
    if (
      !Array.isArray(situation) ||
      situation.length !== model.features ||
      !Array.isArray(candidates) ||
      typeof reward !== 'number'
    )
      throw new AegisError(
        'INPUT_INVALID',
        `line ${i + 1} of the log needs situation (${model.features} numbers), action, candidates and reward`,
      )
    const chosen = candidates.findIndex(c => c.action === action)
    if (chosen < 0) throw new AegisError('INPUT_INVALID', `line ${i + 1} of the log: ${action} is not among its candidates`)
    const best = loaded.consider(
      Float32Array.from(situation),
      model.actions.map(a => candidates.some(c => c.action === a)),
    )
    return {
      chosen,
      reward,
      logged: candidates.map(c => c.probability),
      candidate: candidates.map(c => (c.action === model.actions[best] ? 1 : 0)),
    }
  })
}

export interface Promotion {
  readonly succession: Succession
  readonly estimate: OffPolicyEstimate
  readonly judgement: Judgement
}
export async function promote(folder: string, model: PpoModel, logFile: string): Promise<Promotion> {
  const text = await readFile(logFile, 'utf8').catch(() => undefined)
  if (text === undefined) throw new AegisError('INPUT_INVALID', `no log can be read at ${logFile}`)
  const lines = text.split('\n').filter(line => line.trim() !== '')
  if (lines.length === 0) throw new AegisError('INPUT_INVALID', `${logFile} holds no decisions`)
  const estimate = estimateOffPolicy(logFor(model, lines))
  const judgement = judgeCandidate(estimate)
  const name = `${model.name}@${model.version}`
  const before = await readSuccession(folder)
  if (before.present === name) throw new AegisError('INPUT_INVALID', `${name} is in charge already`)
  const succession = await writeSuccession(folder, promoted(before.shadow === name ? before : shadowed(before, name), judgement))
  if (judgement.verdict === 'promote') await writeFile(join(folder, `${name}.json`), `${JSON.stringify(model, null, 2)}\n`)
  return { succession, estimate, judgement }
}
export async function rollback(folder: string, reason: string): Promise<Succession> {
  const before = await readSuccession(folder)
  if (before.previous.length === 0) throw new AegisError('INPUT_INVALID', `${before.present} has no predecessor in ${folder}`)
  return writeSuccession(folder, demoted(before, reason))
}
