import type { BuildLog } from './read-build-log.ts'

/**
 * The steps of a build log and how each ended, from what CI systems write around them: GitHub Actions' groups and `##[error]`, Travis' commands and
 * exit codes, GitLab's sections, Azure's sections, Buildkite's headings, CircleCI's shells. A log without any is one step.
 */
export interface Step {
  /** First and last line, from 1, both within. */
  readonly start: number
  readonly end: number
  readonly command: string
  readonly failed: boolean
  /** The line that says how it ended, where one does. */
  readonly verdict?: number
}
export interface Structure {
  readonly steps: readonly Step[]
  readonly failing?: Step
  /** `failed` and `passed` where the log says how the job as a whole ended. */
  readonly ended?: 'failed' | 'passed'
  /** The log says outright that the job failed, whatever its steps were allowed. */
  readonly exited?: boolean
}

const RUN = /^##\[group\]Run /
const AFTER = /^(?:Post job cleanup\.|Cleaning up orphan processes|##\[group\]Post )/
const GITHUB_EXIT =
  /^##\[error\](?:Process completed with exit code|The process '.*' failed|.* failed with exit code|The operation was cancel)/

/** A composite action asks for a shell by name, and names of shells are printed whole; a job's own step has `-e {0}` alone unless it asks too. */
const NAMED_SHELL = /^shell: .*--noprofile --norc/
const header = (lines: readonly string[], from: number) => {
  let end = from
  let shell = ''
  while (end < lines.length && end < from + 400 && lines[end] !== '##[endgroup]') {
    const text = (lines[end] as string).trim()
    if (text.startsWith('shell: ')) shell = text
    end++
  }
  return { end, shell }
}

const github = (lines: readonly string[]): Step[] | undefined => {
  const starts: { at: number; command: string; shell: string; empty: boolean; uses: boolean }[] = []
  let after = lines.length
  for (let i = 0; i < lines.length; i++) {
    const text = lines[i] as string
    if (RUN.test(text)) {
      const { end, shell } = header(lines, i + 1)
      const next = lines[end + 1] ?? ''
      starts.push({ at: i, command: text.slice(13), shell, empty: RUN.test(next), uses: shell === '' })
    } else if (text === 'Prepare all required actions' && i > 40 && starts.length > 0)
      starts.push({ at: i, command: 'local action', shell: '', empty: true, uses: true })
    else if (starts.length > 0 && after === lines.length && AFTER.test(text)) after = i
  }
  if (starts.length === 0) return undefined
  const first = (starts[0] as { at: number }).at
  const before = lines.slice(0, first).findLastIndex(l => l.startsWith('##[error]'))
  const steps: Step[] = before < 0 ? [] : [{ start: 1, end: first, command: '', failed: true, verdict: before + 1 }]
  for (let k = 0; k < starts.length; k++) {
    const { at, command } = starts[k] as (typeof starts)[number]
    if (at > after) break
    let end = Math.min(starts[k + 1]?.at ?? lines.length, after)
    let exit = -1
    for (let i = at; i < end; i++)
      if (
        (lines[i] as string).startsWith('##[error]') &&
        (exit < 0 || !GITHUB_EXIT.test(lines[exit] as string) || GITHUB_EXIT.test(lines[i] as string))
      )
        exit = i
    const exited = exit >= 0 && GITHUB_EXIT.test(lines[exit] as string)
    if (exited) end = exit + 1
    while (end > at + 1 && lines[end - 1] === '') end--
    const last = exit < 0 ? end : exit + 1
    const debug = lines.slice(last, last + 6).findIndex(l => l.startsWith('##[debug]Finishing: '))
    let begin = at
    if (debug >= 0) {
      end = last + debug + 1
      for (let i = at; i > Math.max(0, at - 60); i--) {
        if ((lines[i] as string).startsWith('##[debug]Finishing: ')) break
        if ((lines[i] as string).startsWith('##[debug]Evaluating condition for step')) {
          begin = i
          break
        }
      }
    }
    const failed = exit >= 0 && (exited || lines.slice(exit + 1, end).filter(l => l !== '' && !l.startsWith('##[')).length <= 30)
    const step: Step = { start: begin + 1, end, command, failed, ...(failed ? { verdict: exit + 1 } : {}) }
    steps.push(failed ? { ...step, start: outer(starts, k) ?? step.start } : step)
  }
  return steps
}

/** Where the composite action begins that the step k was a part of: the nearest action before it that did nothing but run others, if all between ask for their shell by name. */
const outer = (
  starts: readonly { at: number; shell: string; empty: boolean; uses: boolean }[],
  k: number,
): number | undefined => {
  const inner = starts[k] as (typeof starts)[number]
  if (!inner.uses && !NAMED_SHELL.test(inner.shell)) return undefined
  for (let i = k - 1; i >= 0 && i >= k - 25; i--) {
    const step = starts[i] as (typeof starts)[number]
    if (!step.uses && !NAMED_SHELL.test(step.shell)) return undefined
    if (step.uses && step.empty && !inner.uses) return step.at + 1
  }
  return undefined
}

const travis = (lines: readonly string[], raw: readonly string[]): Step[] | undefined => {
  const steps: Step[] = []
  let from = 0
  for (let i = 0; i < lines.length; i++) {
    const text = lines[i] as string
    if ((raw[i] as string).includes('travis_time:start:')) from = i
    const m = /The command "(.*?)" (?:exited with|failed and exited with) (\d+)/.exec(text)
    if (!m && !/^The command ".*" failed \d+ times/.test(text)) continue
    const failed = !m || m[2] !== '0'
    const start = steps.length > 0 ? Math.max(from, (steps.at(-1) as Step).end) : from
    steps.push({ start: start + 1, end: i + 1, command: m?.[1] ?? '', failed, ...(failed ? { verdict: i + 1 } : {}) })
  }
  return steps.length > 0 ? steps : undefined
}

/** Headings that open a section; what runs to the next one is the section. */
const HEADINGS: readonly RegExp[] = [
  /section_start:\d+:([\w.-]+)/,
  /^##\[section\]Starting: (.+)/,
  /^(?:~~~|\+\+\+|---) (?::[\w-]+: |\S+ )?(?:Running|Preparing|Setting|Uploading|Downloading|\S+ )(.+)/,
  /^#!\/bin\/(?:ba)?sh -eo? (.+)/,
]
const EXITS =
  /^(?:##\[error\](?:Bash|Cmd\.exe|PowerShell) exited with code|ERROR: Job failed|🚨 Error: The command exited with status|Exited with code exit status [1-9]|.*user command error: exit status)/
const headed = (lines: readonly string[]): Step[] | undefined => {
  for (const heading of HEADINGS) {
    const starts = lines.flatMap((l, i) => (heading.test(l) ? [i] : []))
    if (starts.length < 2) continue
    return starts.map((at, k) => {
      const end = starts[k + 1] ?? lines.length
      let exit = -1
      for (let i = at; i < end; i++) if (EXITS.test(lines[i] as string)) exit = i
      return {
        start: at + 1,
        end,
        command: heading.exec(lines[at] as string)?.[1] ?? '',
        failed: exit >= 0,
        ...(exit >= 0 ? { verdict: exit + 1 } : {}),
      }
    })
  }
  return undefined
}

const FAILED =
  /^(?:Finished: (?:FAILURE|ABORTED|UNSTABLE)|Done\. Your build exited with [1-9]|ERROR: Job failed|##\[error\]Process completed|BUILD FAILED|FAILURE: Build|\[INFO\] BUILD FAILURE|Your build has been stopped|make: \*\*\* )/
const PASSED =
  /^(?:Finished: SUCCESS|Done\. Your build exited with 0|Job succeeded|\[INFO\] BUILD SUCCESS|BUILD SUCCESSFUL|##\[section\]Finishing: Finalize Job)/

export const readSteps = ({ lines, raw }: BuildLog): Structure => {
  const found = github(lines)
  const steps = found ?? travis(lines, raw) ?? headed(lines) ?? []
  let ended: Structure['ended']
  for (let i = lines.length - 1; i >= 0 && ended === undefined; i--) {
    const text = lines[i] as string
    if (FAILED.test(text)) ended = 'failed'
    else if (PASSED.test(text)) ended = 'passed'
  }
  const failed = steps.filter(s => s.failed)
  // Later steps of a GitHub job run only where told to run always; elsewhere the first command that fails makes the others fail.
  const failing = found ? failed.at(-1) : failed[0]
  const whole = lines.some(l => AFTER.test(l))
  if (found) ended = failing ? 'failed' : ended === 'failed' || !whole ? undefined : 'passed'
  else if (failing) ended = 'failed'
  const exited = lines.some(l => /^(?:Done\. Your build exited with [1-9]|Finished: FAILURE|ERROR: Job failed)/.test(l))
  return { steps, exited, ...(failing ? { failing } : {}), ...(ended ? { ended } : {}) }
}
