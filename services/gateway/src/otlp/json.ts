import { parseBounded } from '@aegis/api'
import type { Signal } from './proto.ts'

/** First member of each signal's message. */
const MEMBER: Readonly<Record<Signal, string>> = { logs: 'resourceLogs', metrics: 'resourceMetrics', traces: 'resourceSpans' }

/** Names that senders write in another way than the specification's JSON: as protobuf has them, or as their language likes capitals. */
const IRREGULAR = /_|^[A-Z]|[a-z]ID$/
const camel = (name: string): string =>
  name
    .replace(/_+([a-zA-Z0-9])/g, (_, c: string) => c.toUpperCase())
    .replace(/^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]/, c => c.toLowerCase())
    .replace(/([a-z])ID$/, '$1Id')
/** In OTLP every name of a member is the specification's, and what users name stands in values: but some write attributes and values as plain JSON. */
const isPlain = (name: string, value: object): boolean =>
  (name === 'attributes' || name === 'body' || name === 'value') &&
  !Array.isArray(value) &&
  !Object.keys(value).some(key => /^(?:string|bool|int|double|array|kvlist|bytes)Value$/.test(camel(key)))
const withCamelNames = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withCamelNames)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([given, v]) => {
      const name = camel(given)
      return [name, v !== null && typeof v === 'object' && isPlain(name, v) ? v : withCamelNames(v)]
    }),
  )
}

/** A sender is consistent: the first and the last of each list show how it writes. */
const isIrregular = (value: unknown): boolean => {
  if (Array.isArray(value)) {
    const last = value.length - 1
    return last >= 0 && (isIrregular(value[0]) || (last > 0 && isIrregular(value[last])))
  }
  if (value === null || typeof value !== 'object') return false
  return Object.entries(value).some(([name, v]) => IRREGULAR.test(name) || isIrregular(v))
}

const parse = (text: string): unknown => {
  try {
    return parseBounded(text)
  } catch (error) {
    // One message a line, as the Collector's file exporter writes them.
    const lines = text.split('\n').filter(line => line.trim() !== '')
    if (lines.length < 2 || !lines.every(line => line.trimStart().startsWith('{'))) throw error
    const messages = lines.map(line => parseBounded(line) as Record<string, unknown>)
    const merged: Record<string, unknown> = {}
    for (const message of messages)
      for (const [name, value] of Object.entries(message))
        merged[name] = Array.isArray(value) && Array.isArray(merged[name]) ? [...(merged[name] as unknown[]), ...value] : value
    return merged
  }
}

/** An OTLP body in JSON. Throws on what is none, saying what was expected and what came. */
export const parseJson = (signal: Signal, text: string): object => {
  const expected = `expected an object with "${MEMBER[signal]}"`
  let value = parse(text)
  if (isIrregular(value)) value = withCamelNames(value)
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new Error(`${expected}, not ${value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`}`)
  const names = Object.keys(value)
  if (names.length === 0) return value
  const other = (Object.keys(MEMBER) as Signal[]).find(s => s !== signal && names.includes(MEMBER[s]))
  const resources = (value as Record<string, unknown>)[MEMBER[signal]]
  if (resources === undefined)
    throw new Error(
      other
        ? `${expected}; "${MEMBER[other]}" belongs to /v1/${other}`
        : `${expected}, not one with ${names
            .slice(0, 3)
            .map(n => `"${n.slice(0, 40)}"`)
            .join(', ')}`,
    )
  if (resources !== null && !Array.isArray(resources)) throw new Error(`"${MEMBER[signal]}" must be a list`)
  return value
}
