/** Whether two values mean the same, however a provider writes them back: order, case, types, empties, defaults added, names for addresses. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export const isObject = (v: unknown): v is JsonObject => typeof v === 'object' && v !== null && !Array.isArray(v)
/** Nothing, said in one of the many ways. */
export const isEmpty = (v: Json | undefined): boolean =>
  v === undefined ||
  v === null ||
  v === '' ||
  (Array.isArray(v) && v.every(isEmpty)) ||
  (isObject(v) && Object.values(v).every(isEmpty))
/** Nothing, or what stands for nothing where it is left out. */
export const isOff = (v: Json | undefined): boolean =>
  isEmpty(v) ||
  v === false ||
  v === 0 ||
  (typeof v === 'string' && /^(?:false|0|none|off|disabled?|default)$/i.test(v)) ||
  (Array.isArray(v) && v.every(isOff)) ||
  (isObject(v) && Object.values(v).every(isOff))

/** A path through values: keys, and * for an element of a list. */
export type Path = readonly string[]
export interface Difference {
  readonly path: Path
  readonly declared: Json | undefined
  readonly live: Json | undefined
}
export interface CompareOptions {
  /** True where the value could not be worked out or must not be compared. */
  readonly skip: (path: Path, declared: Json | undefined) => boolean
  /** What a key left out of the declaration means when it comes back with this value: true for what the provider fills in. */
  readonly filledIn: (path: Path, live: Json, extra: boolean) => boolean
  /** Texts are kept as they were written: no other case, no other words for the same. */
  readonly exact?: boolean
}

const parse = (text: string): Json | undefined => {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
const squeeze = (s: string): string => s.trim().replace(/\s+/g, ' ')
/** Last part of a resource name, address or path. */
const tail = (s: string): string => s.split(/[:/|]/).at(-1) ?? s
const isName = (s: string): boolean => /^arn:|:\/\/|^\/subscriptions\/|^projects\//.test(s)

function sameText(a: string, b: string, key: string): boolean {
  if (a === b) return true
  const [x, y] = [squeeze(a), squeeze(b)]
  if (x.toLowerCase() === y.toLowerCase()) return true
  if (x.replace(/[./]+$/, '') === y.replace(/[./]+$/, '')) return true
  const bare = (s: string) => s.toLowerCase().replace(/[-_\s]/g, '')
  if (/^[A-Za-z][\w\s-]*$/.test(x) && bare(x) === bare(y)) return true
  // 8.0 is kept at the newest 8.0.x, 1.2 is 1.2.0.
  if (/version|engine|release/i.test(key) && (y.startsWith(`${x}.`) || x.startsWith(`${y}.`))) return true
  if (/^-?\d+(?:\.\d+)?$/.test(x) && /^-?\d+(?:\.\d+)?$/.test(y)) return Number(x) === Number(y)
  if (isName(x) !== isName(y)) {
    const [long, short] = isName(x) ? [x, y] : [y, x]
    if (short.length > 2 && (tail(long) === tail(short) || long.endsWith(short) || long.split(/[:/]/).includes(short)))
      return true
  }
  if (isName(x) && isName(y) && tail(x) === tail(y) && (x.startsWith(y) || y.startsWith(x))) return true
  if (/^\d{4}-\d\d-\d\d/.test(x) && /^\d{4}-\d\d-\d\d/.test(y) && Date.parse(x) === Date.parse(y)) return true
  // One address and the network of one.
  if (/^[\da-f:.]+(?:\/\d+)?$/i.test(x) && x.replace(/\/(?:32|128)$/, '') === y.replace(/\/(?:32|128)$/, '')) return true
  // Words in any order: access strings, lists with commas or blanks. What the provider puts between is counted by the words declared.
  const words = (s: string) => s.split(/[\s,]+/).filter(Boolean)
  const [wx, wy] = [words(x), words(y)]
  if (
    wx.length > 1 &&
    wx.length <= wy.length &&
    wx.every(w => wy.includes(w)) &&
    wy.filter(w => !wx.includes(w)).every(w => /^[-+~%&*@]/.test(w))
  )
    return true
  return false
}

/** Differences of a declared value and a live one. */
export function compare(
  declared: Json | undefined,
  live: Json | undefined,
  options: CompareOptions,
  path: Path = [],
): Difference[] {
  const key = path.filter(p => p !== '*').at(-1) ?? ''
  const differs = [{ path, declared, live }]
  if (options.skip(path, declared)) return []
  if (isEmpty(declared) && isEmpty(live)) return []
  if (live === undefined || live === null) return isOff(declared) ? [] : differs
  if (declared === undefined || declared === null) return isOff(live) ? [] : differs
  if (typeof declared === 'string' && typeof live === 'string') {
    if (options.exact) return declared === live ? [] : differs
    if (sameText(declared, live, key)) return []
    const [a, b] = [parse(declared), parse(live)]
    return a !== undefined && b !== undefined ? compare(a, b, options, path).map(d => ({ ...d, path })) : differs
  }
  if (typeof declared === 'string' && typeof live === 'object') {
    const a = parse(declared)
    if (a !== undefined) return compare(a, live, options, path)
  }
  if (typeof live === 'string' && typeof declared === 'object') {
    const b = parse(live)
    if (b !== undefined) return compare(declared, b, options, path)
  }
  if (Array.isArray(declared) || Array.isArray(live)) {
    // A list of one is often written as its element.
    const [a, b] = [Array.isArray(declared) ? declared : [declared], Array.isArray(live) ? live : [live]]
    if (
      !Array.isArray(declared) &&
      isObject(declared) &&
      !a.some(x => b.some(y => compare(x as Json, y as Json, options, path).length === 0))
    ) {
      const map = asMap(b as readonly Json[])
      if (map) return compare(declared, map, options, path)
    }
    return compareLists(a as readonly Json[], b as readonly Json[], options, path)
  }
  if (isObject(declared) && isObject(live)) {
    const out: Difference[] = []
    const seen = new Set<string>()
    for (const [k, value] of Object.entries(declared)) {
      const at = k in live ? k : Object.keys(live).find(other => other.toLowerCase() === k.toLowerCase())
      if (at !== undefined) seen.add(at)
      out.push(...compare(value, at === undefined ? undefined : live[at], options, [...path, k]))
    }
    for (const [k, value] of Object.entries(live))
      if (
        !seen.has(k) &&
        !options.skip([...path, k], undefined) &&
        !isEmpty(value) &&
        !options.filledIn([...path, k], value, false)
      )
        out.push({ path: [...path, k], declared: undefined, live: value })
    return out.filter(d => !isRenamed(d, out))
  }
  if (typeof declared !== 'object' && typeof live !== 'object')
    return sameText(String(declared), String(live), key) ? [] : differs
  return isOff(declared) && isOff(live) ? [] : differs
}

/** The same value under another key beside it: a key that the provider calls differently. */
const isRenamed = (d: Difference, all: readonly Difference[]): boolean => {
  const twin = (a: Difference, b: Difference) =>
    a.declared !== undefined &&
    a.live === undefined &&
    b.declared === undefined &&
    b.live !== undefined &&
    a.path.length === b.path.length &&
    JSON.stringify(a.declared) === JSON.stringify(b.live)
  return all.some(other => twin(d, other) || twin(other, d))
}

/** Elements that are pairs of name and value, as a map. */
const asMap = (list: readonly Json[]): JsonObject | undefined => {
  const out: Record<string, Json> = {}
  for (const item of list) {
    if (!isObject(item)) return undefined
    const name = item.Key ?? item.key ?? item.Name ?? item.name
    if (typeof name !== 'string') return undefined
    out[name] = item.Value ?? item.value ?? null
  }
  return out
}
/** Words in a key that name its element among others. */
const NAMING = ['Key', 'OptionName', 'Name', 'Id', 'key', 'name', 'id']
const nameOf = (item: Json): string | undefined => {
  if (!isObject(item)) return undefined
  const parts = NAMING.filter(k => typeof item[k] === 'string').map(k => item[k] as string)
  return parts.length > 0 ? [item.Namespace ?? '', ...parts].join('\0').toLowerCase() : undefined
}

/** As sets: each declared element is paired with the live one that differs least; lists whose order means something are seldom reordered by hand. */
function compareLists(declared: readonly Json[], live: readonly Json[], options: CompareOptions, path: Path): Difference[] {
  // What is run is run in order.
  if (options.exact && /^(?:args|command)$/.test(path.at(-1) ?? ''))
    return JSON.stringify(declared) === JSON.stringify(live) ? [] : [{ path, declared, live }]
  const inner = [...path, '*']
  const free = new Set(live.keys())
  const left: Json[] = []
  for (const item of declared) {
    if (options.skip(inner, item)) {
      // Whatever it is, it stands for one of the live ones that nothing else explains.
      left.push(item)
      continue
    }
    let found: number | undefined
    for (const i of free)
      if (compare(item, live[i], options, inner).length === 0) {
        found = i
        break
      }
    if (found === undefined) left.push(item)
    else free.delete(found)
  }
  const out: Difference[] = []
  for (const item of left) {
    if (options.skip(inner, item)) {
      const next = free.values().next().value
      if (next !== undefined) free.delete(next)
      continue
    }
    const name = nameOf(item)
    let best: { i: number; found: Difference[] } | undefined
    for (const i of free) {
      if (name !== undefined && nameOf(live[i]) !== undefined && nameOf(live[i]) !== name) continue
      const found = compare(item, live[i], options, inner)
      if (!best || found.length < best.found.length) best = { i, found }
    }
    if (!best) {
      if (!isEmpty(item)) out.push({ path: inner, declared: item, live: undefined })
      continue
    }
    free.delete(best.i)
    out.push(...best.found)
  }
  for (const i of free)
    if (!isEmpty(live[i]) && !options.filledIn(inner, live[i], true))
      out.push({ path: inner, declared: undefined, live: live[i] })
  return out
}
