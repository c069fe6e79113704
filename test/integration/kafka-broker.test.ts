import { randomUUID } from 'node:crypto'
import { seededRandom } from '@aegis/domain'
import { KafkaBroker } from '@aegis/runtime'
import { brokerContract } from '@aegis/runtime/broker.contract'
import { expect, it } from 'vitest'
import { stackEnv } from './stack-env.ts'

const make = () => new KafkaBroker({ brokers: stackEnv().KAFKA_BROKERS.split(','), clientId: 'contract' })
brokerContract('kafka', async () => make())

it('says what was committed to each of many that ask at once, while their client learns of topics', async () => {
  const group = `asked-${randomUUID().slice(0, 8)}`
  const topics = Array.from({ length: 8 }, (_, i) => `${group}-${i}`)
  const specs = topics.map(topic => ({ topic, partitions: 2, config: {} }))
  const before = make()
  await before.ensureTopics(specs)
  const transactor = await before.transactor(group)
  const tx = await transactor.begin()
  for (const partition of [0, 1]) await tx.offsets(group, partition, Object.fromEntries(topics.map(topic => [topic, 7])))
  await tx.commit()
  await transactor.close()
  await before.close()
  const random = seededRandom(5)
  const wrong: unknown[] = []
  for (let round = 0; round < 40; round++) {
    const broker = make()
    const soon = () => new Promise(resolve => setTimeout(resolve, 60 * random()))
    const asks = topics.map(async (topic, i) => {
      await soon()
      const positions = await broker.committed(group, [topic, topics[(i + 3) % topics.length]], i % 2)
      if (Object.values(positions).some(p => p !== 7)) wrong.push(positions)
      await broker.read(topics[(i + 5) % topics.length], i % 2, 0, undefined, () => undefined)
    })
    const others = [broker.ensureTopics(specs.slice(0, 4)), soon().then(() => broker.partitions(topics[round % topics.length]))]
    await Promise.all([...asks, ...others])
    await broker.close()
  }
  expect(wrong).toEqual([])
})
