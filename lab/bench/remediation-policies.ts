/**
 * The trained policy beside the rule table on the demo shop: paired injections, each fault once under each policy, in turn who goes first.
 *
 * `npm run bench -- shop-policies [--rounds 5] [--stack embedded|real] [--faults a,b] [--report FILE] [--fresh] [--table] [--write]`
 *
 * A round is every fault under both policies, on one pipeline; each drill has a shop and an environment of its own (start, 13 s to learn, the fault,
 * until the shop is well and Aegis has seen it), so that nothing one policy did is met by the other. Every wait ends when what it waits for is
 * there: an unhealed drill once a person has been called and nothing is under way any more for half a minute. Every drill is appended to the report
 * (.aegis/shop-policies.jsonl) with its commit and where its time went; started again, the command goes on with what is missing, and refuses to mix
 * weights (`--fresh` puts the old report aside). `--table` only prints what the report holds, `--write` accepts it as remediation-policies.json.
 * Well or not is judged by the load generator. "Right" is an action that was measured to heal the fault (shop-effects.json). A drill that could not
 * be held, because the shop did not become healthy, is held again once at the end of its round, then the next time. The machine's load stands
 * beside each drill: above 4 a healthy shop may look ill.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import path from 'node:path'
import { faults } from '@aegis/demo-shop'
import { AegisError } from '@aegis/domain'
import { shippedIncidentModel } from '@aegis/remediation/shipped-model'
import { anyFree } from '@aegis/stack/local/ports'
import { drill } from '../drill/drill.ts'
import { type Shop, startPipeline } from '../drill/start-pipeline.ts'
import { BUSY, type Drilled, figuresOf, keyOf, minutesLeft, POLICIES, tableOf } from './remediation-pairs.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
/** Long enough for a first action to be judged a failure (60 s) and a second one to heal. */
const LIMIT_SECONDS = 150
/** Nobody will do anything more, and what was done has had twice the time that any measured action took to heal. */
const IDLE_SECONDS = 30
/** Longer than Aegis waits for health to return (60 s): what it does when it has not seen it counts too. */
const VERIFY_SECONDS = 75
/** Of a drill, before any was held. */
const USUAL_SECONDS = 50

type Planned = Pick<Drilled, 'round' | 'fault' | 'policy'>
const option = (args: readonly string[], name: string): string | undefined =>
  args.includes(name) ? args[args.indexOf(name) + 1] : undefined

export async function run(args: readonly string[]): Promise<void> {
  const file = path.resolve(option(args, '--report') ?? path.join(ROOT, '.aegis', 'shop-policies.jsonl'))
  const rounds = Number(option(args, '--rounds') ?? 5)
  const stack = (option(args, '--stack') ?? 'embedded') as 'embedded' | 'real'
  const wanted = option(args, '--faults')?.split(',') ?? faults.map(f => f.name)
  const unknown = wanted.filter(name => !faults.some(f => f.name === name))
  if (unknown.length > 0 || !Number.isSafeInteger(rounds) || rounds < 1)
    throw new AegisError('INPUT_INVALID', `--faults are of ${faults.map(f => f.name).join(', ')}, and --rounds a number from 1`)
  mkdirSync(path.dirname(file), { recursive: true })
  if (args.includes('--fresh') && existsSync(file)) {
    renameSync(file, `${file}.${Date.now()}`)
    console.log(`the old report is ${file}.*`)
  }
  const held = readReport(file)
  const known = new Set(held.map(keyOf))
  const plan: Planned[] = Array.from({ length: rounds }, (_, r) => r + 1).flatMap(round =>
    wanted.flatMap((fault, f) =>
      ((round + f) % 2 === 0 ? POLICIES : [...POLICIES].reverse()).map(policy => ({ round, fault, policy })),
    ),
  )
  const left = () => plan.filter(d => !known.has(keyOf(d)))
  const abort = new AbortController()
  if (!args.includes('--table') && left().length > 0) {
    refuseOtherWeights(held, file)
    const commit = commitHere()
    const stop = () => abort.abort()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
    // What could not be held the first time is tried once more.
    for (let pass = 1; pass <= 2 && left().length > 0 && !abort.signal.aborted; pass++)
      for (let round = 1; round <= rounds && !abort.signal.aborted; round++) {
        const drills = left().filter(d => d.round === round)
        if (drills.length === 0) continue
        console.log(
          `round ${round} of ${rounds}${pass > 1 ? ', again' : ''}: ${drills.length} of ${left().length} drills, in all about ${Math.ceil(minutesLeft(left(), held, USUAL_SECONDS))} minutes`,
        )
        await holdRound(drills, stack, abort.signal, drilled => {
          const whole = { ...drilled, commit }
          held.push(whole)
          known.add(keyOf(whole))
          appendFileSync(file, `${JSON.stringify(whole)}\n`)
          console.log(
            `  ${plan.length - left().length}/${plan.length} ${drilled.fault} ${drilled.policy}: ${lineOf(whole)}; about ${Math.ceil(minutesLeft(left(), held, USUAL_SECONDS))} minutes left`,
          )
        })
      }
    if (left().length > 0)
      console.log(`${left().length} of ${plan.length} drills are still to be held: start the same command again`)
  }
  const figures = figuresOf(held.filter(d => wanted.includes(d.fault)))
  console.log(figures ? `\n${tableOf(figures)}` : 'no complete pair yet')
  if (figures && args.includes('--write'))
    writeFileSync(path.join(ROOT, 'bench', 'remediation-policies.json'), `${JSON.stringify(figures, null, 2)}\n`)
}

/** Lines of the report; one that was cut off while it was written is cut away, and its drill held again. */
function readReport(file: string): Drilled[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  const held: Drilled[] = []
  for (const [i, line] of lines.entries()) {
    if (line === '') continue
    try {
      held.push(JSON.parse(line))
    } catch {
      if (i < lines.length - 1)
        throw new AegisError('INPUT_INVALID', `${file}, line ${i + 1} is no JSON; mend it, or begin with --fresh`)
      console.log(`${file}: the last line was cut off; its drill is held again`)
      writeFileSync(file, `${lines.slice(0, -1).join('\n')}\n`)
    }
  }
  return held
}
function refuseOtherWeights(held: readonly Drilled[], file: string): void {
  const { name, version } = shippedIncidentModel()
  const other = held.find(d => d.policy === 'learned' && d.report.policy !== null && d.report.policy !== `${name} ${version}`)
  if (other)
    throw new AegisError(
      'INPUT_INVALID',
      `${file} holds drills of ${other.report.policy}, and ${name} ${version} ships now: begin with --fresh, or look at them with --table`,
    )
}
function commitHere(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') ? ' and changes' : ''}`
}

async function holdRound(
  drills: readonly Planned[],
  stack: 'embedded' | 'real',
  signal: AbortSignal,
  told: (drilled: Drilled) => void,
): Promise<void> {
  const base = path.join(ROOT, '.aegis', 'shop-policies')
  const closers: (() => Promise<void>)[] = []
  const began = Date.now().toString(36)
  const shops: Shop[] = []
  for (const [i, { policy }] of drills.entries())
    shops.push({ environment: `${policy}-${began}-${i + 1}`, supervisorPort: await anyFree() })
  try {
    const pipeline = await startPipeline(
      { stack, policies: 'rules-*=rules,learned-*=learned' },
      shops,
      base,
      () => {},
      closers,
      signal,
    )
    for (const [i, d] of drills.entries()) {
      if (signal.aborted) return
      const stateDir = path.join(base, 'shop')
      rmSync(stateDir, { recursive: true, force: true })
      const load = loadavg()[0]
      const from = performance.now()
      try {
        const { stop: _stop, ...report } = await drill({
          ...shops[i],
          gatewayUrl: pipeline.gatewayUrl,
          stateDir,
          fault: d.fault,
          learnSeconds: 13,
          limitSeconds: LIMIT_SECONDS,
          verifySeconds: VERIFY_SECONDS,
          idleSeconds: IDLE_SECONDS,
          keep: false,
          say: () => {},
          signal,
        })
        if (signal.aborted) return
        told({ ...d, load, seconds: Math.round((performance.now() - from) / 100) / 10, report })
      } catch (error) {
        console.log(`  ${d.fault} ${d.policy}: not held, ${(error as Error).message}`)
      }
    }
  } finally {
    for (const close of closers.reverse()) await close()
  }
}
const lineOf = ({ report: r, load, seconds }: Drilled): string =>
  `${r.healed ? `healed after ${r.secondsToHeal} s` : 'NOT HEALED'}, cause at rank ${r.causeRank ?? '–'}, ${
    r.acts.map(a => `${a.action} ${a.target}`).join(', ') || 'nothing done'
  }; took ${seconds} s; load ${load.toFixed(1)}${load > BUSY ? ', BUSY' : ''}`
