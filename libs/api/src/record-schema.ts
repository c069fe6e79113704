/** JSON Schema (2020-12) of an Avro record, so that records are described once. A type that was named before is named again by what it is. */
type Avro =
  | string
  | readonly Avro[]
  | {
      readonly type: string
      readonly items?: Avro
      readonly values?: Avro
      readonly name?: string
      readonly doc?: string
      readonly fields?: readonly {
        readonly name: string
        readonly type: Avro
        readonly doc?: string
        readonly default?: unknown
      }[]
    }

const PLAIN: Readonly<Record<string, object>> = {
  string: { type: 'string' },
  long: { type: 'integer' },
  int: { type: 'integer' },
  double: { type: 'number' },
  float: { type: 'number' },
  boolean: { type: 'boolean' },
  null: { type: 'null' },
  bytes: {},
}
export const recordSchema = (schema: unknown, named = new Map<string, object>()): object => {
  const avro = schema as Avro
  if (typeof avro === 'string') return PLAIN[avro] ?? named.get(avro) ?? {}
  if (Array.isArray(avro)) return { anyOf: avro.map(t => recordSchema(t, named)) }
  const type = avro as Exclude<Avro, string | readonly Avro[]>
  if (type.type === 'array') return { type: 'array', items: recordSchema(type.items, named) }
  if (type.type === 'map') return { type: 'object', additionalProperties: recordSchema(type.values, named) }
  if (type.type !== 'record') return recordSchema(type.type, named)
  const made = {
    type: 'object',
    ...(type.doc && { description: type.doc }),
    required: (type.fields ?? []).filter(f => f.default === undefined).map(f => f.name),
    properties: Object.fromEntries(
      (type.fields ?? []).map(f => [f.name, { ...recordSchema(f.type, named), ...(f.doc && { description: f.doc }) }]),
    ),
  }
  if (type.name) named.set(type.name, made)
  return made
}
