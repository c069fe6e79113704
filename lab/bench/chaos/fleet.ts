/** The stream services of one run as processes of their own, to be killed, stopped, doubled and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { HEAP_FLAGS } from '@aegis/runtime/collect-garbage'
import { type Phase, phasesIn } from './phases.ts'

export const SERVICES = [
  'log-parser',
  'span-aggregator',
  'anomaly-detector',
  'root-cause-analyzer',
  'remediator',
  'executor',
] as const
export type ServiceName = (typeof SERVICES)[number]

const ROOT = path.resolve(import.meta.dirname, '../../..')
const PRELOAD = pathToFileURL(path.join(import.meta.dirname, 'preload.ts')).href

export class Instance {
  readonly service: ServiceName
  readonly #child: ChildProcess
  readonly #phases: string
  readonly #exited: Promise<string>
  #port: number | undefined
  #gone: string | undefined

  constructor(service: ServiceName, folder: string, env: NodeJS.ProcessEnv, n: number) {
    this.service = service
    this.#phases = path.join(folder, `${service}-${n}.phases`)
    const log = openSync(path.join(folder, `${service}.log`), 'a')
    this.#child = spawn(
      process.execPath,
      [...HEAP_FLAGS, '--import', PRELOAD, path.join(ROOT, 'services', service, 'src/main.ts')],
      {
        cwd: ROOT,
        stdio: ['pipe', log, log, 'ipc'],
        env: {
          NODE_COMPILE_CACHE: path.join(ROOT, '.aegis', 'compile-cache'),
          ...env,
          AEGIS_CHAOS_PHASES: this.#phases,
          AEGIS_STOP_WITH_PARENT: '1',
          AEGIS_PORT: '0',
        },
      },
    )
    closeSync(log)
    this.#child.once('message', message => (this.#port = (message as { port: number }).port))
    this.#exited = new Promise(resolve =>
      this.#child.once('exit', (code, signal) => resolve((this.#gone = signal ?? `exit code ${code}`))),
    )
  }

  get pid(): number {
    return this.#child.pid!
  }
  /** How it ended, once it has. */
  get gone(): string | undefined {
    return this.#gone
  }
  phases(): Phase[] {
    return phasesIn(this.#phases)
  }
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }
  async end(name: 'SIGKILL' | 'SIGTERM'): Promise<Phase[]> {
    this.#child.kill(name)
    await this.#exited
    return this.phases()
  }
  async ready(): Promise<boolean> {
    if (this.#port === undefined) return false
    return fetch(`http://127.0.0.1:${this.#port}/readyz`, { signal: AbortSignal.timeout(3000) }).then(
      r => r.ok,
      () => false,
    )
  }
  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text()
  }
  /** Resident memory, bytes. */
  rss(): number {
    const m = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))
    return Number(m?.[1] ?? 0) * 1024
  }
}

export class Fleet {
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv
  readonly #instances = new Map<ServiceName, Instance>()
  readonly #guests = new Set<Instance>()
  /** Services that ended by themselves: none may. */
  readonly crashes: string[] = []
  #n = 0
  #stopping = false

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder
    this.#env = env
    mkdirSync(folder, { recursive: true })
  }

  #spawn(service: ServiceName, env: NodeJS.ProcessEnv): Instance {
    return new Instance(service, this.#folder, { ...this.#env, ...env }, this.#n++)
  }
  /** Starts a service, or starts it again. */
  start(service: ServiceName, env: NodeJS.ProcessEnv = {}): Instance {
    const instance = this.#spawn(service, env)
    this.#instances.set(service, instance)
    return instance
  }
  /** A second member of the service's groups. */
  guest(service: ServiceName): Instance {
    const guest = this.#spawn(service, {})
    this.#guests.add(guest)
    return guest
  }
  of(service: ServiceName): Instance {
    return this.#instances.get(service)!
  }
  /** The other one goes, and the guest is the service from now on. */
  adopt(guest: Instance): void {
    this.#guests.delete(guest)
    this.#instances.set(guest.service, guest)
  }
  dismiss(guest: Instance): void {
    this.#guests.delete(guest)
  }

  /** Starts again whatever ended by itself, and writes it down. */
  tend(): void {
    if (this.#stopping) return
    for (const [service, instance] of this.#instances) {
      if (instance.gone === undefined || instance.gone === 'SIGKILL') continue
      this.crashes.push(`${service}: ${instance.gone}`)
      this.start(service)
    }
  }

  async allReady(withinMs: number): Promise<string[]> {
    const until = performance.now() + withinMs
    for (;;) {
      const waiting: string[] = []
      for (const [service, instance] of this.#instances) if (!(await instance.ready())) waiting.push(service)
      if (waiting.length === 0 || performance.now() > until) return waiting
      await sleep(50)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const all = [...this.#instances.values(), ...this.#guests].filter(i => i.gone === undefined)
    await Promise.all(
      all.map(async instance => {
        instance.signal('SIGCONT')
        const hard = setTimeout(() => instance.signal('SIGKILL'), 10_000)
        await instance.end('SIGTERM')
        clearTimeout(hard)
      }),
    )
  }
}
