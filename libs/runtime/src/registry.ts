import { AegisError, FatalError } from '@aegis/domain'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import avsc from 'avsc'

export interface AvroField {
  name: string
  type: unknown
  default?: unknown
  doc?: string
}
export interface AvroRecord {
  type: 'record'
  name: string
  namespace?: string
  doc?: string
  fields: AvroField[]
}

/** Where schemas get their ids. */
export interface Registry {
  /** Registers under `<topic>-value`; the same schema gets the same id. Throws SCHEMA_INCOMPATIBLE naming the field. */
  register(subject: string, schema: AvroRecord): Promise<number>
  /** The schema with this id; throws SCHEMA_UNKNOWN when there is none. */
  schema(id: number): Promise<AvroRecord>
  /** Why it would not register this schema; undefined when it would, or when it cannot tell. Changes nothing. */
  incompatible(subject: string, schema: AvroRecord): Promise<string | undefined>
  healthy(): Promise<boolean>
}

/** Why a reader with `next` could not read what was written with `before`; undefined when it can. */
export const incompatibility = (next: AvroRecord, before: AvroRecord): string | undefined => {
  const old = new Map(before.fields.map(f => [f.name, f]))
  for (const field of next.fields) {
    const was = old.get(field.name)
    if (!was) {
      if (field.default === undefined) return `field "${field.name}" is new and has no default`
      continue
    }
    try {
      avsc.Type.forSchema(field.type as avsc.Schema).createResolver(avsc.Type.forSchema(was.type as avsc.Schema))
    } catch (error) {
      return `field "${field.name}" changed from ${JSON.stringify(was.type)} to ${JSON.stringify(field.type)}: ${(error as Error).message}`
    }
  }
  return undefined
}

const refuse = (subject: string, reason: string): never => {
  throw new FatalError(
    'SCHEMA_INCOMPATIBLE',
    `schema of ${subject} is not BACKWARD_TRANSITIVE compatible: ${reason}. Give new fields a default and leave the types of old ones.`,
  )
}

/** Ids inside the process, under the same compatibility rule as the real registry. */
export class MemoryRegistry implements Registry {
  readonly #schemas: { subject: string; text: string; schema: AvroRecord }[] = []

  async register(subject: string, schema: AvroRecord): Promise<number> {
    const text = JSON.stringify(schema)
    const known = this.#schemas.findIndex(s => s.subject === subject && s.text === text)
    if (known >= 0) return known + 1
    const reason = await this.incompatible(subject, schema)
    if (reason) refuse(subject, reason)
    this.#schemas.push({ subject, text, schema })
    return this.#schemas.length
  }
  async schema(id: number): Promise<AvroRecord> {
    const found = this.#schemas[id - 1]
    if (!found) throw new AegisError('SCHEMA_UNKNOWN', `no schema with id ${id}`)
    return found.schema
  }
  async incompatible(subject: string, schema: AvroRecord): Promise<string | undefined> {
    for (const s of this.#schemas) {
      const reason = s.subject === subject ? incompatibility(schema, s.schema) : undefined
      if (reason) return reason
    }
    return undefined
  }
  async healthy(): Promise<boolean> {
    return true
  }
}

const REGISTER_ATTEMPTS = 8

/** A registry that speaks Confluent's API (Confluent, Apicurio, Karapace). */
export class ConfluentRegistry implements Registry {
  readonly #url: string
  readonly #client: SchemaRegistry

  constructor(url: string) {
    this.#url = url.replace(/\/$/, '')
    this.#client = new SchemaRegistry({
      host: this.#url,
      retry: { retries: 5, initialRetryTimeInSecs: 0.1, maxRetryTimeInSecs: 2 },
    })
  }

  async #json(path: string): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, { signal: AbortSignal.timeout(5000) })
    if (!response.ok) throw new Error(`${response.status}`)
    return response.json()
  }

  /** The first reason found against any registered version; the registry's own message does not always name the field. */
  async incompatible(subject: string, schema: AvroRecord): Promise<string | undefined> {
    const versions = (await this.#json(`/subjects/${encodeURIComponent(subject)}/versions`).catch((error: Error) => {
      if (error.message === '404') return []
      throw error
    })) as number[]
    for (const version of versions.reverse()) {
      const { schema: text } = (await this.#json(`/subjects/${encodeURIComponent(subject)}/versions/${version}`)) as {
        schema: string
      }
      const reason = incompatibility(schema, JSON.parse(text))
      if (reason) return `${reason} (against version ${version})`
    }
    return undefined
  }

  async #setRule(subject: string): Promise<void> {
    const body = JSON.stringify({ compatibility: 'BACKWARD_TRANSITIVE' })
    const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
    await fetch(`${this.#url}/config/${encodeURIComponent(subject)}`, {
      method: 'PUT',
      headers,
      body,
      signal: AbortSignal.timeout(5000),
    }).catch(() => undefined)
  }

  async register(subject: string, schema: AvroRecord): Promise<number> {
    const compatibility = 'BACKWARD_TRANSITIVE' as never
    for (let attempt = 1; ; attempt++) {
      try {
        const { id } = await this.#client.register(
          { type: 'AVRO' as never, schema: JSON.stringify(schema) },
          { subject, compatibility },
        )
        return id
      } catch (error) {
        const reason = await this.incompatible(subject, schema).catch(() => undefined)
        if (reason) return refuse(subject, reason)
        // Services that start together set the rule of a new subject together: some are told that it exists, some still see the global one.
        await this.#setRule(subject)
        if (attempt >= REGISTER_ATTEMPTS)
          throw new AegisError(
            'REGISTRY_UNAVAILABLE',
            `schema registry at ${this.#url} did not register ${subject}: ${(error as Error).message}`,
            {
              cause: error as Error,
            },
          )
        await new Promise(resolve => setTimeout(resolve, 100 * attempt))
      }
    }
  }

  async schema(id: number): Promise<AvroRecord> {
    let response: Response
    try {
      response = await fetch(`${this.#url}/schemas/ids/${id}`, { signal: AbortSignal.timeout(5000) })
    } catch (error) {
      throw new AegisError(
        'REGISTRY_UNAVAILABLE',
        `schema registry at ${this.#url} does not answer: ${(error as Error).message}`,
        { cause: error as Error },
      )
    }
    if (response.status === 404) throw new AegisError('SCHEMA_UNKNOWN', `schema registry has no schema with id ${id}`)
    if (!response.ok) throw new AegisError('REGISTRY_UNAVAILABLE', `schema registry answered ${response.status} for schema ${id}`)
    return JSON.parse(((await response.json()) as { schema: string }).schema)
  }

  async healthy(): Promise<boolean> {
    return this.#json('/subjects').then(
      () => true,
      () => false,
    )
  }
}
