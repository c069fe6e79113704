import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { originals, replacements } from './kafkajs-records.ts'

const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => { buffer: Buffer; offset: number }

const bytes = fc.uint8Array({ maxLength: 300 }).map(b => Buffer.from(b))
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const record = fc.record({
  offsetDelta: fc.nat(2_000_000),
  timestampDelta: fc.oneof(fc.constant(0), fc.integer({ min: -1e12, max: 1e12 })),
  key: fc.oneof(fc.constant(null), text, bytes),
  value: fc.oneof(fc.constant(null), bytes),
  headers: fc.dictionary(
    text.filter(t => t.length > 0 && t !== '__proto__'),
    fc.oneof(text, bytes, fc.array(text, { minLength: 2, maxLength: 3 })),
    { maxKeys: 6 },
  ),
})
const context = fc.record({
  firstOffset: fc.nat(Number.MAX_SAFE_INTEGER - 1e9).map(String),
  firstTimestamp: fc.integer({ min: 0, max: 4e12 }).map(String),
  maxTimestamp: fc.integer({ min: 0, max: 4e12 }).map(String),
  timestampType: fc.constantFrom(0, 1),
  magicByte: fc.constant(2),
  isControlBatch: fc.boolean(),
})

describe('what replaces functions of kafkajs', () => {
  it('encodes records to the same bytes', () => {
    fc.assert(
      fc.property(record, r => replacements.encode(r).buffer.equals(originals.encode(r).buffer)),
      { numRuns: 2000 },
    )
  })

  it('decodes records to the same values', () => {
    fc.assert(
      fc.property(record, context, (r, c) => {
        const encoded = Buffer.from(originals.encode(r).buffer)
        // Without the length before it, as kafkajs hands it over.
        let at = 0
        while (encoded[at++] >= 0x80);
        const body = encoded.subarray(at)
        expect(replacements.decode(new Decoder(body), c)).toEqual(originals.decode(new Decoder(body), c))
      }),
      { numRuns: 2000 },
    )
  })

  it('puts keys into the same partitions', () => {
    fc.assert(
      fc.property(fc.oneof(text, bytes), key => replacements.murmur2(key) === originals.murmur2(key)),
      { numRuns: 2000 },
    )
    // Values of Kafka's own tests (UtilsTest.testMurmur2).
    expect(['21', 'foobar', 'a-little-bit-long-string'].map(replacements.murmur2)).toEqual([-973932308, -790332482, -985981536])
  })

  it('keeps what was committed, however transactions overlap and wherever a fetch begins', () => {
    // One producer's next step on a log: it writes, or it ends its transaction.
    const step = fc.record({ producer: fc.nat(3), does: fc.constantFrom('write', 'write', 'commit', 'abort') })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (steps, from) => {
        const open = new Map<number, number[]>()
        const seen = new Set<number>()
        const abortedTransactions: { producerId: string; firstOffset: string }[] = []
        const messages = steps.flatMap(({ producer, does }, at) => {
          const mine = open.get(producer) ?? []
          if (does === 'write') open.set(producer, [...mine, at])
          else if (mine.length === 0) return []
          else {
            open.delete(producer)
            if (does === 'commit') for (const offset of mine) seen.add(offset)
            // The broker lists them as they end, and only those that reach into the fetch.
            else if (at >= from) abortedTransactions.push({ producerId: String(producer), firstOffset: String(mine[0]) })
          }
          const key = does === 'write' ? Buffer.from([0, 0, 0, 0]) : Buffer.from([0, 0, 0, does === 'abort' ? 0 : 1])
          return [
            {
              offset: String(at),
              key,
              isControlRecord: does !== 'write',
              batchContext: { producerId: String(producer), inTransaction: true },
            },
          ]
        })
        // Read committed: nothing at or behind the first offset of a transaction that is still open.
        const stable = Math.min(steps.length, ...[...open.values()].map(list => list[0]))
        const fetched = messages.filter(m => Number(m.offset) >= from && Number(m.offset) < stable)
        const got = replacements.committed({ messages: fetched, abortedTransactions }).filter(m => !m.isControlRecord)
        expect(got.map(m => Number(m.offset))).toEqual(
          fetched.filter(m => !m.isControlRecord && seen.has(Number(m.offset))).map(m => Number(m.offset)),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('groups messages alike, in order', () => {
    fc.assert(
      fc.property(fc.array(record), fc.integer({ min: 0, max: 5 }), (messages, partitions) => {
        const words = {
          topic: 't',
          partitionMetadata: Array.from({ length: partitions }),
          messages,
          partitioner: ({ message }: { message: (typeof messages)[number] }) => (message.value?.length ?? 0) % partitions,
        } as never
        expect(replacements.group(words)).toEqual(originals.group(words))
      }),
    )
  })
})
