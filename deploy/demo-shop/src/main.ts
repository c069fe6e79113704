/** The shop by hand: start it, break it, look at it, operate it. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { faults, Hands, isWell, type OperationName, p95LimitOf, runningShop, startShop } from './index.ts'

const help = `A small shop of real services that can be broken for real.

  up                       start the shop and its customers, a line a second, until Ctrl-C
  faults                   list the faults, with what heals each
  inject NAME              break the running shop
  status                   list services and replicas of the running shop
  do SERVICE OPERATION     restart, start, stop, scale, rollback, revert-config, raise-limit or clean-disk

  --otlp URL               (up) where telemetry goes, such as http://127.0.0.1:4318; default $OTEL_EXPORTER_OTLP_ENDPOINT
  --environment NAME       (up) deployment.environment.name, default demo
  --port N                 (up) the supervisor's port, default any free one
  --rate N                 (up) requests a second, default 30
  --replicas N --limit N   (do) for scale and raise-limit; without them one more, and twice as much
  --state DIR              data, logs and addresses, default .aegis/demo-shop
`
const { values, positionals } = readArguments({
  allowPositionals: true,
  options: {
    otlp: { type: 'string', default: process.env.OTEL_EXPORTER_OTLP_ENDPOINT },
    environment: { type: 'string', default: 'demo' },
    port: { type: 'string', default: '0' },
    rate: { type: 'string', default: '30' },
    replicas: { type: 'string' },
    limit: { type: 'string' },
    state: { type: 'string', default: '.aegis/demo-shop' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const [verb, ...words] = positionals

function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`)
    process.exit(2)
  }
}

function numberOf(option: string, text: string): number {
  const number = Number(text)
  if (text.trim() === '' || !Number.isInteger(number) || number < 0)
    throw new Error(`--${option} must be a whole number, not "${text}"`)
  return number
}

const untilInterrupted = () => new Promise(resolve => process.once('SIGINT', resolve).once('SIGTERM', resolve))
const warmUpSeconds = 5

async function up() {
  const shop = await startShop({
    otlpEndpoint: values.otlp,
    environment: values.environment,
    stateDir: values.state,
    basePort: numberOf('port', values.port),
    rate: numberOf('rate', values.rate),
  })
  console.log(`storefront ${shop.storefrontUrl}, supervisor ${shop.supervisorUrl}, telemetry to ${values.otlp ?? 'nobody'}`)
  shop.load.subscribe(window => {
    const { windows } = shop.load
    const later = windows.slice(warmUpSeconds)
    const well = isWell(later, { p95LimitMs: p95LimitOf(windows.slice(0, warmUpSeconds)) })
    const state = later.length === 0 ? 'warming up' : well ? 'well' : 'BROKEN'
    const success = `${(100 * window.success).toFixed(1)} %`.padStart(7)
    console.log(
      `${state.padEnd(10)} ${success} of ${String(window.requests).padStart(3)} requests, p50 ${window.p50Ms} ms, p95 ${window.p95Ms} ms`,
    )
  })
  await untilInterrupted()
  await shop.stop()
}

async function running(): Promise<Hands> {
  const shop = await runningShop(values.state)
  if (!shop) throw new Error(`no shop runs with the state in ${values.state}; start one with: up`)
  return new Hands(shop.supervisorUrl, values.state)
}

const verbs: Record<string, () => Promise<void>> = {
  up,
  async faults() {
    for (const { name, sentence, rightActions } of faults) {
      console.log(`${name.padEnd(18)} ${sentence}`)
      console.log(
        `${' '.repeat(18)} healed by ${rightActions.map(({ operation, service }) => `${operation} ${service}`).join(' or ')}`,
      )
    }
  },
  async inject() {
    const hands = await running()
    const fault = faults.find(one => one.name === words[0])
    if (!fault) throw new Error(`no fault ${words[0] ?? '(none given)'}; there are ${faults.map(one => one.name).join(', ')}`)
    await fault.inject(hands)
    console.log(fault.sentence)
    if (!hands.hasCrowd) return
    console.log('The crowd stays until Ctrl-C.')
    await untilInterrupted()
    hands.stop()
  },
  async status() {
    const { supervisorUrl } = await running()
    const { services } = (await (await fetch(`${supervisorUrl}/services`)).json()) as {
      services: Awaited<ReturnType<Hands['status']>>[]
    }
    for (const { name, state, version, limit, disk, replicas } of services) {
      const used = `disk ${Math.round((100 * disk.usedBytes) / disk.quotaBytes)} %`
      const list = replicas.map(replica => `${replica.instance} ${replica.address} pid ${replica.pid ?? '-'}`).join(', ')
      console.log(`${name.padEnd(11)} ${state.padEnd(9)} ${version}  limit ${limit}  ${used.padEnd(10)} ${list}`)
    }
  },
  async do() {
    const [service, operation] = words
    if (!service || !operation) throw new Error('name a service and an operation, such as: do catalog rollback')
    const { replicas, limit } = values
    const body = {
      ...(replicas && { replicas: numberOf('replicas', replicas) }),
      ...(limit && { limit: numberOf('limit', limit) }),
    }
    const done = await (await running()).operate(service, operation as OperationName, body)
    console.log(JSON.stringify(done.result))
  },
}

if (values.help || !verb) console.log(help)
else if (!Object.hasOwn(verbs, verb)) {
  console.error(`no command ${verb}\n\n${help}`)
  process.exitCode = 2
} else {
  await verbs[verb]().catch(error => {
    console.error((error as Error).message)
    process.exitCode = 1
  })
}
