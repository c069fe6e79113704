import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { addEnvironments } from '@aegis/authority'
import { faults } from '@aegis/demo-shop'
import { AegisError } from '@aegis/domain'
import { type DrillReport, drill } from '@aegis/lab/drill/drill'
import { type Shop, startPipeline } from '@aegis/lab/drill/start-pipeline'
import { anyFree } from '@aegis/stack/local/ports'
import { canRunServers, up } from '@aegis/stack/local/stack'
import { environmentsFile, loginLink, ownKeys } from '@aegis/stack/own-keys'
import { type Pipeline, type PipelineOptions, startEmbedded, startProcesses } from '@aegis/stack/pipeline/pipeline'
import { Command, Option } from 'commander'

const ROOT = path.resolve(import.meta.dirname, '../../../..')
const DEFAULT_FAULT = 'killed-dependency'

interface DemoOptions {
  fault: string
  aegis: boolean
  keep: boolean
  stack: 'auto' | 'real' | 'embedded'
  control?: string | boolean
  learn: string
  policy?: 'rules' | 'learned'
  report: string
}

export const demoCommand = (): Command =>
  new Command('demo')
    .addOption(
      new Option('--fault <name>', `which fault, or "all"`).choices([...faults.map(f => f.name), 'all']).default(DEFAULT_FAULT),
    )
    .option('--no-aegis', 'watch the shop stay broken: nothing observes or heals it')
    .option('--keep', 'stay up afterwards and print the addresses', false)
    .option('--control [seconds]', 'break nothing; passes when nothing is done and no incident opens (300 s unless told)')
    .addOption(
      new Option('--stack <kind>', 'real servers, or everything in one process')
        .choices(['auto', 'real', 'embedded'])
        .default('auto'),
    )
    .addOption(
      new Option('--policy <name>', 'who chooses: the trained policy that ships ("learned"), or the runbook table ("rules")')
        .choices(['rules', 'learned'])
        .env('AEGIS_POLICY')
        .default('learned'),
    )
    .option('--learn <seconds>', 'healthy seconds before the fault', '13')
    .option('--report <file>', 'where the JSON report goes', path.join('.aegis', 'demo-report.json'))
    .addHelpText(
      'after',
      `\nFaults:\n${faults.map(f => `  ${f.name.padEnd(20)} ${f.sentence}`).join('\n')}\n\nExit 0 only when an action of Aegis healed every fault (or, with --control, when nothing was done).`,
    )
    .action(run)

async function run(options: DemoOptions): Promise<void> {
  const started = Date.now()
  const abort = new AbortController()
  const say = (line: string) => console.log(line)
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const c of closers.splice(0).reverse())
      await c().catch(error => console.error(`while stopping: ${(error as Error).message}`))
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => {
      abort.abort()
      say('\nstopping…')
      void close().then(() => process.exit(130))
    })
  const base = process.env.AEGIS_STATE_DIR ? path.join(process.env.AEGIS_STATE_DIR, 'demo') : path.join(ROOT, '.aegis', 'demo')
  mkdirSync(base, { recursive: true })
  const names = options.control !== undefined ? [undefined] : options.fault === 'all' ? faults.map(f => f.name) : [options.fault]
  const reports: DrillReport[] = []
  try {
    // An environment of its own for each fault: cooldowns and budgets stay as shipped. Its name says nothing of the fault. And a supervisor of
    // its own: what is decided late for a shop that is gone must not be done to the next one.
    const shops: Shop[] = []
    for (const i of names.keys())
      shops.push({ environment: `demo-${started.toString(36)}-${i + 1}`, supervisorPort: await anyFree() })
    const pipeline = options.aegis ? await startPipeline(options, shops, base, say, closers, abort.signal) : undefined
    say(`ready after ${((Date.now() - started) / 1000).toFixed(1)} s`)
    let last: (() => Promise<void>) | undefined
    for (const [i, name] of names.entries()) {
      const { environment, supervisorPort } = shops[i]
      const stateDir = path.join(base, `shop-${i + 1}`)
      rmSync(stateDir, { recursive: true, force: true })
      say(`\n— ${name ?? 'control: nothing is broken'} —`)
      const limitSeconds = name ? (options.aegis ? 120 : 30) : Number(options.control === true ? 300 : options.control)
      const { stop, ...report } = await drill({
        environment,
        gatewayUrl: pipeline?.gatewayUrl ?? 'http://127.0.0.1:9',
        stateDir,
        supervisorPort,
        fault: name,
        learnSeconds: Number(options.learn),
        limitSeconds,
        keep: options.keep && i === names.length - 1,
        say,
        signal: abort.signal,
      })
      if (options.keep && i === names.length - 1) {
        last = stop
        closers.push(stop)
      }
      reports.push(report)
    }
    const ok = verdict(reports, options, say)
    const seconds = Math.round((Date.now() - started) / 100) / 10
    mkdirSync(path.dirname(path.resolve(ROOT, options.report)), { recursive: true })
    writeFileSync(
      path.resolve(ROOT, options.report),
      `${JSON.stringify({ ok, secondsFromCommand: seconds, stack: options.stack, reports }, null, 2)}\n`,
    )
    const healedAt = reports.length === 1 ? reports[0].healedAt : null
    say(
      `report: ${options.report}; from the command: ${healedAt ? `healed after ${((healedAt - started) / 1000).toFixed(1)} s, ` : ''}done after ${seconds} s`,
    )
    if (last && pipeline) {
      say(
        `\nstill up: console ${loginLink(pipeline.apiUrl, ownKeys().secret)}  OTLP ${pipeline.gatewayUrl}/v1/{logs,metrics,traces}  (Ctrl-C stops everything)`,
      )
      await new Promise(() => undefined)
    }
    process.exitCode = ok ? 0 : 1
  } finally {
    await close()
  }
  process.exit()
}

function verdict(reports: readonly DrillReport[], options: DemoOptions, say: (line: string) => void): boolean {
  if (options.control !== undefined) {
    const [r] = reports
    const ok = r.incidents === 0 && r.decisions.length === 0
    say(
      ok
        ? '\ncontrol: no incident, no action'
        : `\ncontrol FAILED: ${r.incidents} incidents, decisions: ${r.decisions.join('; ') || 'none'}`,
    )
    return ok
  }
  const cell = (v: number | string | null, width: number) => String(v ?? '–').padStart(width)
  say(
    `\n${'fault'.padEnd(20)} ${'broken'.padStart(7)} ${'detect'.padStart(7)} ${'decide'.padStart(7)} ${'heal'.padStart(7)} ${'rank'.padStart(5)}  action`,
  )
  for (const r of reports)
    say(
      `${(r.fault ?? '').padEnd(20)} ${cell(r.secondsToBroken, 7)} ${cell(r.secondsToDetect, 7)} ${cell(r.secondsToDecide, 7)} ${cell(r.secondsToHeal, 7)} ${cell(r.causeRank, 5)}  ${r.action ?? '–'} ${r.target ?? ''}${r.healed ? '' : '  NOT HEALED BY AEGIS'}`,
    )
  const healed = reports.filter(r => r.healed)
  const first = reports.filter(r => r.causeRank === 1)
  say(
    `healed ${healed.length} of ${reports.length}; true cause first in ${first.length}, in the first three in ${reports.filter(r => r.causeRank !== null && r.causeRank <= 3).length}`,
  )
  if (!options.aegis) {
    say(reports.some(r => r.secondsToHeal !== null) ? 'it became well by itself' : 'without Aegis the shop stays broken')
    return false
  }
  return healed.length === reports.length
}
