/**
 * What each action does to each fault of the demo shop, without Aegis: a fault is injected, one action is done to the faulty service through the
 * executor's own adapter, and the load generator tells whether customers are well again. The faults' own table says which actions should heal: each of
 * those gets a shop of its own. The others are tried one after another on one injection for as long as it stays broken, which is what makes them comparable:
 * one that heals ends the row, and the rest get a new one. Then every action is done to services that are well, to see what it costs them.
 *
 * Every trial is appended to `--trials FILE` (.aegis/shop-effects.jsonl) as it ends; started again, the command goes on with those that are missing.
 * `--repeats N` trials of each pair; `--write` makes lab/remediation/shop-effects.json of them, which the incident simulator is made from.
 * On a busy machine a healthy shop may look ill, so the load is written beside each trial.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import path from 'node:path'
import { type Fault, faults, isWell, p95LimitOf, type Shop, startShop } from '@aegis/demo-shop'
import { shopPlan } from '@aegis/demo-shop/supervisor/plan'
import { ProcessSupervisor } from '@aegis/executor/executors/process'

const ROOT = path.resolve(import.meta.dirname, '../..')
const MODEL = path.join(ROOT, 'lab/remediation/shop-effects.json')
/** Seconds until a fault must be felt, and after an action until customers must be well. */
const LIMIT = { broken: 25, well: 14, harm: 7 } as const
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
  'bad-deploy': ['deploy', 'error', 'crash'],
  'bad-config': ['config', 'error', 'crash'],
  'killed-dependency': ['crash', 'error', 'unknown'],
  'memory-leak': ['memory', 'cpu', 'latency'],
  'cpu-burn': ['cpu', 'latency'],
  'slow-store': ['pool', 'latency'],
  'pool-exhaustion': ['pool', 'latency', 'error'],
  'disk-full': ['disk', 'error'],
  overload: ['pool', 'cpu', 'latency'],
}

/** What the shop's supervisor calls the actions. */
const OPERATION: Readonly<Record<string, string>> = {
  restart: 'restart',
  start: 'start',
  scale_out: 'scale',
  rollback_deploy: 'rollback',
  revert_config: 'revert-config',
  raise_limit: 'raise-limit',
  clean_disk: 'clean-disk',
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

/** Tries the actions in turn on one injection until one heals; told of each. */
const heal = (fault: Fault, trials: readonly Trial[], told: (t: Told) => void): Promise<void> =>
  withShop(async (shop, p95LimitMs) => {
    const { windows } = shop.load
    const from = windows.length
    await fault.inject(shop.hands)
    const well = () => isWell(windows.slice(from), { p95LimitMs })
    if (!(await until(() => !well(), LIMIT.broken))) throw new Error(`${fault.name} was not felt within ${LIMIT.broken} s`)
    // About as long as it takes Aegis to decide.
    await sleep(2000)
    for (const trial of trials) {
      const acted = Date.now()
      const error = await act(shop, trial)
      const done = Date.now()
      const healed = await until(() => (windows.at(-1)?.time ?? 0) - 5000 >= acted && well(), LIMIT.well)
      const seconds = healed ? Math.max(0, ((windows.at(-1)?.time ?? 0) - 5000 - acted) / 1000) : null
      const badSeconds = windows.filter(w => w.time > done && w.success < 0.95).length
      told({ ...trial, healed, seconds, badSeconds, error, load: loadavg()[0] })
      if (healed) return
    }
  })

const harm = (trials: readonly Trial[], told: (t: Told) => void): Promise<void> =>
  withShop(async (shop, p95LimitMs) => {
    const { windows } = shop.load
    for (const trial of trials) {
      const from = windows.length
      const error = await act(shop, trial)
      await sleep(LIMIT.harm * 1000)
      const bad = windows.slice(from).filter(w => w.requests === 0 || w.success < 0.95 || w.p95Ms > p95LimitMs).length
      told({ ...trial, healed: false, seconds: null, badSeconds: bad, error, load: loadavg()[0] })
    }
  })

const option = (args: readonly string[], name: string): string | undefined =>
  args.includes(name) ? args[args.indexOf(name) + 1] : undefined

export async function run(args: readonly string[]): Promise<void> {
  const file = path.resolve(option(args, '--trials') ?? path.join(ROOT, '.aegis', 'shop-effects.jsonl'))
  const repeats = Number(option(args, '--repeats') ?? 1)
  const { actions } = new ProcessSupervisor('')
  mkdirSync(path.dirname(file), { recursive: true })
  const told: Told[] = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line))
    : []
  const missing = (row: readonly Trial[]) => row.filter(t => !told.some(d => keyOf(d) === keyOf(t)))
  const rows: (readonly Trial[])[] = []
  for (let round = 1; round <= repeats; round++) {
    for (const { name, trueCause, rightActions } of faults) {
      const right = actions.filter(a => rightActions.some(r => r.operation === OPERATION[a]))
      const trial = (action: string): Trial => ({ fault: name, service: trueCause, action, round })
      for (const action of right) rows.push([trial(action)])
      rows.push(actions.filter(a => !right.includes(a)).map(trial))
    }
    rows.push(['cart', 'store'].flatMap(service => actions.map(action => ({ service, action, round }))))
  }
  const say = (result: Told) => {
    told.push(result)
    appendFileSync(file, `${JSON.stringify(result)}\n`)
    const what = result.healed
      ? `well after ${result.seconds?.toFixed(1)} s`
      : result.fault
        ? 'not healed'
        : `${result.badSeconds} bad seconds`
    const left = rows.flatMap(missing).length
    console.log(
      `${keyOf(result)}: ${what}${result.error ? ` (${result.error})` : ''}, load ${result.load.toFixed(1)}; ${left} to go`,
    )
  }
  console.log(`${rows.flat().length} trials, ${rows.flatMap(missing).length} to go, about 20 s each`)
  for (const row of rows) {
    const fault = faults.find(f => f.name === row[0].fault)
    // What heals ends a row; twice without any progress, and the next start tries it again.
    for (let failures = 0; failures < 2 && missing(row).length > 0; ) {
      const before = told.length
      try {
        await (fault ? heal(fault, missing(row), say) : harm(missing(row), say))
      } catch (error) {
        console.log(`${keyOf(row[0])}: no trial, ${(error as Error).message}`)
      }
      if (told.length === before) failures++
    }
  }
  if (args.includes('--write')) {
    writeFileSync(MODEL, `${JSON.stringify(effectsOf(told, actions), null, 2)}\n`)
    execFileSync('npx', ['biome', 'format', '--write', MODEL], { cwd: ROOT, stdio: 'ignore' })
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
