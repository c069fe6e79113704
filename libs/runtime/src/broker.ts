/** What the runtime asks of a broker. Kafka in production; a twin in memory for unit tests and the embedded mode, under one contract. */

export type Headers = Readonly<Record<string, string | Buffer>>

export interface RawRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  /** null: a tick, or a tombstone on a compacted topic. */
  readonly value: Buffer | null
  readonly headers: Headers
  /** Broker's append time, milliseconds. */
  readonly timestamp: number
}

export interface OutRecord {
  readonly topic: string
  /** Chosen by the key when absent. */
  readonly partition?: number
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly headers?: Headers
}

export interface TopicSpec {
  readonly topic: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

/** Next offset to read, per topic, of one partition number. */
export type Positions = Readonly<Record<string, number>>

export interface Transaction {
  send(records: readonly OutRecord[]): Promise<void>
  /** Offsets are the next to read. */
  offsets(group: string, partition: number, positions: Positions): Promise<void>
  commit(): Promise<void>
  abort(): Promise<void>
}

/** Holder of a transactional id. Making one fences every older holder: their next commit fails with FENCED. */
export interface Transactor {
  begin(): Promise<Transaction>
  close(): Promise<void>
}

export interface Producer {
  send(records: readonly OutRecord[]): Promise<void>
  close(): Promise<void>
}

/** Records of one partition number of all topics of a subscription, while it is assigned to us. */
export interface Lane {
  readonly partition: number
  /** Lets records flow from these positions on; may be called again to go back. Nothing flows before the first call. */
  start(positions: Positions): void
  /** Up to `max` records or `maxBytes`, waiting at most `waitMs` for the first; empty when none came. Bounded inside: what is not taken is not fetched. */
  take(max: number, maxBytes: number, waitMs: number): Promise<readonly RawRecord[]>
  /** Records behind the end of the partition by topic, as last seen. */
  lag(): Readonly<Record<string, number>>
}

export interface GroupHandler {
  assigned(lane: Lane): void
  /** The lane yields nothing more. Resolves when the work on it has stopped. */
  revoked(partition: number): Promise<void>
  /** The subscription cannot go on. */
  failed(error: Error): void
}

export interface Subscription {
  close(): Promise<void>
}

/** `end`: only what comes from now on; else the next offset of each `topic/partition`, those that are not named from their start. */
export type TailFrom = 'start' | 'end' | Positions
/** Where a tail begins. A position beyond the end is one of an older topic of this name: its start. */
export const tailStart = (from: TailFrom, topic: string, partition: number, low: number, high: number): number => {
  if (from === 'end') return high
  const next = from === 'start' ? low : (from[`${topic}/${partition}`] ?? low)
  return next > high ? low : Math.max(low, next)
}

export interface TailOptions {
  readonly from: TailFrom
  /** Nothing more is fetched until what it returns has resolved: a slow reader holds the flow, and not the records. */
  readonly onRecords: (records: readonly RawRecord[]) => void | Promise<void>
}
export interface Tail extends Subscription {
  /** Resolves once everything that stood on the topics when the tail began has been handed over. */
  readonly caughtUp: Promise<void>
}

export interface Broker {
  /** Makes missing topics and adds missing partitions; leaves the rest alone. */
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>
  partitions(topic: string): Promise<number>
  /** Idempotent, without transactions. */
  producer(): Promise<Producer>
  transactor(id: string): Promise<Transactor>
  /** Committed positions of a group for one partition number; a topic without a commit is at its first offset. */
  committed(group: string, topics: readonly string[], partition: number): Promise<Positions>
  /** Every committed record in [from, to), in order, handed over in batches. `to` defaults to the end at the time of the call. */
  read(
    topic: string,
    partition: number,
    from: number,
    to: number | undefined,
    onRecords: (records: readonly RawRecord[]) => void | Promise<void>,
  ): Promise<void>
  /** Next offset to be written. */
  end(topic: string, partition: number): Promise<number>
  /** A group member: partition n of all topics together belongs to one member. Positions are ours alone; nothing is committed by reading. */
  subscribe(group: string, topics: readonly string[], handler: GroupHandler): Promise<Subscription>
  /** Reads whole topics without a group. */
  tail(topics: readonly string[], options: TailOptions): Promise<Tail>
  /** True while the broker answers. */
  healthy(): Promise<boolean>
  close(): Promise<void>
}
