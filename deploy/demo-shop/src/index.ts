/** Starts the shop with its customers, for the demo and the tests. Nothing here reaches Aegis; the shop only exports telemetry. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Hands } from './faults/fault.ts'
import { faultNamed } from './faults/faults.ts'
import type { LoadWindow } from './load/is-well.ts'
import { compileCache } from './supervisor/compile-cache.ts'

export { type Fault, Hands, type RightAction, type ServiceStatus } from './faults/fault.ts'
export { faultNamed, faults } from './faults/faults.ts'
export { isWell, type LoadWindow, P95_LIMITS, p95LimitOf, type WellOptions } from './load/is-well.ts'
export type { OperationBody, OperationName } from './supervisor/supervised-service.ts'

export interface ShopOptions {
  /** Where logs, metrics and traces go, such as http://127.0.0.1:4318; none are sent without it. */
  otlpEndpoint?: string
  /** `deployment.environment.name` of all that the shop reports. */
  environment: string
  /** Data, logs and addresses; made if missing. */
  stateDir: string
  /** The supervisor's port; any free one unless told. */
  basePort?: number
  /** Requests a second; 30 unless told. */
  rate?: number
}

export interface Shop {
  supervisorUrl: string
  storefrontUrl: string
  load: Load
  /** The hands that can operate the supervisor and inject. */
  hands: Hands
  inject(fault: string): Promise<void>
  stop(): Promise<void>
}

/** The load generator's seconds: those so far, and each new one as it comes. */
export interface Load {
  readonly windows: readonly LoadWindow[]
  /** Calls the listener with each new window; answers the function that stops it. */
  subscribe(listener: (window: LoadWindow) => void): () => void
}

export async function startShop(options: ShopOptions): Promise<Shop> {
  const { environment, otlpEndpoint, basePort = 0, rate = 30 } = options
  const stateDir = resolve(options.stateDir)
  const running = await runningShop(stateDir)
  if (running) throw new Error(`a shop already runs in ${stateDir}: ${running.supervisorUrl}`)
  mkdirSync(stateDir, { recursive: true })
  const supervisor = spawn(process.execPath, [script('supervisor/main.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      ...compileCache,
      SHOP_SUPERVISOR: JSON.stringify({ port: basePort, environment, stateDir, otlpEndpoint }),
    },
  })
  let customers: ChildProcess | undefined
  try {
    const supervisorUrl = await urlOf(supervisor)
    const hands = new Hands(supervisorUrl, stateDir)
    const storefrontUrl = String((await hands.status('storefront')).replicas[0].address)
    writeFileSync(addressFile(stateDir), JSON.stringify({ supervisorUrl, storefrontUrl, environment } satisfies RunningShop))
    customers = spawn(process.execPath, [script('load/load-generator.ts'), '--url', storefrontUrl, '--rate', String(rate)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, ...compileCache },
    })
    return {
      supervisorUrl,
      storefrontUrl,
      load: observe(customers),
      hands,
      inject: name => faultNamed(name).inject(hands),
      async stop() {
        hands.stop()
        await Promise.all([end(customers), end(supervisor)])
        rmSync(addressFile(stateDir), { force: true })
      },
    }
  } catch (error) {
    await Promise.all([end(customers), end(supervisor)])
    throw error
  }
}

export interface RunningShop {
  supervisorUrl: string
  storefrontUrl: string
  environment: string
}

/** The shop that runs with this state, if one does. */
export async function runningShop(stateDir: string): Promise<RunningShop | undefined> {
  try {
    const shop: RunningShop = JSON.parse(readFileSync(addressFile(resolve(stateDir)), 'utf8'))
    const answer = (await (await fetch(`${shop.supervisorUrl}/healthz`)).json()) as { stateDir: string }
    return answer.stateDir === resolve(stateDir) ? shop : undefined
  } catch {
    return undefined // no file, or nobody at that address any more
  }
}

const addressFile = (stateDir: string) => join(stateDir, 'shop.json')
const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))

async function urlOf(supervisor: ChildProcess): Promise<string> {
  const exited = once(supervisor, 'exit').then(([code]) => [{ error: `the supervisor ended with code ${code}` }])
  const [message] = await Promise.race([once(supervisor, 'message'), exited])
  if (!message.url) throw new Error(`the shop did not start: ${message.error}`)
  return message.url
}

function observe(customers: ChildProcess): Load {
  const windows: LoadWindow[] = []
  const listeners = new Set<(window: LoadWindow) => void>()
  if (customers.stdout) {
    createInterface({ input: customers.stdout }).on('line', line => {
      const window: LoadWindow = JSON.parse(line)
      windows.push(window)
      for (const listener of listeners) listener(window)
    })
  }
  return {
    windows,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}
