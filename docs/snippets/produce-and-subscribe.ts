/** Produces log lines onto the topic itself, Avro in the registry's frame, and prints incidents from theirs. */
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import kafkajs from 'kafkajs'

const kafka = new kafkajs.Kafka({
  clientId: 'my-program',
  brokers: (process.env.KAFKA_BROKERS ?? '127.0.0.1:19092').split(','),
  logLevel: kafkajs.logLevel.NOTHING,
})
const registry = new SchemaRegistry({ host: process.env.SCHEMA_REGISTRY_URL ?? 'http://127.0.0.1:18081/apis/ccompat/v7' })

const id = await registry.getLatestSchemaId('logs.raw-value')
const now = Date.now() * 1000
const value = await registry.encode(id, {
  id: `mine-${now}`,
  environment: 'prod-eu',
  time: now,
  observed_time: now,
  entity: 'service:payment',
  severity: 'INFO',
  body: 'paid order 17 in 31 ms',
  attributes: {},
  trace_id: null,
  span_id: null,
  source: 'my-program',
})
const producer = kafka.producer({ idempotent: true, createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
await producer.connect()
await producer.send({ topic: 'logs.raw', messages: [{ key: 'service:payment', value }] })
await producer.disconnect()
console.log('produced')

if (process.argv.includes('--subscribe')) {
  const consumer = kafka.consumer({ groupId: 'my-program' })
  await consumer.connect()
  await consumer.subscribe({ topics: ['incidents', 'remediation.decisions'] })
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      if (!message.value) return // a tick: time passing
      const record = await registry.decode(message.value)
      console.log(topic, record.id, record.explanation)
    },
  })
}
