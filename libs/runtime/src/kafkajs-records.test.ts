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
