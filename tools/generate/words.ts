/** Avro record schemas to TypeScript interfaces. A named type used by several schemas must be the same in all of them. */
interface Field {
  name: string
  doc?: string
  type: AvroType
  default?: unknown
}
interface RecordType {
  type: 'record'
  name: string
  doc?: string
  fields: Field[]
}
type AvroType = string | AvroType[] | RecordType | { type: 'array'; items: AvroType } | { type: 'map'; values: AvroType }
export interface NamedSchema {
  name: string
  schema: RecordType
}

const PRIMITIVES: Record<string, string> = {
  string: 'string',
  long: 'number',
  int: 'number',
  double: 'number',
  float: 'number',
  boolean: 'boolean',
  bytes: 'Uint8Array',
  null: 'null',
}

export const typesOf = (schemas: readonly NamedSchema[]): string => {
  const found = new Map<string, { source: string; text: string }>()
  const typeOf = (type: AvroType, stream: string): string => {
    if (typeof type === 'string') return PRIMITIVES[type] ?? type
    if (Array.isArray(type))
      return type
        .map(t => typeOf(t, stream))
        .sort((a, b) => Number(a === 'null') - Number(b === 'null'))
        .join(' | ')
    if (type.type === 'array') return `readonly ${typeOf(type.items, stream)}[]`
    if (type.type === 'map') return `Readonly<Record<string, ${typeOf(type.values, stream)}>>`
    return declare(type as RecordType, stream)
  }
  const declare = (record: RecordType, stream: string): string => {
    const lines = record.fields.map(f => {
      if (!f.doc) throw new Error(`schemas/${stream}.avsc: field ${record.name}.${f.name} has no doc`)
      return `  /** ${f.doc} */\n  readonly ${f.name}${f.default !== undefined ? '?' : ''}: ${typeOf(f.type, stream)}`
    })
    const text = `/** ${record.doc} */\nexport interface ${record.name} {\n${lines.join('\n')}\n}\n`
    const before = found.get(record.name)
    if (before && before.text !== text)
      throw new Error(`schemas/${stream}.avsc: ${record.name} differs from the one in schemas/${before.source}.avsc`)
    if (!before) found.set(record.name, { source: stream, text })
    return record.name
  }
  for (const { name, schema } of schemas) declare(schema, name)
  return `// Generated from schemas/*.avsc by "npm run generate". Do not edit.\n\n${[...found.values()].map(f => f.text).join('\n')}`
}
