import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { FatalError, readTraceparent, type Stream, streams, type TraceContext, traceparent } from '@aegis/domain'
import type { Broker, GroupHandler, Positions, RawRecord, Subscription, Tail, TailFrom } from './broker.ts'
import { Codec } from './codec.ts'
import { type Config, RUNTIME_SETTINGS, type RuntimeConfig, type Settings } from './config.ts'
import { PartitionLoop } from './consume-loop.ts'
import { type DeadLetter, letterOf } from './dead-letters.ts'
import { Followed } from './followed.ts'
import { healthRoutes, serveHealth } from './health.ts'
import { KafkaBroker } from './kafka-broker.ts'
import type { Log } from './log.ts'
import { ConfluentRegistry, type Registry } from './registry.ts'
import type { Seal } from './seal.ts'
import type { StageDefinition } from './stage-definition.ts'
import { Telemetry } from './telemetry.ts'
import { type TickWords, tickRecord } from './ticks.ts'
import { allTopics, deadLetterTopic, snapshotSpec } from './topics.ts'

/** A decoded record, for readers outside stages: consoles, command lines. */
export interface Seen<T = unknown> {
  readonly stream: string
  readonly partition: number
  readonly offset: number
  readonly value: T
  readonly trace?: TraceContext
  readonly headers: RawRecord['headers']
}

export interface ValueTail extends Tail {
  /** The next offset of each `topic/partition` that something came on, ticks and what was left out included: where to go on after a restart. */
  positions(): Positions
}

/** What a service gets from the runtime besides its configuration. */
export interface ServiceContext {
  readonly log: Log
  readonly telemetry: Telemetry
  /** Wall clock, microseconds; the only clock a service may use. */
  readonly now: () => number
  /** Puts values on a stream, in order, and resolves when the broker has them. */
  publish<T>(stream: Stream<T>, values: readonly T[], trace?: TraceContext): Promise<void>
  /** Reads streams outside the pipeline's groups. Ticks and undecodable records are left out. */
  tail(streams: readonly Stream<never>[], from: TailFrom, onValues: (values: readonly Seen[]) => void): Promise<ValueTail>
  /** The record at a place of a stream that is tailed; undefined where there is none any more. */
  record(stream: Stream<never>, partition: number, offset: number): Promise<Seen | undefined>
  /** Dead letters of all streams: those that stand, then those that come. Only for services that declare it. */
  deadLetters(onLetters: (letters: readonly DeadLetter[]) => void): Promise<Tail>
  /** True while the broker answers. */
  brokerHealthy(): Promise<boolean>
  /** Newest value of a followed broadcast stream. */
  latest<T>(stream: Stream<T>, key: string): T | undefined
  /** Puts a tick into every partition of every stream that wants them. */
  tick(words: Omit<TickWords, 'versions'>): Promise<void>
  /** Joins a group of its own; used for leadership: whoever holds partition 0 leads. */
  lead(name: string, onChange: (leading: boolean) => void): Promise<Subscription>
}

export interface ServiceParts {
  readonly stages: readonly StageDefinition[]
  /** How what it writes is signed, and what it reads verified; without it nothing is. */
  readonly seal?: Seal
  /** Answers what is not a health route; without it the health server is the only one. */
  readonly http?: (request: IncomingMessage, response: ServerResponse) => void
  /** Why the service is not ready beyond what the runtime sees. */
  readonly ready?: () => Promise<string | undefined>
  /** Called once the stages run. */
  readonly started?: (address: { host: string; port: number }) => Promise<void> | void
  readonly stop?: () => Promise<void>
}

export interface ServiceDefinition<S extends Settings = Settings> {
  readonly name: string
  readonly about: string
  readonly settings: S
  /** Broadcast streams it follows outside its stages. */
  readonly follows?: readonly Stream<never>[]
  /** Streams it may put values on outside its stages. */
  readonly publishes?: readonly Stream<never>[]
  /** Streams it reads whole, outside the pipeline's groups. */
  readonly tails?: readonly Stream<never>[]
  /** True for a service that shows dead letters. */
  readonly readsDeadLetters?: boolean
  /** True for the service that keeps the pipeline's clock: it ticks on every stream that wants ticks. */
  readonly clock?: boolean
  create(config: Config<S>, context: ServiceContext): Promise<ServiceParts> | ServiceParts
}
/** Keeps the types of a definition's settings. */
export const defineService = <S extends Settings>(definition: ServiceDefinition<S>): ServiceDefinition<S> => definition

/** What services share when they run in one process. */
export interface Infrastructure {
  readonly broker: Broker
  readonly registry: Registry
  readonly now?: () => number
}

export const connect = (config: RuntimeConfig, clientId: string, log: Log): Infrastructure => {
  if (config.kafkaSaslMechanism && !(config.kafkaUser && config.kafkaPassword))
    throw new FatalError('CONFIG_INVALID', 'KAFKA_SASL_MECHANISM is set: KAFKA_USER and KAFKA_PASSWORD are needed as well')
  const sasl = config.kafkaSaslMechanism
    ? ({ mechanism: config.kafkaSaslMechanism, username: config.kafkaUser, password: config.kafkaPassword } as never)
    : undefined
  return {
    broker: new KafkaBroker({
      brokers: config.brokers.split(',').map(b => b.trim()),
      clientId,
      ssl: config.kafkaSslCa ? { ca: readFileSync(config.kafkaSslCa, 'utf8') } : config.kafkaSsl || undefined,
      sasl,
      sessionTimeoutMs: config.sessionTimeoutMs,
      onLog: (level, message, details) => log[level === 'error' ? 'warn' : 'debug'](details, message),
    }),
    registry: new ConfluentRegistry(config.registryUrl),
  }
}

export interface RunningService {
  readonly name: string
  readonly port: number
  /** Rejects when the service must stop. */
  readonly failed: Promise<never>
  readonly telemetry: Telemetry
  ready(): Promise<string | undefined>
  stop(): Promise<void>
}

/** A service's stages at work, and what it brings beside them. */
export interface RunningStages {
  readonly parts: ServiceParts
  /** Rejects when the service must stop. */
  readonly failed: Promise<never>
  readonly telemetry: Telemetry
  ready(): Promise<string | undefined>
  stop(): Promise<void>
}

/** Starts all of a service that needs no port: topics, schemas, followed streams, stages. */
export const startStages = async <S extends Settings>(
  definition: ServiceDefinition<S>,
  config: Config<S>,
  runtime: RuntimeConfig,
  infrastructure: Infrastructure,
  log: Log,
): Promise<RunningStages> => {
  const { broker, registry } = infrastructure
  const now = infrastructure.now ?? (() => Math.round((performance.timeOrigin + performance.now()) * 1000))
  const spread = { data: runtime.dataPartitions, environment: runtime.environmentPartitions }
  const telemetry = new Telemetry(definition.name)
  const codec = new Codec(registry)
  const followed = new Followed(log)
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => (fail = reject))
  failed.catch(() => undefined)

  const declared = (list: readonly Stream<never>[] | undefined, stream: Stream<never>) => {
    if (!list?.some(s => s.name === stream.name))
      throw new FatalError(
        'STREAM_UNDECLARED',
        `${definition.name} does not declare stream ${stream.name}: add it to its definition`,
      )
  }
  await broker.ensureTopics(allTopics(spread))
  const producer = await broker.producer()
  let seal: Seal | undefined
  const encodeAll = (stream: Stream<unknown>, values: readonly unknown[], trace?: TraceContext) =>
    values.map(value => {
      const words = value as { id?: string }
      const headers: Record<string, string> = {
        ce_id: words.id ?? '',
        ce_source: `aegis/${definition.name}`,
        ce_type: stream.name,
        ce_specversion: '1.0',
      }
      if (trace) headers.traceparent = traceparent(trace)
      const bytes = codec.encode(stream, value)
      return {
        topic: stream.name,
        key: stream.key(value),
        value: bytes,
        headers: { ...headers, ...seal?.sign(stream.name, bytes, now()) },
      }
    })
  /** Ticks and what cannot be decoded are left out. */
  const decoded = async (records: readonly RawRecord[]): Promise<Seen[]> => {
    const seen: Seen[] = []
    for (const r of records) {
      if (!r.value) continue
      try {
        await codec.learn(r.topic, [r.value])
        seen.push({
          stream: r.topic,
          partition: r.partition,
          offset: r.offset,
          value: codec.decode(r.topic, r.value),
          trace: readTraceparent(r.headers.traceparent),
          headers: r.headers,
        })
      } catch (error) {
        log.debug({ err: error, topic: r.topic, offset: r.offset }, 'record left out of a tail')
      }
    }
    return seen
  }
  const context: ServiceContext = {
    log,
    telemetry,
    now,
    publish: async (stream, values, trace) => {
      declared(definition.publishes, stream as Stream<never>)
      await codec.prepare([stream as Stream<never>])
      await producer.send(encodeAll(stream as Stream<unknown>, values, trace))
    },
    tail: async (wanted, from, onValues) => {
      for (const stream of wanted) declared(definition.tails, stream)
      await codec.prepare(wanted)
      let order = Promise.resolve()
      const next: Record<string, number> = typeof from === 'string' ? {} : { ...from }
      const take = async (records: readonly RawRecord[]) => {
        const seen = await decoded(records)
        if (seen.length > 0) onValues(seen)
        for (const { topic, partition, offset } of records) next[`${topic}/${partition}`] = offset + 1
      }
      const tail = await broker.tail(
        wanted.map(s => s.name),
        {
          from,
          onRecords: records => {
            order = order.then(() => take(records))
            return order
          },
        },
      )
      return { caughtUp: tail.caughtUp.then(() => order), close: () => tail.close(), positions: () => ({ ...next }) }
    },
    record: async (stream, partition, offset) => {
      declared(definition.tails, stream)
      await codec.prepare([stream])
      let found: Seen | undefined
      await broker.read(stream.name, partition, offset, offset + 1, async records => {
        for (const r of records) if (r.offset === offset) [found] = await decoded([r])
      })
      return found
    },
    deadLetters: async onLetters => {
      if (!definition.readsDeadLetters)
        throw new FatalError('STREAM_UNDECLARED', `${definition.name} does not declare that it reads dead letters`)
      return broker.tail(
        streams.map(s => deadLetterTopic(s.name)),
        { from: 'start', onRecords: records => onLetters(records.map(letterOf)) },
      )
    },
    brokerHealthy: () => broker.healthy(),
    latest: (stream, key) => followed.latest(stream, key),
    tick: async words => {
      const versions = followed.newest()
      const ticked = streams.filter(s => s.ticks)
      await producer.send(
        ticked.flatMap(s =>
          Array.from({ length: s.spread === 'one' ? 1 : spread[s.spread] }, (_, p) =>
            tickRecord(s.name, p, { ...words, versions }),
          ),
        ),
      )
    },
    lead: async (name, onChange) => {
      const topic = `aegis.leader.${name}`
      await broker.ensureTopics([{ topic, partitions: 1, config: {} }])
      return broker.subscribe(`aegis-leader-${name}`, [topic], {
        assigned: lane => lane.partition === 0 && onChange(true),
        revoked: async () => onChange(false),
        failed: fail,
      })
    },
  }
  const parts = await definition.create(config, context)
  seal = parts.seal
  const follows = new Map<string, Stream<never>>()
  for (const stream of [...(definition.follows ?? []), ...parts.stages.flatMap(s => s.follows ?? [])])
    follows.set(stream.name, stream)
  await codec.prepare([...follows.values(), ...parts.stages.flatMap(s => [...s.reads, ...s.writes])])
  await followed.start(broker, codec, [...follows.values()], seal)

  const loops = new Map<string, PartitionLoop>()
  const subscriptions: Subscription[] = []
  for (const stage of parts.stages) {
    const group = `${definition.name}-${stage.name}`
    const counts = await Promise.all(stage.reads.map(s => broker.partitions(s.name)))
    if (new Set(counts).size > 1)
      throw new FatalError(
        'CONFIG_INVALID',
        `stage ${stage.name} reads ${stage.reads.map((s, i) => `${s.name} (${counts[i]} partitions)`).join(' and ')}: they need the same number`,
      )
    await broker.ensureTopics([snapshotSpec(group, counts[0])])
    const gauge = () => {
      const mine = [...loops].filter(([key]) => key.startsWith(`${group}/`))
      telemetry.set('aegis_partitions_owned', { stage: stage.name }, mine.length)
      telemetry.set('aegis_partitions_live', { stage: stage.name }, mine.filter(([, loop]) => loop.live).length)
    }
    const handler: GroupHandler = {
      assigned: lane => {
        const loop = new PartitionLoop(stage, group, lane, {
          broker,
          codec,
          followed,
          log,
          telemetry,
          service: definition.name,
          options: runtime,
          seal,
          now,
        })
        loops.set(`${group}/${lane.partition}`, loop)
        loop.run(fail)
        gauge()
      },
      revoked: async partition => {
        const loop = loops.get(`${group}/${partition}`)
        loops.delete(`${group}/${partition}`)
        gauge()
        await loop?.stop()
      },
      failed: fail,
    }
    subscriptions.push(
      await broker.subscribe(
        group,
        stage.reads.map(s => s.name),
        handler,
      ),
    )
  }
  const joined = performance.now()
  const ready = async () => {
    const waiting = [...loops].filter(([, loop]) => !loop.live).map(([key]) => key)
    if (waiting.length > 0) return `restoring ${waiting.join(', ')}`
    // With more instances than partitions a member may rightly own nothing, but not before it had time to join.
    if (parts.stages.length > 0 && loops.size === 0 && performance.now() - joined < 5000) return 'joining its consumer groups'
    return (await parts.ready?.()) ?? undefined
  }
  return {
    parts,
    failed,
    telemetry,
    ready,
    stop: async () => {
      await parts.stop?.()
      await Promise.all(subscriptions.map(s => s.close().catch(() => undefined)))
      await followed.close().catch(() => undefined)
      await producer.close().catch(() => undefined)
    },
  }
}

/** Starts a service on given infrastructure: topics, schemas, stages, health. */
export const startService = async <S extends Settings>(
  definition: ServiceDefinition<S>,
  config: Config<S>,
  runtime: RuntimeConfig,
  infrastructure: Infrastructure,
  log: Log,
): Promise<RunningService> => {
  const { parts, failed, telemetry, ready, stop } = await startStages(definition, config, runtime, infrastructure, log)
  const routes = healthRoutes(telemetry, { alive: () => undefined, ready })
  const { server, port } = await serveHealth(runtime.host, runtime.port, async (request, response) => {
    if (await routes(request, response)) return true
    if (!parts.http) return false
    parts.http(request, response)
    return true
  })
  await parts.started?.({ host: runtime.host, port })
  log.info({ port, stages: parts.stages.map(s => s.name) }, `${definition.name} runs`)
  return {
    name: definition.name,
    port,
    failed,
    telemetry,
    ready,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await stop()
    },
  }
}
export { RUNTIME_SETTINGS }
