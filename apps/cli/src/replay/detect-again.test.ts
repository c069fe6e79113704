import { anomalies, type ModelVersion, metricsRaw, models, type Observation } from '@aegis/domain'
import { allTopics, MemoryBroker, MemoryRegistry, type RawRecord, readTick, tickRecord } from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { expect, it } from 'vitest'
import { detectAgain, withoutGone } from './detect-again.ts'

const kept: ModelVersion = {
  id: 'alert-rules',
  environment: 'e',
  time: 1_700_000_000_000_000,
  version: '2',
  state: 'active',
  weights: Buffer.from('[]'),
  metrics: {},
  lineage: {},
}
const keyOf = (id: string) => `models/${models.key({ ...kept, id })}`

it('takes out of a tick what is no longer retained, and says what', () => {
  const words = { time: 1, environment: 'e', versions: { [keyOf('a')]: '1', [keyOf('b')]: '2', 'controls/e': '3' } }
  const record = { ...tickRecord('metrics.raw', 0, words), offset: 5, timestamp: 0 } as unknown as RawRecord
  const gone = new Set<string>()
  const headers = withoutGone(record, new Set([`${keyOf('b')}/2`]), gone)
  expect(readTick({ ...record, headers })?.versions).toEqual({ [keyOf('b')]: '2', 'controls/e': '3' })
  expect([...gone]).toEqual([`${models.key({ ...kept, id: 'a' })} version 1`])
})

it('ends with models in force, those that are still there and those that are not', async () => {
  const broker = new MemoryBroker()
  await broker.ensureTopics(allTopics({ data: 1, environment: 1 }))
  const client = new StreamClient({ broker, registry: new MemoryRegistry() })
  await client.publish(models, [kept])
  const versions = { [keyOf('alert-rules')]: '2', [keyOf('network')]: 'long gone' }
  for (let s = 0; s < 20; s++) {
    const time = kept.time + s * 1e6
    await client.publish(metricsRaw, [
      {
        id: `o${s}`,
        environment: 'e',
        time,
        entity: 'service:a',
        metric_name: 'x',
        metric_type: 'gauge',
        unit: '',
        value: s,
        dimensions: {},
      } as Observation,
    ])
    await client.tick([metricsRaw], { time, environment: 'e', versions })
  }
  const found = await detectAgain(client, () => undefined)
  expect(found).toMatchObject({ records: 40, cut: [`${models.key({ ...kept, id: 'network' })} version long gone`] })
  expect([...found.anomalies.values()]).toEqual([])
  expect(await broker.end(anomalies.name, 0)).toBe(0)
})
