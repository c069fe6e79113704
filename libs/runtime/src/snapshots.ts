import { gunzipSync, gzipSync } from 'node:zlib'
import { FatalError, type Stateful } from '@aegis/domain'
import type { Broker, OutRecord, Positions } from './broker.ts'
import { snapshotTopic } from './topics.ts'

const CHUNK = 8 * 1024 * 1024

export interface Snapshot {
  readonly positions: Positions
  /** Time of the last tick it has seen, microseconds. */
  readonly tick: number
  readonly version: number
  readonly bytes: Buffer
}

/** A stage's state as records of its compacted topic, in chunks; the last chunk completes it. */
export const snapshotRecords = (
  group: string,
  partition: number,
  stage: Stateful,
  positions: Positions,
  tick: number,
): OutRecord[] => {
  const bytes = gzipSync(stage.snapshot(), { level: 1 })
  const chunks = Math.max(1, Math.ceil(bytes.length / CHUNK))
  const headers = {
    'aegis-positions': JSON.stringify(positions),
    'aegis-last-tick': String(tick),
    'aegis-version': String(stage.snapshotVersion),
    'aegis-chunks': String(chunks),
  }
  return Array.from({ length: chunks }, (_, i) => ({
    topic: snapshotTopic(group),
    partition,
    key: String(i),
    value: bytes.subarray(i * CHUNK, (i + 1) * CHUNK),
    headers,
  }))
}

/** The newest complete snapshot of one partition. Written in one transaction, so its chunks are all there or none. */
export const loadSnapshot = async (broker: Broker, group: string, partition: number): Promise<Snapshot | undefined> => {
  const chunks = new Map<string, { value: Buffer; headers: Readonly<Record<string, string | Buffer>> }>()
  await broker.read(snapshotTopic(group), partition, 0, undefined, records => {
    for (const r of records) if (r.key && r.value) chunks.set(r.key.toString(), { value: r.value, headers: r.headers })
  })
  const first = chunks.get('0')
  if (!first) return undefined
  const count = Number(String(first.headers['aegis-chunks']))
  const parts = Array.from({ length: count }, (_, i) => chunks.get(String(i))?.value ?? Buffer.alloc(0))
  return {
    positions: JSON.parse(String(first.headers['aegis-positions'])),
    tick: Number(String(first.headers['aegis-last-tick'])),
    version: Number(String(first.headers['aegis-version'])),
    bytes: gunzipSync(Buffer.concat(parts)),
  }
}

/** Refuses what a newer program wrote: reading it wrong would be worse than stopping. */
export const restore = (stage: Stateful, snapshot: Snapshot, group: string): void => {
  if (snapshot.version > stage.snapshotVersion)
    throw new FatalError(
      'SNAPSHOT_NEWER',
      `snapshot of ${group} has version ${snapshot.version}, this program reads up to ${stage.snapshotVersion}: run the newer program, or reset the group`,
    )
  stage.restore(snapshot.bytes, snapshot.version)
}
