/**
 * The trained policy beside the rule table on the demo shop: paired injections, each fault once under each policy, in turn who goes first.
 *
 * `npm run bench -- shop-policies [--rounds 5] [--stack embedded|real] [--faults a,b] [--report FILE]`
 *
 * A round is every fault under both policies, on one pipeline; each drill has a shop and an environment of its own (about 45 s: start, 13 s to learn,
 * the fault, until the shop is well and the incident over), so that nothing one policy did is met by the other. Every drill is appended to the report
 * (.aegis/shop-policies.jsonl) as it ends; started again, the command goes on with what is missing. `--table` only prints what the report holds.
 * Well or not is judged by the load generator. "Right" is an action that was measured to heal the fault (shop-effects.json). A drill that could not
 * be held, because the shop did not become healthy, is held again the next time. The machine's load stands beside each drill: above 4 a healthy
 * shop may look ill. Last accepted figures: remediation-policies.json.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import path from 'node:path'
import { isDisruptive } from '@aegis/domain'
import { mcNemar, wilcoxon } from '@aegis/remediation/paired-tests'
import { SHOP } from '@aegis/remediation/sim/incident-sim'
import { faults } from '../deploy/demo-shop/src/index.ts'
import { type Shop, startPipeline } from '../services/cli/src/commands/demo.ts'
import { type DrillReport, drill } from '../services/cli/src/demo/drill.ts'
import { anyFree } from '../services/cli/src/stack/ports.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const POLICIES = ['rules', 'learned'] as const
type PolicyName = (typeof POLICIES)[number]
/** Long enough for a first action to be judged a failure (60 s) and a second one to heal. */
const LIMIT_SECONDS = 150
/** Longer than Aegis waits for health to return (60 s): what it does when it has not seen it counts too. */
const VERIFY_SECONDS = 75
/** What the slow way costs: somebody is called, and has healed it after five minutes. */
const PERSON_SECONDS = 300
const BUSY = 4

interface Drilled {
  readonly round: number
  readonly fault: string
  readonly policy: PolicyName
  readonly load: number
  readonly report: DrillReport
}
const keyOf = (d: Pick<Drilled, 'round' | 'fault' | 'policy'>) => `${d.round} ${d.fault} ${d.policy}`
const option = (args: readonly string[], name: string): string | undefined =>
  args.includes(name) ? args[args.indexOf(name) + 1] : undefined

export async function run(args: readonly string[]): Promise<void> {
  const file = path.resolve(option(args, '--report') ?? path.join(ROOT, '.aegis', 'shop-policies.jsonl'))
  const rounds = Number(option(args, '--rounds') ?? 5)
  const stack = (option(args, '--stack') ?? 'embedded') as 'embedded' | 'real'
  const wanted = option(args, '--faults')?.split(',') ?? faults.map(f => f.name)
  mkdirSync(path.dirname(file), { recursive: true })
  const held: Drilled[] = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line))
    : []
  const known = new Set(held.map(keyOf))
  for (let round = 1; round <= rounds && !args.includes('--table'); round++) {
    const order = wanted.flatMap((fault, f) =>
      ((round + f) % 2 === 0 ? POLICIES : [...POLICIES].reverse()).map(policy => ({ round, fault, policy })),
    )
    const left = order.filter(d => !known.has(keyOf(d)))
    if (left.length === 0) continue
    console.log(`round ${round} of ${rounds}: ${left.length} drills to go, about ${Math.ceil((left.length * 50) / 60)} minutes`)
    await holdRound(left, stack, drilled => {
      held.push(drilled)
      appendFileSync(file, `${JSON.stringify(drilled)}\n`)
    })
  }
  const figures = summarise(held.filter(d => wanted.includes(d.fault)))
  if (figures && args.includes('--write'))
    writeFileSync(path.join(ROOT, 'bench', 'remediation-policies.json'), `${JSON.stringify(figures, null, 2)}\n`)
}

async function holdRound(
  drills: readonly Pick<Drilled, 'round' | 'fault' | 'policy'>[],
  stack: 'embedded' | 'real',
  told: (drilled: Drilled) => void,
): Promise<void> {
  const base = path.join(ROOT, '.aegis', 'shop-policies')
  const closers: (() => Promise<void>)[] = []
  const abort = new AbortController()
  const stop = () => abort.abort()
  process.once('SIGINT', stop)
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
      abort.signal,
    )
    for (const [i, d] of drills.entries()) {
      if (abort.signal.aborted) return
      const stateDir = path.join(base, 'shop')
      rmSync(stateDir, { recursive: true, force: true })
      const load = loadavg()[0]
      try {
        const { stop: _stop, ...report } = await drill({
          ...shops[i],
          gatewayUrl: pipeline.gatewayUrl,
          stateDir,
          fault: d.fault,
          learnSeconds: 13,
          limitSeconds: LIMIT_SECONDS,
          verifySeconds: VERIFY_SECONDS,
          keep: false,
          say: () => {},
          signal: abort.signal,
        })
        if (abort.signal.aborted) return
        const drilled = { ...d, load, report }
        told(drilled)
        console.log(`  ${i + 1}/${drills.length} ${d.fault} ${d.policy}: ${lineOf(drilled)}`)
      } catch (error) {
        console.log(`  ${i + 1}/${drills.length} ${d.fault} ${d.policy}: not held, ${(error as Error).message}`)
      }
    }
  } finally {
    process.off('SIGINT', stop)
    for (const close of closers.reverse()) await close()
  }
}
const lineOf = ({ report: r, load }: Drilled): string =>
  `${r.healed ? `healed after ${r.secondsToHeal} s` : 'NOT HEALED'}, cause at rank ${r.causeRank ?? '–'}, ${
    r.acts.map(a => `${a.action} ${a.target}`).join(', ') || 'nothing done'
  }; load ${load.toFixed(1)}${load > BUSY ? ', BUSY' : ''}`

/** The first thing done is one that was measured to heal this fault. */
function rightFirst({ fault, report }: Drilled): boolean {
  const truth = SHOP.faults.find(f => f.name === fault)
  const [first] = report.acts
  const effect = first && truth?.heals[first.action]
  return (
    first !== undefined &&
    effect !== undefined &&
    effect.healed > effect.tried / 2 &&
    first.target === `service:${truth?.service}`
  )
}
const disruptive = (d: Drilled): number => d.report.acts.filter(a => isDisruptive(a.action)).length
/** Unhealed: as long as a person takes. */
const seconds = (d: Drilled): number => (d.report.healed ? (d.report.secondsToHeal ?? PERSON_SECONDS) : PERSON_SECONDS)
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Prints the table of the pairs that are complete; undefined when there are none. */
function summarise(held: readonly Drilled[]) {
  const by = new Map(held.map(d => [keyOf(d), d]))
  const pairs = held.flatMap(d => {
    const other = d.policy === 'rules' ? by.get(keyOf({ ...d, policy: 'learned' })) : undefined
    // A fault that was not felt tells nothing of what would have healed it.
    return other?.report.broken && d.report.broken ? [[d, other] as const] : []
  })
  if (pairs.length === 0) {
    console.log('no complete pair yet')
    return undefined
  }
  const share = (side: 0 | 1, what: (d: Drilled) => boolean) => pairs.filter(p => what(p[side])).length
  const total = (side: 0 | 1, what: (d: Drilled) => number) => pairs.reduce((sum, p) => sum + what(p[side]), 0)
  const healed = (d: Drilled) => d.report.healed
  const verified = (d: Drilled) => d.report.healed && d.report.verified
  const causeFirst = (d: Drilled) => d.report.causeRank === 1
  const yesNo = (what: (d: Drilled) => boolean) => mcNemar(pairs.map(([a, b]) => [what(a), what(b)] as const))
  const numbers = (what: (d: Drilled) => number) => wilcoxon(pairs.map(([a, b]) => [what(a), what(b)] as const))
  const figures = {
    pairs: pairs.length,
    busyDrills: pairs.flat().filter(d => d.load > BUSY).length,
    policies: [...new Set(pairs.flat().map(d => d.report.policy))],
    rules: row(0),
    learned: row(1),
    p: {
      healed: yesNo(healed).p,
      causeFirst: yesNo(causeFirst).p,
      rightFirst: yesNo(rightFirst).p,
      disruptive: numbers(disruptive).p,
      secondsToHeal: numbers(seconds).p,
    },
  }
  function row(side: 0 | 1) {
    return {
      healed: share(side, healed),
      verified: share(side, verified),
      causeFirst: share(side, causeFirst),
      rightFirst: share(side, rightFirst),
      disruptive: total(side, disruptive),
      medianSecondsToHeal: median(pairs.map(p => seconds(p[side]))),
    }
  }
  const line = (name: string, rules: unknown, learned: unknown, p: string) =>
    console.log(`${name.padEnd(26)} ${String(rules).padStart(8)} ${String(learned).padStart(8)}  ${p}`)
  console.log(
    `\n${pairs.length} pairs${figures.busyDrills > 0 ? `, ${figures.busyDrills} of ${2 * pairs.length} drills at a load above ${BUSY}` : ''}`,
  )
  line('', 'rules', 'learned', 'p (two-sided)')
  const { rules: r, learned: l, p } = figures
  line('healed', r.healed, l.healed, `${p.healed.toFixed(3)} McNemar`)
  line('healed, and Aegis saw it', r.verified, l.verified, '')
  line('true cause first', r.causeFirst, l.causeFirst, `${p.causeFirst.toFixed(3)} McNemar`)
  line('right action first', r.rightFirst, l.rightFirst, `${p.rightFirst.toFixed(3)} McNemar`)
  line('disruptive acts', r.disruptive, l.disruptive, `${p.disruptive.toFixed(3)} Wilcoxon`)
  line('median seconds to heal', r.medianSecondsToHeal, l.medianSecondsToHeal, `${p.secondsToHeal.toFixed(3)} Wilcoxon`)
  line('a person after 5 minutes', PERSON_SECONDS, PERSON_SECONDS, '')
  return figures
}
