/** The noise gate: which differences of a declaration and what runs are changes that someone made. */
import { isFilledIn, type Surroundings } from './filled-in.ts'
import { compare, isEmpty, isObject, type Json, type JsonObject, type Path } from './same-value.ts'

/** What the provider says of a type. Paths are as `Key.Inner`, `*` for elements. */
export interface TypeSchema {
  readonly readOnly: readonly string[]
  readonly writeOnly: readonly string[]
  /** Cannot change while the resource lives. */
  readonly createOnly: readonly string[]
  readonly defaults: Readonly<Record<string, Json>>
}
export interface DeclaredResource {
  readonly type: string
  readonly declared: JsonObject
  readonly live: JsonObject
  readonly schema: TypeSchema
  /** Names and numbers of this resource, its account and region. */
  readonly own: readonly string[]
  /** Names of what siblings put onto it. */
  readonly siblings: readonly string[]
  /** Keys that aliases stand for. */
  readonly aliases?: Readonly<Record<string, string>>
  /** Stands in the declaration where a value could not be worked out. */
  readonly unresolved?: (value: Json | undefined) => boolean
}
export interface RealDifference {
  readonly path: string
  readonly attribute: string
  readonly kind: 'changed' | 'removed' | 'added'
}

/** Never read back: a secret that is missing in what runs says nothing. */
const SECRET = /passw|secret|token|credential|private_?key|auth_?string|access_?key$/i

export const pathText = (path: Path): string => path.filter(p => p !== '*').join('.')
const under = (list: readonly string[], path: string): boolean => {
  const low = path.toLowerCase()
  return list.some(p => {
    const q = p
      .replace(/^\/properties\//, '')
      .replace(/\.?\*/g, '')
      .replace(/\//g, '.')
      .toLowerCase()
    return low === q || low.startsWith(`${q}.`)
  })
}

export function realDifferences(r: DeclaredResource): RealDifference[] {
  const { schema } = r
  const unresolved = (v: Json | undefined): boolean => v !== undefined && (r.unresolved?.(v) ?? false)
  const around: Surroundings = {
    own: r.own,
    siblings: new Set(r.siblings),
    schemaDefault: path => schema.defaults[pathText(path)],
    freeForm: path => path.at(-1) !== '*' && /^(?:variables|environmentvariables|labels|annotations)$/i.test(path.at(-1) ?? ''),
  }
  const declaredParts = new Set(partsIn(r.declared))
  const isEcho = (live: Json): boolean => typeof live === 'object' && !isEmpty(live) && declaredParts.has(JSON.stringify(live))
  const skip = (path: Path, declared: Json | undefined): boolean => {
    const text = pathText(path)
    if (unresolved(declared)) return true
    if (path.length === 0) return false
    return under(schema.readOnly, text) || under(schema.writeOnly, text) || under(schema.createOnly, text)
  }
  const found = compare(r.declared, r.live, {
    skip,
    filledIn: (path, live, extra) => isEcho(live) || isFilledIn(path, live, around, extra),
  })
  const out = new Map<string, RealDifference>()
  for (const { path, declared, live } of found) {
    const text = pathText(path)
    if (!text) continue
    if (live === undefined && SECRET.test(text)) continue
    // A plain setting cannot be taken away, only set to another value; where it is missing, the provider does not tell it.
    if (live === undefined && typeof declared !== 'object' && path.at(-1) !== '*' && !around.freeForm(path.slice(0, -1))) continue
    if (live === undefined && declared !== undefined && onlyUnseen(declared, text, schema, unresolved)) continue
    // An alias of a key: compared by what it stands for, where that is known.
    if (typeof declared === 'string' && typeof live === 'string' && /^alias\//.test(declared)) {
      const target = r.aliases?.[declared]
      if (
        target === undefined
          ? /[:/]key\//.test(live) || /^[\da-f-]{36}$/.test(live)
          : live.endsWith(target.split('/').at(-1) ?? target)
      )
        continue
    }
    const kind = declared === undefined ? 'added' : live === undefined ? 'removed' : 'changed'
    out.set(text, { path: text, attribute: text.split('.')[0], kind })
  }
  return [...out.values()]
}

/** Objects and lists inside a value, as text. */
const partsIn = (v: Json): string[] =>
  typeof v === 'object' && v !== null ? [JSON.stringify(v), ...Object.values(v).flatMap(partsIn)] : []

/** A block is missing, but all there is in it could not be seen anyway. */
function onlyUnseen(value: Json, path: string, schema: TypeSchema, unresolved: (v: Json) => boolean): boolean {
  if (unresolved(value) || isEmpty(value) || SECRET.test(path.split('.').at(-1) ?? '')) return true
  if (under(schema.writeOnly, path) || under(schema.readOnly, path) || under(schema.createOnly, path)) return true
  if (isObject(value)) return Object.entries(value).every(([k, v]) => onlyUnseen(v, `${path}.${k}`, schema, unresolved))
  if (Array.isArray(value))
    return value.every(v => (isObject(v) || Array.isArray(v) ? onlyUnseen(v, path, schema, unresolved) : unresolved(v as Json)))
  return false
}
