/**
 * kafkajs with four of its inner functions replaced by ones that give the same result for less: they took most of the time of a log-parser at
 * full speed. kafkajs 2.2.4 copies the list of a partition's messages with every message it adds to it, makes a zeroed encoder of 512 bytes for
 * each record and each of its headers, and does offsets, time stamps and the key's hash in BigInt. Equal results: `kafkajs-records.test.ts`.
 * The version is pinned; with another one, that test says whether this still fits.
 *
 * A fifth one is replaced because it is wrong: it lets records of aborted transactions through to readers of committed ones where transactions of
 * several producers overlap. It takes the list of aborted transactions, which comes in the order in which they ended, to be in the order of their beginnings.
 */
import { createRequire } from 'node:module'
import type Kafkajs from 'kafkajs'

const require = createRequire(import.meta.url)

interface Message {
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: Readonly<Record<string, unknown>>
}
interface RecordToEncode extends Message {
  readonly offsetDelta?: number
  readonly timestampDelta?: number
}
interface RecordContext {
  readonly firstOffset: string
  readonly firstTimestamp: string
  readonly maxTimestamp?: string
  readonly timestampType?: number
  readonly magicByte?: number
  readonly isControlBatch?: boolean
}
interface Fetched {
  readonly offset: string
  readonly key: Buffer | null
  readonly isControlRecord: boolean
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
}
interface Aborted {
  readonly firstOffset: string
  readonly producerId: string
}
interface Grouping {
  readonly topic: string
  readonly partitionMetadata: readonly unknown[]
  readonly messages: readonly Message[]
  readonly partitioner: (words: { topic: string; partitionMetadata: readonly unknown[]; message: Message }) => number
}
/** What kafkajs takes for an encoder that is done. */
interface Encoded {
  readonly buf: Buffer
  readonly buffer: Buffer
}
type DecodedRecord = Readonly<Record<string, unknown>>
type Bytes = Pick<Buffer, 'length'> & Readonly<Record<number, number>>

/** The functions by their place in kafkajs; the originals, for what is rare, and for the test. */
const PLACES = {
  group: 'producer/groupMessagesPerPartition.js',
  murmur2: 'producer/partitioners/default/murmur2.js',
  encode: 'protocol/recordBatch/record/v0/index.js',
  decode: 'protocol/recordBatch/record/v0/decoder.js',
  committed: 'consumer/filterAbortedMessages.js',
} as const
const fileOf = (place: keyof typeof PLACES) => require.resolve(`kafkajs/src/${PLACES[place]}`)
export const originals = {
  group: require(fileOf('group')) as (words: Grouping) => Record<string, Message[]>,
  murmur2: require(fileOf('murmur2')) as (key: Buffer | string) => number,
  encode: require(fileOf('encode')) as (record: RecordToEncode) => Encoded,
  decode: require(fileOf('decode')) as (decoder: { buffer: Buffer; offset: number }, context: RecordContext) => DecodedRecord,
  committed: require(fileOf('committed')) as (words: {
    messages: readonly Fetched[]
    abortedTransactions?: readonly Aborted[] | null
  }) => readonly Fetched[],
}
const LOG_APPEND_TIME = (require('kafkajs/src/protocol/recordBatch/../timestampTypes.js') as { LOG_APPEND_TIME: number })
  .LOG_APPEND_TIME

const group: typeof originals.group = ({ topic, partitionMetadata, messages, partitioner }) => {
  const groups: Record<string, Message[]> = {}
  if (partitionMetadata.length === 0) return groups
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message })
    const list = groups[partition]
    if (list) list.push(message)
    else groups[partition] = [message]
  }
  return groups
}

/** Of a key, as Kafka's own clients compute it; 32 bits, signed. */
const murmur2: typeof originals.murmur2 = key => {
  const data = Buffer.isBuffer(key) ? key : Buffer.from(String(key))
  const { length } = data
  const M = 0x5bd1e995
  let h = 0x9747b28c ^ length
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(data.readInt32LE(i), M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const rest = length & 3
  if (rest > 2) h ^= data[whole + 2] << 16
  if (rest > 1) h ^= data[whole + 1] << 8
  if (rest > 0) h = Math.imul(h ^ data[whole], M)
  h = Math.imul(h ^ (h >>> 13), M)
  return h ^ (h >>> 15)
}

const SLAB_BYTES = 1024 * 1024
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
let slabAt = 0

/** Bytes of a varint in zigzag form; up to 31 bits. */
const sizeOfVarInt = (value: number): number => {
  const n = ((value << 1) ^ (value >> 31)) >>> 0
  return n < 0x80 ? 1 : n < 0x4000 ? 2 : n < 0x20_0000 ? 3 : n < 0x1000_0000 ? 4 : 5
}
const writeVarInt = (buffer: Buffer, at: number, value: number): number => {
  let n = ((value << 1) ^ (value >> 31)) >>> 0
  let to = at
  while (n >= 0x80) {
    buffer[to++] = (n & 0x7f) | 0x80
    n >>>= 7
  }
  buffer[to++] = n
  return to
}
const sizeOf = (value: Buffer | string): number => (typeof value === 'string' ? Buffer.byteLength(value) : value.length)
const sizeOfBytes = (value: Buffer | string | null | undefined): number => {
  if (value === null || value === undefined) return 1
  const size = sizeOf(value)
  return sizeOfVarInt(size) + size
}
const writeBytes = (buffer: Buffer, at: number, value: Buffer | string | null | undefined): number => {
  if (value === null || value === undefined) return writeVarInt(buffer, at, -1)
  if (typeof value !== 'string') {
    const to = writeVarInt(buffer, at, value.length)
    value.copy(buffer, to)
    return to + value.length
  }
  const size = Buffer.byteLength(value)
  const to = writeVarInt(buffer, at, size)
  return to + buffer.write(value, to, size)
}

/** Length, attributes, deltas, key, value and headers, one after the other in a slab that many records share. */
const encode: typeof originals.encode = record => {
  const { offsetDelta = 0, timestampDelta = 0, key, value, headers = {} } = record
  const plain = (v: unknown): v is Buffer | string => typeof v === 'string' || Buffer.isBuffer(v)
  const names = Object.keys(headers)
  if (timestampDelta !== 0 || names.some(name => !plain(headers[name]))) return originals.encode(record)
  let body = 2 + sizeOfVarInt(offsetDelta) + sizeOfBytes(key) + sizeOfBytes(value) + sizeOfVarInt(names.length)
  for (const name of names) body += sizeOfBytes(name) + sizeOfBytes(headers[name] as Buffer | string)
  const size = sizeOfVarInt(body) + body
  if (slab.length - slabAt < size) {
    slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, size))
    slabAt = 0
  }
  const from = slabAt
  let at = writeVarInt(slab, from, body)
  slab[at++] = 0
  slab[at++] = 0
  at = writeVarInt(slab, at, offsetDelta)
  at = writeBytes(slab, at, key)
  at = writeBytes(slab, at, value)
  at = writeVarInt(slab, at, names.length)
  for (const name of names) {
    at = writeBytes(slab, at, name)
    at = writeBytes(slab, at, headers[name] as Buffer | string)
  }
  slabAt = at
  const buffer = slab.subarray(from, at)
  return { buf: buffer, buffer }
}

/** Names that came before, by length and last byte, so that those of every record are not made anew. */
const known = new Map<number, { bytes: Bytes; name: string }>()
const nameIn = (buffer: Buffer, from: number, to: number): string => {
  const key = (to - from) * 256 + buffer[to - 1]
  const seen = known.get(key)
  if (seen) {
    let i = 0
    while (i < seen.bytes.length && seen.bytes[i] === buffer[from + i]) i++
    if (i === seen.bytes.length) return seen.name
  }
  const name = buffer.toString('utf8', from, to)
  if (known.size < 256) known.set(key, { bytes: Buffer.from(buffer.subarray(from, to)), name })
  return name
}

let readAt = 0
/** A zigzag varint of up to seven bytes, exact in a number; NaN when it is longer. */
const readVarNumber = (buffer: Buffer): number => {
  let n = 0
  let unit = 1
  for (let i = 0; i < 7; i++) {
    const byte = buffer[readAt++]
    n += (byte & 0x7f) * unit
    if (byte < 0x80) return n % 2 === 0 ? n / 2 : -(n + 1) / 2
    unit *= 128
  }
  return Number.NaN
}
const readBytes = (buffer: Buffer): Buffer | null => {
  const size = readVarNumber(buffer)
  if (size < 0) return null
  readAt += size
  return buffer.subarray(readAt - size, readAt)
}

const decode: typeof originals.decode = (decoder, context) => {
  const { buffer } = decoder
  readAt = decoder.offset
  const attributes = buffer.readInt8(readAt++)
  const timestampDelta = readVarNumber(buffer)
  if (Number.isNaN(timestampDelta)) return originals.decode(decoder, context)
  const timestamp =
    context.timestampType === LOG_APPEND_TIME && context.maxTimestamp
      ? context.maxTimestamp
      : String(Number(context.firstTimestamp) + timestampDelta)
  const offset = String(Number(context.firstOffset) + readVarNumber(buffer))
  const key = readBytes(buffer)
  const value = readBytes(buffer)
  const headers: Record<string, Buffer | null | (Buffer | null)[]> = {}
  for (let n = readVarNumber(buffer); n > 0; n--) {
    const size = readVarNumber(buffer)
    readAt += size
    const name = nameIn(buffer, readAt - size, readAt)
    const header = readBytes(buffer)
    const before = headers[name]
    headers[name] = before === undefined ? header : Array.isArray(before) ? [...before, header] : [before, header]
  }
  return {
    magicByte: context.magicByte,
    attributes,
    timestamp,
    offset,
    key,
    value,
    headers,
    isControlRecord: context.isControlBatch ?? false,
    batchContext: context,
  }
}

/** Type of a control record, in its key after two bytes of version: the end of a transaction that is not to be seen. */
const ABORT = 0
/**
 * Records and markers of a fetch without those of aborted transactions: a transaction is aborted from its first offset on until the abort marker
 * of its producer (as the Java client's `CompletedFetch` reads it). A producer has one transaction at a time.
 */
const committed: typeof originals.committed = ({ messages, abortedTransactions }) => {
  if (!abortedTransactions?.length) return messages
  const waiting = abortedTransactions.toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset))
  const aborted = new Set<string>()
  let next = 0
  return messages.filter(({ offset, key, isControlRecord, batchContext: { producerId, inTransaction } }) => {
    while (next < waiting.length && Number(waiting[next].firstOffset) <= Number(offset)) aborted.add(waiting[next++].producerId)
    if (!isControlRecord) return !(inTransaction && aborted.has(producerId))
    if (key?.readInt16BE(2) === ABORT) aborted.delete(producerId)
    return true
  })
}

export const replacements: typeof originals = { group, murmur2, encode, decode, committed }
for (const place of Object.keys(PLACES) as (keyof typeof PLACES)[])
  (require.cache[fileOf(place)] as { exports: unknown }).exports = replacements[place]

/** Only now: its modules take each other's functions as they are loaded. */
export const kafkajs = require('kafkajs') as typeof Kafkajs
