import { randomUUID } from 'node:crypto'
import {
  emit,
  type Input,
  isFrom,
  type LogLine,
  logsRaw,
  metricsRaw,
  type Observation,
  type Result,
  reject,
  type Stage,
  type Stateful,
  tracesSpans,
} from '@aegis/domain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Broker, RawRecord, Transaction, Transactor } from './broker.ts'
import { Codec } from './codec.ts'
import { type LoopOptions, PartitionLoop } from './consume-loop.ts'
import { Followed } from './followed.ts'
import { silentLog } from './log.ts'
import type { Registry } from './registry.ts'
import { snapshotRecords } from './snapshots.ts'
import { type StageDefinition, streamList } from './stage-definition.ts'
import { Telemetry } from './telemetry.ts'
import { tickRecord } from './ticks.ts'
import { allTopics, snapshotSpec } from './topics.ts'

const options: LoopOptions = {
  batchRecords: 50,
  batchBytes: 1 << 20,
  batchWaitMs: 0,
  snapshotEveryMs: 1e9,
  snapshotEveryRecords: 40,
  deadLettersInARow: 20,
  retries: 1,
  backOffMs: 1,
}

/** Numbers the lines it has seen: any line taught twice or left out shows in the numbers. */
class Numbering implements Stage, Stateful {
  readonly snapshotVersion = 1
  seen = 0
  readonly #faults: Faults
  constructor(faults: Faults) {
    this.#faults = faults
  }
  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (!isFrom(input, logsRaw)) continue
      if (input.value.body === 'refuse me') {
        results.push(reject(input, 'asked to'))
        continue
      }
      this.seen++
      if (this.#faults.throwsOn(input.value)) throw new Error(`cannot process ${input.value.body}`)
      results.push(emit(metricsRaw, observation(input.value, this.seen), input))
    }
    return results
  }
  snapshot() {
    return Buffer.from(JSON.stringify(this.seen))
  }
  restore(bytes: Uint8Array) {
    this.seen = JSON.parse(Buffer.from(bytes).toString())
  }
}
/** Notes what it is given, and tells how long the note is with every line. */
class Noting implements Stage, Stateful {
  readonly snapshotVersion = 1
  given: string[] = []
  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    return batch.flatMap(input => {
      this.given.push(`${input.stream.name} ${input.offset}`)
      return isFrom(input, logsRaw) ? [emit(metricsRaw, observation(input.value, this.given.length), input)] : []
    })
  }
  snapshot() {
    return Buffer.from(JSON.stringify(this.given))
  }
  restore(bytes: Uint8Array) {
    this.given = JSON.parse(Buffer.from(bytes).toString())
  }
}
interface Faults {
  throwsOn(line: LogLine): boolean
}
const line = (i: number | string): LogLine => ({
  id: `id-${i}`,
  environment: 'test',
  time: 1_700_000_000_000_000,
  body: `line ${i}`,
  observed_time: 0,
  source: 's',
  attributes: {},
})
const observation = (l: LogLine, value: number): Observation => ({
  id: l.id,
  environment: l.environment,
  time: l.time,
  entity: 'service:x',
  metric_name: l.body,
  metric_type: 'gauge',
  unit: '1',
  value,
  dimensions: {},
})

/** The broker, with something between the loop and its transactions. */
const withTransactions = (broker: Broker, change: (tx: Transaction) => Transaction): Broker =>
  new Proxy(broker, {
    get: (target, name) => {
      if (name === 'transactor')
        return async (id: string): Promise<Transactor> => {
          const transactor = await target.transactor(id)
          return { begin: async () => change(await transactor.begin()), close: () => transactor.close() }
        }
      const member = target[name as keyof Broker]
      return typeof member === 'function' ? member.bind(target) : member
    },
  })

/** What the loop promises, on any broker: each record counts once, through throws, restarts, fencing and poison. */
export const loopContract = (name: string, makeBroker: () => Promise<Broker>, makeRegistry: () => Registry): void => {
  describe(`loop contract: ${name}`, () => {
    let broker: Broker
    let codec: Codec
    beforeAll(async () => {
      broker = await makeBroker()
      codec = new Codec(makeRegistry())
      await codec.prepare(streamList(logsRaw, metricsRaw, tracesSpans))
      await broker.ensureTopics(allTopics({ data: 1, environment: 1 }))
    })
    afterAll(() => broker.close())

    /** A pipeline of its own on the shared topics: it begins at their present ends. */
    const pipeline = async (
      faults: Faults = { throwsOn: () => false },
      overrides: Partial<LoopOptions> = {},
      between: (broker: Broker) => Broker = b => b,
      reads = streamList(logsRaw),
      create: () => Stage & Stateful = () => new Numbering(faults),
    ) => {
      const group = `loop-${randomUUID().slice(0, 8)}`
      await broker.ensureTopics([snapshotSpec(group, await broker.partitions('logs.raw'))])
      const partition = 0
      // The topics may have been made with more partitions by whoever came first: the outputs' one key puts them all into one of them.
      const outFrom = await Promise.all(
        Array.from({ length: await broker.partitions('metrics.raw') }, (_, p) => broker.end('metrics.raw', p)),
      )
      const dlqFrom = await broker.end('logs.raw.dlq', partition)
      const begin = await broker.transactor(`${group}-begin`)
      const tx = await begin.begin()
      const topics = reads.map(stream => stream.name)
      const positions = Object.fromEntries(await Promise.all(topics.map(async t => [t, await broker.end(t, partition)] as const)))
      await tx.offsets(group, partition, positions)
      await tx.send(snapshotRecords(group, partition, create(), positions, 0))
      await tx.commit()
      await begin.close()
      const definition: StageDefinition = {
        name: 'numbering',
        reads,
        writes: streamList(metricsRaw),
        create,
      }
      const fatal: Error[] = []
      const telemetry = new Telemetry('test')
      const start = async () => {
        let loop: PartitionLoop | undefined
        const subscription = await broker.subscribe(group, topics, {
          assigned: lane => {
            if (lane.partition !== partition) return
            loop = new PartitionLoop(definition, group, lane, {
              broker: between(broker),
              codec,
              followed: new Followed(silentLog()),
              log: silentLog(),
              telemetry,
              service: 'test',
              options: { ...options, ...overrides },
            })
            loop.run(e => void fatal.push(e))
          },
          revoked: async () => loop?.stop(),
          failed: e => void fatal.push(e),
        })
        return { stop: () => subscription.close() }
      }
      const producer = await broker.producer()
      const send = (values: (LogLine | Buffer | null)[]) =>
        producer.send(
          values.map(v =>
            v === null
              ? tickRecord('logs.raw', partition, { time: 1_700_000_000_000_000, environment: '*', versions: {} })
              : { topic: 'logs.raw', partition, key: 's', value: Buffer.isBuffer(v) ? v : codec.encode(logsRaw as never, v) },
          ),
        )
      const ticks = (topic: string, count: number) =>
        producer.send(
          Array.from({ length: count }, () =>
            tickRecord(topic, partition, { time: 1_700_000_000_000_000, environment: '*', versions: {} }),
          ),
        )
      const outputs = async () => {
        const out: Observation[] = []
        for (const [p, from] of outFrom.entries())
          await broker.read('metrics.raw', p, from, undefined, async rs => {
            const values = rs.filter(r => r.value !== null)
            await codec.learn(
              'metrics.raw',
              values.map(r => r.value),
            )
            out.push(...values.map(r => codec.decode('metrics.raw', r.value!) as Observation))
          })
        return out
      }
      const letters = async () => {
        const out: RawRecord[] = []
        await broker.read('logs.raw.dlq', partition, dlqFrom, undefined, rs => void out.push(...rs))
        return out
      }
      const until = async (done: () => Promise<boolean> | boolean, what: string) => {
        for (let i = 0; i < 800; i++) {
          if (await done()) return
          await new Promise(r => setTimeout(r, 25))
        }
        throw new Error(`waited in vain for ${what}`)
      }
      return { start, send, ticks, outputs, letters, until, fatal, close: () => producer.close() }
    }
    const numbered = (out: readonly Observation[]) => out.map(o => `${o.metric_name}=${o.value}`)
    const expected = (lines: readonly LogLine[]) => lines.map((l, i) => `${l.body}=${i + 1}`)

    it('carries every record through once, in order', async () => {
      const p = await pipeline()
      const lines = Array.from({ length: 120 }, (_, i) => line(i))
      await p.send(lines)
      const run = await p.start()
      await p.until(async () => (await p.outputs()).length >= 120, '120 outputs')
      await run.stop()
      expect(numbered(await p.outputs())).toEqual(expected(lines))
      await p.close()
    })

    it('goes on after a restart with the state it had, from snapshot and silent replay', async () => {
      const p = await pipeline()
      const lines = Array.from({ length: 95 }, (_, i) => line(i))
      await p.send(lines.slice(0, 70))
      const first = await p.start()
      await p.until(async () => (await p.outputs()).length >= 70, '70 outputs')
      await first.stop()
      await p.send(lines.slice(70))
      const second = await p.start()
      await p.until(async () => (await p.outputs()).length >= 95, '95 outputs')
      await second.stop()
      expect(numbered(await p.outputs())).toEqual(expected(lines))
      await p.close()
    })

    it('sees several streams again in the order in which it saw them', async () => {
      const stages: Noting[] = []
      const p = await pipeline(
        undefined,
        { batchRecords: 7, snapshotEveryRecords: 1e9 },
        undefined,
        streamList(logsRaw, tracesSpans),
        () => {
          const stage = new Noting()
          stages.push(stage)
          return stage
        },
      )
      const first = await p.start()
      for (let i = 0; i < 8; i++) {
        await p.ticks('traces.spans', 1 + (i % 3))
        await p.send([line(2 * i), line(2 * i + 1)])
        await p.until(async () => (await p.outputs()).length >= 2 * i + 2, `${2 * i + 2} outputs`)
      }
      await first.stop()
      const seen = stages.at(-1)!.given
      for (let n = 1; n <= 2; n++) {
        const again = await p.start()
        await p.send([line(15 + n)])
        await p.until(async () => (await p.outputs()).length >= 16 + n, `${16 + n} outputs`)
        await again.stop()
        const { given } = stages.at(-1)!
        expect(given.slice(0, seen.length)).toEqual(seen)
        expect(given).toHaveLength(seen.length + 1)
        seen.push(...given.slice(seen.length))
      }
      expect(p.fatal).toEqual([])
      await p.close()
    })

    it('teaches nothing twice when a stage throws for a while', async () => {
      let left = 2
      const p = await pipeline({ throwsOn: l => l.body === 'line 33' && left-- > 0 })
      const lines = Array.from({ length: 60 }, (_, i) => line(i))
      await p.send(lines)
      const run = await p.start()
      await p.until(async () => (await p.outputs()).length >= 60, '60 outputs')
      await run.stop()
      expect(numbered(await p.outputs())).toEqual(expected(lines))
      expect(await p.letters()).toEqual([])
      await p.close()
    })

    it('works on the next batch while one is being committed, and takes both back when that fails', async () => {
      let nextSeen: () => void = () => undefined
      const next = new Promise<void>(resolve => (nextSeen = resolve))
      let failed = 0
      const p = await pipeline(
        {
          throwsOn: l => {
            if (l.body === 'line 55') nextSeen()
            return false
          },
        },
        {},
        b =>
          withTransactions(b, tx => ({
            ...tx,
            commit: async () => {
              if (failed++ > 0) return tx.commit()
              await next
              throw new Error('the network is away')
            },
          })),
      )
      const lines = Array.from({ length: 100 }, (_, i) => line(i))
      await p.send(lines)
      const run = await p.start()
      await p.until(async () => (await p.outputs()).length >= 100, '100 outputs')
      await run.stop()
      expect(failed).toBeGreaterThan(1)
      expect(numbered(await p.outputs())).toEqual(expected(lines))
      await p.close()
    })

    it('dead-letters the one record that fails alone, and keeps its neighbours', async () => {
      const p = await pipeline({ throwsOn: l => l.body === 'line 7' })
      const lines = Array.from({ length: 20 }, (_, i) => line(i))
      await p.send(lines)
      const run = await p.start()
      await p.until(async () => (await p.outputs()).length >= 19, '19 outputs')
      await run.stop()
      // After a restart too: it must not be given to the stage again.
      const again = await p.start()
      await p.send([line(20)])
      await p.until(async () => (await p.outputs()).length >= 20, '20 outputs')
      await again.stop()
      expect(numbered(await p.outputs())).toEqual(expected([...lines, line(20)].filter((_, i) => i !== 7)))
      const letters = await p.letters()
      expect(letters.map(l => String(l.headers['kafka_dlt-exception-message']))).toEqual(['cannot process line 7'])
      await p.close()
    })

    it('waits while every record fails, and loses none', async () => {
      let down = true
      const p = await pipeline({ throwsOn: () => down })
      const lines = Array.from({ length: 6 }, (_, i) => line(i))
      await p.send(lines)
      const run = await p.start()
      await new Promise(r => setTimeout(r, 600))
      expect(await p.outputs()).toEqual([])
      expect(await p.letters()).toEqual([])
      down = false
      await p.until(async () => (await p.outputs()).length >= 6, '6 outputs')
      await run.stop()
      expect(numbered(await p.outputs())).toEqual(expected(lines))
      await p.close()
    })

    it('loses none when the outage ends between the record that failed and the neighbour it is held against', async () => {
      let down = true
      // Back with the first record that is not the first of all: that is the neighbour.
      const p = await pipeline({
        throwsOn: l => {
          if (l.body !== 'line 0') down = false
          return down
        },
      })
      const lines = Array.from({ length: 6 }, (_, i) => line(i))
      await p.send(lines)
      const run = await p.start()
      await p.until(async () => (await p.outputs()).length >= 6 || (await p.letters()).length > 0, '6 outputs')
      await run.stop()
      expect(await p.letters()).toEqual([])
      expect(numbered(await p.outputs())).toEqual(expected(lines))
      await p.close()
    })

    it('keeps poison byte for byte, with the reason, and goes on', async () => {
      const p = await pipeline()
      const unknownId = Buffer.from([0, 0x7f, 0, 0, 1, 2, 3])
      const good = codec.encode(logsRaw as never, line('truncated'))
      const poison = [Buffer.from('not framed'), unknownId, good.subarray(0, good.length - 3), Buffer.alloc(0)]
      await p.send([line(0), ...poison, { ...line(0), body: 'refuse me' }, line(1)])
      const run = await p.start()
      await p.until(async () => (await p.outputs()).length >= 2, '2 outputs')
      await run.stop()
      const letters = await p.letters()
      expect(letters.slice(0, 4).map(l => l.value)).toEqual(poison)
      expect(letters.map(l => String(l.headers['__connect.errors.exception.class.name']))).toEqual([
        'RECORD_MALFORMED',
        'SCHEMA_UNKNOWN',
        'RECORD_MALFORMED',
        'RECORD_MALFORMED',
        'STAGE_REJECTED',
      ])
      await p.close()
    })

    it('stops rather than empty the topic when too many records in a row are bad', async () => {
      const p = await pipeline()
      await p.send(Array.from({ length: 30 }, () => Buffer.from('junk')))
      const run = await p.start()
      await p.until(() => p.fatal.length > 0, 'the stop')
      expect(p.fatal[0]).toMatchObject({ code: 'TOO_MANY_DEAD_LETTERS' })
      await run.stop()
      await p.close()
    })

    it('takes over from a zombie without losing or doubling', async () => {
      const p = await pipeline()
      const lines = Array.from({ length: 200 }, (_, i) => line(i))
      await p.send(lines.slice(0, 100))
      const first = await p.start()
      await p.until(async () => (await p.outputs()).length > 0, 'some outputs')
      const second = await p.start()
      await p.send(lines.slice(100))
      await first.stop()
      await p.until(async () => (await p.outputs()).length >= 200, '200 outputs')
      await second.stop()
      expect(numbered(await p.outputs())).toEqual(expected(lines))
      await p.close()
    })
  })
}
