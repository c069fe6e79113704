/** A program's way to the streams outside the services: produce, tail, tick. */
import { existsSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import path from 'node:path'
import { AegisError, type Stream } from '@aegis/domain'
import {
  type Broker,
  Codec,
  connect,
  type Infrastructure,
  type RawRecord,
  type Registry,
  RUNTIME_SETTINGS,
  readConfig,
  silentLog,
  type Tail,
  type TickWords,
  tickRecord,
} from '@aegis/runtime'
import { stateFolder } from '../local/places.ts'
import { connectShared, embeddedStack } from './shared-broker.ts'

export interface Decoded<T = unknown> {
  readonly value: T | undefined
  /** Why there is no value: a tick, or what is wrong with the record. */
  readonly note?: string
  readonly record: RawRecord
}

export class StreamClient {
  readonly broker: Broker
  readonly registry: Registry
  readonly #codec: Codec
  #producer: Awaited<ReturnType<Broker['producer']>> | undefined

  constructor({ broker, registry }: Infrastructure) {
    this.broker = broker
    this.registry = registry
    this.#codec = new Codec(registry)
  }

  async publish<T>(stream: Stream<T>, values: readonly T[]): Promise<void> {
    await this.#codec.prepare([stream as Stream<never>])
    this.#producer ??= await this.broker.producer()
    await this.#producer.send(
      values.map(value => {
        const id = (value as { id?: string }).id ?? ''
        return {
          topic: stream.name,
          key: stream.key(value),
          value: this.#codec.encode(stream as Stream<unknown>, value),
          headers: { ce_id: id, ce_source: 'aegis/cli', ce_type: stream.name, ce_specversion: '1.0' },
        }
      }),
    )
  }

  /** Puts a tick on every partition of the streams, or on one. */
  async tick(streams: readonly Stream<never>[], words: TickWords, partition?: number): Promise<void> {
    this.#producer ??= await this.broker.producer()
    const records = await Promise.all(
      streams.map(async s =>
        partition === undefined
          ? Array.from({ length: await this.broker.partitions(s.name) }, (_, p) => tickRecord(s.name, p, words))
          : [tickRecord(s.name, partition, words)],
      ),
    )
    await this.#producer.send(records.flat())
  }

  async encode<T>(stream: Stream<T>, value: T): Promise<Buffer> {
    await this.#codec.prepare([stream as Stream<never>])
    // The codec's slab is used again for the next record.
    return Buffer.from(this.#codec.encode(stream as Stream<unknown>, value))
  }

  async decode(records: readonly RawRecord[]): Promise<Decoded[]> {
    const out: Decoded[] = []
    for (const record of records) {
      if (record.value === null) {
        out.push({ value: undefined, note: record.headers['aegis-tick'] ? 'tick' : 'no value', record })
        continue
      }
      const stream = record.topic.replace(/\.dlq$/, '')
      try {
        await this.#codec.learn(stream, [record.value])
        out.push({ value: this.#codec.decode(stream, record.value), record })
      } catch (error) {
        out.push({ value: undefined, note: (error as Error).message, record })
      }
    }
    return out
  }

  /** Whether [from, to) of a partition holds records, and not only the markers of ended transactions: nobody commits past those. */
  async holds(topic: string, partition: number, from: number, to: number): Promise<boolean> {
    let count = 0
    await this.broker.read(topic, partition, from, to, records => void (count += records.length))
    return count > 0
  }

  /** Every value of one partition in [from, to), in order. */
  async read(
    stream: Stream<never>,
    partition: number,
    from: number,
    to: number | undefined,
    onValues: (decoded: readonly Decoded[]) => void,
  ): Promise<void> {
    await this.#codec.prepare([stream])
    await this.broker.read(stream.name, partition, from, to, async records => onValues(await this.decode(records)))
  }

  async tail(
    streams: readonly Stream<never>[],
    from: 'start' | 'end',
    onValues: (decoded: readonly Decoded[]) => void,
    suffix = '',
  ): Promise<Tail> {
    await this.#codec.prepare(streams)
    let order = Promise.resolve()
    const tail = await this.broker.tail(
      streams.map(s => `${s.name}${suffix}`),
      {
        from,
        onRecords: records => {
          order = order.then(async () => onValues(await this.decode(records)))
          return order
        },
      },
    )
    return { caughtUp: tail.caughtUp.then(() => order), close: () => tail.close() }
  }

  /** Everything that stands on the streams now, each partition in order. */
  async all(streams: readonly Stream<never>[], onValues: (decoded: readonly Decoded[]) => void): Promise<void> {
    const tail = await this.tail(streams, 'start', onValues)
    await tail.caughtUp
    await tail.close()
  }

  async close(): Promise<void> {
    await this.broker.close()
  }
}

/** Addresses from the environment, else from the local stack of this checkout. */
export const stackEnvironment = (): Record<string, string | undefined> => {
  const file = path.join(stateFolder(), 'env')
  const found: Record<string, string> = {}
  if (existsSync(file))
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const m = /^(?:export )?([A-Z0-9_]+)=(.*)$/.exec(line.trim())
      if (m) found[m[1]] = m[2].replace(/^(['"])(.*)\1$/, '$2')
    }
  return { ...found, ...process.env }
}

/** The broker that the environment names, else the embedded stack of this checkout while it runs, else its local one. */
export const connectClient = async (): Promise<StreamClient> => {
  const embedded = process.env.KAFKA_BROKERS ? undefined : embeddedStack()
  if (embedded) return new StreamClient(connectShared(embedded))
  const config = readConfig(RUNTIME_SETTINGS, stackEnvironment())
  await Promise.all([
    answersAny('Kafka', config.brokers.split(','), 'KAFKA_BROKERS'),
    answersAny('the schema registry', [new URL(config.registryUrl).host], 'SCHEMA_REGISTRY_URL', config.registryUrl),
  ])
  return new StreamClient(connect(config, 'aegis-cli', silentLog()))
}

/** A person who waits must hear within two seconds which server is away, and what names another one. */
const ANSWER_MS = 2000
const answersAny = async (
  what: string,
  addresses: readonly string[],
  setting: string,
  shown = addresses.join(','),
): Promise<void> => {
  try {
    await Promise.any(addresses.map(answers))
  } catch (error) {
    const [first] = (error as AggregateError).errors as Error[]
    throw new AegisError(
      'BROKER_UNAVAILABLE',
      `${what} at ${shown} does not answer (${first.message}): "aegis up" or "aegis stack up" starts one here, ${setting} names another`,
    )
  }
}
const answers = (address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const at = /^\[?(.+?)\]?(?::(\d+))?$/.exec(address.trim())
    const socket = createConnection({ host: at?.[1] ?? address, port: Number(at?.[2] ?? 80) })
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)))
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
