/**
 * Two clients of Kafka beside each other on one broker: the one behind our broker port (kafkajs with some of its inner functions replaced) and
 * @platformatic/kafka as it comes. Each writes the same records in transactions and reads them all back, committed ones only; they take turns.
 * Options: --records N (default 200000), --batch N (default 5000), --rounds N (default 3), --json FILE. Last accepted figures: kafka-clients.json.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { idOf, seededRandom } from '@aegis/domain'
import { connect, RUNTIME_SETTINGS, readConfig, silentLog } from '@aegis/runtime'
import { up } from '@aegis/stack/local/stack'
import { Consumer, FetchIsolationLevels, Producer } from '@platformatic/kafka'

interface Words {
  readonly key: string
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}
interface Client {
  /** One transaction. */
  write(topic: string, records: readonly Words[]): Promise<void>
  /** Reads the topic from its start until so many records were seen. */
  read(topic: string, count: number): Promise<void>
  close(): Promise<void>
}

const ours = async (env: NodeJS.ProcessEnv): Promise<Client> => {
  const { broker } = connect(readConfig(RUNTIME_SETTINGS, env), 'bench-ours', silentLog())
  const transactor = await broker.transactor('bench-ours')
  return {
    write: async (topic, records) => {
      const tx = await transactor.begin()
      await tx.send(records.map(r => ({ topic, partition: 0, ...r })))
      await tx.commit()
    },
    read: async (topic, count) => {
      let seen = 0
      await broker.read(topic, 0, 0, undefined, records => void (seen += records.length))
      if (seen !== count) throw new Error(`${seen} of ${count} records read`)
    },
    close: () => broker.close(),
  }
}

const platformatic = async (env: NodeJS.ProcessEnv): Promise<Client> => {
  const words = { clientId: 'bench-platformatic', bootstrapBrokers: env.KAFKA_BROKERS!.split(',') }
  const producer = new Producer({ ...words, transactionalId: 'bench-platformatic', idempotent: true })
  let readers = 0
  return {
    write: async (topic, records) => {
      const tx = await producer.beginTransaction()
      await tx.send({
        acks: -1,
        messages: records.map(r => ({
          topic,
          partition: 0,
          key: Buffer.from(r.key),
          value: r.value,
          headers: new Map(Object.entries(r.headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)])),
        })),
      })
      await tx.commit()
    },
    read: async (topic, count) => {
      const consumer = new Consumer({ ...words, groupId: `bench-platformatic-${readers++}` })
      const stream = await consumer.consume({
        topics: [topic],
        mode: 'earliest',
        autocommit: false,
        isolationLevel: FetchIsolationLevels.READ_COMMITTED,
        maxBytes: 4 * 1024 * 1024,
        maxWaitTime: 50,
      })
      let seen = 0
      for await (const _ of stream) if (++seen >= count) break
      await stream.close()
      await consumer.close(true)
    },
    close: () => producer.close(),
  }
}

export const run = async (args: string[]): Promise<void> => {
  const { values } = parseArgs({
    args,
    options: {
      records: { type: 'string', default: '200000' },
      batch: { type: 'string', default: '5000' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'string' },
    },
  })
  const count = Number(values.records)
  const size = Number(values.batch)
  const random = seededRandom(7)
  const value = Buffer.from(Array.from({ length: 350 }, () => 32 + Math.floor(random() * 90)))
  const batch = Array.from(
    { length: size },
    (_, i): Words => ({
      key: `service:shop-${i % 16}`,
      value,
      headers: { ce_id: idOf('bench', i), ce_source: 'aegis/bench', ce_type: 'logs.parsed', ce_specversion: '1.0' },
    }),
  )
  const folder = mkdtempSync(path.join(tmpdir(), 'aegis-bench-'))
  const stack = await up({ attached: true, folder: path.join(folder, 'stack'), say: line => console.error(line) })
  const env = { ...process.env, ...stack.env }
  const clients = { kafkajs: await ours(env), platformatic: await platformatic(env) }
  const { broker } = connect(readConfig(RUNTIME_SETTINGS, env), 'bench-topics', silentLog())
  const rates: Record<string, Record<'write' | 'read', number[]>> = {}
  try {
    for (let round = 0; round < Number(values.rounds); round++)
      for (const [name, client] of Object.entries(clients)) {
        const topic = `bench.${name}.${round}`
        await broker.ensureTopics([{ topic, partitions: 1, config: {} }])
        const timed = async (work: () => Promise<void>) => {
          const began = performance.now()
          await work()
          return count / ((performance.now() - began) / 1000)
        }
        const write = await timed(async () => {
          for (let i = 0; i < count; i += size) await client.write(topic, batch.slice(0, Math.min(size, count - i)))
        })
        const read = await timed(() => client.read(topic, count))
        const mine = (rates[name] ??= { write: [], read: [] })
        mine.write.push(write)
        mine.read.push(read)
        console.log(`round ${round + 1}: ${name} writes ${Math.round(write)}, reads ${Math.round(read)} records/s`)
      }
    const middle = (list: readonly number[]) => Math.round(list.toSorted((a, b) => a - b)[(list.length - 1) >> 1])
    const result = {
      records: count,
      batch: size,
      rounds: Number(values.rounds),
      ...Object.fromEntries(Object.entries(rates).map(([name, r]) => [name, { write: middle(r.write), read: middle(r.read) }])),
    }
    console.log(`median: ${JSON.stringify(result)}`)
    if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
  } finally {
    await Promise.all([...Object.values(clients).map(c => c.close()), broker.close()])
    await stack.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
