import { AegisError, metricsRaw, type Observation, type Stream, streams } from '@aegis/domain'
import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Codec, schemaOf } from './codec.ts'
import { deadLetter, redriven } from './dead-letters.ts'
import { type AvroRecord, incompatibility, MemoryRegistry } from './registry.ts'
import { streamList } from './stage-definition.ts'

const observation = (value: number, metric: string, dimensions: Record<string, string>): Observation => ({
  id: 'x',
  environment: 'test',
  time: 1_700_000_000_000_001,
  entity: 'service:a',
  metric_name: metric,
  metric_type: 'gauge',
  unit: 'ms',
  value,
  dimensions,
})
const prepared = async (registry = new MemoryRegistry()) => {
  const codec = new Codec(registry)
  await codec.prepare(streamList(metricsRaw))
  return codec
}
const stream = metricsRaw as unknown as Stream<unknown>

describe('Codec', () => {
  it('gives back what it was given', async () => {
    const codec = await prepared()
    fc.assert(
      fc.property(
        fc.double({ noNaN: true }),
        fc.string(),
        fc.dictionary(fc.string(), fc.string()),
        (value, metric, dimensions) => {
          const o = observation(value, metric, dimensions)
          const back = codec.decode('metrics.raw', codec.encode(stream, o)) as Observation
          expect({ ...back, dimensions: { ...back.dimensions } }).toEqual({ ...o, history: false, dimensions: { ...dimensions } })
        },
      ),
      { seed: 1, numRuns: 300 },
    )
  })
  it('keeps records apart that share a slab, and those larger than one', async () => {
    const codec = await prepared()
    const made = Array.from({ length: 200 }, (_, i) => observation(i, i % 50 === 0 ? 'long '.repeat(300_000) : `m${i}`, {}))
    const bytes = made.map(o => codec.encode(stream, o))
    expect(bytes.map(b => (codec.decode('metrics.raw', b) as Observation).value)).toEqual(made.map(o => o.value))
  })
  it('answers any bytes with a value or a reason, never with anything else', async () => {
    const codec = await prepared()
    const good = codec.encode(stream, observation(1, 'm', { a: 'b' }))
    const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
      const b = Buffer.from(good)
      b[at] = byte
      return b
    })
    const cut = fc.nat(good.length).map(n => good.subarray(0, n))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }).map(b => Buffer.from(b)),
          damaged,
          cut,
        ),
        bytes => {
          try {
            codec.decode('metrics.raw', bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(AegisError)
            expect(['RECORD_MALFORMED', 'SCHEMA_UNKNOWN']).toContain((error as AegisError).code)
          }
        },
      ),
      { seed: 2, numRuns: 2000 },
    )
  })
  it('reads what older and newer programs wrote', async () => {
    const registry = new MemoryRegistry()
    const ours = schemaOf(metricsRaw as never)
    const older: AvroRecord = { ...ours, fields: ours.fields.filter(f => f.name !== 'dimensions' && f.name !== 'unit') }
    const newer: AvroRecord = {
      ...ours,
      fields: [...ours.fields, { name: 'added_later', type: 'string', default: '', doc: 'New.' }],
    }
    const codec = await prepared(registry)
    for (const [writer, extra] of [
      [older, {}],
      [newer, { added_later: 'x', dimensions: {}, unit: 'ms' }],
    ] as const) {
      const id = await registry.register('other-value', writer)
      const frame = Buffer.alloc(5)
      frame.writeInt32BE(id, 1)
      const bytes = Buffer.concat([
        frame,
        avsc.Type.forSchema(writer as avsc.Schema).toBuffer({ ...observation(5, 'm', {}), ...extra }),
      ])
      await codec.learn('metrics.raw', [bytes])
      expect(codec.decode('metrics.raw', bytes)).toMatchObject({ value: 5, metric_name: 'm' })
    }
  })
})

describe('compatibility', () => {
  it('names the field that breaks it', () => {
    const base: AvroRecord = { type: 'record', name: 'A', fields: [{ name: 'x', type: 'string' }] }
    expect(incompatibility({ ...base, fields: [...base.fields, { name: 'y', type: 'int' }] }, base)).toContain('"y"')
    expect(incompatibility({ ...base, fields: [{ name: 'x', type: 'int' }] }, base)).toContain('"x"')
    expect(incompatibility({ ...base, fields: [...base.fields, { name: 'y', type: 'int', default: 0 }] }, base)).toBeUndefined()
  })
  it('refuses it at registration', async () => {
    const registry = new MemoryRegistry()
    const base: AvroRecord = { type: 'record', name: 'A', fields: [{ name: 'x', type: 'string' }] }
    await registry.register('a-value', base)
    await expect(registry.register('a-value', { ...base, fields: [{ name: 'x', type: 'int' }] })).rejects.toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
    })
  })
  it('every field of every schema has a doc, and every schema a stream', () => {
    for (const s of streams) {
      const check = (fields: AvroRecord['fields']) => fields.forEach(f => void expect(f.doc, `${s.name}.${f.name}`).toBeTruthy())
      check(schemaOf(s).fields)
    }
  })
})

describe('dead letters', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.option(fc.uint8Array()),
        fc.dictionary(
          fc.string({ minLength: 1 }).filter(n => !/^(__connect|kafka_dlt)/.test(n)),
          fc.string(),
        ),
        (value, key, headers) => {
          const record = {
            topic: 'logs.raw',
            partition: 3,
            offset: 9,
            key: key ? Buffer.from(key) : null,
            value: Buffer.from(value),
            headers,
            timestamp: 5,
          }
          const letter = deadLetter(record, { group: 'g', stage: 's', code: 'RECORD_MALFORMED', message: 'why' })
          const back = redriven({ ...record, topic: letter.topic, value: letter.value, headers: letter.headers! })
          expect(back).toEqual({ topic: 'logs.raw', key: record.key, value: record.value, headers: { ...headers } })
        },
      ),
      { seed: 3 },
    )
  })
})
