import type { OutRecord, RawRecord } from './broker.ts'

const HEADER = 'aegis-tick'

/** What a tick says: the time, whom it is for, and the versions in force from here on, by `stream/key`. */
export interface TickWords {
  readonly time: number
  readonly environment: string
  readonly final?: boolean
  readonly versions: Readonly<Record<string, string>>
}

export const tickRecord = (topic: string, partition: number, words: TickWords): OutRecord => ({
  topic,
  partition,
  key: null,
  value: null,
  headers: { [HEADER]: JSON.stringify(words) },
})

export const readTick = (record: RawRecord): TickWords | undefined => {
  const header = record.headers[HEADER]
  return record.value === null && header !== undefined ? JSON.parse(String(header)) : undefined
}
