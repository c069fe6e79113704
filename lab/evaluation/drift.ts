import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AegisError } from '@aegis/domain'
import { evalCases } from './drift/cases.ts'
import { evalNoise } from './drift/noise.ts'
import { evalPlans } from './drift/plans.ts'
import { evalSeverity } from './drift/severity.ts'
import { evalWho } from './drift/who.ts'
import { evalOutcome, evalWhy } from './drift/why.ts'

/** Every task of a folder of drift data that is there: reads its input, never its truth, and writes one answer a line. */
export const evalDrift = async ({
  data,
  out,
  task,
  progress,
}: {
  readonly data: string
  readonly out: string
  readonly task?: string
  readonly progress: (done: number, total: number, what: string) => void
}): Promise<void> => {
  const step = (what: string) => (done: number, total: number) => progress(done, total, what)
  const tasks: Readonly<Record<string, () => Record<string, object[] | undefined>>> = {
    noise: () => ({ noise: evalNoise(data, step('noise')) }),
    who: () => ({ who: evalWho(data, step('who')) }),
    plans: () => ({ plans: evalPlans(data, step('plans')) }),
    severity: () => ({ severity: evalSeverity(data, step('severity')) }),
    why: () => ({ ...evalWhy(data, step('why')) }),
    outcome: () => ({ outcome: evalOutcome(data, step('outcome')) }),
    cases: () => ({ cases: evalCases(data, step('cases')) }),
  }
  if (task !== undefined && !tasks[task])
    throw new AegisError('INPUT_INVALID', `--task ${task} is none of ${Object.keys(tasks).join(', ')}`)
  mkdirSync(out, { recursive: true })
  let written = 0
  for (const [name, run] of Object.entries(tasks)) {
    if (task !== undefined && task !== name) continue
    for (const [file, rows] of Object.entries(run()))
      if (rows) {
        writeFileSync(join(out, `${file}.jsonl`), rows.map(row => `${JSON.stringify(row)}\n`).join(''))
        written++
      }
  }
  if (written === 0)
    throw new AegisError(
      'INPUT_INVALID',
      `${data} holds no drift data: noise/resources, who/windows, plans/files, why/commits, outcome/commits, severity/events or cases/cases (.jsonl or .jsonl.gz)`,
    )
}
