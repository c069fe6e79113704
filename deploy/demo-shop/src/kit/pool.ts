/** A limited number of permits, handed out first come first served: connections, workers, input/output slots. */
export class PoolExhausted extends Error {
  override name = 'PoolExhausted'
}

export interface PoolOptions {
  name: string
  limit: number
  /** How long a caller waits for a permit before PoolExhausted. */
  acquireTimeoutMs: number
  /** More callers than this waiting: refused at once. */
  maxWaiting: number
}

export class Pool {
  readonly name: string
  limit: number
  used = 0
  readonly #options: PoolOptions
  readonly #waiting: (() => void)[] = []

  constructor(options: PoolOptions) {
    this.name = options.name
    this.limit = options.limit
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.length
  }

  setLimit(limit: number) {
    this.limit = limit
    this.#admit()
  }

  /** Resolves to the function that gives the permit back; calling it twice gives back once. */
  acquire(): Promise<() => void> {
    const { acquireTimeoutMs, maxWaiting, name } = this.#options
    if (this.used < this.limit && this.#waiting.length === 0) return Promise.resolve(this.#take())
    if (this.#waiting.length >= maxWaiting) {
      return Promise.reject(
        new PoolExhausted(`${name} pool: ${this.#waiting.length} callers already waiting, ${this.used}/${this.limit} in use`),
      )
    }
    return new Promise((resolve, reject) => {
      const admitted = () => {
        clearTimeout(timer)
        resolve(this.#take())
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(admitted), 1)
        reject(
          new PoolExhausted(
            `timeout acquiring ${name} after ${acquireTimeoutMs} ms (in use ${this.used}/${this.limit}, waiting ${this.#waiting.length})`,
          ),
        )
      }, acquireTimeoutMs)
      this.#waiting.push(admitted)
    })
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.acquire()
    try {
      return await work()
    } finally {
      release()
    }
  }

  #take(): () => void {
    this.used++
    let held = true
    return () => {
      if (!held) return
      held = false
      this.used--
      this.#admit()
    }
  }

  #admit() {
    while (this.used < this.limit && this.#waiting.length > 0) this.#waiting.shift()?.()
  }
}
