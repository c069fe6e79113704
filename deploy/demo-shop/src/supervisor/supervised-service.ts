/** One service under the supervisor: its history of versions and configurations, its replicas, and the operations on it. */
import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ToService } from '../kit/identity.ts'
import { directoryBytes } from '../kit/process-metrics.ts'
import type { ServicePlan } from './plan.ts'
import { Replica } from './replica.ts'

export interface ShopSettings {
  environment: string
  stateDir: string
  otlpEndpoint?: string
  drillToken: string
}
export type Endpoints = () => Record<string, number[]>

/** An operation that cannot be done; its message says why. */
export class Refused extends Error {
  override name = 'Refused'
}

export const operationNames = [
  'restart',
  'start',
  'stop',
  'scale',
  'rollback',
  'revert-config',
  'raise-limit',
  'clean-disk',
  'deploy',
  'config',
] as const
export type OperationName = (typeof operationNames)[number]
export interface OperationBody {
  replicas?: number
  limit?: number
  version?: string
  config?: Record<string, number | string>
}
const maxReplicas = 4
const maxLimit = 64

export class SupervisedService {
  readonly plan: ServicePlan
  readonly dataDir: string
  replicas: Replica[] = []
  readonly #settings: ShopSettings
  readonly #changed: () => void
  readonly #endpoints: Endpoints
  readonly #versions: string[]
  readonly #configs: Record<string, number | string>[]
  #limit: number
  #last: Promise<unknown> = Promise.resolve()

  constructor(plan: ServicePlan, settings: ShopSettings, endpoints: Endpoints, changed: () => void) {
    this.plan = plan
    this.#settings = settings
    this.#changed = changed
    this.#endpoints = endpoints
    this.#versions = [plan.version]
    this.#configs = [plan.config]
    this.#limit = plan.limit
    this.dataDir = join(settings.stateDir, 'data', plan.name)
    this.replicas = [this.#newReplica(0)]
  }

  get version(): string {
    return this.#versions.at(-1) as string
  }

  get config(): Record<string, number | string> {
    return this.#configs.at(-1) as Record<string, number | string>
  }

  get configHash(): string {
    return createHash('sha256').update(JSON.stringify(this.config)).digest('hex').slice(0, 12)
  }

  /** Replicas whose address callers may use: also one that crashed, as a name service would not know. */
  get ports(): number[] {
    return this.replicas.map(replica => replica.port).filter(port => port > 0)
  }

  broadcast(message: ToService) {
    for (const replica of this.replicas) replica.send(message)
  }

  async describe() {
    const states = this.replicas.map(replica => replica.state)
    const alike = states.every(state => state === states[0])
    return {
      name: this.plan.name,
      state: alike ? states[0] : states.includes('running') ? 'degraded' : 'crashed',
      version: this.version,
      previousVersion: this.#versions.at(-2) ?? null,
      versions: Object.keys(this.plan.releases),
      config: this.config,
      configHash: this.configHash,
      hasPreviousConfig: this.#configs.length > 1,
      limit: this.#limit,
      limitOf: this.plan.limitOf,
      disk: { directory: this.dataDir, usedBytes: await directoryBytes(this.dataDir), quotaBytes: this.plan.diskQuotaBytes },
      replicas: this.replicas.map(({ instance, state, port, pid, since, exit }) => ({
        instance,
        state,
        address: port ? `http://127.0.0.1:${port}` : null,
        pid: pid ?? null,
        since: new Date(since).toISOString(),
        exit: exit ?? null,
      })),
    }
  }

  /** Operations on one service follow each other; the answer says what changed. */
  run(operation: OperationName, body: OperationBody): Promise<Record<string, unknown>> {
    const result = this.#last.then(() => this.#operations[operation](body))
    this.#last = result.catch(() => {})
    return result
  }

  readonly #operations: Record<OperationName, (body: OperationBody) => Promise<Record<string, unknown>>> = {
    restart: async () => {
      await this.#restart()
      return { restarted: this.replicas.length }
    },
    start: async () => {
      const down = this.replicas.filter(replica => replica.state !== 'running')
      await Promise.all(down.map(replica => this.#start(replica)))
      return { started: down.length }
    },
    stop: async () => {
      await Promise.all(this.replicas.map(replica => replica.stop()))
      return { stopped: this.replicas.length }
    },
    scale: async ({ replicas = this.replicas.length + 1 }) => {
      wholeNumber('replicas', replicas, maxReplicas)
      if (this.plan.name === 'store' || this.plan.name === 'storefront') {
        if (replicas > 1) throw new Refused(`${this.plan.name} cannot have more than one replica`)
      }
      const before = this.replicas.length
      const added = Array.from({ length: Math.max(0, replicas - before) }, (_, i) => this.#newReplica(before + i))
      try {
        await Promise.all(added.map(replica => this.#start(replica)))
      } catch (error) {
        await Promise.all(added.map(replica => replica.stop()))
        throw error
      }
      const removed = this.replicas.slice(replicas)
      this.replicas = [...this.replicas.slice(0, replicas), ...added]
      this.#changed()
      await Promise.all(removed.map(replica => replica.stop()))
      return { before, after: replicas }
    },
    deploy: async ({ version }) => {
      if (!version || !(version in this.plan.releases)) {
        throw new Refused(`${this.plan.name} has no version ${version}; it has ${Object.keys(this.plan.releases).join(', ')}`)
      }
      const before = this.version
      if (version !== before) this.#versions.push(version)
      await this.#restart()
      return { before, after: this.version }
    },
    rollback: async () => {
      if (this.#versions.length < 2) throw new Refused(`${this.plan.name} has no release before ${this.version}`)
      const before = this.#versions.pop()
      await this.#restart()
      return { before, after: this.version }
    },
    config: async ({ config }) => {
      const unknown = Object.keys(config ?? {}).find(key => !(key in this.plan.config))
      if (!config || unknown) throw new Refused(`${this.plan.name} has no setting ${unknown ?? '(none given)'}`)
      const before = this.configHash
      this.#configs.push({ ...this.config, ...config })
      await this.#restart()
      return { before, after: this.configHash }
    },
    'revert-config': async () => {
      if (this.#configs.length < 2) throw new Refused(`${this.plan.name} has no configuration before ${this.configHash}`)
      const before = this.configHash
      this.#configs.pop()
      await this.#restart()
      return { before, after: this.configHash }
    },
    'raise-limit': async ({ limit = Math.min(maxLimit, this.#limit * 2) }) => {
      wholeNumber('limit', limit, maxLimit)
      const before = this.#limit
      this.#limit = limit
      this.broadcast({ limit })
      return { limitOf: this.plan.limitOf, before, after: limit }
    },
    'clean-disk': async () => {
      const before = await directoryBytes(this.dataDir)
      // What a service needs lies at the top of its directory; the folders hold dumps and old logs that nobody would miss.
      for (const entry of await readdir(this.dataDir, { withFileTypes: true }).catch(() => [])) {
        if (entry.isDirectory()) await rm(join(this.dataDir, entry.name), { recursive: true, force: true })
      }
      return { usedBytesBefore: before, usedBytesAfter: await directoryBytes(this.dataDir) }
    },
  }

  async #restart() {
    await Promise.all(this.replicas.map(replica => replica.stop().then(() => this.#start(replica))))
  }

  #start(replica: Replica): Promise<void> {
    const { stateDir, environment, otlpEndpoint, drillToken } = this.#settings
    const entry = fileURLToPath(new URL(`../services/${this.plan.releases[this.version]}`, import.meta.url))
    const identity = {
      service: this.plan.name,
      instance: replica.instance,
      version: this.version,
      environment,
      config: this.config,
      configHash: this.configHash,
      limit: this.#limit,
      port: replica.port,
      endpoints: this.#endpoints(),
      dataDir: this.dataDir,
      diskQuotaBytes: this.plan.diskQuotaBytes,
      drillToken,
      otlpEndpoint,
    }
    return replica.start(entry, identity, join(stateDir, 'logs'))
  }

  #newReplica(number: number): Replica {
    return new Replica(`${this.plan.name}-${number}`, this.#changed)
  }
}

function wholeNumber(name: string, value: number, max: number) {
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new Refused(`${name} must be a whole number from 1 to ${max}, not ${value}`)
}
