/**
 * Detection once more: the anomaly-detector service itself, on an in-memory broker that is handed the very records, ticks included, that the
 * real one read. Its stages read one stream each, so order and partition decide everything. Models and alert rules that ticks name are taken from
 * the `models` stream, not trained again; a version that is no longer there is taken out of the ticks and told.
 */
import { AegisError, type Anomaly, anomalies, issuesExternal, logsParsed, metricsRaw, models, tracesVisits } from '@aegis/domain'
import {
  MemoryBroker,
  makeLog,
  type RawRecord,
  RUNTIME_SETTINGS,
  readConfig,
  readTick,
  type ServiceDefinition,
  startService,
  tickRecord,
} from '@aegis/runtime'
import { type StreamClient, stackEnvironment } from '@aegis/stack/pipeline/client'
import { SERVICES } from '@aegis/stack/pipeline/services'

export interface DetectedAgain {
  /** By id and state, in the order they came. */
  readonly anomalies: ReadonlyMap<string, Anomaly>
  readonly records: number
  /** Partitions whose oldest records are gone, and versions of models that are: what is made of the rest need not be the same. */
  readonly cut: readonly string[]
}
const INPUTS = [
  { stream: metricsRaw, group: 'anomaly-detector-detect-metric-anomalies' },
  { stream: logsParsed, group: 'anomaly-detector-detect-log-anomalies' },
  { stream: tracesVisits, group: 'anomaly-detector-detect-trace-anomalies' },
  { stream: issuesExternal, group: 'anomaly-detector-tell-issues' },
]
const CHUNK = 20_000
/** Nothing was read for so long: it has stopped, and says so rather than wait, milliseconds. */
const STALLED_MS = 60_000

export const anomalyKey = (a: Anomaly): string => `${a.id} ${a.state} ${a.time}`

/** Versions of the models stream that are still there, as `stream/key/version`. */
const versionsIn = async (client: StreamClient, records: readonly RawRecord[]): Promise<string[]> =>
  (await client.decode(records)).flatMap(({ value }) => {
    const version = (value as { version?: string | number } | undefined)?.version
    return value === undefined ? [] : [`${models.name}/${models.key(value as never)}/${String(version ?? '')}`]
  })

/** A tick without the versions that nobody can look up any more: to wait for them would be in vain. */
export const withoutGone = (record: RawRecord, kept: ReadonlySet<string>, gone: Set<string>): RawRecord['headers'] => {
  const words = record.value === null ? readTick(record) : undefined
  if (!words) return record.headers
  const missing = Object.entries(words.versions).filter(
    ([key, version]) => key.startsWith(`${models.name}/`) && !kept.has(`${key}/${version}`),
  )
  if (missing.length === 0) return record.headers
  for (const [key, version] of missing) gone.add(`${key.slice(models.name.length + 1)} version ${version}`)
  const versions = Object.fromEntries(Object.entries(words.versions).filter(([key]) => !missing.some(([k]) => k === key)))
  return tickRecord(record.topic, record.partition, { ...words, versions }).headers as RawRecord['headers']
}

export async function detectAgain(client: StreamClient, onRecords: (n: number) => void): Promise<DetectedAgain> {
  const real = client.broker
  const twin = new MemoryBroker({ retainedRecords: Number.MAX_SAFE_INTEGER })
  const anomalyDetector = (await SERVICES['anomaly-detector']()) as ServiceDefinition
  // What was trained is on the stream; to train it once more takes minutes and changes nothing.
  const definition: ServiceDefinition = {
    ...anomalyDetector,
    create: async (config, context) => {
      const { stages } = await anomalyDetector.create(config, context)
      return { stages: stages.filter(s => s.name !== 'train-models') }
    },
  }
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
  const gone = new Set<string>()
  let records = 0
  try {
    const kept = new Set<string>()
    for (let p = 0; p < (await real.partitions(models.name)); p++)
      await real.read(models.name, p, 0, undefined, async batch => {
        for (const key of await versionsIn(client, batch)) kept.add(key)
        await producer.send(batch.map(({ topic, key, value, headers }) => ({ topic, partition: p, key, value, headers })))
      })
    for (const { stream, group } of INPUTS)
      for (let p = 0; p < (await real.partitions(stream.name)); p++) {
        let first = true
        const feed = async (batch: readonly RawRecord[]) => {
          if (first && batch.length > 0 && batch[0].offset > 0) cut.push(`${stream.name}/${p} before offset ${batch[0].offset}`)
          first &&= batch.length === 0
          for (let i = 0; i < batch.length; i += CHUNK) {
            const chunk = batch.slice(i, i + CHUNK)
            await producer.send(
              chunk.map(r => ({ topic: r.topic, partition: p, key: r.key, value: r.value, headers: withoutGone(r, kept, gone) })),
            )
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
    return { anomalies: found, records, cut: [...cut, ...[...gone].sort()] }
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
  let last = -1
  let since = performance.now()
  for (;;) {
    const at = (await broker.committed(group, [topic], partition))[topic] ?? 0
    if (at >= end) return
    if (at !== last) since = performance.now()
    else if (performance.now() - since > STALLED_MS)
      throw new AegisError(
        'BROKER_UNAVAILABLE',
        `detection stands still at ${topic}/${partition} offset ${at} of ${end}; "aegis replay-decision ID --no-detection" leaves it out`,
      )
    last = at
    await Promise.race([failed, new Promise(resolve => setTimeout(resolve, 2))])
  }
}
