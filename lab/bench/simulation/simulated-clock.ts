/**
 * Time that passes only when nothing is left to do: `setTimeout`, `node:timers/promises`, `Date.now` and `performance.now` of this thread run
 * on it while it is installed. What is due at one moment happens in a drawn order, so that no order is taken for granted. With no input or
 * output of its own, a program under this clock does the same thing for the same seed.
 */
import { syncBuiltinESMExports } from 'node:module'
import timersPromises from 'node:timers/promises'

interface Due {
  readonly at: number
  readonly order: number
  work: (() => void) | undefined
}
const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
  dateNow: Date.now,
  performanceNow: performance.now.bind(performance),
  sleep: timersPromises.setTimeout,
}
/** Wall clock of this thread, milliseconds, whatever is installed. */
export const realNow = (): number => real.performanceNow()

export class SimulatedClock {
  readonly #random: () => number
  readonly #epochMs: number
  #now = 0
  /** Latest first, so that the next one is popped. */
  readonly #due: Due[] = []

  /** @param epochMs what the wall clock says when the simulation begins */
  constructor(random: () => number, epochMs: number) {
    this.#random = random
    this.#epochMs = epochMs
  }

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.#now
  }
  /** Simulated wall clock, microseconds. */
  get wallUs(): number {
    return Math.round((this.#epochMs + this.#now) * 1000)
  }

  after(ms: number, work: () => void): Due {
    const due: Due = { at: this.#now + Math.max(0, ms), order: this.#random(), work }
    let low = 0
    let high = this.#due.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#due[middle]
      if (other.at > due.at || (other.at === due.at && other.order > due.order)) low = middle + 1
      else high = middle
    }
    this.#due.splice(low, 0, due)
    return due
  }

  sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.after(ms, resolve))
  }

  install(): void {
    const handle = (due: Due) => ({ due, ref: () => handle(due), unref: () => handle(due), hasRef: () => false })
    globalThis.setTimeout = ((work: (...words: unknown[]) => void, ms = 0, ...words: unknown[]) =>
      handle(this.after(ms, () => work(...words)))) as never
    globalThis.clearTimeout = ((timer: { due?: Due } | undefined) => {
      if (timer?.due) timer.due.work = undefined
    }) as never
    timersPromises.setTimeout = ((ms: number, value: unknown, { signal }: { signal?: AbortSignal } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const due = this.after(ms, () => resolve(value))
        signal?.addEventListener(
          'abort',
          () => {
            due.work = undefined
            reject(signal.reason)
          },
          { once: true },
        )
      })) as never
    syncBuiltinESMExports()
    Date.now = () => Math.floor(this.#epochMs + this.#now)
    performance.now = () => this.#now
  }
  uninstall(): void {
    globalThis.setTimeout = real.setTimeout
    globalThis.clearTimeout = real.clearTimeout
    timersPromises.setTimeout = real.sleep
    syncBuiltinESMExports()
    Date.now = real.dateNow
    performance.now = real.performanceNow
  }

  /** Lets things happen, one after the other, until `work` is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let done = false
    const end = () => (done = true)
    work.then(end, end)
    for (;;) {
      // Whatever follows from the last event without waiting happens in this turn.
      await new Promise(resolve => real.setImmediate(resolve))
      if (done) return work
      let next = this.#due.pop()
      while (next && !next.work) next = this.#due.pop()
      if (!next) throw new Error('nothing is due, and the work is not done: something waits for ever')
      this.#now = Math.max(this.#now, next.at)
      next.work!()
    }
  }
}
