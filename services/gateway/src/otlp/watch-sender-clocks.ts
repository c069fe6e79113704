import { BoundedMap } from '@aegis/domain'

/** How far the newest of a request may be off this server's clock before its sender is told, microseconds. */
const AHEAD_US = 60_000_000
const BEHIND_US = 3_600_000_000
/** How long a sender is not told again. */
const QUIET_US = 600_000_000
const MOST = 1000

/** Sees clocks that are ahead or behind by the times of what comes, and tells of each sender once in ten minutes. What it sent is taken all the same. */
export class WatchSenderClocks {
  readonly #told = new BoundedMap<string, number>(MOST)
  readonly #tell: (source: string, words: string) => void

  constructor(tell: (source: string, words: string) => void) {
    this.#tell = tell
  }

  /** Words for the sender; empty where its clock is right or it was told. */
  watch(source: string, values: readonly { readonly time: number }[], now: number): string {
    if (values.length === 0) return ''
    let newest = 0
    for (const { time } of values) if (time > newest) newest = time
    const off = newest - now
    if (off < AHEAD_US && off > -BEHIND_US) return ''
    // Old data that is sent at last must not hide that a clock is ahead.
    const key = `${source} ${off > 0}`
    if (now - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) < QUIET_US) return ''
    this.#told.set(key, now)
    const seconds = Math.round(Math.abs(off) / 1e6)
    const words = `the newest time sent is ${seconds} s ${off > 0 ? 'ahead of' : 'behind'} this server's clock; ${off > 0 ? 'set the clock of the sender (NTP)' : 'if it is not old data, set the clock of the sender (NTP)'}`
    this.#tell(source, words)
    return words
  }
}
