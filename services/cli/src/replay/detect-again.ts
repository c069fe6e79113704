/**
 * Detection once more: the anomaly-detector service itself, on an in-memory broker that is handed the very records, ticks included, that the
 * real one read. Its stages read one stream each, so order and partition decide everything.
 */
import { type Anomaly, anomalies, logsParsed, metricsRaw } from '@aegis/domain'
import { MemoryBroker, makeLog, type RawRecord, RUNTIME_SETTINGS, readConfig, startService } from '@aegis/runtime'
import { type StreamClient, stackEnvironment } from '../pipeline/client.ts'
import { SERVICES } from '../pipeline/services.ts'

export interface DetectedAgain {
  /** By id and state, in the order they came. */
  readonly anomalies: ReadonlyMap<string, Anomaly>
  readonly records: number
  /** Partitions whose oldest records are gone: what is made of the rest need not be the same. */
  readonly cut: readonly string[]
}
const INPUTS = [
  { stream: metricsRaw, group: 'anomaly-detector-detect-metric-anomalies' },
  { stream: logsParsed, group: 'anomaly-detector-detect-log-anomalies' },
]
const CHUNK = 20_000

export const anomalyKey = (a: Anomaly): string => `${a.id} ${a.state} ${a.time}`

export async function detectAgain(client: StreamClient, onRecords: (n: number) => void): Promise<DetectedAgain> {
  const real = client.broker
  const twin = new MemoryBroker()
  const definition = await SERVICES['anomaly-detector']()
  const env = stackEnvironment()
  const partitions = await real.partitions(metricsRaw.name)
  const runtime = readConfig(RUNTIME_SETTINGS, { ...env, AEGIS_PORT: '0', AEGIS_DATA_PARTITIONS: String(partitions) })
  const service = await startService(
    definition,
    readConfig(definition.settings, env),
    runtime,
    { broker: twin, registry: client.registry },
    makeLog('replay', 'error'),
  )
  const producer = await twin.producer()
  const cut: string[] = []
  let records = 0
  try {
    for (const { stream, group } of INPUTS)
      for (let p = 0; p < (await real.partitions(stream.name)); p++) {
        let first = true
        const feed = async (batch: readonly RawRecord[]) => {
          if (first && batch.length > 0 && batch[0].offset > 0) cut.push(`${stream.name}/${p} before offset ${batch[0].offset}`)
          first &&= batch.length === 0
          for (let i = 0; i < batch.length; i += CHUNK) {
            const chunk = batch.slice(i, i + CHUNK)
            await producer.send(chunk.map(({ topic, key, value, headers }) => ({ topic, partition: p, key, value, headers })))
            await caughtUp(twin, group, stream.name, p, service.failed)
            records += chunk.length
            onRecords(chunk.length)
          }
        }
        await real.read(stream.name, p, 0, undefined, feed)
      }
    const found = new Map<string, Anomaly>()
    for (let p = 0; p < (await twin.partitions(anomalies.name)); p++)
      await twin.read(anomalies.name, p, 0, undefined, async batch => {
        for (const { value } of await client.decode(batch)) if (value) found.set(anomalyKey(value as Anomaly), value as Anomaly)
      })
    return { anomalies: found, records, cut }
  } finally {
    await service.stop()
    await twin.close()
  }
}

async function caughtUp(
  broker: MemoryBroker,
  group: string,
  topic: string,
  partition: number,
  failed: Promise<never>,
): Promise<void> {
  const end = await broker.end(topic, partition)
  while (((await broker.committed(group, [topic], partition))[topic] ?? 0) < end)
    await Promise.race([failed, new Promise(resolve => setTimeout(resolve, 2))])
}
