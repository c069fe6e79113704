/**
 * One instance's way to the broker: requests and answers take drawn times, and may be struck. A dead instance hears nothing more, and what it
 * waited for never comes; requests that are under way arrive all the same. The group misses a silent member after the session timeout.
 */
import { AegisError } from '@aegis/domain'
import type {
  Broker,
  GroupHandler,
  Lane,
  MemoryBroker,
  OutRecord,
  Positions,
  RawRecord,
  Subscription,
  Tail,
  TailOptions,
  TopicSpec,
  Transactor,
} from '@aegis/runtime'
import { apart, isSnapshotTopic, kindOf } from '../chaos/apart.ts'
import type { Broken } from '../chaos/phases.ts'
import type { Fate, RequestKind, Strike } from './fate.ts'
import type { SimulatedClock } from './simulated-clock.ts'

export const SESSION_MS = 1000

export interface Surroundings {
  readonly broker: MemoryBroker
  readonly clock: SimulatedClock
  readonly fate: Fate
  readonly broken?: Broken
  /** Until when the broker is away, simulated milliseconds. */
  awayUntil: number
  /** Told of everything that happens, in order. */
  readonly note: (what: string) => void
}
interface Membership {
  readonly join: () => Promise<Subscription>
  joined?: Subscription
}
/** A new one each time: whoever waits for a promise is kept as long as it is. */
const never = () => new Promise<never>(() => undefined)

export class InstanceBroker implements Broker {
  readonly name: string
  readonly #world: Surroundings
  /** Blows that the fleet deals out: dying, and company. */
  readonly #onBlow: (blow: 'crash' | 'join', lastsMs: number) => void
  readonly #memberships = new Set<Membership>()
  readonly #tails = new Set<Tail>()
  #dead = false
  #woken: Promise<void> | undefined
  #incarnation = 0

  constructor(name: string, world: Surroundings, onBlow: (blow: 'crash' | 'join', lastsMs: number) => void) {
    this.name = name
    this.#world = world
    this.#onBlow = onBlow
  }

  /** Stops hearing and saying anything; the group finds out by silence. */
  die(): void {
    this.#dead = true
    for (const tail of this.#tails) void tail.close()
    for (const m of this.#memberships) this.#world.clock.after(SESSION_MS, () => void m.joined?.close())
  }

  /** Stands still. One that is silent for too long is taken for dead, and joins again when it wakes up. */
  #halt(ms: number): void {
    if (this.#woken || this.#dead) return
    const { clock } = this.#world
    const expelled: Membership[] = []
    this.#woken = new Promise(wake =>
      clock.after(ms, () => {
        this.#woken = undefined
        wake()
        if (!this.#dead) for (const m of expelled) void this.#rejoin(m)
      }),
    )
    if (ms > SESSION_MS)
      clock.after(SESSION_MS, () => {
        if (this.#dead) return
        for (const m of this.#memberships) {
          if (!m.joined) continue
          void m.joined.close()
          m.joined = undefined
          expelled.push(m)
        }
      })
  }
  async #rejoin(m: Membership): Promise<void> {
    m.joined = await m.join()
  }

  /** Resolves while the instance lives and is awake. */
  async #alive(): Promise<void> {
    while (this.#woken && !this.#dead) await this.#woken
    if (this.#dead) await never()
  }

  #fall({ blow, lastsMs }: Strike): void {
    const { clock } = this.#world
    if (blow === 'crash' || blow === 'join') this.#onBlow(blow, lastsMs)
    else if (blow === 'halt') {
      // Some stand still for long enough that somebody else has their work when they wake up.
      const ms = 4 * lastsMs
      if (ms > SESSION_MS && this.#world.fate.random() < 0.7) this.#onBlow('join', 2 * ms)
      this.#halt(ms)
    } else if (blow === 'outage') this.#world.awayUntil = clock.now + lastsMs
  }

  async #request<T>(kind: RequestKind, what: string, work: () => Promise<T>): Promise<T> {
    const { clock, fate, note } = this.#world
    await this.#alive()
    const strike = fate.draw(kind)
    note(`${clock.now.toFixed(3)} ${this.name} ${kind} ${what}${strike.blow ? ` ${strike.blow} ${strike.after}` : ''}`)
    const unavailable = (how: string) => new AegisError('BROKER_UNAVAILABLE', `${how} ${kind} ${what} (simulated)`)
    if (!strike.after) this.#fall(strike)
    if (strike.blow === 'crash' && !strike.after) await never()
    await clock.sleep(strike.requestMs + (strike.blow === 'slow' && !strike.after ? strike.lastsMs : 0))
    if (strike.blow === 'refuse' || clock.now < this.#world.awayUntil) {
      await this.#alive()
      throw unavailable('the broker refuses')
    }
    const answer = await work()
    if (strike.after) this.#fall(strike)
    await clock.sleep(strike.answerMs + (strike.blow === 'slow' && strike.after ? strike.lastsMs : 0))
    await this.#alive()
    if (strike.blow === 'lose') throw unavailable('no answer to')
    return answer
  }

  ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    return this.#request('admin', 'topics', () => this.#world.broker.ensureTopics(specs))
  }
  partitions(topic: string): Promise<number> {
    return this.#request('admin', topic, () => this.#world.broker.partitions(topic))
  }
  end(topic: string, partition: number): Promise<number> {
    return this.#request('admin', topic, () => this.#world.broker.end(topic, partition))
  }
  committed(group: string, topics: readonly string[], partition: number): Promise<Positions> {
    return this.#request('committed', `${group}/${partition}`, () => this.#world.broker.committed(group, topics, partition))
  }
  async producer() {
    const inner = await this.#world.broker.producer()
    return {
      send: (records: readonly OutRecord[]) => this.#request('produce', records[0]?.topic ?? '', () => inner.send(records)),
      close: async () => undefined,
    }
  }

  async transactor(id: string): Promise<Transactor> {
    const { broker, broken } = this.#world
    const own = broken === 'fencing' ? `${id} of ${this.name} ${this.#incarnation++}` : id
    const inner = await this.#request('fence', id, () => broker.transactor(own))
    const held: Transactor = {
      close: async () => undefined,
      begin: async () => {
        const tx = await this.#request('begin', id, () => inner.begin())
        return {
          send: async records => {
            const kind = kindOf(records)
            if (kind !== 'send' && (broken === 'snapshots' || broken === kind)) return
            await this.#request(kind, `${id} ${records.length}`, () => tx.send(records))
          },
          offsets: (group, partition, positions) =>
            this.#request('offsets', `${id} ${JSON.stringify(positions)}`, () => tx.offsets(group, partition, positions)),
          commit: () => this.#request('commit', id, () => tx.commit()),
          abort: () => tx.abort(),
        }
      },
    }
    return broken === 'transactions' ? { close: held.close, begin: async () => apart(held) } : held
  }

  async read(
    topic: string,
    partition: number,
    from: number,
    to: number | undefined,
    onRecords: (records: readonly RawRecord[]) => void | Promise<void>,
  ): Promise<void> {
    const { broker, fate, broken } = this.#world
    // Without snapshots there is nothing to start from, and a restart begins with empty hands.
    if (broken === 'snapshots') return
    const kind = isSnapshotTopic(topic) ? 'restore' : 'replay'
    const read = async () => {
      const records: RawRecord[] = []
      await broker.read(topic, partition, from, to, more => void records.push(...more))
      return records
    }
    const records = await this.#request(kind, `${topic}/${partition} ${from}`, read)
    for (let i = 0; i < records.length; ) {
      const n = 1 + fate.number(400)
      await onRecords(records.slice(i, i + n))
      i += n
      if (i < records.length) await this.#request(kind, `${topic}/${partition} +${i}`, async () => undefined)
    }
  }

  #lane(inner: Lane, group: string): Lane {
    return {
      partition: inner.partition,
      start: positions => inner.start(positions),
      lag: () => inner.lag(),
      take: async (max, maxBytes, waitMs) => {
        await this.#alive()
        // Any split of the input into batches is as good as another.
        const { fate } = this.#world
        const records = await inner.take(fate.random() < 0.3 ? 1 + fate.number(max) : max, maxBytes, waitMs)
        await this.#alive()
        return records.length === 0
          ? records
          : this.#request('take', `${group}/${inner.partition} ${records.length}`, async () => records).catch(() => records)
      },
    }
  }

  async subscribe(group: string, topics: readonly string[], handler: GroupHandler): Promise<Subscription> {
    const { broker } = this.#world
    // Told in order, once the instance hears again; the group does not wait for one that is silent.
    let order = Promise.resolve()
    const tell = (work: () => void) => (order = order.then(() => this.#alive()).then(work))
    const own: GroupHandler = {
      assigned: lane => void tell(() => handler.assigned(this.#lane(lane, group))),
      revoked: partition => {
        const stopped = new Promise<void>(resolve => void tell(() => void handler.revoked(partition).then(resolve)))
        return this.#dead || this.#woken ? Promise.resolve() : stopped
      },
      failed: error => void tell(() => handler.failed(error)),
    }
    const membership: Membership = { join: () => broker.subscribe(group, topics, own) }
    this.#memberships.add(membership)
    await this.#request('admin', `join ${group}`, async () => void (membership.joined = await membership.join()))
    return {
      close: async () => {
        this.#memberships.delete(membership)
        await membership.joined?.close()
      },
    }
  }

  async tail(topics: readonly string[], options: TailOptions): Promise<Tail> {
    const tail = await this.#request('admin', 'tail', () => this.#world.broker.tail(topics, options))
    this.#tails.add(tail)
    return tail
  }
  async healthy(): Promise<boolean> {
    return true
  }
  async close(): Promise<void> {}
}
