import { gunzipSync, gzipSync } from 'node:zlib'
import { FatalError, type Stateful } from '@aegis/domain'
import type { Broker, OutRecord, Positions, RawRecord } from './broker.ts'
import { snapshotTopic } from './topics.ts'

const CHUNK = 8 * 1024 * 1024

export interface Snapshot {
  readonly positions: Positions
  /** Time of the last tick it has seen, microseconds. */
  readonly tick: number
  readonly version: number
  readonly bytes: Buffer
}

/** Topic, and the offset after the last of some records of it that came one after the other. */
export type Run = readonly [topic: string, end: number]

/** What a restarted stage is made from. */
export interface Written {
  /** None before the first. */
  readonly snapshot: Snapshot | undefined
  /** The batches committed since, each in the order in which the stage saw it. */
  readonly order: readonly (readonly Run[])[]
}

/** In which order the records of a batch came: two topics may be interleaved in another way when they are read again. */
export const runsOf = (batch: readonly RawRecord[]): Run[] => {
  const runs: [string, number][] = []
  for (const { topic, offset } of batch) {
    const last = runs.at(-1)
    if (last?.[0] === topic) last[1] = offset + 1
    else runs.push([topic, offset + 1])
  }
  return runs
}
/** @param nth batch since the snapshot; the next snapshot's batches take the places of this one's */
export const orderRecord = (group: string, partition: number, nth: number, batch: readonly RawRecord[]): OutRecord => ({
  topic: snapshotTopic(group),
  partition,
  key: `${ORDER}${nth}`,
  value: Buffer.from(JSON.stringify(runsOf(batch))),
  headers: {},
})
const ORDER = 'order-'
export const isOrderRecord = ({ key }: Pick<OutRecord, 'key'>): boolean => key?.toString().startsWith(ORDER) === true

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

/** The newest complete snapshot of one partition, and what came after. Written in one transaction, so its chunks are all there or none. */
export const loadSnapshot = async (broker: Broker, group: string, partition: number): Promise<Written> => {
  const chunks = new Map<string, { value: Buffer; headers: Readonly<Record<string, string | Buffer>> }>()
  let order: Run[][] = []
  await broker.read(snapshotTopic(group), partition, 0, undefined, records => {
    for (const { key, value, headers } of records) {
      const name = key?.toString()
      if (!name || !value) continue
      if (isOrderRecord({ key: name })) {
        order.push(JSON.parse(value.toString()))
        continue
      }
      chunks.set(name, { value, headers })
      order = []
    }
  })
  const first = chunks.get('0')
  if (!first) return { snapshot: undefined, order }
  const count = Number(String(first.headers['aegis-chunks']))
  const parts = Array.from({ length: count }, (_, i) => chunks.get(String(i))?.value ?? Buffer.alloc(0))
  const snapshot = {
    positions: JSON.parse(String(first.headers['aegis-positions'])),
    tick: Number(String(first.headers['aegis-last-tick'])),
    version: Number(String(first.headers['aegis-version'])),
    bytes: gunzipSync(Buffer.concat(parts)),
  }
  return { snapshot, order }
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
