import { AegisError, keyOf } from '@aegis/domain'
import { Redis } from 'ioredis'

/**
 * What several executors must agree on faster than a topic can tell them. Losing it loses no record; while it is away nothing disruptive
 * is done: a missing word is no permission.
 */
export type Permission = 'go' | 'stop' | 'silent'
export interface Coordination {
  /** True for the first who claims this decision, and for the same holder again. */
  claim(decision: string, holder: string): Promise<boolean>
  /** One action per entity at a time. */
  lease(environment: string, entity: string, holder: string, ms: number): Promise<boolean>
  release(environment: string, entity: string, holder: string): Promise<void>
  /** Mirrors the kill switch; an older version never replaces a newer one. */
  mirror(environment: string, version: number, stopped: boolean): Promise<void>
  mayAct(environment: string): Promise<Permission>
  healthy(): Promise<boolean>
  close(): Promise<void>
}

const CLAIM_MS = 7 * 86_400_000
/** The mirror must be refreshed to stay believed. */
const MIRROR_MS = 30_000

export class MemoryCoordination implements Coordination {
  readonly #claims = new Map<string, string>()
  readonly #leases = new Map<string, { holder: string; until: number }>()
  readonly #mirror = new Map<string, { version: number; stopped: boolean; until: number }>()
  readonly #nowMs: () => number
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }
  async claim(decision: string, holder: string): Promise<boolean> {
    if (!this.#claims.has(decision)) this.#claims.set(decision, holder)
    return this.#claims.get(decision) === holder
  }
  async lease(environment: string, entity: string, holder: string, ms: number): Promise<boolean> {
    const key = keyOf(environment, entity)
    const held = this.#leases.get(key)
    if (held && held.holder !== holder && held.until > this.#nowMs()) return false
    this.#leases.set(key, { holder, until: this.#nowMs() + ms })
    return true
  }
  async release(environment: string, entity: string, holder: string): Promise<void> {
    const key = keyOf(environment, entity)
    if (this.#leases.get(key)?.holder === holder) this.#leases.delete(key)
  }
  async mirror(environment: string, version: number, stopped: boolean): Promise<void> {
    const known = this.#mirror.get(environment)
    if (!known || known.version <= version) this.#mirror.set(environment, { version, stopped, until: this.#nowMs() + MIRROR_MS })
  }
  async mayAct(environment: string): Promise<Permission> {
    const word = this.#mirror.get(environment)
    return word === undefined || word.until <= this.#nowMs() ? 'silent' : word.stopped ? 'stop' : 'go'
  }
  async healthy(): Promise<boolean> {
    return true
  }
  async close(): Promise<void> {}
}

// Compare and act must be one step: scripts run whole on the server.
const RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
const LEASE =
  "local h = redis.call('get', KEYS[1]) if h == false or h == ARGV[1] then redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1 else return 0 end"
const MIRROR =
  "local v = redis.call('hget', KEYS[1], 'version') if v == false or tonumber(v) <= tonumber(ARGV[1]) then redis.call('hset', KEYS[1], 'version', ARGV[1], 'word', ARGV[2]) redis.call('pexpire', KEYS[1], ARGV[3]) end return 1"

export class RedisCoordination implements Coordination {
  readonly #redis: Redis
  constructor(url: string) {
    this.#redis = new Redis(url, {
      maxRetriesPerRequest: 2,
      connectTimeout: 3000,
      commandTimeout: 3000,
      enableOfflineQueue: true,
      lazyConnect: false,
    })
    // Every command reports its own failure; without a listener a lost connection would end the process.
    this.#redis.on('error', () => undefined)
  }
  async #ask<T>(command: Promise<T>): Promise<T> {
    try {
      return await command
    } catch (error) {
      throw new AegisError('STORE_UNAVAILABLE', `Redis does not answer: ${(error as Error).message}`, { cause: error as Error })
    }
  }
  async claim(decision: string, holder: string): Promise<boolean> {
    const key = `aegis:claim:${decision}`
    if ((await this.#ask(this.#redis.set(key, holder, 'PX', CLAIM_MS, 'NX'))) === 'OK') return true
    return (await this.#ask(this.#redis.get(key))) === holder
  }
  async lease(environment: string, entity: string, holder: string, ms: number): Promise<boolean> {
    return (await this.#ask(this.#redis.eval(LEASE, 1, `aegis:lease:${environment}:${entity}`, holder, ms))) === 1
  }
  async release(environment: string, entity: string, holder: string): Promise<void> {
    await this.#ask(this.#redis.eval(RELEASE, 1, `aegis:lease:${environment}:${entity}`, holder))
  }
  async mirror(environment: string, version: number, stopped: boolean): Promise<void> {
    await this.#ask(this.#redis.eval(MIRROR, 1, `aegis:act:${environment}`, version, stopped ? 'stop' : 'go', MIRROR_MS))
  }
  async mayAct(environment: string): Promise<Permission> {
    const word = await this.#ask(this.#redis.hget(`aegis:act:${environment}`, 'word'))
    return word === 'go' || word === 'stop' ? word : 'silent'
  }
  async healthy(): Promise<boolean> {
    return this.#redis.ping().then(
      () => true,
      () => false,
    )
  }
  async close(): Promise<void> {
    this.#redis.disconnect()
  }
}
