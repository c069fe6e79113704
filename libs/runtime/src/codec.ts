import { readFileSync } from 'node:fs'
import path from 'node:path'
import { AegisError, type Stream } from '@aegis/domain'
import avsc from 'avsc'
import type { AvroRecord, Registry } from './registry.ts'

const SCHEMAS = path.resolve(import.meta.dirname, '../../../schemas')

/** The Avro schema of a stream, as it stands in schemas/. */
export const schemaOf = (stream: Stream<never> | Stream<unknown>): AvroRecord =>
  JSON.parse(readFileSync(path.join(SCHEMAS, `${stream.name}.avsc`), 'utf8'))

const SLAB_BYTES = 1024 * 1024
/** Room below which a new slab is begun; records larger than what is left are encoded on their own. */
const SLAB_RESERVE = 4096

interface Entry {
  type: avsc.Type
  frame: Buffer
  /** Decoders by schema id; a string says why there is none. */
  readers: Map<number, avsc.Resolver | 'same' | string>
}

/** Values to bytes in Confluent's frame (0, schema id, Avro binary) and back; older and newer writers are resolved to our schema. */
export class Codec {
  readonly #registry: Registry
  readonly #schemaOf: typeof schemaOf
  readonly #entries = new Map<string, Entry>()
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #at = 0

  /** @param schemas gives a stream's schema; the one in schemas/ unless a program of another version is meant */
  constructor(registry: Registry, schemas = schemaOf) {
    this.#registry = registry
    this.#schemaOf = schemas
  }

  /** Registers the schemas of the streams; must be done before the first encode or decode of each. */
  async prepare(streams: readonly Stream<never>[]): Promise<void> {
    await Promise.all(
      streams
        .filter(stream => !this.#entries.has(stream.name))
        .map(async stream => {
          const schema = this.#schemaOf(stream)
          const id = await this.#registry.register(`${stream.name}-value`, schema)
          const frame = Buffer.alloc(5)
          frame.writeInt32BE(id, 1)
          this.#entries.set(stream.name, {
            type: avsc.Type.forSchema(schema as avsc.Schema),
            frame,
            readers: new Map([[id, 'same']]),
          })
        }),
    )
  }

  #newSlab(): void {
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    this.#at = 0
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name)
    if (!entry) throw new AegisError('STREAM_UNDECLARED', `stream ${name} was not declared by this service`)
    return entry
  }

  encode(stream: Stream<unknown>, value: unknown): Buffer {
    const { type, frame } = this.#entry(stream.name)
    try {
      // Straight into a slab shared by many records: a copy and an allocation less for each.
      if (this.#slab.length - this.#at < SLAB_RESERVE) this.#newSlab()
      const end = type.encode(value, this.#slab, this.#at + 5)
      if (end < 0) return Buffer.concat([frame, type.toBuffer(value)])
      frame.copy(this.#slab, this.#at)
      const bytes = this.#slab.subarray(this.#at, end)
      this.#at = end
      return bytes
    } catch (error) {
      throw new AegisError('RECORD_MALFORMED', `value does not fit the schema of ${stream.name}: ${(error as Error).message}`, {
        cause: error as Error,
      })
    }
  }

  /** Looks up the schemas that a batch needs, so that decoding itself waits for nothing. Throws only when the registry does not answer. */
  async learn(stream: string, values: readonly (Buffer | null)[]): Promise<void> {
    const { readers, type } = this.#entry(stream)
    for (const value of values) {
      if (!value || value.length < 5 || value[0] !== 0) continue
      const id = value.readInt32BE(1)
      if (readers.has(id)) continue
      try {
        const writer = await this.#registry.schema(id)
        try {
          readers.set(id, type.createResolver(avsc.Type.forSchema(writer as avsc.Schema)))
        } catch (error) {
          readers.set(id, `schema ${id} cannot be read as ${stream}: ${(error as Error).message}`)
        }
      } catch (error) {
        if ((error as AegisError).code !== 'SCHEMA_UNKNOWN') throw error
        readers.set(id, `unknown schema id ${id} on ${stream}`)
      }
    }
  }

  /** Decodes one record; throws RECORD_MALFORMED with the reason. Call `learn` first. */
  decode(stream: string, value: Buffer): unknown {
    const { type, readers } = this.#entry(stream)
    if (value.length < 5 || value[0] !== 0)
      throw new AegisError(
        'RECORD_MALFORMED',
        `record on ${stream} is not in the registry's frame (first byte ${value[0] ?? 'absent'}, ${value.length} bytes)`,
      )
    const id = value.readInt32BE(1)
    const reader = readers.get(id)
    if (reader === undefined || (typeof reader === 'string' && reader !== 'same'))
      throw new AegisError('SCHEMA_UNKNOWN', reader ?? `unknown schema id ${id} on ${stream}`)
    try {
      // A slice, not a copy: avsc reads in place. The whole rest must be used up.
      const decoded = type.decode(value, 5, reader === 'same' ? undefined : (reader as avsc.Resolver)) as {
        value: unknown
        offset: number
      }
      if (decoded.offset !== value.length)
        throw new Error(decoded.offset < 0 ? 'truncated' : `${value.length - decoded.offset} bytes left over`)
      return decoded.value
    } catch (error) {
      throw new AegisError(
        'RECORD_MALFORMED',
        `record on ${stream} does not decode with schema ${id}: ${(error as Error).message}`,
        { cause: error as Error },
      )
    }
  }
}
