import { mkdirSync } from 'node:fs'
import path from 'node:path'
import {
  AegisError,
  type Anomaly,
  anomalies,
  type Decision,
  decisions,
  type Incident,
  incidents,
  type LogEvent,
  logsParsed,
  logsRaw,
  metricsRaw,
  type Stream,
  tracesSpans,
} from '@aegis/domain'
import { Command, Option } from 'commander'
import { connectClient, StreamClient } from '../pipeline/client.ts'
import { startEmbedded, startProcesses } from '../pipeline/pipeline.ts'
import { Progress } from '../progress.ts'
import { play } from '../replay/play.ts'
import { readCase } from '../replay/read-case.ts'
import { canRunServers, up } from '../stack/stack.ts'

const ROOT = path.resolve(import.meta.dirname, '../../../..')
interface ReplayOptions {
  speed: string
  stack: 'auto' | 'real' | 'embedded' | 'running'
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
    const wanted = [logsRaw, metricsRaw, tracesSpans, logsParsed, anomalies, incidents, decisions] as unknown as Stream<never>[]
    const count = new Map<string, number>()
    const newest = {
      anomalies: new Map<string, Anomaly>(),
      incidents: new Map<string, Incident>(),
      decisions: new Map<string, Decision>(),
    }
    const tail = await client.tail(wanted, 'end', decoded => {
      for (const { value, record } of decoded) {
        const v = value as { environment?: string; id: string } | undefined
        if (v?.environment !== environment) continue
        count.set(
          record.topic,
          (count.get(record.topic) ?? 0) + (record.topic === logsParsed.name ? ((v as unknown as LogEvent).lines ?? 1) : 1),
        )
        if (record.topic === anomalies.name) newest.anomalies.set(v.id, v as never)
        if (record.topic === incidents.name) newest.incidents.set(v.id, v as never)
        if (record.topic === decisions.name) newest.decisions.set((v as unknown as Decision).decision, v as never)
      }
    })
    closers.push(() => tail.close())
    const progress = new Progress('seconds', (recorded.to - recorded.from) / 1e6 + 60)
    let last = 0
    await play(client, recorded, {
      environment,
      speed: Number(options.speed),
      tickSeconds: options.tick ? Number(options.tick) : Math.min(10, recorded.stepSeconds),
      onProgress: seconds => {
        progress.add(seconds - last)
        last = seconds
      },
      signal: abort.signal,
    })
    progress.end()
    // The tail reads behind the pipeline: wait until it has counted everything.
    const produced = () =>
      (count.get(logsRaw.name) ?? 0) + (count.get(tracesSpans.name) ?? 0) >= recorded.logs.length + recorded.spans.length &&
      (count.get(logsParsed.name) ?? 0) >= recorded.logs.length
    for (let i = 0; i < 100 && !produced(); i++) await new Promise(resolve => setTimeout(resolve, 100))
    await new Promise(resolve => setTimeout(resolve, 300))
    if (options.json)
      console.log(
        JSON.stringify(
          {
            incidents: [...newest.incidents.values()],
            decisions: [...newest.decisions.values()],
            anomalies: [...newest.anomalies.values()],
          },
          null,
          2,
        ),
      )
    else report(newest, count, recorded, total)
  } finally {
    for (const close of closers.reverse()) await close().catch(() => undefined)
  }
  process.exit()
}

async function pipelineFor(
  kind: ReplayOptions['stack'],
  say: (line: string) => void,
  closers: (() => Promise<void>)[],
  signal: AbortSignal,
): Promise<StreamClient> {
  const base = path.join(process.env.AEGIS_STATE_DIR ?? path.join(ROOT, '.aegis'), 'replay')
  mkdirSync(base, { recursive: true })
  const logFolder = path.join(base, 'logs')
  const settings = { AEGIS_CLOCK: 'off', AEGIS_DATA_PARTITIONS: '1', AEGIS_ENVIRONMENT_PARTITIONS: '1', AEGIS_BATCH_WAIT_MS: '0' }
  if (kind === 'running') {
    const client = connectClient()
    closers.push(() => client.close())
    return client
  }
  if (kind === 'embedded' || (kind === 'auto' && !(await canRunServers()))) {
    say('pipeline: embedded in this process')
    const pipeline = await startEmbedded({ env: settings, logFolder })
    closers.push(() => pipeline.stop())
    return new StreamClient(pipeline.infrastructure!)
  }
  say('pipeline: real servers and services')
  const stack = await up({ attached: true, say: line => say(`  ${line}`), signal, folder: path.join(base, 'stack') })
  closers.push(() => stack.stop())
  const lost: string[] = []
  const pipeline = await startProcesses({
    env: { ...settings, ...stack.env },
    logFolder,
    onLost: (service, how) => lost.push(`${service}: ${how}`),
  })
  closers.push(() => pipeline.stop())
  Object.assign(process.env, stack.env)
  if (lost.length > 0) throw new AegisError('BROKER_UNAVAILABLE', lost.join('; '))
  const client = connectClient()
  closers.push(() => client.close())
  return client
}

function report(
  newest: { anomalies: Map<string, Anomaly>; incidents: Map<string, Incident>; decisions: Map<string, Decision> },
  count: ReadonlyMap<string, number>,
  recorded: { logs: readonly unknown[]; metrics: readonly unknown[]; spans: readonly unknown[] },
  total: number,
): void {
  const time = (us: number) => new Date(us / 1000).toISOString().slice(11, 19)
  const row = (name: string, sent: number, seen: number) =>
    console.log(
      `  ${name.padEnd(14)} ${String(sent).padStart(9)} recorded ${String(seen).padStart(9)} ${sent === seen ? '' : ' DIFFERENT'}`,
    )
  console.log(`counts (${total} records)`)
  row('logs.raw', recorded.logs.length, count.get(logsRaw.name) ?? 0)
  row('logs.parsed', recorded.logs.length, count.get(logsParsed.name) ?? 0)
  row('traces.spans', recorded.spans.length, count.get(tracesSpans.name) ?? 0)
  console.log(
    `  metrics.raw    ${String(recorded.metrics.length).padStart(9)} recorded ${String(count.get(metricsRaw.name) ?? 0).padStart(9)}  (with what was derived from logs and spans)`,
  )
  console.log(`${newest.anomalies.size} anomalies, ${newest.incidents.size} incidents, ${newest.decisions.size} decisions`)
  for (const i of newest.incidents.values()) {
    console.log(`\nINCIDENT ${i.id}  ${i.state}  ${i.severity}  from ${time(i.started)}`)
    console.log(`  ${i.explanation}`)
    for (const [n, c] of i.causes.slice(0, 3).entries()) {
      console.log(`  ${n + 1}. ${c.entity}  ${Math.round(c.confidence * 100)} %  ${c.fault_kind}  path ${c.path.join(' → ')}`)
      for (const e of c.evidence.slice(0, 3))
        console.log(`       ${e.kind} ${time(e.time)} ${e.text.split('\n')[0].slice(0, 140)}`)
      for (const against of c.against.slice(0, 1)) console.log(`       against: ${against}`)
    }
    for (const t of i.timeline.slice(0, 12)) console.log(`  ${time(t.time)} ${t.entity}: ${t.text.slice(0, 140)}`)
  }
  for (const d of newest.decisions.values())
    console.log(`\nDECISION ${d.mode}: ${d.action} ${d.target}\n  ${d.explanation}\n  ${d.reasons.join('\n  ')}`)
}
