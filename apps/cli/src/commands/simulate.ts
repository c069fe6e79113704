import { createReadStream, existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { AegisError, type Edge, idOf, type LogLine, nameOf } from '@aegis/domain'
import type { RecordedCase } from '@aegis/lab/replay/read-case'
import { type PipelineKind, pipelineFor, playThrough } from '@aegis/lab/replay/run-recording'
import { type FaultKind, faultKinds } from '@aegis/lab/root-cause/simulate-cases'
import { simulateRecording } from '@aegis/lab/root-cause/simulate-recording'
import { trainOnGraph } from '@aegis/lab/root-cause/train-ranker'
import { redact } from '@aegis/log-mining'
import { fusedWeights } from '@aegis/root-cause'
import { Command, Option } from 'commander'
import { progressOf, report } from '../replay/report.ts'
import { READERS } from '../topology/readers.ts'

interface SimulateOptions {
  source: string
  format: string
  fault?: FaultKind
  at?: string
  logFile?: string
  service?: string
  train: boolean
  cases: string
  out: string
  seed: string
  stack: PipelineKind
  json: boolean
}
/** Lines whose times cannot be read are spread over this long, seconds. */
const SPREAD_SECONDS = 300

/** `aegis simulate --source MANIFESTS`: a failure on a described system, through the pipeline. */
export const simulateCommand = (): Command =>
  new Command('simulate')
    .requiredOption('--source <path>', 'what describes the system: Kubernetes manifests, a file or a folder')
    .addOption(new Option('--format <kind>', 'how it is described').choices(Object.keys(READERS)).default('k8s'))
    .addOption(new Option('--fault <kind>', 'what breaks; drawn unless told').choices([...faultKinds, 'none']))
    .option('--at <service>', 'where it breaks; drawn unless told')
    .option('--log-file <file>', 'analyse these log lines on that graph instead of simulating (.gz too)')
    .option('--service <name>', 'with --log-file: who wrote the lines; the parser finds out unless told')
    .option('--train', 'also learn ranking weights from failures simulated on this graph', false)
    .option('--cases <n>', 'with --train: how many failures to learn from', '400')
    .option('--out <file>', 'with --train: where the weights go', path.join('.aegis', 'ranker.json'))
    .option('--seed <n>', 'the same seed gives the same failure', '1')
    .addOption(
      new Option('--stack <kind>', 'where the pipeline runs')
        .choices(['auto', 'real', 'embedded', 'running'])
        .default('embedded'),
    )
    .option('--json', 'print what was found as JSON', false)
    .addHelpText(
      'after',
      '\nExamples:\n  aegis simulate --source deploy/k8s --fault crash --at payment\n  aegis simulate --source deploy/k8s --train --cases 800\n' +
        '  aegis simulate --source deploy/k8s --log-file app.log\n\nThe service ranks with trained weights when AEGIS_RANKER names their file.',
    )
    .action(run)

async function run(options: SimulateOptions): Promise<void> {
  const say = (line: string) => console.error(line)
  const seed = Number(options.seed)
  if (!Number.isInteger(seed)) throw new AegisError('INPUT_INVALID', `--seed ${options.seed}: a whole number is needed`)
  const { edges, notes } = READERS[options.format](options.source)
  for (const note of notes) say(note)
  if (edges.length === 0)
    throw new AegisError(
      'INPUT_INVALID',
      `${options.source}: no dependency found in it; addresses in variables, arguments and config maps are read, or name edges with --format edges`,
    )
  const entities = [...new Set(edges.flatMap(e => [e.from, e.to]))].sort()
  say(`${options.source}: ${entities.length} entities, ${edges.length} edges`)
  const environment = `simulated-${seed}`
  // Event time is the recording's own: the same seed gives the same records.
  const from = 1_700_000_000_000_000
  const at = options.at && (options.at.includes(':') ? options.at : entities.find(e => nameOf(e) === options.at))
  if (options.at && (!at || !entities.includes(at)))
    throw new AegisError('INPUT_INVALID', `--at ${options.at}: not in the graph; known are ${entities.map(nameOf).join(', ')}`)
  const ranker = options.train ? train(edges, entities, seed, options, say) : undefined
  let truth: { fault: string; cause: string } | undefined
  let recorded: RecordedCase
  if (options.logFile) recorded = await recordingOf(options.logFile, environment, from, options.service, edges)
  else {
    const s = simulateRecording(edges, { environment, seed, from, fault: options.fault, at })
    truth = s
    // A recording is played a minute past its end; a living system goes on speaking in that minute.
    recorded = { ...s, to: s.to - 60e6, name: 'simulated', stepSeconds: 1, misplaced: 0 }
    say(
      s.fault === 'none'
        ? 'nothing is broken'
        : `${s.fault} at ${s.cause} after ${(s.brokeAt - s.from) / 1e6} s: ${s.logs.length} log lines, ${s.metrics.length} observations, ${s.spans.length} spans`,
    )
  }
  const abort = new AbortController()
  process.once('SIGINT', () => abort.abort())
  const closers: (() => Promise<void>)[] = []
  try {
    const client = await pipelineFor(options.stack, say, closers, abort.signal, ranker ? { AEGIS_RANKER: ranker } : {})
    const progress = progressOf(recorded)
    const found = await playThrough(client, recorded, {
      environment,
      speed: 0,
      tickSeconds: 1,
      signal: abort.signal,
      onSeconds: n => progress.add(n),
    })
    progress.end()
    const list = [...found.incidents.values()]
    if (options.json) console.log(JSON.stringify({ truth, incidents: list, anomalies: [...found.anomalies.values()] }, null, 2))
    else report(found, recorded, recorded.logs.length + recorded.metrics.length + recorded.spans.length)
    if (truth && !options.json) {
      const ranks = list.map(i => i.causes.findIndex(c => c.entity === truth.cause) + 1).filter(r => r > 0)
      console.log(
        truth.fault === 'none'
          ? `\nnothing was broken; ${list.length} incidents`
          : `\nsimulated: ${truth.fault} at ${truth.cause}; found at place ${ranks.length > 0 ? Math.min(...ranks) : '–'} of the suspects`,
      )
    }
  } finally {
    for (const close of closers.reverse()) await close().catch(() => undefined)
  }
  process.exit()
}

/** Weights learned on this graph, written where the service can read them. */
const train = (
  edges: readonly Edge[],
  entities: readonly string[],
  seed: number,
  options: SimulateOptions,
  say: (line: string) => void,
): string => {
  const cases = Number(options.cases)
  if (!(cases >= 50)) throw new AegisError('INPUT_INVALID', `--cases ${options.cases}: at least 50 are needed`)
  const file = path.resolve(options.out)
  if (!existsSync(path.dirname(file))) throw new AegisError('INPUT_INVALID', `--out ${options.out}: the folder does not exist`)
  say(`learning from ${cases} failures simulated on this graph…`)
  const graph = { entities, edges: edges.filter(e => e.kind !== 'runs_on').map(e => [e.from, e.to] as const) }
  const { weights, before, after } = trainOnGraph(graph, fusedWeights.weights, { cases, seed })
  const percent = (v: number) => `${Math.round(v * 1000) / 10} %`
  // What is no better than the shipped weights is not worth having.
  const kept = after > before ? weights : fusedWeights.weights
  writeFileSync(file, `${JSON.stringify({ weights: kept, cases, seed, firstRight: { before, after } }, null, 2)}\n`)
  say(
    `cause first on failures not learned from: ${percent(before)} with the shipped weights, ${percent(after)} with the learned ones; ${after > before ? 'learned' : 'shipped'} weights are in ${options.out}`,
  )
  return file
}

/** Lines of a file with their own times, where every line begins with one; else evenly spread. */
const recordingOf = async (
  file: string,
  environment: string,
  from: number,
  service: string | undefined,
  edges: readonly Edge[],
): Promise<RecordedCase> => {
  if (!existsSync(file)) throw new AegisError('INPUT_INVALID', `--log-file ${file} does not exist`)
  const bytes = createReadStream(file)
  const bodies: string[] = []
  for await (const line of createInterface({ input: file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes, crlfDelay: 0 }))
    if (line !== '') bodies.push(redact(line))
  if (bodies.length === 0) throw new AegisError('INPUT_INVALID', `--log-file ${file} is empty`)
  const times = timesOf(bodies) ?? bodies.map((_, i) => from + Math.floor((i / bodies.length) * SPREAD_SECONDS * 1e6))
  const logs = bodies.map(
    (body, i): LogLine => ({
      id: idOf(file, i, body),
      environment,
      time: times[i],
      entity: service ? `service:${service}` : null,
      body,
      observed_time: times[i],
      source: path.basename(file),
    }),
  )
  const first = Math.min(...[times[0], times[times.length - 1]])
  return {
    name: path.basename(file),
    stepSeconds: 1,
    logs: logs.sort((a, b) => a.time - b.time),
    metrics: [],
    spans: [],
    edges: edges.map(e => ({ id: idOf(environment, e.from, e.to, e.kind), environment, time: first, source: 'user', ...e })),
    from: logs[0].time,
    to: logs[logs.length - 1].time,
    misplaced: 0,
  }
}
const STAMP = /^\W{0,2}(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:[.,]\d{1,6})?)(Z|[+-]\d\d:?\d\d)?/
/** Microseconds of each line; a line without a time has that of the line before. Undefined where most have none, or they span over a day. */
const timesOf = (bodies: readonly string[]): number[] | undefined => {
  let last = Number.NaN
  let read = 0
  const times = bodies.map(body => {
    const m = STAMP.exec(body)
    const ms = m ? Date.parse(`${m[1]}T${m[2].replace(',', '.')}${m[3] ?? 'Z'}`) : Number.NaN
    if (Number.isFinite(ms)) {
      read++
      last = Math.max(Number.isFinite(last) ? last : 0, ms * 1000)
    }
    return last
  })
  const first = times.find(Number.isFinite)
  if (first === undefined || read < bodies.length / 2 || times[times.length - 1] - first > 86_400e6) return undefined
  return times.map(t => (Number.isFinite(t) ? t : first))
}
