import type { OutRecord, RawRecord } from './broker.ts'
import { deadLetterTopic } from './topics.ts'

export interface DeadLetterReason {
  readonly group: string
  readonly stage: string
  readonly code: string
  readonly message: string
}

/** A record that could not be used, and why. */
export interface Undelivered {
  readonly raw: RawRecord
  readonly code: string
  readonly message: string
}

/**
 * The record as it came, byte for byte, with both header families that tools read: Kafka Connect's `__connect.errors.*` and Spring's `kafka_dlt-*`.
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-298%3A+Error+Handling+in+Connect
 */
export const deadLetter = (record: RawRecord, reason: DeadLetterReason): OutRecord => {
  const headers: Record<string, string | Buffer> = { ...record.headers }
  const put = (name: string, value: string | number) => (headers[name] = String(value))
  put('__connect.errors.topic', record.topic)
  put('__connect.errors.partition', record.partition)
  put('__connect.errors.offset', record.offset)
  put('__connect.errors.connector.name', reason.group)
  put('__connect.errors.stage', reason.stage)
  put('__connect.errors.exception.class.name', reason.code)
  put('__connect.errors.exception.message', reason.message)
  put('kafka_dlt-original-topic', record.topic)
  put('kafka_dlt-original-partition', record.partition)
  put('kafka_dlt-original-offset', record.offset)
  put('kafka_dlt-original-timestamp', record.timestamp)
  put('kafka_dlt-original-consumer-group', reason.group)
  put('kafka_dlt-exception-fqcn', reason.code)
  put('kafka_dlt-exception-message', reason.message)
  return { topic: deadLetterTopic(record.topic), partition: record.partition, key: record.key, value: record.value, headers }
}
const ADDED = /^(__connect\.errors\.|kafka_dlt-)/

/** The record to put back on its stream: same key, value and headers, so that ids stay as they were. */
export const redriven = (letter: RawRecord): OutRecord => ({
  topic: String(letter.headers['kafka_dlt-original-topic'] ?? letter.topic.replace(/\.dlq$/, '')),
  key: letter.key,
  value: letter.value,
  headers: Object.fromEntries(Object.entries(letter.headers).filter(([name]) => !ADDED.test(name))),
})

const PUT_BACK = 'aegis-redriven'
/** Says on the topic of dead letters that one of them was put back. */
export const putBack = (letter: RawRecord): OutRecord => ({
  topic: letter.topic,
  partition: letter.partition,
  key: null,
  value: null,
  headers: { [PUT_BACK]: String(letter.offset) },
})
/** The letters of one partition that still wait: without those that were put back, and without what says so. */
export const waiting = (records: readonly RawRecord[]): RawRecord[] => {
  const gone = new Set(records.flatMap(r => (r.headers[PUT_BACK] === undefined ? [] : [Number(String(r.headers[PUT_BACK]))])))
  return records.filter(r => r.headers[PUT_BACK] === undefined && !gone.has(r.offset))
}

/** A dead letter in plain words, for those who look. */
export interface DeadLetter {
  readonly stream: string
  readonly partition: number
  readonly offset: number
  /** When it was put there, microseconds. */
  readonly time: number
  readonly code: string
  readonly reason: string
  readonly stage: string
  /** Where the record stood: partition and offset of its stream. */
  readonly from: string
  readonly bytes: number
  /** Offset of the letter that this record says was put back; such a record is no letter itself. */
  readonly putBack: number | null
}
export const letterOf = (r: RawRecord): DeadLetter => {
  const header = (name: string) => String(r.headers[name] ?? '')
  return {
    stream: r.topic.replace(/\.dlq$/, ''),
    partition: r.partition,
    offset: r.offset,
    time: r.timestamp * 1000,
    code: header('kafka_dlt-exception-fqcn'),
    reason: header('kafka_dlt-exception-message'),
    stage: header('__connect.errors.stage'),
    from: `${header('kafka_dlt-original-partition')}/${header('kafka_dlt-original-offset')}`,
    bytes: r.value?.length ?? 0,
    putBack: r.headers[PUT_BACK] === undefined ? null : Number(String(r.headers[PUT_BACK])),
  }
}
