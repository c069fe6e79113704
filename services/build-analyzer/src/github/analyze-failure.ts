import { analyzeBuild } from '@aegis/build-analysis'
import { type Cause, type JobAnalysis, joinCauses } from '../join-causes.ts'
import { markerOf, writeComment } from '../write-comment.ts'
import type { GitHub } from './client.ts'

export interface FailureRequest {
  readonly pull?: number
  readonly run?: number
  /** Names of jobs, a matrix's variants with them. */
  readonly jobs: readonly string[]
  readonly dryRun: boolean
  readonly say: (what: string) => void
}
export interface FailureReport {
  readonly causes: readonly Cause[]
  /** Comments written, updated and left as they were. */
  readonly posted: number
  readonly updated: number
  readonly same: number
  /** Failed jobs of other names, which were not looked at. */
  readonly passedOver: readonly string[]
}

const wanted = (name: string, names: readonly string[]): boolean =>
  names.some(n => name === n || name.startsWith(`${n} (`) || name.endsWith(` / ${n}`) || name.includes(` / ${n} (`))

/** Reads the failed jobs and comments each cause once on the pull request. A run alone is only read: nobody said where to write. */
export const analyzeFailure = async (
  github: GitHub,
  { pull, run, jobs, dryRun, say }: FailureRequest,
): Promise<FailureReport> => {
  const runs = run !== undefined ? [run] : await github.failedRuns(pull as number)
  const failed = (await Promise.all(runs.map(id => github.failedJobs(id)))).flat()
  const chosen = failed.filter(j => wanted(j.name, jobs))
  const read: JobAnalysis[] = []
  for (const [i, job] of chosen.entries()) {
    say(`reading the log of ${job.name} (${i + 1} of ${chosen.length})`)
    read.push({ job: job.name, url: job.html_url, analysis: analyzeBuild(await github.log(job.id)) })
  }
  const causes = joinCauses(read)
  const report = { causes, posted: 0, updated: 0, same: 0, passedOver: failed.filter(j => !chosen.includes(j)).map(j => j.name) }
  if (pull === undefined || dryRun || causes.length === 0) return report
  const there = await github.comments(pull)
  for (const cause of causes) {
    const body = writeComment(cause)
    const old = there.find(c => c.body.includes(markerOf(cause.key)))
    if (!old) {
      await github.comment(pull, body)
      report.posted++
    } else if (old.body.trim() === body.trim()) report.same++
    else {
      await github.updateComment(old.id, body)
      report.updated++
    }
  }
  return report
}
