/** One run's own servers, topics and services, and a way to read what came out. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Stream, streams } from '@aegis/domain'
import { allTopics, Codec, connect, type RawRecord, type Registry, RUNTIME_SETTINGS, readConfig, silentLog } from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { Fleet, SERVICES, type ServiceName } from './fleet.ts'
import { ENVIRONMENTS } from './input.ts'
import type { Broken } from './phases.ts'
import { Servers } from './servers.ts'

/** What makes no way at all for this long hangs. */
export const HUNG_MS = 120_000
const PARTITIONS = { data: 2, environment: 2 }
/** Small batches and frequent snapshots, so that kills land in the middle of things; a dead member is missed after three seconds and not ten. */
const SETTINGS = {
  AEGIS_CLOCK: 'off',
  AEGIS_DATA_PARTITIONS: String(PARTITIONS.data),
  AEGIS_ENVIRONMENT_PARTITIONS: String(PARTITIONS.environment),
  AEGIS_BATCH_RECORDS: '500',
  AEGIS_BATCH_WAIT_MS: '0',
  AEGIS_SNAPSHOT_EVERY_RECORDS: '3000',
  AEGIS_ENVIRONMENT_MODES: `${ENVIRONMENTS[1]}=act`,
  KAFKA_SESSION_TIMEOUT_MS: '3000',
  LOG_LEVEL: 'warn',
}

export interface WorldOptions {
  readonly folder: string
  readonly services?: readonly ServiceName[]
  readonly broken?: Broken
  readonly env?: Readonly<Record<string, string>>
  readonly say: (line: string) => void
}

export class World {
  readonly servers: Servers
  readonly fleet: Fleet
  readonly client: StreamClient
  readonly codec: Codec
  readonly registry: Registry
  readonly env: Readonly<Record<string, string | undefined>>

  private constructor(parts: Pick<World, 'servers' | 'fleet' | 'client' | 'codec' | 'registry' | 'env'>) {
    this.servers = parts.servers
    this.fleet = parts.fleet
    this.client = parts.client
    this.codec = parts.codec
    this.registry = parts.registry
    this.env = parts.env
  }

  static async start({ folder, services = SERVICES, broken, env: own = {}, say }: WorldOptions): Promise<World> {
    mkdirSync(folder, { recursive: true })
    const servers = await Servers.start(folder)
    try {
      const env = { ...process.env, ...servers.env, ...SETTINGS, ...(broken ? { AEGIS_CHAOS_BREAK: broken } : {}), ...own }
      const infrastructure = connect(readConfig(RUNTIME_SETTINGS, env), 'aegis-chaos', silentLog())
      await infrastructure.broker.ensureTopics(allTopics(PARTITIONS))
      const codec = new Codec(infrastructure.registry)
      await codec.prepare(streams)
      const fleet = new Fleet(path.join(folder, 'services'), env)
      const world = new World({
        servers,
        fleet,
        client: new StreamClient(infrastructure),
        codec,
        registry: infrastructure.registry,
        env,
      })
      for (const service of services) fleet.start(service)
      const waiting = await fleet.allReady(90_000)
      if (waiting.length > 0) throw new Error(`not ready within 90 s: ${waiting.join(', ')}; see ${folder}/services`)
      say(`servers and ${services.length} services are up`)
      return world
    } catch (error) {
      await servers.stop()
      throw error
    }
  }

  /** Waits until a group has committed all that stands on a stream now; its last record of each partition must not be a transaction's. */
  async through(group: string, stream: Pick<Stream<never>, 'name'>, onPoll?: () => void): Promise<void> {
    const { broker } = this.client
    for (let p = 0; p < (await broker.partitions(stream.name)); p++) {
      const end = await broker.end(stream.name, p)
      let before = -1
      let changed = performance.now()
      for (;;) {
        const at = (await broker.committed(group, [stream.name], p))[stream.name]
        onPoll?.()
        if (at >= end) break
        if (at !== before) changed = performance.now()
        before = at
        if (performance.now() - changed > HUNG_MS)
          throw new Error(`HUNG: ${group} stands at ${at} of ${end} on ${stream.name}/${p} for ${HUNG_MS / 1000} s`)
        await sleep(50)
      }
    }
  }

  /** Every committed record of a topic, partition by partition. */
  async read(topic: string, onRecords: (records: readonly RawRecord[]) => void | Promise<void>): Promise<void> {
    for (let p = 0; p < (await this.client.broker.partitions(topic)); p++)
      await this.client.broker.read(topic, p, 0, undefined, onRecords)
  }
  async decode(stream: Pick<Stream<never>, 'name'>, records: readonly RawRecord[]): Promise<unknown[]> {
    await this.codec.learn(
      stream.name,
      records.map(r => r.value),
    )
    return records.filter(r => r.value !== null).map(r => this.codec.decode(stream.name, r.value!))
  }

  async stop(): Promise<void> {
    await this.fleet.stop()
    await this.client.close()
    await this.servers.stop()
  }
}
