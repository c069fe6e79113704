/** Records off a topic become what a stage takes: values with their event time, ticks, and what cannot be read. */
import {
  type AegisError,
  hash32,
  type Input,
  type Received,
  readTraceparent,
  type Stream,
  seededRandom,
  type Tick,
} from '@aegis/domain'
import type { RawRecord } from './broker.ts'
import type { Codec } from './codec.ts'
import type { Undelivered } from './dead-letters.ts'
import type { Followed } from './followed.ts'
import type { Seal } from './seal.ts'
import { readTick } from './ticks.ts'

/** How far ahead of the last tick an event time may lie, microseconds. */
const AHEAD_US = 5 * 60_000_000
/** How long a tick waits for the versions of followed streams that it was stamped with, milliseconds. */
const FOLLOWED_MS = 10_000

/** A record as a stage sees it; the random generator is made only when asked for. */
export class ReceivedRecord implements Received<unknown> {
  readonly kind = 'value'
  readonly raw: RawRecord
  readonly stream: Stream<unknown>
  readonly value: unknown
  readonly time: number
  readonly clamped: boolean
  #random: (() => number) | undefined
  constructor(raw: RawRecord, stream: Stream<unknown>, value: unknown, time: number, clamped: boolean) {
    this.raw = raw
    this.stream = stream
    this.value = value
    this.time = time
    this.clamped = clamped
  }
  get partition() {
    return this.raw.partition
  }
  get offset() {
    return this.raw.offset
  }
  get random() {
    this.#random ??= seededRandom(hash32(`${this.raw.topic}/${this.raw.partition}/${this.raw.offset}`))
    return this.#random
  }
  get trace() {
    return readTraceparent(this.raw.headers.traceparent)
  }
}

export interface Decoded {
  readonly inputs: readonly Input[]
  readonly bad: readonly Undelivered[]
  /** Time of the newest tick, the one given if there was none. */
  readonly lastTick: number
}
export interface Decoding {
  readonly codec: Codec
  readonly followed: Followed
  /** What the stage reads, by topic. */
  readonly streams: ReadonlyMap<string, Stream<unknown>>
  readonly seal?: Seal
}

/**
 * @param before time of the last tick before the batch, microseconds, 0 if there was none: event times are held against it
 * @throws AegisError REGISTRY_UNAVAILABLE when a schema cannot be asked for now
 */
export const decodeBatch = async (
  batch: readonly RawRecord[],
  before: number,
  { codec, followed, streams, seal }: Decoding,
): Promise<Decoded> => {
  let lastTick = before
  const inputs: Input[] = []
  const bad: Undelivered[] = []
  for (const topic of streams.keys()) {
    const values = batch.filter(r => r.topic === topic && r.value !== null).map(r => r.value)
    if (values.length > 0) await codec.learn(topic, values)
  }
  for (const raw of batch) {
    const stream = streams.get(raw.topic)!
    if (raw.value === null) {
      const words = readTick(raw)
      if (!words) {
        bad.push({ raw, code: 'RECORD_MALFORMED', message: 'record without a value that is not a tick' })
        continue
      }
      if (Object.keys(words.versions).length > 0) await followed.await(words.versions, FOLLOWED_MS)
      lastTick = words.time
      const tick: Tick = {
        kind: 'tick',
        stream,
        partition: raw.partition,
        offset: raw.offset,
        time: words.time,
        environment: words.environment,
        final: words.final === true,
        inForce: followed.inForce(words.versions),
      }
      inputs.push(tick)
      continue
    }
    const objection = seal?.objection(raw)
    if (objection !== undefined) {
      bad.push({ raw, code: 'RECORD_UNTRUSTED', message: objection })
      continue
    }
    try {
      const value = codec.decode(raw.topic, raw.value) as { time?: number }
      const time = value.time ?? raw.timestamp * 1000
      const limit = (lastTick || raw.timestamp * 1000) + AHEAD_US
      inputs.push(new ReceivedRecord(raw, stream, value, Math.min(time, limit), time > limit))
    } catch (error) {
      bad.push({ raw, code: (error as AegisError).code ?? 'RECORD_MALFORMED', message: (error as Error).message })
    }
  }
  return { inputs, bad, lastTick }
}
