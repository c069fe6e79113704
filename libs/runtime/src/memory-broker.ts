import { AegisError, hash32 } from '@aegis/domain'
import {
  type Broker,
  type GroupHandler,
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
import { BufferedLane } from './lane.ts'

interface Partition {
  first: number
  /** undefined: compacted away. */
  records: (RawRecord | undefined)[]
  /** Newest offset by key, kept for compacted topics. */
  latest: Map<string, number>
  /** Offsets whose key was written again, oldest first. */
  superseded: number[]
}
const present = (records: readonly (RawRecord | undefined)[]): RawRecord[] => records.filter(r => r !== undefined)
interface Member {
  handler: GroupHandler
  topics: readonly string[]
  lanes: Map<number, { lane: BufferedLane; positions: Record<string, number>; flowing: boolean; pumping: boolean }>
}

export interface MemoryBrokerOptions {
  /** Append time of records, milliseconds. */
  readonly now?: () => number
  /** How many records a partition of a deleting topic holds before its oldest go. */
  readonly retainedRecords?: number
  /** When what was fetched arrives; a simulation lets it take time, so that a fetch may be overtaken by a seek. */
  readonly deliver?: (arrive: () => void) => void
}

/** A broker inside the process: partitions, groups, transactions and fencing as Kafka has them, nothing durable. */
export class MemoryBroker implements Broker {
  readonly #topics = new Map<string, { partitions: Partition[]; compacted: boolean; compactionLagMs: number }>()
  readonly #committed = new Map<string, number>()
  readonly #epochs = new Map<string, number>()
  readonly #groups = new Map<string, Member[]>()
  readonly #tails = new Set<{ topics: readonly string[]; onRecords: TailOptions['onRecords'] }>()
  readonly #options: Required<MemoryBrokerOptions>
  #roundRobin = 0

  constructor(options: MemoryBrokerOptions = {}) {
    this.#options = { now: Date.now, retainedRecords: 200_000, deliver: queueMicrotask, ...options }
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    for (const { topic, partitions, config } of specs) {
      const t = this.#topics.get(topic) ?? {
        partitions: [],
        compacted: config['cleanup.policy'] === 'compact',
        compactionLagMs: Number(config['min.compaction.lag.ms'] ?? 0),
      }
      while (t.partitions.length < partitions) t.partitions.push({ first: 0, records: [], latest: new Map(), superseded: [] })
      this.#topics.set(topic, t)
    }
  }

  #topic(topic: string) {
    const t = this.#topics.get(topic)
    if (!t) throw new AegisError('BROKER_UNAVAILABLE', `topic ${topic} does not exist`)
    return t
  }
  async partitions(topic: string): Promise<number> {
    return this.#topic(topic).partitions.length
  }
  async end(topic: string, partition: number): Promise<number> {
    const p = this.#topic(topic).partitions[partition]
    return p.first + p.records.length
  }
  async committed(group: string, topics: readonly string[], partition: number): Promise<Positions> {
    return Object.fromEntries(
      topics.map(t => [t, this.#committed.get(`${group}\0${t}\0${partition}`) ?? this.#topic(t).partitions[partition].first]),
    )
  }

  #append(records: readonly OutRecord[]): void {
    const appended: RawRecord[] = []
    const touched = new Set<string>()
    for (const r of records) {
      const t = this.#topic(r.topic)
      const key = r.key === null ? null : Buffer.from(r.key)
      const n =
        r.partition ??
        (key === null ? this.#roundRobin++ % t.partitions.length : hash32(key.toString('latin1')) % t.partitions.length)
      const p = t.partitions[n]
      if (!p) throw new AegisError('BROKER_UNAVAILABLE', `topic ${r.topic} has no partition ${n}`)
      const record: RawRecord = {
        topic: r.topic,
        partition: n,
        offset: p.first + p.records.length,
        key,
        value: r.value,
        headers: { ...r.headers },
        timestamp: this.#options.now(),
      }
      p.records.push(record)
      appended.push(record)
      touched.add(r.topic)
      if (t.compacted && key !== null) this.#compact(p, key.toString('latin1'), record, t.compactionLagMs)
      if (!t.compacted && p.records.length > this.#options.retainedRecords * 1.25) {
        const drop = p.records.length - this.#options.retainedRecords
        p.records = p.records.slice(drop)
        p.first += drop
      }
    }
    for (const tail of this.#tails) {
      const mine = appended.filter(r => tail.topics.includes(r.topic))
      if (mine.length > 0) queueMicrotask(() => this.#tails.has(tail as never) && tail.onRecords(mine))
    }
    for (const members of this.#groups.values())
      for (const member of members)
        if (member.topics.some(t => touched.has(t))) for (const n of member.lanes.keys()) this.#pump(member, n)
  }

  /** Keeps the last record of a key, and older ones until the lag is over; offsets stay as they were. */
  #compact(p: Partition, key: string, { offset, timestamp }: RawRecord, lagMs: number): void {
    const before = p.latest.get(key)
    if (before !== undefined) p.superseded.push(before)
    p.latest.set(key, offset)
    while (p.superseded.length > 0) {
      const at = p.superseded[0] - p.first
      const old = p.records[at]
      if (old && old.timestamp > timestamp - lagMs) break
      if (old) p.records[at] = undefined
      p.superseded.shift()
    }
    let gone = 0
    while (gone < p.records.length && p.records[gone] === undefined) gone++
    if (gone > 256) {
      p.records = p.records.slice(gone)
      p.first += gone
    }
  }

  async producer(): Promise<Producer> {
    return { send: async records => this.#append(records), close: async () => undefined }
  }

  async transactor(id: string): Promise<Transactor> {
    const epoch = (this.#epochs.get(id) ?? 0) + 1
    this.#epochs.set(id, epoch)
    const held = () => {
      if (this.#epochs.get(id) !== epoch) throw new AegisError('FENCED', `another holder of ${id} took over`)
    }
    return {
      begin: async (): Promise<Transaction> => {
        held()
        const records: OutRecord[] = []
        const offsets: [string, number][] = []
        let open = true
        return {
          send: async more => {
            held()
            for (const r of more) {
              const t = this.#topic(r.topic)
              if (r.partition !== undefined && !t.partitions[r.partition])
                throw new AegisError('BROKER_UNAVAILABLE', `topic ${r.topic} has no partition ${r.partition}`)
              records.push(r)
            }
          },
          offsets: async (group, partition, positions) => {
            held()
            for (const [topic, offset] of Object.entries(positions)) offsets.push([`${group}\0${topic}\0${partition}`, offset])
          },
          commit: async () => {
            held()
            if (!open) throw new AegisError('BROKER_UNAVAILABLE', 'transaction is over')
            open = false
            this.#append(records)
            for (const [key, offset] of offsets) this.#committed.set(key, offset)
          },
          abort: async () => {
            open = false
          },
        }
      },
      close: async () => undefined,
    }
  }

  async read(
    topic: string,
    partition: number,
    from: number,
    to: number | undefined,
    onRecords: (records: readonly RawRecord[]) => void | Promise<void>,
  ): Promise<void> {
    const p = this.#topic(topic).partitions[partition]
    const end = to ?? p.first + p.records.length
    const records = present(p.records.slice(Math.max(0, from - p.first), Math.max(0, end - p.first)))
    for (let i = 0; i < records.length; i += 1000) await onRecords(records.slice(i, i + 1000))
  }

  #rebalance(group: string): void {
    const members = this.#groups.get(group) ?? []
    members.forEach((member, i) => {
      const count = Math.max(...member.topics.map(t => this.#topic(t).partitions.length))
      const mine = new Set(Array.from({ length: count }, (_, n) => n).filter(n => n % members.length === i))
      for (const [n, { lane }] of member.lanes) {
        if (mine.has(n)) continue
        member.lanes.delete(n)
        lane.close()
        void member.handler.revoked(n)
      }
      for (const n of mine) {
        if (member.lanes.has(n)) continue
        const positions: Record<string, number> = {}
        const lane = new BufferedLane(n, {
          seek: (topic, offset) => {
            positions[topic] = offset
            this.#pump(member, n)
          },
          pause: () => {
            entry.flowing = false
          },
          resume: () => {
            entry.flowing = true
            this.#pump(member, n)
          },
        })
        const entry = { lane, positions, flowing: false, pumping: false }
        member.lanes.set(n, entry)
        member.handler.assigned(lane)
      }
    })
  }

  /** Moves records from the partitions into a lane, a slice at a time so that its bound holds. */
  #pump(member: Member, n: number): void {
    const entry = member.lanes.get(n)
    if (!entry?.flowing || entry.pumping) return
    entry.pumping = true
    // What a fetch finds is settled when it is made; a seek before it arrives makes it stale, and the lane must notice.
    const fetched = member.topics.flatMap(topic => {
      const at = entry.positions[topic]
      const p = this.#topic(topic).partitions[n]
      if (at === undefined || !p) return []
      const from = Math.max(at, p.first)
      const slice = p.records.slice(from - p.first, from - p.first + 1000)
      return slice.length > 0 ? [{ topic, at, next: from + slice.length, records: present(slice) }] : []
    })
    this.#options.deliver(() => {
      entry.pumping = false
      if (!entry.flowing) return
      for (const { topic, at, next, records } of fetched) {
        const p = this.#topic(topic).partitions[n]
        if (entry.positions[topic] === at) entry.positions[topic] = next
        entry.lane.offer(topic, at, records, next, p.first + p.records.length)
      }
      const more = member.topics.some(topic => {
        const p = this.#topic(topic).partitions[n]
        return p !== undefined && (entry.positions[topic] ?? Number.POSITIVE_INFINITY) < p.first + p.records.length
      })
      if (more) this.#pump(member, n)
    })
  }

  async subscribe(group: string, topics: readonly string[], handler: GroupHandler): Promise<Subscription> {
    const member: Member = { handler, topics, lanes: new Map() }
    const members = this.#groups.get(group) ?? []
    members.push(member)
    this.#groups.set(group, members)
    this.#rebalance(group)
    return {
      close: async () => {
        members.splice(members.indexOf(member), 1)
        for (const { lane } of member.lanes.values()) lane.close()
        const held = [...member.lanes.keys()]
        member.lanes.clear()
        await Promise.all(held.map(n => handler.revoked(n)))
        this.#rebalance(group)
      },
    }
  }

  async tail(topics: readonly string[], options: TailOptions): Promise<Tail> {
    const entry = { topics, onRecords: options.onRecords }
    for (const topic of topics)
      for (const [n, p] of this.#topic(topic).partitions.entries()) {
        const next = tailStart(options.from, topic, n, p.first, p.first + p.records.length)
        const there = present(p.records.slice(next - p.first))
        if (there.length > 0) options.onRecords(there)
      }
    this.#tails.add(entry)
    return { caughtUp: Promise.resolve(), close: async () => void this.#tails.delete(entry) }
  }

  async healthy(): Promise<boolean> {
    return true
  }
  async close(): Promise<void> {
    for (const members of this.#groups.values())
      for (const m of [...members]) for (const { lane } of m.lanes.values()) lane.close()
    this.#groups.clear()
    this.#tails.clear()
  }
}
