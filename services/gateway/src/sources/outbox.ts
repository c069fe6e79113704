/** Values of listeners that wait; beyond it what comes is dropped and counted, so that a sender cannot fill the memory. */
const MOST = 100_000

/** Puts values out one batch after the other: what comes while one is under way goes with the next. */
export class Outbox<T> {
  readonly #send: (values: readonly T[]) => Promise<void>
  readonly #onLost: (count: number) => void
  #waiting: T[] = []
  #next: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(send: (values: readonly T[]) => Promise<void>, onLost: (count: number) => void) {
    this.#send = send
    this.#onLost = onLost
  }

  /** Resolves when they are out, or lost, which is told. */
  add(values: readonly T[]): Promise<void> {
    if (values.length === 0) return Promise.resolve()
    if (this.#waiting.length + values.length > MOST) {
      this.#onLost(values.length)
      return this.#last
    }
    for (const value of values) this.#waiting.push(value)
    this.#next ??= this.#last.then(async () => {
      const batch = this.#waiting
      this.#waiting = []
      this.#next = undefined
      await this.#send(batch).catch(() => this.#onLost(batch.length))
    })
    this.#last = this.#next
    return this.#last
  }
  /** Resolves when nothing waits. */
  drained(): Promise<void> {
    return this.#last
  }
}
