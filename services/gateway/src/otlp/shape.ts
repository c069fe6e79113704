import type { EntityId } from '@aegis/domain'
import { whose } from '../whose.ts'

/** Common parts of OTLP messages, whether they came as JSON or as protobuf. Exactly one member is set; a bare JSON value is taken as what it is. */
export interface AnyValue {
  stringValue?: string
  boolValue?: boolean
  intValue?: unknown
  doubleValue?: number | string
  arrayValue?: { values?: AnyValue[] }
  kvlistValue?: { values?: KeyValue[] }
  bytesValue?: string | Uint8Array
}
export interface KeyValue {
  key: string
  value?: AnyValue
}
export interface Resource {
  attributes?: KeyValue[] | Record<string, unknown>
}
export type Loose = Record<string, never> & { [key: string]: never }

/** What was left out of a request, and why: the first reason, with its place. */
export class Refused {
  rejected = 0
  reason = ''
  add(reason: string, items = 1): void {
    this.rejected += items
    this.reason ||= reason
  }
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null
const whole = (value: unknown): number | string => {
  const n = Number(value)
  return Number.isSafeInteger(n) ? n : String(value)
}
/** A value as plain JSON has it; undefined where nothing is set. Whole numbers that do not fit stay text, bytes are base64. */
export const plainOf = (value: AnyValue | undefined): unknown => {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object') return value
  if (isSet(value.stringValue)) return value.stringValue
  if (isSet(value.intValue)) return whole(value.intValue)
  if (isSet(value.doubleValue)) {
    const n = Number(value.doubleValue)
    return Number.isFinite(n) ? n : String(value.doubleValue)
  }
  if (isSet(value.boolValue)) return value.boolValue
  if (value.arrayValue)
    return (Array.isArray(value.arrayValue.values) ? value.arrayValue.values : []).map(v => plainOf(v) ?? null)
  if (value.kvlistValue) {
    const out: Record<string, unknown> = {}
    const { values } = value.kvlistValue
    if (Array.isArray(values)) for (const entry of values) if (entry?.key) out[entry.key] = plainOf(entry.value) ?? null
    return out
  }
  if (isSet(value.bytesValue))
    return typeof value.bytesValue === 'string'
      ? value.bytesValue
      : Buffer.from(value.bytesValue as Uint8Array).toString('base64')
  const names = Object.keys(value)
  // As some languages print it: { Value: { StringValue: … } }
  if (names.length === 1 && names[0] === 'value') return plainOf((value as { value?: AnyValue }).value)
  return names.length > 0 && !names.some(name => /^(?:string|bool|int|double|array|kvlist|bytes)Value$/.test(name))
    ? value
    : undefined
}
const written = (plain: unknown): string =>
  typeof plain === 'string' ? plain : typeof plain === 'object' ? JSON.stringify(plain) : String(plain)
/** As text; undefined where nothing is set. */
export const textOf = (value: AnyValue | undefined): string | undefined => {
  if (typeof value?.stringValue === 'string') return value.stringValue
  const plain = plainOf(value)
  return plain === undefined ? undefined : written(plain)
}
/** A log's body as text: bytes are the text they spell, where they spell one. */
export const bodyOf = (value: AnyValue | undefined): string => {
  const bytes = value?.bytesValue
  if (!isSet(bytes) || isSet(value?.stringValue)) return textOf(value) ?? ''
  const raw = typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : Buffer.from(bytes as Uint8Array)
  const text = raw.toString('utf8')
  return text.includes('\ufffd') || text.includes('\u0000') ? raw.toString('base64') : text
}
/** Attributes by name, also where a sender wrote a plain object; what has no value is no attribute. */
export const attributesOf = (list: unknown): Record<string, string> => {
  const out: Record<string, string> = {}
  const put = (key: unknown, value: AnyValue | undefined) => {
    const text = typeof key === 'string' && key !== '' ? textOf(value) : undefined
    if (text !== undefined) out[key as string] = text
  }
  if (Array.isArray(list)) for (const entry of list as KeyValue[]) put(entry?.key, entry?.value)
  else if (list !== null && typeof list === 'object') for (const [key, value] of Object.entries(list)) put(key, value)
  return out
}

/**
 * Trace and span ids of so many bytes: hex in JSON (some write base64, as protobuf's own JSON has bytes), bytes in protobuf. Undefined where it is empty, all zero
 * or none; half as long is a trace id of 64 bits.
 */
export const idOfBytes = (id: unknown, bytes: 16 | 8): string | undefined => {
  if (!id) return undefined
  let hex: string
  if (typeof id === 'string') {
    hex = id
    if ((id.length !== 2 * bytes && id.length !== bytes) || !/^[0-9a-f]+$/i.test(id)) {
      if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(id)) return undefined
      hex = Buffer.from(id, 'base64').toString('hex')
      if (hex.length !== 2 * bytes) return undefined
    }
  } else if (id instanceof Uint8Array) hex = Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
  else return undefined
  if (bytes === 16 && hex.length === 16) hex = hex.padStart(32, '0')
  return hex.length !== 2 * bytes || (hex[0] === '0' && /^0*$/.test(hex)) ? undefined : hex.toLowerCase()
}

/** 2000-01-01: whoever speaks of a time before it has no clock or another unit. */
const EARLIEST_US = 946_684_800_000_000
const YEAR_US = 366 * 86_400_000_000
/** Nanoseconds (number, text or protobuf's 64 bits) to microseconds; 0 only when not set, NaN for what is no number. */
export const microseconds = (nanos: unknown): number => {
  if (nanos === undefined || nanos === null || nanos === '') return 0
  if (typeof nanos === 'string') {
    const us = nanos.length > 3 ? Number(nanos.slice(0, -3)) : Math.sign(Number(nanos))
    // What is written with a point or an exponent is cut elsewhere.
    return Number.isInteger(us) ? us : Math.floor(Number(nanos) / 1000)
  }
  if (typeof nanos === 'object') {
    // 2^32 is 4,294,967 thousands and 296; so no digit of the 64 bits is lost.
    const { high, low } = nanos as { high: number; low: number }
    const h = high >>> 0
    return h * 4_294_967 + Math.floor((h * 296 + (low >>> 0)) / 1000) || Math.sign(low >>> 0)
  }
  const n = Number(nanos)
  return Math.floor(n / 1000) || Math.sign(n)
}
/** What is wrong with a time, microseconds; undefined where nothing is. */
export const wrongTime = (us: number, now: number, given: unknown, unit = 'nanoseconds'): string | undefined =>
  !Number.isFinite(us) || us < -EARLIEST_US
    ? `${String(given).slice(0, 40)} is no time; write ${unit} since 1970`
    : us < EARLIEST_US
      ? `${given} is ${new Date(us / 1000).toISOString().slice(0, 10)}; write ${unit} since 1970`
      : us > now + YEAR_US
        ? `${given} lies more than a year ahead; write ${unit} since 1970`
        : undefined
export const numberOf = (value: unknown): number =>
  value === undefined || value === null || value === '' ? Number.NaN : Number(value)

/** A number of an enum, given as the number, as text, or by its name with or without its prefix; undefined where it is none. */
export const enumOf = (value: unknown, names: readonly string[]): number | undefined => {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value === '') return undefined
  if (/^\d+$/.test(value)) return Number(value)
  const word = value.toUpperCase()
  const at = names.findIndex(name => name !== '' && (word === name || word.endsWith(`_${name}`)))
  return at < 0 ? undefined : at
}

/** Who sent it, as OpenTelemetry's resource conventions name it. */
export interface Origin {
  /** Undefined where the resource does not say. */
  readonly entity: EntityId | undefined
  readonly environment: string
  readonly instance?: string
  readonly version?: string
  readonly configHash?: string
  readonly attributes: Readonly<Record<string, string>>
}
const INSTANCE = ['service.instance.id', 'k8s.pod.name', 'container.id', 'container.name', 'host.name']
export const originOf = (resource: Resource | undefined, defaultEnvironment: string): Origin => {
  const attributes = attributesOf(resource?.attributes)
  return {
    entity: whose(attributes),
    environment:
      attributes['deployment.environment.name'] ||
      attributes['deployment.environment'] ||
      attributes.environment ||
      defaultEnvironment,
    instance: INSTANCE.map(name => attributes[name]).find(Boolean),
    version: attributes['service.version'] || undefined,
    configHash: attributes['service.config.hash'] || attributes['config.hash'] || undefined,
    attributes,
  }
}

/** Members of a list that are objects; what is none is refused with its place. */
export const items = (value: unknown, place: () => string, refused: Refused): Loose[] => {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) {
    refused.add(`${place()} must be a list`)
    return []
  }
  if (value.every(v => v !== null && typeof v === 'object' && !Array.isArray(v))) return value as Loose[]
  return value.filter((v, i) => {
    const good = v !== null && typeof v === 'object' && !Array.isArray(v)
    if (!good) refused.add(`${place()}[${i}] must be an object`)
    return good
  }) as Loose[]
}
/** The lists of a message in their order: of resources, scopes and items; a resource or scope with things in it but not the list that belongs there is refused. */
export function* walk(
  message: object,
  [resources, scopes, old, list]: readonly [resources: string, scopes: string, old: string, list: string],
  refused: Refused,
): Generator<{ resource: Resource | undefined; scopes: Generator<{ scope: Loose; values: Loose[]; place: string }> }> {
  let r = -1
  for (const of of items((message as Loose)[resources], () => resources, refused)) {
    const at = `${resources}[${++r}]`
    const inner = function* () {
      let s = -1
      const found = of[scopes] ?? of[old]
      if (found === undefined) strangers(of, ['resource', 'schemaUrl'], at, scopes, refused)
      for (const scope of items(found, () => `${at}.${scopes}`, refused)) {
        const place = `${at}.${scopes}[${++s}].${list}`
        if (scope[list] === undefined) strangers(scope, ['scope', 'schemaUrl', 'instrumentationLibrary'], place, list, refused)
        yield { scope: (scope.scope ?? {}) as Loose, values: items(scope[list], () => place, refused), place }
      }
    }
    yield { resource: of.resource as Resource | undefined, scopes: inner() }
  }
}
const strangers = (of: Loose, known: readonly string[], place: string, expected: string, refused: Refused): void => {
  const [first] = Object.keys(of).filter(name => !known.includes(name) && typeof of[name] === 'object')
  if (first) refused.add(`${place} has "${first.slice(0, 40)}" where "${expected}" was expected`)
}
