/** How a service talks to the store: through a connection pool of limited size. */
import type { Pool } from './pool.ts'
import type { Kit } from './run-service.ts'
import { HttpError } from './serve.ts'

export class StoreClient {
  readonly #store
  readonly #pool: Pool

  constructor(kit: Kit) {
    this.#store = kit.upstream('store', 900)
    this.#pool = kit.limitedPool('db.client.connections', { name: 'store', acquireTimeoutMs: 600, maxWaiting: 64 })
  }

  async get<T>(key: string): Promise<T | undefined> {
    try {
      return (await this.#call<{ value: T }>('GET', `/keys/${encodeURIComponent(key)}`)).value
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) return undefined
      throw error
    }
  }

  async put(key: string, value: unknown): Promise<void> {
    await this.#call('PUT', `/keys/${encodeURIComponent(key)}`, { value })
  }

  /** Adds to a number, refusing to go below the floor; answers the new number. */
  async add(key: string, delta: number, floor: number): Promise<number> {
    return (await this.#call<{ value: number }>('POST', '/add', { key, delta, floor })).value
  }

  async query<T>(prefix: string, contains: string, limit: number): Promise<T[]> {
    return (await this.#call<{ values: T[] }>('POST', '/query', { prefix, contains, limit })).values
  }

  #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.#pool.use(() => this.#store.call<T>(method, path, body))
  }
}
