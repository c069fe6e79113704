import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { analyzeBuild, type BuildAnalysis } from '@aegis/build-analysis'
import { AegisError } from '@aegis/domain'

interface Case {
  readonly log: string
  readonly pass?: string
}
/** A prediction as the scorer reads it: the words of the contract, not ours. */
export const predictionOf = (log: string, a: BuildAnalysis, seconds: number) => ({
  log,
  cited: a.cited,
  ranges: a.ranges,
  ...(a.step ? { step: a.step } : {}),
  failures: a.failures.map(f => ({
    type: f.type,
    class: f.class,
    whose: f.whose,
    confidence: f.confidence,
    cause_lines: f.causeLines,
    quotes: f.quotes,
    abstain: f.abstain,
  })),
  ...(a.dependency ? { dependency: a.dependency } : {}),
  files: a.files,
  seconds,
})

const read = (path: string): string => {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

/** Every set of a folder (a sub-folder with cases.jsonl, or the folder itself): reads the logs its cases name and writes one prediction a line. */
export const evalCi = async ({
  data,
  out,
  progress,
}: {
  readonly data: string
  readonly out: string
  readonly progress: (done: number, total: number, what: string) => void
}): Promise<void> => {
  const sets = [
    data,
    ...readdirSync(data)
      .sort()
      .map(name => join(data, name)),
  ].filter(folder => existsSync(join(folder, 'cases.jsonl')))
  if (sets.length === 0)
    throw new AegisError(
      'INPUT_INVALID',
      `no cases.jsonl in ${data} or its folders; each line of one is {"log": "logs/x.log.gz", "pass": "logs/green.log.gz"?}`,
    )
  mkdirSync(out, { recursive: true })
  for (const set of sets) {
    const name = basename(set)
    const cases = readFileSync(join(set, 'cases.jsonl'), 'utf8')
      .split('\n')
      .flatMap((line, i) => (line.trim() ? [caseOf(line, join(set, 'cases.jsonl'), i + 1)] : []))
    const rows: string[] = []
    for (const [i, c] of cases.entries()) {
      const text = read(join(set, c.log))
      const pass = c.pass && existsSync(join(set, c.pass)) ? read(join(set, c.pass)) : undefined
      const from = performance.now()
      const analysis = analyzeBuild(text, pass)
      rows.push(JSON.stringify(predictionOf(c.log, analysis, Math.round(performance.now() - from) / 1000)))
      progress(i + 1, cases.length, name)
    }
    const path = join(out, `${name}.jsonl`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${rows.join('\n')}\n`)
  }
}

const caseOf = (line: string, file: string, at: number): Case => {
  try {
    const c = JSON.parse(line) as Case
    if (typeof c.log !== 'string') throw new Error('it names no log')
    return c
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `${file} line ${at}: ${(error as Error).message}; a line is {"log": "logs/x.log.gz"}`)
  }
}
