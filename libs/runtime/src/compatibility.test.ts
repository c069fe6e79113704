import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type Stream, seededRandom, streams } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { Codec, schemaOf } from './codec.ts'
import { type AvroField, type AvroRecord, incompatibility, MemoryRegistry } from './registry.ts'

const OLDER = path.resolve(import.meta.dirname, '../../../schemas/older')
const older = (stream: Stream<never>, version: 'n-1' | 'n-2'): AvroRecord =>
  JSON.parse(readFileSync(path.join(OLDER, stream.name, `${version}.avsc`), 'utf8'))
/** What a coming version may do: one more field, with a default. */
const coming = (stream: Stream<never>): AvroRecord => {
  const schema = schemaOf(stream)
  return {
    ...schema,
    fields: [...schema.fields, { name: 'coming', type: ['null', 'string'], default: null, doc: 'Of a coming version.' }],
  }
}
const versions = (stream: Stream<never>) =>
  ({ 'N-2': older(stream, 'n-2'), 'N-1': older(stream, 'n-1'), N: schemaOf(stream), 'N+1': coming(stream) }) as Record<
    string,
    AvroRecord
  >

type Avro = string | readonly Avro[] | { type: string; items?: Avro; values?: Avro; fields?: AvroField[]; name?: string }
/** A value of a schema, seeded; named types are remembered where they are defined. */
function instanceOf(type: Avro, random: () => number, named: Map<string, Avro>): unknown {
  if (typeof type === 'string') {
    const known = named.get(type)
    if (known) return instanceOf(known, random, named)
    const n = Math.floor(random() * 1e6)
    return {
      string: `w${n}`,
      long: n * 1000,
      int: n,
      double: n / 7,
      float: n / 8,
      boolean: n % 2 === 0,
      null: null,
      bytes: Buffer.from([n % 256]),
    }[type]
  }
  if (Array.isArray(type)) {
    const union = type as readonly Avro[]
    return instanceOf(union[Math.floor(random() * union.length)], random, named)
  }
  const t = type as Exclude<Avro, string | readonly Avro[]>
  if (t.name) named.set(t.name, t)
  if (t.type === 'array')
    return Array.from({ length: 1 + Math.floor(random() * 2) }, () => instanceOf(t.items as Avro, random, named))
  if (t.type === 'map') return { a: instanceOf(t.values as Avro, random, named), b: instanceOf(t.values as Avro, random, named) }
  if (t.type === 'record')
    return Object.fromEntries((t.fields as AvroField[]).map(f => [f.name, instanceOf(f.type as Avro, random, named)]))
  return instanceOf(t.type, random, named)
}
/** What a reader is to see, records within records included: its own fields, the writer's values where the writer had them, else the defaults. */
function seenBy(type: Avro, value: unknown, named = new Map<string, Avro>()): unknown {
  if (typeof type === 'string') return named.has(type) ? seenBy(named.get(type) as Avro, value, named) : value
  if (Array.isArray(type)) {
    const branch = (type as readonly Avro[]).find(t => t !== 'null')
    return value === null || branch === undefined ? value : seenBy(branch, value, named)
  }
  const t = type as Exclude<Avro, string | readonly Avro[]>
  if (t.name) named.set(t.name, t)
  if (t.type === 'array') return (value as unknown[]).map(v => seenBy(t.items as Avro, v, named))
  if (t.type === 'map')
    return Object.fromEntries(Object.entries(value as object).map(([k, v]) => [k, seenBy(t.values as Avro, v, named)]))
  if (t.type !== 'record') return value
  const had = value as Record<string, unknown>
  return Object.fromEntries(
    (t.fields as AvroField[]).map(f => [f.name, f.name in had ? seenBy(f.type as Avro, had[f.name], named) : f.default]),
  )
}
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

describe.each(streams.map(stream => [stream.name, stream] as const))('%s', (_, stream) => {
  const all = versions(stream)
  const names = Object.keys(all)
  it.each(names.flatMap(writer => names.map(reader => [writer, reader])))(
    'written at %s is read at %s',
    async (writer, reader) => {
      const registry = new MemoryRegistry()
      for (const name of names) await registry.register(`${stream.name}-value`, all[name])
      const codec = (version: string) => new Codec(registry, () => all[version])
      const [from, to] = [codec(writer), codec(reader)]
      await Promise.all([from.prepare([stream]), to.prepare([stream])])
      for (let seed = 1; seed <= 20; seed++) {
        const value = instanceOf(all[writer] as never, seededRandom(seed), new Map()) as Record<string, unknown>
        const bytes = from.encode(stream as never, value)
        await to.learn(stream.name, [bytes])
        expect(plain(to.decode(stream.name, bytes)), `seed ${seed}`).toEqual(plain(seenBy(all[reader] as never, value)))
      }
    },
  )
  it('may follow every version before it', () => {
    const list = Object.values(all)
    list.forEach((schema, i) => {
      for (const before of list.slice(0, i)) expect(incompatibility(schema, before)).toBeUndefined()
    })
  })
})
