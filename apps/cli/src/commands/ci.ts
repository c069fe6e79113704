import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { analyzeBuild, type BuildAnalysis, KINDS } from '@aegis/build-analysis'
import { analyzeFailure, type FailureReport } from '@aegis/build-analyzer/github/analyze-failure'
import { inert, writeComment } from '@aegis/build-analyzer/write-comment'
import { AegisError } from '@aegis/domain'
import { Command } from 'commander'

interface Options {
  json?: boolean
  pass?: string
  analyzeFailure?: boolean
  prNumber?: string
  workflowRunId?: string
  jobNames: string[]
  dryRun?: boolean
}

export const ciCommand = (): Command =>
  new Command('ci')
    .argument('[file]', 'log of a failed build, .gz too, or - for standard input')
    .option('--pass <log>', 'log of a green run of the same job: what it says too did not make this one fail')
    .option('--json', 'the whole analysis as JSON')
    .option('--analyze-failure', 'instead of a file: the failed jobs of a run on GitHub')
    .option('--pr-number <n>', 'pull request that gets the comment')
    .option('--workflow-run-id <id>', 'run to read; alone, it is read and nothing is posted')
    .option('--job-names <names...>', 'jobs to look at, variants of a matrix with them', [
      'Backend Tests',
      'Critical Security Checks',
    ])
    .option('--dry-run', 'print what would be posted; DRY_RUN=true says the same')
    .addHelpText(
      'after',
      '\nSettings: GITHUB_TOKEN, GITHUB_REPOSITORY (OWNER/NAME), GITHUB_API_URL, DRY_RUN.' +
        '\nExit codes: 0 the log was read, whatever it says; 1 it could not be read.' +
        '\n\n  aegis ci build.log --pass last-green.log\n  aegis ci --analyze-failure --pr-number 12 --workflow-run-id 345 --dry-run',
    )
    .action(run)

async function run(file: string | undefined, options: Options): Promise<void> {
  if (options.analyzeFailure) return remote(options)
  if (!file) throw new AegisError('INPUT_INVALID', 'name a log file, or --analyze-failure with --pr-number or --workflow-run-id')
  const analysis = analyzeBuild(read(file), options.pass ? read(options.pass) : undefined)
  console.log(options.json ? inertJson(analysis) : textOf(analysis))
}

const read = (file: string): string => {
  try {
    const bytes = readFileSync(file === '-' ? 0 : file)
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `${file} cannot be read: ${(error as Error).message}`)
  }
}

const inertJson = (analysis: BuildAnalysis): string =>
  JSON.stringify(
    analysis,
    (key, value) => (typeof value === 'string' && (key === 'text' || key === 'command') ? inert(value, 400) : value),
    2,
  )

/** The analysis in a few plain lines. */
export const textOf = (a: BuildAnalysis): string => {
  if (a.failures.length === 0) return 'Nothing failed in this log.'
  const out: string[] = []
  for (const f of a.failures) {
    const { fix, prevention } = KINDS[f.kind]
    if (out.length > 0) out.push('')
    if (f.abstain) out.push('Root cause: the log does not say why it failed.')
    else out.push(`Root cause: ${f.quotes[0] ? inert(f.quotes[0].text) : 'see the lines below'}`)
    for (const q of f.quotes) out.push(`  line ${q.line}: ${inert(q.text, 160)}`)
    out.push(`Whose: ${f.whose}   Type: ${f.type ?? 'unknown'}   Sure: ${Math.round(f.confidence * 100)} %`)
    if (!f.abstain) out.push(`Fix: ${fix}`, `Prevention: ${prevention}`)
  }
  if (a.command) out.push(`Failing step: ${inert(a.command, 120)} (lines ${a.step?.[0]} to ${a.step?.[1]})`)
  if (a.dependency && a.failures.some(f => f.type === 'dependency_conflicts'))
    out.push(
      `Dependency: ${a.dependency.name}${a.dependency.to ? ` ${a.dependency.to}` : ''} (${Math.round(a.dependency.confidence * 100)} % sure)`,
    )
  if (a.files.length > 0)
    out.push(
      `Files to look at: ${a.files
        .slice(0, 5)
        .map(f => inert(f, 120))
        .join(', ')}`,
    )
  return out.join('\n')
}

const number = (name: string, value: string | undefined): number | undefined => {
  if (value === undefined) return undefined
  if (!/^[1-9]\d{0,15}$/.test(value)) throw new AegisError('INPUT_INVALID', `${name} ${value} is not a number`)
  return Number(value)
}

async function remote(options: Options): Promise<void> {
  const pull = number('--pr-number', options.prNumber)
  const runId = number('--workflow-run-id', options.workflowRunId)
  if (pull === undefined && runId === undefined)
    throw new AegisError('INPUT_INVALID', '--analyze-failure needs --pr-number, --workflow-run-id or both')
  const { GITHUB_TOKEN: token, GITHUB_REPOSITORY: repository, GITHUB_API_URL: baseUrl, DRY_RUN } = process.env
  if (!token) throw new AegisError('CONFIG_INVALID', 'GITHUB_TOKEN is not set; it needs actions: read and pull-requests: write')
  if (!repository || !/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new AegisError('CONFIG_INVALID', 'GITHUB_REPOSITORY must be OWNER/NAME')
  const dryRun = options.dryRun === true || /^(?:1|true|yes)$/i.test(DRY_RUN ?? '')
  const { GitHub } = await import('@aegis/build-analyzer/github/client')
  const say = (what: string) => console.error(what)
  const github = new GitHub({ token, repository, say, ...(baseUrl ? { baseUrl } : {}) })
  let report: FailureReport
  try {
    report = await analyzeFailure(github, {
      ...(pull ? { pull } : {}),
      ...(runId ? { run: runId } : {}),
      jobs: options.jobNames,
      dryRun,
      say,
    })
  } catch (error) {
    const { status, message } = error as Error & { status?: number }
    if (status === undefined) throw error
    const way =
      status === 401 || status === 403
        ? '; GITHUB_TOKEN needs actions: read and pull-requests: write'
        : status === 404
          ? '; is the number right, and may the token see it?'
          : ''
    throw new AegisError('INPUT_INVALID', `GitHub answered ${status}: ${message.split('\n')[0]}${way}`)
  }
  if (options.json)
    console.log(
      JSON.stringify(
        report.causes.map(c => ({ key: c.key, jobs: c.jobs, analysis: JSON.parse(inertJson(c.analysis)) })),
        null,
        2,
      ),
    )
  else
    for (const cause of report.causes)
      console.log(
        pull !== undefined ? writeComment(cause) : `${cause.jobs.map(j => j.job).join(', ')}\n${textOf(cause.analysis)}`,
      )
  if (report.causes.length === 0)
    say(
      `no failed job named ${options.jobNames.join(' or ')}${report.passedOver.length > 0 ? `; failed: ${report.passedOver.slice(0, 10).join(', ')} (choose them with --job-names)` : ''}`,
    )
  if (pull === undefined) say('nothing posted: no --pr-number')
  else if (dryRun) say('nothing posted: dry run')
  else say(`comments: ${report.posted} posted, ${report.updated} updated, ${report.same} unchanged`)
}
