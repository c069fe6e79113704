import type { Stream } from '@aegis/domain'
import type { Broker, RawRecord, Tail } from './broker.ts'
import type { Codec } from './codec.ts'
import type { Log } from './log.ts'
import type { Seal } from './seal.ts'

interface Versioned {
  readonly version: string | number
}

/** Every version of every value of the broadcast streams a service follows, so that a tick can name the one in force. */
export class Followed {
  readonly #versions = new Map<string, Map<string, unknown>>()
  readonly #newest = new Map<string, string>()
  readonly #log: Log
  readonly #streams = new Map<string, Stream<never>>()
  #tail: Tail | undefined
  #changed: (() => void)[] = []

  constructor(log: Log) {
    this.#log = log
  }

  async start(broker: Broker, codec: Codec, streams: readonly Stream<never>[], seal?: Seal): Promise<void> {
    if (streams.length === 0) return
    for (const s of streams) this.#streams.set(s.name, s)
    let order = Promise.resolve()
    const take = async (records: readonly RawRecord[]) => {
      for (const r of records) {
        if (!r.value) continue
        const objection = seal?.objection(r)
        if (objection !== undefined) {
          this.#log.error({ topic: r.topic, partition: r.partition, offset: r.offset }, `broadcast record left out: ${objection}`)
          continue
        }
        try {
          await codec.learn(r.topic, [r.value])
          this.put(r.topic, codec.decode(r.topic, r.value))
        } catch (error) {
          this.#log.error({ err: error, topic: r.topic, partition: r.partition, offset: r.offset }, 'broadcast record left out')
        }
      }
      for (const wake of this.#changed.splice(0)) wake()
    }
    this.#tail = await broker.tail(
      streams.map(s => s.name),
      {
        from: 'start',
        onRecords: records => {
          order = order.then(() => take(records))
          return order
        },
      },
    )
    await this.#tail.caughtUp
    await order
  }

  put(topic: string, value: unknown): void {
    const stream = this.#streams.get(topic)
    if (!stream) return
    const key = `${topic}/${stream.key(value as never)}`
    const version = String((value as Versioned).version ?? '')
    const versions = this.#versions.get(key) ?? new Map<string, unknown>()
    versions.set(version, value)
    this.#versions.set(key, versions)
    this.#newest.set(key, version)
  }

  /** What the clock writes into ticks. */
  newest(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#newest)
  }
  latest<T>(stream: Stream<T>, key: string): T | undefined {
    const at = `${stream.name}/${key}`
    return this.#versions.get(at)?.get(this.#newest.get(at) ?? '') as T | undefined
  }

  /** Waits until the versions a tick names have arrived: they were written before it. Gives up after a while rather than hang. */
  async await(versions: Readonly<Record<string, string>>, waitMs: number): Promise<void> {
    const until = performance.now() + waitMs
    const missing = () =>
      Object.entries(versions).filter(
        ([key, version]) => this.#streams.has(key.slice(0, key.indexOf('/'))) && !this.#versions.get(key)?.has(version),
      )
    while (missing().length > 0) {
      const left = until - performance.now()
      if (left <= 0) {
        this.#log.warn({ missing: missing() }, 'a tick names versions that did not arrive; the newest known ones are used')
        return
      }
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, left)
        this.#changed.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  inForce(versions: Readonly<Record<string, string>>): <T>(stream: Stream<T>, key: string) => T | undefined {
    return <T>(stream: Stream<T>, key: string) => {
      const at = `${stream.name}/${key}`
      const version = versions[at]
      if (version === undefined) return undefined
      return (this.#versions.get(at)?.get(version) ?? this.latest(stream, key)) as T | undefined
    }
  }

  async close(): Promise<void> {
    await this.#tail?.close()
  }
}
