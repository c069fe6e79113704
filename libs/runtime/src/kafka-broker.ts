import { randomUUID } from 'node:crypto'
import { AegisError, FatalError } from '@aegis/domain'
import type {
  Admin,
  Consumer,
  EachBatchPayload,
  Kafka as KafkaClient,
  KafkaConfig,
  Producer as KafkaProducer,
  PartitionAssigner,
} from 'kafkajs'
import {
  type Broker,
  type GroupHandler,
  type Headers,
  type OutRecord,
  type Positions,
  type Producer,
  type RawRecord,
  type Subscription,
  type Tail,
  type TailOptions,
  type TopicSpec,
  type Transaction,
  type Transactor,
  tailStart,
} from './broker.ts'
import { kafkajs } from './kafkajs-records.ts'
import { BufferedLane } from './lane.ts'

const { Kafka, AssignerProtocol, Partitioners, logLevel } = kafkajs

// A transaction's CONCURRENT_TRANSACTIONS answer is retried at once: the default first wait of 300 ms would make each transaction cost that much.
const TRANSACTION_RETRY = { initialRetryTime: 5, maxRetryTime: 1000, retries: 1000 }
const ENSURE_ATTEMPTS = 8
const MAX_SEND_BYTES = 8 * 1024 * 1024

// kafkajs waits until "minus one" when nothing is throttled; newer Nodes warn of each such timer on standard error (kafkajs issue 1751).
const emitWarning = process.emitWarning.bind(process) as (...words: unknown[]) => void
process.emitWarning = ((...words: unknown[]) => {
  if (words[1] !== 'TimeoutNegativeWarning') emitWarning(...words)
}) as typeof process.emitWarning

export interface KafkaBrokerOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly ssl?: KafkaConfig['ssl']
  readonly sasl?: KafkaConfig['sasl']
  readonly sessionTimeoutMs?: number
  readonly transactionTimeoutMs?: number
  readonly onLog?: (level: 'error' | 'warn' | 'info', message: string, details: object) => void
}

/** Partition n of all topics goes to one member, members in the order of their ids: what belongs together stays together. */
const together: PartitionAssigner = ({ cluster }) => ({
  name: 'aegis-together',
  version: 1,
  async assign({ members, topics }) {
    const ids = members.map(m => m.memberId).sort()
    return ids.map((memberId, i) => {
      const assignment: Record<string, number[]> = {}
      for (const topic of topics) {
        const mine = cluster
          .findTopicPartitionMetadata(topic)
          .map(p => p.partitionId)
          .filter(p => p % ids.length === i)
        if (mine.length > 0) assignment[topic] = mine
      }
      return {
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment, userData: Buffer.alloc(0) }),
      }
    })
  },
  protocol({ topics }) {
    return {
      name: 'aegis-together',
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
    }
  },
})

/** The first of each name, which is nearly always the only one. */
const plainHeaders = (headers: EachBatchPayload['batch']['messages'][number]['headers']): Headers => {
  let clean = true
  for (const name in headers) clean &&= headers[name] !== undefined && !Array.isArray(headers[name])
  if (clean) return (headers ?? {}) as Headers
  const plain: Record<string, string | Buffer> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) plain[name] = Array.isArray(value) ? value[0] : value
  }
  return plain
}
const recordsOf = (batch: EachBatchPayload['batch']): RawRecord[] =>
  batch.messages.map(m => ({
    topic: batch.topic,
    partition: batch.partition,
    offset: Number(m.offset),
    key: m.key,
    value: m.value,
    headers: plainHeaders(m.headers),
    timestamp: Number(m.timestamp),
  }))

/** Groups records by topic, cut so that no request outgrows what a topic takes. */
const requests = (records: readonly OutRecord[]) => {
  const out: {
    topic: string
    messages: {
      key: Buffer | string | null
      value: Buffer | null
      partition?: number
      headers?: Record<string, string | Buffer>
    }[]
  }[][] = []
  let byTopic = new Map<string, (typeof out)[number][number]>()
  let bytes = 0
  const flush = () => {
    if (byTopic.size > 0) out.push([...byTopic.values()])
    byTopic = new Map()
    bytes = 0
  }
  for (const r of records) {
    const size = (r.value?.length ?? 0) + 200
    if (bytes > 0 && bytes + size > MAX_SEND_BYTES) flush()
    bytes += size
    let entry = byTopic.get(r.topic)
    if (!entry) byTopic.set(r.topic, (entry = { topic: r.topic, messages: [] }))
    entry.messages.push({
      key: r.key,
      value: r.value,
      partition: r.partition,
      headers: r.headers as Record<string, string | Buffer> | undefined,
    })
  }
  flush()
  return out
}

const asAegis = (error: unknown): Error => {
  const e = error as Error & { type?: string }
  if (/FENCED|INVALID_PRODUCER_EPOCH|INVALID_TXN_STATE|PRODUCER_FENCED/.test(e.type ?? e.message))
    return new AegisError('FENCED', `another instance took over: ${e.message}`, { cause: e })
  if (/MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/.test(e.type ?? ''))
    return new AegisError('RECORD_TOO_LARGE', e.message, { cause: e })
  return new AegisError('BROKER_UNAVAILABLE', e.message, { cause: e })
}

export class KafkaBroker implements Broker {
  readonly #kafka: KafkaClient
  readonly #options: KafkaBrokerOptions
  readonly #open = new Set<{ close(): Promise<void> }>()
  #admin: Promise<Admin> | undefined
  /** The last question to the admin client: one after the other. */
  #asked: Promise<unknown> = Promise.resolve()

  constructor(options: KafkaBrokerOptions) {
    this.#options = options
    const level = { [logLevel.ERROR]: 'error', [logLevel.WARN]: 'warn' } as Record<number, 'error' | 'warn'>
    this.#kafka = new Kafka({
      clientId: options.clientId,
      brokers: [...options.brokers],
      ssl: options.ssl,
      sasl: options.sasl,
      logLevel: logLevel.WARN,
      connectionTimeout: 3000,
      retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 12 },
      logCreator: () => entry =>
        options.onLog?.(level[entry.level] ?? 'info', `${entry.namespace}: ${entry.log.message}`, { error: entry.log.error }),
    })
  }

  async #connectedAdmin(): Promise<Admin> {
    this.#admin ??= (async () => {
      const admin = this.#kafka.admin()
      await admin.connect()
      return admin
    })()
    this.#admin.catch(() => (this.#admin = undefined))
    return this.#admin
  }

  /**
   * Only one question at a time: each may exchange what the client knows of topics for what it needs itself, and another that is under way then
   * takes the topic it asks about for one without partitions, and answers with nothing.
   */
  #once<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const answer = this.#asked.then(async () => question(await this.#connectedAdmin()))
    this.#asked = answer.catch(() => undefined)
    return answer
  }

  /** Asks the admin client, again while the broker says that the answer will be another soon (leaders moving, coordinators loading). */
  async #ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(question)
      } catch (error) {
        const retriable =
          (error as { retriable?: boolean }).retriable === true || (error as { name?: string }).name === 'KafkaJSConnectionError'
        if (!retriable || attempt >= ENSURE_ATTEMPTS) throw asAegis(error)
        await new Promise(resolve => setTimeout(resolve, 100 * attempt))
      }
    }
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(admin => this.#ensureTopics(admin, specs))
      } catch (error) {
        // Services start together and make the same topics at once: the losers find them there, or not quite there yet.
        if (attempt >= ENSURE_ATTEMPTS) throw asAegis(error)
        await new Promise(resolve => setTimeout(resolve, 150 * attempt))
      }
    }
  }

  async #ensureTopics(admin: Admin, specs: readonly TopicSpec[]): Promise<void> {
    const existing = new Set(await admin.listTopics())
    const missing = specs.filter(s => !existing.has(s.topic))
    if (missing.length > 0)
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map(s => ({
          topic: s.topic,
          numPartitions: s.partitions,
          configEntries: Object.entries(s.config).map(([name, value]) => ({ name, value })),
        })),
      })
    const metadata = await admin.fetchTopicMetadata({ topics: specs.map(s => s.topic) })
    const count = new Map(metadata.topics.map(t => [t.name, t.partitions.length]))
    const grow = specs.filter(s => (count.get(s.topic) ?? s.partitions) < s.partitions)
    if (grow.length > 0)
      await admin.createPartitions({ topicPartitions: grow.map(s => ({ topic: s.topic, count: s.partitions })) })
  }

  async partitions(topic: string): Promise<number> {
    const metadata = await this.#ask(admin => admin.fetchTopicMetadata({ topics: [topic] }))
    return metadata.topics[0].partitions.length
  }

  /** First and next offset of a partition. */
  #bounds(topic: string, partition: number): Promise<{ low: number; high: number }> {
    return this.#ask(async admin => {
      const { low, high } = partitionOf(await admin.fetchTopicOffsets(topic), topic, partition)
      return { low: Number(low), high: Number(high) }
    })
  }

  async end(topic: string, partition: number): Promise<number> {
    return (await this.#bounds(topic, partition)).high
  }

  async committed(group: string, topics: readonly string[], partition: number): Promise<Positions> {
    const committed = await this.#ask(async admin => {
      const answer = await admin.fetchOffsets({ groupId: group, topics: [...topics] })
      return topics.map(topic => partitionOf(answer.find(a => a.topic === topic)?.partitions ?? [], topic, partition))
    })
    const positions: Record<string, number> = {}
    // -1: never committed.
    for (const [i, topic] of topics.entries())
      positions[topic] = Math.max(Number(committed[i].offset), (await this.#bounds(topic, partition)).low)
    return positions
  }

  async producer(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { initialRetryTime: 20, maxRetryTime: 1000, retries: 60 },
    })
    await producer.connect()
    const handle = {
      send: async (records: readonly OutRecord[]) => {
        try {
          for (const topicMessages of requests(records)) await producer.sendBatch({ acks: -1, topicMessages })
        } catch (error) {
          throw asAegis(error)
        }
      },
      close: async () => {
        this.#open.delete(handle)
        await producer.disconnect()
      },
    }
    this.#open.add(handle)
    return handle
  }

  async transactor(id: string): Promise<Transactor> {
    const producer: KafkaProducer = this.#kafka.producer({
      transactionalId: id,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: this.#options.transactionTimeoutMs ?? 30_000,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: TRANSACTION_RETRY,
    })
    const close = async () => {
      this.#open.delete(handle)
      await producer.disconnect().catch(() => undefined)
    }
    const handle: Transactor = {
      close,
      begin: async (): Promise<Transaction> => {
        const tx = await producer.transaction().catch(error => {
          throw asAegis(error)
        })
        const guarded = async (work: Promise<unknown>) => {
          try {
            await work
          } catch (error) {
            throw asAegis(error)
          }
        }
        return {
          send: async records => {
            for (const topicMessages of requests(records)) await guarded(tx.sendBatch({ acks: -1, topicMessages }))
          },
          offsets: (group, partition, positions) =>
            guarded(
              tx.sendOffsets({
                consumerGroupId: group,
                topics: Object.entries(positions).map(([topic, offset]) => ({
                  topic,
                  partitions: [{ partition, offset: String(offset) }],
                })),
              }),
            ),
          commit: () => guarded(tx.commit()),
          abort: () => guarded(tx.abort()),
        }
      },
    }
    this.#open.add(handle)
    try {
      await producer.connect()
      // Connecting does not fence; the first transaction does.
      await (await producer.transaction()).abort()
    } catch (error) {
      await close()
      throw asAegis(error)
    }
    return handle
  }

  async #consumer(groupId: string, joinQuickly: boolean): Promise<Consumer> {
    const consumer = this.#kafka.consumer({
      groupId,
      partitionAssigners: [together],
      sessionTimeout: this.#options.sessionTimeoutMs ?? 10_000,
      heartbeatInterval: 1000,
      rebalanceTimeout: 15_000,
      maxWaitTimeInMs: joinQuickly ? 50 : 200,
      maxBytesPerPartition: 4 * 1024 * 1024,
      readUncommitted: false,
      allowAutoTopicCreation: false,
      metadataMaxAge: 30_000,
      retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 30, restartOnFailure: async () => true },
    })
    await consumer.connect()
    return consumer
  }

  async subscribe(group: string, topics: readonly string[], handler: GroupHandler): Promise<Subscription> {
    const consumer = await this.#consumer(group, false)
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    const lanes = new Map<number, BufferedLane>()
    let closed = false

    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const assignment = payload.memberAssignment as Record<string, number[]>
      const mine = new Set(Object.values(assignment).flat())
      // Listeners are not awaited: hold everything before the first fetch, then let each lane start where it belongs.
      consumer.pause([...mine].flatMap(p => topics.map(topic => ({ topic, partitions: [p] }))))
      for (const [partition, lane] of lanes) {
        if (mine.has(partition)) continue
        lanes.delete(partition)
        lane.close()
        void handler.revoked(partition)
      }
      for (const partition of mine) {
        const kept = lanes.get(partition)
        if (kept) {
          kept.keep()
          continue
        }
        const own = topics.filter(t => assignment[t]?.includes(partition)).map(topic => ({ topic, partitions: [partition] }))
        const lane = new BufferedLane(partition, {
          seek: (topic, offset) => consumer.seek({ topic, partition, offset: String(offset) }),
          pause: () => consumer.pause(own),
          resume: () => consumer.resume(own),
        })
        lanes.set(partition, lane)
        handler.assigned(lane)
      }
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart && !closed)
        handler.failed(
          new FatalError('BROKER_UNAVAILABLE', `consumer of ${group} stopped: ${payload.error.message}`, {
            cause: payload.error,
          }),
        )
    })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      partitionsConsumedConcurrently: 4,
      eachBatch: async ({ batch }) => {
        const fetchedFrom = Number((batch as unknown as { fetchedOffset: string | number }).fetchedOffset)
        lanes
          .get(batch.partition)
          ?.offer(batch.topic, fetchedFrom, recordsOf(batch), Number(batch.lastOffset()) + 1, Number(batch.highWatermark))
      },
    })
    const handle = {
      close: async () => {
        closed = true
        this.#open.delete(handle)
        const held = [...lanes.keys()]
        for (const lane of lanes.values()) lane.close()
        await Promise.all(held.map(p => handler.revoked(p)))
        await consumer.disconnect()
      },
    }
    this.#open.add(handle)
    return handle
  }

  /** kafkajs reads only as a group member: a group of its own, deleted afterwards. */
  async #readAlone(
    wanted: Map<string, Map<number, { next: number; end: number }>>,
    onRecords: (records: readonly RawRecord[]) => void | Promise<void>,
    follow: boolean,
  ) {
    const groupId = `aegis-reader-${randomUUID()}`
    const consumer = await this.#consumer(groupId, true)
    await consumer.subscribe({ topics: [...wanted.keys()], fromBeginning: true })
    let arrived: () => void = () => undefined
    let failed: (error: unknown) => void = () => undefined
    const caughtUp = new Promise<void>((resolve, reject) => {
      arrived = resolve
      failed = reject
    })
    caughtUp.catch(() => undefined)
    let over = false
    const check = () => {
      for (const partitions of wanted.values()) for (const at of partitions.values()) if (at.next < at.end) return
      arrived()
    }
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      for (const [topic, partitions] of Object.entries(payload.memberAssignment as Record<string, number[]>)) {
        for (const partition of partitions) {
          const at = wanted.get(topic)?.get(partition)
          if (at) consumer.seek({ topic, partition, offset: String(at.next) })
          else consumer.pause([{ topic, partitions: [partition] }])
        }
      }
    })
    // Commit markers never reach eachBatch: the end of a read shows in this event only.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      const at = wanted.get(payload.topic)?.get(payload.partition)
      if (at) at.next = Math.max(at.next, Number(payload.lastOffset) + 1)
      check()
    })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const at = wanted.get(batch.topic)?.get(batch.partition)
        if (!at || over) return
        const records = recordsOf(batch).filter(r => r.offset >= at.next && (follow || r.offset < at.end))
        try {
          if (records.length > 0) await onRecords(records)
        } catch (error) {
          // Whoever tails gets the batch again; a read that came to grief is told to whoever asked for it.
          if (follow) throw error
          over = true
          failed(error)
        }
      },
    })
    check()
    const handle = {
      caughtUp,
      close: async () => {
        this.#open.delete(handle)
        await consumer.disconnect()
        await this.#once(admin => admin.deleteGroups([groupId])).catch(() => undefined)
      },
    }
    this.#open.add(handle)
    return handle
  }

  async read(
    topic: string,
    partition: number,
    from: number,
    to: number | undefined,
    onRecords: (records: readonly RawRecord[]) => void | Promise<void>,
  ): Promise<void> {
    const { low, high } = await this.#bounds(topic, partition)
    const end = to ?? high
    const start = Math.max(from, low)
    if (start >= end) return
    const reader = await this.#readAlone(new Map([[topic, new Map([[partition, { next: start, end }]])]]), onRecords, false)
    await reader.caughtUp.finally(() => reader.close())
  }

  async tail(topics: readonly string[], options: TailOptions): Promise<Tail> {
    const wanted = new Map<string, Map<number, { next: number; end: number }>>()
    for (const topic of topics) {
      const offsets = await this.#ask(admin => admin.fetchTopicOffsets(topic))
      wanted.set(
        topic,
        new Map(
          offsets.map(({ partition, low, high }) => [
            partition,
            { next: tailStart(options.from, topic, partition, Number(low), Number(high)), end: Number(high) },
          ]),
        ),
      )
    }
    return this.#readAlone(wanted, options.onRecords, true)
  }

  async healthy(): Promise<boolean> {
    try {
      await this.#once(admin => admin.describeCluster())
      return true
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map(o => o.close().catch(() => undefined)))
    if (this.#admin) await (await this.#admin).disconnect().catch(() => undefined)
  }
}

/** No word about a partition is not the same as a partition without records or commits. */
const partitionOf = <P extends { partition: number }>(list: readonly P[], topic: string, partition: number): P => {
  const found = list.find(p => p.partition === partition)
  if (found) return found
  const error = new Error(`the broker said nothing about ${topic}/${partition}; is there such a partition?`)
  throw Object.assign(error, { retriable: true })
}
