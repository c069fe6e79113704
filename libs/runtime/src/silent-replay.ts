/** The records between a snapshot and the committed positions, in the order in which the stage saw them before. */
import type { Broker, Positions, RawRecord } from './broker.ts'
import type { Run } from './snapshots.ts'

export interface Stretch {
  /** Topics that the stage reads. */
  readonly topics: readonly string[]
  readonly partition: number
  readonly from: Positions
  readonly to: Positions
  /** The interleaving of the topics; none is needed for a single one. */
  readonly order: readonly (readonly Run[])[]
}

export const silentReplay = async (
  broker: Broker,
  { topics, partition, from, to, order }: Stretch,
  onRecords: (records: readonly RawRecord[]) => Promise<void>,
): Promise<void> => {
  const stretch = (topic: string): [number, number] => [from[topic] ?? 0, to[topic] ?? 0]
  if (order.length === 0) {
    for (const topic of topics) {
      const [start, end] = stretch(topic)
      if (start < end) await broker.read(topic, partition, start, end, onRecords)
    }
    return
  }
  // No more than what goes between two snapshots, so all of it is held.
  const waiting = new Map<string, RawRecord[]>()
  for (const topic of topics) {
    const records: RawRecord[] = []
    const [start, end] = stretch(topic)
    if (start < end) await broker.read(topic, partition, start, end, rs => void records.push(...rs))
    waiting.set(topic, records)
  }
  const next = new Map(topics.map(topic => [topic, 0]))
  const upTo = async (topic: string, offset: number) => {
    const records = waiting.get(topic) ?? []
    const first = next.get(topic) ?? 0
    let last = first
    while (last < records.length && records[last].offset < offset) last++
    next.set(topic, last)
    if (last > first) await onRecords(records.slice(first, last))
  }
  for (const [topic, end] of order.flat()) await upTo(topic, end)
  for (const topic of topics) await upTo(topic, Number.MAX_SAFE_INTEGER)
}
