import type { Stream } from '@aegis/domain'
import type { Seen, ServiceContext, ValueTail } from '@aegis/runtime'
import type { HistoryStore, Stored } from './history-store.ts'
import { KIND_OF_STREAM, KINDS } from './kinds.ts'

type Context = Pick<ServiceContext, 'tail' | 'log' | 'now'>
/** Records written in one go: others wait no longer than that takes. */
const AT_ONCE = 200
const SAVE_EVERY_MS = 2000
const PRUNE_EVERY_MS = 600_000

/** Fills the history from the topics, from where it stood on, and says what was stored. */
export class FillHistory {
  static readonly streams: readonly Stream<never>[] = KINDS.map(k => k.stream)
  readonly #store: HistoryStore
  readonly #context: Context
  readonly #days: number
  readonly #onStored: (rows: readonly Stored[], values: readonly unknown[]) => void
  #queue: Seen[] = []
  #draining = false
  #tail: ValueTail | undefined
  #timers: NodeJS.Timeout[] = []
  /** Newest event time and number of records seen, by stream. */
  readonly seen = new Map<string, { time: number; count: number; at: number }>()
  /** True once everything that stood on the topics at the start is in the history. */
  caughtUp = false

  constructor(
    store: HistoryStore,
    context: Context,
    options: { readonly days: number; readonly onStored: (rows: readonly Stored[], values: readonly unknown[]) => void },
  ) {
    this.#store = store
    this.#context = context
    this.#days = options.days
    this.#onStored = options.onStored
  }

  async start(): Promise<void> {
    this.#tail = await this.#context.tail(FillHistory.streams, this.#store.places(), seen => {
      for (const s of seen) this.#queue.push(s)
      if (!this.#draining) {
        this.#draining = true
        setImmediate(() => this.#drain())
      }
    })
    void this.#tail.caughtUp.then(() => this.#whenDrained(() => (this.caughtUp = true)))
    this.#timers.push(
      setInterval(() => this.save(), SAVE_EVERY_MS).unref(),
      setInterval(() => this.#prune(), PRUNE_EVERY_MS).unref(),
    )
  }
  #whenDrained(then: () => void): void {
    if (!this.#draining) then()
    else setTimeout(() => this.#whenDrained(then), 5)
  }

  #drain(): void {
    const some = this.#queue.splice(0, AT_ONCE)
    const known = some.flatMap(s => {
      const kind = KIND_OF_STREAM.get(s.stream)
      return kind ? [{ kind, value: s.value, partition: s.partition, offset: s.offset, stream: s.stream }] : []
    })
    try {
      const rows = this.#store.put(known)
      for (const { stream, value } of known) {
        const before = this.seen.get(stream) ?? { time: 0, count: 0, at: 0 }
        const { time } = value as { time: number }
        this.seen.set(stream, { time: Math.max(before.time, time), count: before.count + 1, at: this.#context.now() })
      }
      this.#onStored(
        rows,
        known.map(k => k.value),
      )
    } catch (error) {
      this.#context.log.error({ err: error }, 'records could not be kept in the history; AEGIS_HISTORY_FILE names its file')
    }
    if (this.#queue.length > 0) setImmediate(() => this.#drain())
    else this.#draining = false
  }

  /** Writes down where it stands; not while records wait, or a restart would miss them. */
  save(): void {
    if (this.#draining || !this.#tail) return
    try {
      this.#store.setPlaces(this.#tail.positions())
    } catch (error) {
      this.#context.log.warn(
        { err: error },
        'the place in the topics could not be written down; a restart reads some of it again',
      )
    }
  }
  #prune(): void {
    try {
      this.#store.prune(this.#context.now() - this.#days * 86_400e6)
    } catch (error) {
      this.#context.log.warn({ err: error }, 'old records could not be removed from the history')
    }
  }
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#tail?.close()
    while (this.#draining) await new Promise(resolve => setTimeout(resolve, 5))
    this.save()
  }
}
