import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Broker, Lane, RawRecord } from './broker.ts'

/** What every broker must keep to; run for the memory broker in unit tests and for Kafka in integration tests. */
export const brokerContract = (name: string, make: () => Promise<Broker>): void => {
  describe(`broker contract: ${name}`, () => {
    let broker: Broker
    const made = (topic: string) => `${topic}-${randomUUID().slice(0, 8)}`
    const topicWith = async (partitions: number, config: Record<string, string> = {}) => {
      const topic = made('t')
      await broker.ensureTopics([{ topic, partitions, config }])
      return topic
    }
    const valuesIn = async (topic: string, partition = 0) => {
      const out: string[] = []
      await broker.read(topic, partition, 0, undefined, rs => void out.push(...rs.map(r => String(r.value))))
      return out
    }
    /** A commit may return a moment before its markers are written; readers see it then. */
    const soon = async (topic: string, values: string[]) => {
      let got: string[] = []
      for (let i = 0; i < 100 && got.length < values.length; i++) got = await valuesIn(topic)
      expect(got).toEqual(values)
    }
    const say = (topic: string, ...values: string[]) => values.map(v => ({ topic, key: 'k', value: Buffer.from(v) }))
    const until = async (done: () => boolean, what: string) => {
      for (let i = 0; i < 600; i++) {
        if (done()) return
        await new Promise(r => setTimeout(r, 50))
      }
      throw new Error(`waited in vain: ${what}`)
    }
    const takeAll = async (lane: Lane, n: number) => {
      const out: RawRecord[] = []
      for (let i = 0; i < 200 && out.length < n; i++) out.push(...(await lane.take(1000, 1 << 20, 200)))
      return out
    }

    beforeAll(async () => {
      broker = await make()
    })
    afterAll(() => broker.close())

    it('makes topics once and tells their partitions', async () => {
      const topic = await topicWith(3)
      await broker.ensureTopics([{ topic, partitions: 3, config: {} }])
      expect(await broker.partitions(topic)).toBe(3)
      await broker.ensureTopics([{ topic, partitions: 4, config: {} }])
      expect(await broker.partitions(topic)).toBe(4)
    })

    it('keeps the order of a key and puts a key always in the same partition', async () => {
      const topic = await topicWith(4)
      const producer = await broker.producer()
      for (let i = 0; i < 5; i++)
        await producer.send(['a', 'b', 'c'].map(key => ({ topic, key, value: Buffer.from(`${key}${i}`) })))
      const seen = new Map<string, { partitions: Set<number>; values: string[] }>()
      for (let p = 0; p < 4; p++)
        await broker.read(topic, p, 0, undefined, records => {
          for (const r of records) {
            const at = seen.get(String(r.key)) ?? { partitions: new Set(), values: [] }
            at.partitions.add(r.partition)
            at.values.push(String(r.value))
            seen.set(String(r.key), at)
          }
        })
      for (const key of ['a', 'b', 'c'])
        expect(seen.get(key)).toEqual({
          partitions: new Set([[...seen.get(key)!.partitions][0]]),
          values: [0, 1, 2, 3, 4].map(i => `${key}${i}`),
        })
      await producer.close()
    })

    it('keeps headers, null values and bytes as they are', async () => {
      const topic = await topicWith(1)
      const producer = await broker.producer()
      const bytes = Buffer.from([0, 255, 10, 13, 0])
      await producer.send([
        { topic, key: null, value: null, headers: { a: 'b' } },
        { topic, partition: 0, key: Buffer.from([1, 200]), value: bytes },
      ])
      const got: RawRecord[] = []
      await broker.read(topic, 0, 0, undefined, rs => void got.push(...rs))
      expect(got.map(r => [r.offset, r.value, String(r.headers.a ?? '')])).toEqual([
        [0, null, 'b'],
        [1, bytes, ''],
      ])
      expect(got[1].key).toEqual(Buffer.from([1, 200]))
      await producer.close()
    })

    it('shows a transaction whole after its commit, never what was aborted', async () => {
      const topic = await topicWith(1)
      const transactor = await broker.transactor(made('tx'))
      const first = await transactor.begin()
      await first.send(say(topic, 'aborted'))
      await first.abort()
      const second = await transactor.begin()
      await second.send(say(topic, 'one', 'two'))
      await second.offsets('g', 0, { [topic]: 7 })
      await second.commit()
      await soon(topic, ['one', 'two'])
      expect(await broker.committed('g', [topic], 0)).toEqual({ [topic]: 7 })
      await transactor.close()
    })

    it('shows nothing of aborted transactions where several overlap, whichever ends first', async () => {
      const topic = await topicWith(1)
      const transactors = await Promise.all(['a', 'b', 'c'].map(name => broker.transactor(made(`tx-${name}`))))
      const [a, b, c] = await Promise.all(transactors.map(t => t.begin()))
      await a.send(say(topic, 'begun first, ends last'))
      await b.send(say(topic, 'begun later'))
      await c.send(say(topic, 'one'))
      await a.send(say(topic, 'more of the first'))
      await c.send(say(topic, 'two'))
      await b.abort()
      await c.commit()
      await a.abort()
      const after = await transactors[0].begin()
      await after.send(say(topic, 'three'))
      await after.commit()
      await soon(topic, ['one', 'two', 'three'])
      await Promise.all(transactors.map(t => t.close()))
    })

    it('fences the older holder of a transactional id', async () => {
      const topic = await topicWith(1)
      const id = made('tx')
      const old = await broker.transactor(id)
      const open = await old.begin()
      await open.send(say(topic, 'zombie'))
      const young = await broker.transactor(id)
      await expect(open.commit()).rejects.toMatchObject({ code: 'FENCED' })
      const tx = await young.begin()
      await tx.send(say(topic, 'alive'))
      await tx.commit()
      await soon(topic, ['alive'])
      await old.close()
      await young.close()
    })

    it('reads a range and finds the end behind commit markers', async () => {
      const topic = await topicWith(1)
      const transactor = await broker.transactor(made('tx'))
      for (const v of ['a', 'b', 'c']) {
        const tx = await transactor.begin()
        await tx.send(say(topic, v))
        await tx.commit()
      }
      await soon(topic, ['a', 'b', 'c'])
      const all: RawRecord[] = []
      await broker.read(topic, 0, 0, undefined, rs => void all.push(...rs))
      expect(all.map(r => String(r.value))).toEqual(['a', 'b', 'c'])
      const part: string[] = []
      await broker.read(topic, 0, all[1].offset, all[2].offset, rs => void part.push(...rs.map(r => String(r.value))))
      expect(part).toEqual(['b'])
      const none: RawRecord[] = []
      await broker.read(topic, 0, all[2].offset + 1, await broker.end(topic, 0), rs => void none.push(...rs))
      expect(none).toEqual([])
      await transactor.close()
    })

    it('hands a lane what it starts at, and again after going back', async () => {
      const topic = await topicWith(1)
      const producer = await broker.producer()
      await producer.send(say(topic, 'a', 'b', 'c', 'd'))
      let lane: Lane | undefined
      const subscription = await broker.subscribe(made('g'), [topic], {
        assigned: l => (lane = l),
        revoked: async () => undefined,
        failed: e => expect.fail(String(e)),
      })
      await until(() => lane !== undefined, 'assignment')
      expect(await lane!.take(10, 1000, 300)).toEqual([])
      lane!.start({ [topic]: 1 })
      expect((await takeAll(lane!, 3)).map(r => String(r.value))).toEqual(['b', 'c', 'd'])
      lane!.start({ [topic]: 2 })
      expect((await takeAll(lane!, 2)).map(r => String(r.value))).toEqual(['c', 'd'])
      await producer.send(say(topic, 'e'))
      expect((await takeAll(lane!, 1)).map(r => String(r.value))).toEqual(['e'])
      expect(lane!.lag()).toEqual({ [topic]: 0 })
      await subscription.close()
      await producer.close()
    })

    it('shares partitions out among members, the same number of every topic together, and takes over', async () => {
      const one = await topicWith(2)
      const two = await topicWith(2)
      const group = made('g')
      const owned = [new Set<number>(), new Set<number>()]
      const join = (i: number) =>
        broker.subscribe(group, [one, two], {
          assigned: l => void owned[i].add(l.partition),
          revoked: async p => void owned[i].delete(p),
          failed: e => expect.fail(String(e)),
        })
      const a = await join(0)
      await until(() => owned[0].size === 2, 'first member owns both')
      const b = await join(1)
      await until(() => owned[0].size === 1 && owned[1].size === 1, 'each owns one')
      expect([...owned[0], ...owned[1]].sort()).toEqual([0, 1])
      await a.close()
      await until(() => owned[1].size === 2, 'the second takes over')
      await b.close()
    })

    it('tells whoever reads when what it hands records to throws, and hands nothing more over', async () => {
      const topic = await topicWith(1)
      const producer = await broker.producer()
      for (const value of ['a', 'b']) await producer.send(say(topic, value))
      const seen: string[] = []
      const reading = broker.read(topic, 0, 0, undefined, rs => {
        seen.push(...rs.map(r => String(r.value)))
        throw new Error('cannot use it')
      })
      await expect(reading).rejects.toThrow('cannot use it')
      expect(seen.filter(v => v === 'a')).toEqual(['a'])
      await producer.close()
    })

    it('tails from the start and says when it has caught up', async () => {
      const topic = await topicWith(2)
      const producer = await broker.producer()
      await producer.send([0, 1].map(partition => ({ topic, partition, key: null, value: Buffer.from(`old${partition}`) })))
      const seen: string[] = []
      const tail = await broker.tail([topic], { from: 'start', onRecords: rs => void seen.push(...rs.map(r => String(r.value))) })
      await tail.caughtUp
      expect(seen.sort()).toEqual(['old0', 'old1'])
      await producer.send(say(topic, 'new'))
      await until(() => seen.includes('new'), 'new record')
      await tail.close()
      const fresh: string[] = []
      const end = await broker.tail([topic], { from: 'end', onRecords: rs => void fresh.push(...rs.map(r => String(r.value))) })
      await end.caughtUp
      await producer.send(say(topic, 'newer'))
      await until(() => fresh.length > 0, 'newer record')
      expect(fresh).toEqual(['newer'])
      await end.close()
      await producer.close()
    })

    it('tails from positions, and from the start where they are of another topic', async () => {
      const topic = await topicWith(2)
      const producer = await broker.producer()
      const say = (partition: number, text: string) => ({ topic, partition, key: null, value: Buffer.from(text) })
      await producer.send([say(0, 'a'), say(0, 'b'), say(0, 'c'), say(1, 'd'), say(1, 'e')])
      const read = async (from: Record<string, number>) => {
        const seen: string[] = []
        const tail = await broker.tail([topic], { from, onRecords: rs => void seen.push(...rs.map(r => String(r.value))) })
        await tail.caughtUp
        await tail.close()
        return seen.sort().join('')
      }
      expect(await read({ [`${topic}/0`]: 2 })).toBe('cde')
      expect(await read({ [`${topic}/0`]: 3, [`${topic}/1`]: 99 })).toBe('de')
      expect(await read({ [`${topic}/0`]: 3, [`${topic}/1`]: 2 })).toBe('')
      await producer.close()
    })
  })
}
