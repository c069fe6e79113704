import { readCase } from '@aegis/lab/replay/read-case'
import { type PipelineKind, pipelineFor, playThrough } from '@aegis/lab/replay/run-recording'
import { Command, Option } from 'commander'
import { progressOf, report } from '../replay/report.ts'

interface ReplayOptions {
  speed: string
  stack: PipelineKind
  environment?: string
  json: boolean
  tick: string
}

export const replayCommand = (): Command =>
  new Command('replay')
    .argument('<case-folder>', 'folder with metrics.csv, logs.csv, traces.csv (any of them, .gz too) and case.json')
    .addOption(
      new Option(
        '--stack <kind>',
        'where: servers and services started for this, everything in this process, or the pipeline that is running',
      )
        .choices(['auto', 'real', 'embedded', 'running'])
        .default('auto'),
    )
    .option('--speed <n>', '0 as fast as it goes, 1 as recorded, 60 a minute a second', '0')
    .option('--tick <seconds>', 'seconds of recorded time between ticks; the recording’s step, at most 10, unless told', '')
    .option('--environment <name>', 'environment to play into; a new one unless told')
    .option('--json', 'print incidents and decisions as JSON', false)
    .action(run)

async function run(folder: string, options: ReplayOptions): Promise<void> {
  const environment = options.environment ?? `replay-${Date.now().toString(36)}`
  const recorded = await readCase(folder, environment)
  const total = recorded.logs.length + recorded.metrics.length + recorded.spans.length
  const say = (line: string) => console.error(line)
  say(
    `${recorded.name}: ${recorded.logs.length} log lines, ${recorded.metrics.length} observations, ${recorded.spans.length} spans, ${recorded.edges.length} edges, ${Math.round((recorded.to - recorded.from) / 1e6)} s`,
  )
  if (recorded.misplaced > 0)
    say(
      `${recorded.misplaced} records have a time more than a day from the others of their file; they are played with their neighbours`,
    )
  const abort = new AbortController()
  process.once('SIGINT', () => abort.abort())
  const closers: (() => Promise<void>)[] = []
  try {
    const client = await pipelineFor(options.stack, say, closers, abort.signal)
    const progress = progressOf(recorded)
    const found = await playThrough(client, recorded, {
      onSeconds: n => progress.add(n),
      environment,
      speed: Number(options.speed),
      tickSeconds: options.tick ? Number(options.tick) : Math.min(10, recorded.stepSeconds),
      signal: abort.signal,
    })
    progress.end()
    if (options.json)
      console.log(
        JSON.stringify(
          {
            incidents: [...found.incidents.values()],
            decisions: [...found.decisions.values()],
            anomalies: [...found.anomalies.values()],
          },
          null,
          2,
        ),
      )
    else report(found, recorded, total)
  } finally {
    for (const close of closers.reverse()) await close().catch(() => undefined)
  }
  process.exit()
}
