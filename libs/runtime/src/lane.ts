import type { Lane, Positions, RawRecord } from './broker.ts'

/** Hooks a broker gives its lanes: how to move the reading position and how to hold the flow. */
export interface Flow {
  seek(topic: string, offset: number): void
  pause(): void
  resume(): void
}

const HIGH_WATER = 20_000
const HIGH_WATER_BYTES = 32 * 1024 * 1024

/** Bounded queue of one partition number. Drops what was fetched before the last seek, so that going back never skips or repeats. */
export class BufferedLane implements Lane {
  readonly partition: number
  readonly #flow: Flow
  readonly #expected = new Map<string, number>()
  readonly #ends = new Map<string, number>()
  readonly #stale = new Map<string, number>()
  readonly #queued = new Map<string, number>()
  #queue: RawRecord[] = []
  #head = 0
  #bytes = 0
  #started = false
  #paused = true
  #closed = false
  #wake: (() => void) | undefined

  constructor(partition: number, flow: Flow) {
    this.partition = partition
    this.#flow = flow
  }

  start(positions: Positions): void {
    this.#queue = []
    this.#head = 0
    this.#bytes = 0
    this.#queued.clear()
    this.#started = true
    for (const [topic, offset] of Object.entries(positions)) {
      this.#expected.set(topic, offset)
      this.#flow.seek(topic, offset)
    }
    this.#paused = false
    this.#flow.resume()
  }

  /**
   * Hands over what was fetched from `fetchedFrom` on. A fetch that began behind what is expected overlaps: the overlap is dropped.
   * One that began ahead of it was under way before a seek: dropped whole, unless it comes again (the records between are gone from the topic).
   */
  offer(topic: string, fetchedFrom: number, records: readonly RawRecord[], nextOffset: number, end: number): void {
    this.#ends.set(topic, end)
    if (!this.#started || this.#closed) return
    const expected = this.#expected.get(topic) ?? 0
    if (fetchedFrom > expected && this.#stale.get(topic) !== fetchedFrom) {
      this.#stale.set(topic, fetchedFrom)
      this.#flow.seek(topic, expected)
      return
    }
    this.#stale.delete(topic)
    for (const record of records) {
      if (record.offset < expected) continue
      this.#queue.push(record)
      this.#queued.set(topic, (this.#queued.get(topic) ?? 0) + 1)
      this.#bytes += (record.value?.length ?? 0) + 100
    }
    this.#expected.set(topic, Math.max(expected, nextOffset))
    if (!this.#paused && (this.#queue.length - this.#head > HIGH_WATER || this.#bytes > HIGH_WATER_BYTES)) {
      this.#paused = true
      this.#flow.pause()
    }
    this.#wake?.()
  }

  /** After a rebalance that left this lane with us: fetching goes on from our own position. */
  keep(): void {
    if (!this.#started) return
    for (const [topic, offset] of this.#expected) this.#flow.seek(topic, offset)
    if (!this.#paused) this.#flow.resume()
  }

  async take(max: number, maxBytes: number, waitMs: number): Promise<readonly RawRecord[]> {
    if (this.#head === this.#queue.length && !this.#closed) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, waitMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    if (this.#closed) return []
    let n = 0
    let bytes = 0
    while (this.#head + n < this.#queue.length && n < max && (n === 0 || bytes < maxBytes)) {
      bytes += (this.#queue[this.#head + n].value?.length ?? 0) + 100
      n++
    }
    const batch = this.#queue.slice(this.#head, this.#head + n)
    this.#head += n
    this.#bytes -= bytes
    for (const { topic } of batch) this.#queued.set(topic, this.#queued.get(topic)! - 1)
    if (this.#head > 4096 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    } else if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    }
    if (this.#paused && this.#started && this.#queue.length - this.#head < HIGH_WATER / 2 && this.#bytes < HIGH_WATER_BYTES / 2) {
      this.#paused = false
      this.#flow.resume()
    }
    return batch
  }

  lag(): Readonly<Record<string, number>> {
    const lag: Record<string, number> = {}
    for (const [topic, end] of this.#ends)
      lag[topic] = (this.#queued.get(topic) ?? 0) + Math.max(0, end - (this.#expected.get(topic) ?? end))
    return lag
  }

  close(): void {
    this.#closed = true
    this.#queue = []
    this.#wake?.()
  }
}
