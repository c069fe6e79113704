/**
 * What each action does to each fault of the demo shop, without Aegis: a fault is injected, one action is done to the faulty service through the
 * executor's own adapter, and the load generator tells whether customers are well again. Each trial has a shop of its own. Then every action is done
 * to services that are well, to see what it costs them.
 *
 * Every trial is appended to `--trials FILE` (.aegis/shop-effects.jsonl) as it ends; started again, the command goes on with those that are missing.
 * `--repeats N` trials of each pair; `--write` makes libs/remediation/models/shop-effects.json of them, which the incident simulator is made from.
 * On a busy machine a healthy shop may look ill, so the load is written beside each trial.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import path from 'node:path'
import { type Fault, faults, isWell, p95LimitOf, type Shop, startShop } from '../deploy/demo-shop/src/index.ts'
import { shopPlan } from '../deploy/demo-shop/src/supervisor/plan.ts'
import { ProcessSupervisor } from '../services/executor/src/executors/process.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const MODEL = path.join(ROOT, 'libs/remediation/models/shop-effects.json')
/** Seconds until a fault must be felt, and after an action until customers must be well. */
const LIMIT = { broken: 25, well: 18, harm: 8 } as const
/** Who calls whom, callers first; `store` is reached through connection pools. */
const CALLS = [
  ['storefront', 'catalog'],
  ['storefront', 'cart'],
  ['storefront', 'checkout'],
  ['checkout', 'inventory'],
  ['checkout', 'payment'],
  ['checkout', 'cart'],
  ...['catalog', 'inventory', 'cart', 'checkout'].map(name => [name, 'store']),
]
const SERVICES = ['storefront', 'checkout', 'catalog', 'inventory', 'payment', 'cart', 'store']
/** Kind of each fault, and what a diagnosis has called it or may call it instead. */
const KINDS: Readonly<Record<string, readonly [kind: string, ...takenFor: string[]]>> = {
  'bad-deploy': ['deploy', 'error'],
  'bad-config': ['config', 'error'],
  'killed-dependency': ['crash', 'error', 'unknown'],
  'memory-leak': ['memory', 'cpu', 'latency'],
  'cpu-burn': ['cpu', 'latency'],
  'slow-store': ['pool', 'latency'],
  'pool-exhaustion': ['pool', 'latency', 'error'],
  'disk-full': ['disk', 'error'],
  overload: ['pool', 'cpu', 'latency'],
}

interface Trial {
  /** Undefined: nothing was broken, the action is done to a service that is well. */
  readonly fault?: string
  readonly service: string
  readonly action: string
  readonly round: number
}
interface Told extends Trial {
  readonly healed: boolean
  /** From the action to the first of the good seconds, seconds. */
  readonly seconds: number | null
  readonly badSeconds: number
  readonly error?: string
  readonly load: number
}
const keyOf = (t: Trial) => [t.fault ?? '-', t.service, t.action, t.round].join(' ')
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const until = async (what: () => boolean, seconds: number): Promise<boolean> => {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) if (what()) return true
  return what()
}

async function withShop<T>(work: (shop: Shop, limitMs: number) => Promise<T>): Promise<T> {
  const stateDir = path.join(ROOT, '.aegis', 'shop-effects')
  rmSync(stateDir, { recursive: true, force: true })
  const shop = await startShop({ environment: 'effects', stateDir })
  try {
    const { windows } = shop.load
    const open = () => windows.length >= 8 && windows.slice(-5).every(w => w.requests > 0 && w.success >= 0.99)
    if (!(await until(open, 60))) throw new Error('the shop did not become healthy within 60 s: the machine is too busy')
    return await work(shop, p95LimitOf(windows.slice(-5)))
  } finally {
    await shop.stop()
  }
}
const act = (shop: Shop, trial: Trial) =>
  new ProcessSupervisor(shop.supervisorUrl)
    .execute(
      { action: trial.action, target: `service:${trial.service}`, environment: 'effects', parameters: {} },
      keyOf(trial),
      AbortSignal.timeout(20_000),
    )
    .then(
      () => undefined,
      (error: Error) => error.message,
    )

const heal = (fault: Fault, trial: Trial): Promise<Told> =>
  withShop(async (shop, p95LimitMs) => {
    const { windows } = shop.load
    const from = windows.length
    await fault.inject(shop.hands)
    const well = () => isWell(windows.slice(from), { p95LimitMs })
    if (!(await until(() => !well(), LIMIT.broken))) throw new Error(`${fault.name} was not felt within ${LIMIT.broken} s`)
    // About as long as it takes Aegis to decide.
    await sleep(3000)
    const acted = Date.now()
    const error = await act(shop, trial)
    const done = Date.now()
    const healed = await until(() => windows.at(-1)!.time - 5000 >= acted && well(), LIMIT.well)
    const after = windows.filter(w => w.time > done)
    const seconds = healed ? Math.max(0, (windows.at(-1)!.time - 5000 - acted) / 1000) : null
    return { ...trial, healed, seconds, badSeconds: after.filter(w => w.success < 0.95).length, error, load: loadavg()[0] }
  })

const harm = (trial: Trial): Promise<Told> =>
  withShop(async (shop, p95LimitMs) => {
    const { windows } = shop.load
    const from = windows.length
    const error = await act(shop, trial)
    await sleep(LIMIT.harm * 1000)
    const bad = windows.slice(from).filter(w => w.requests === 0 || w.success < 0.95 || w.p95Ms > p95LimitMs).length
    return { ...trial, healed: false, seconds: null, badSeconds: bad, error, load: loadavg()[0] }
  })

const option = (args: readonly string[], name: string): string | undefined =>
  args.includes(name) ? args[args.indexOf(name) + 1] : undefined

export async function run(args: readonly string[]): Promise<void> {
  const file = path.resolve(option(args, '--trials') ?? path.join(ROOT, '.aegis', 'shop-effects.jsonl'))
  const repeats = Number(option(args, '--repeats') ?? 1)
  const { actions } = new ProcessSupervisor('')
  const trials: Trial[] = []
  for (let round = 1; round <= repeats; round++) {
    for (const { name, trueCause } of faults)
      for (const action of actions) trials.push({ fault: name, service: trueCause, action, round })
    for (const service of ['cart', 'store']) for (const action of actions) trials.push({ service, action, round })
  }
  mkdirSync(path.dirname(file), { recursive: true })
  const told: Told[] = existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line))
    : []
  const done = new Set(told.map(keyOf))
  const left = trials.filter(t => !done.has(keyOf(t)))
  console.log(`${trials.length} trials, ${left.length} to go, about 25 s each`)
  for (const [n, trial] of left.entries()) {
    const fault = faults.find(f => f.name === trial.fault)
    try {
      const result = fault ? await heal(fault, trial) : await harm(trial)
      told.push(result)
      appendFileSync(file, `${JSON.stringify(result)}\n`)
      const what = result.healed
        ? `well after ${result.seconds?.toFixed(1)} s`
        : fault
          ? 'not healed'
          : `${result.badSeconds} bad seconds`
      console.log(
        `${n + 1}/${left.length} ${keyOf(trial)}: ${what}${result.error ? ` (${result.error})` : ''}, load ${result.load.toFixed(1)}`,
      )
    } catch (error) {
      // Left out, so that the next start tries it again.
      console.log(`${n + 1}/${left.length} ${keyOf(trial)}: no trial, ${(error as Error).message}`)
    }
  }
  if (args.includes('--write')) {
    writeFileSync(MODEL, `${JSON.stringify(effectsOf(told, actions), null, 2)}\n`)
    console.log(`written: ${path.relative(ROOT, MODEL)}`)
  }
}

const mean = (values: readonly number[]) => (values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length)
const round = (x: number) => Math.round(x * 10) / 10
/** The trials as the simulator reads them. */
function effectsOf(told: readonly Told[], actions: readonly string[]) {
  const tried = (fault: string | undefined, action: string) => told.filter(t => t.fault === fault && t.action === action)
  const missing = faults.flatMap(f => actions.filter(a => tried(f.name, a).length === 0).map(a => `${f.name} ${a}`))
  if (missing.length > 0) throw new Error(`not measured yet: ${missing.join(', ')}`)
  return {
    measured: 'npm run bench -- shop-effects --write',
    services: SERVICES.filter(name => shopPlan.some(p => p.name === name)),
    calls: CALLS,
    faults: faults.map(({ name, trueCause }) => {
      const [kind, ...takenFor] = KINDS[name]
      return {
        name,
        service: trueCause,
        kind,
        takenFor,
        heals: Object.fromEntries(
          actions.map(action => {
            const of = tried(name, action)
            const healed = of.filter(t => t.healed)
            const seconds = healed.length > 0 ? round(mean(healed.map(t => t.seconds as number))) : null
            return [action, { tried: of.length, healed: healed.length, seconds }]
          }),
        ),
      }
    }),
    harm: Object.fromEntries(actions.map(action => [action, round(mean(tried(undefined, action).map(t => t.badSeconds)))])),
  }
}
