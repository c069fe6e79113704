/** A template under construction: its elements and what is known of each. Pure functions over it; the miner keeps them. */
import { FIRST_VALUE, hashOf, type LineScanner, pow1, pow2, SOFT, SPACED, VALUE_HASH, WORD } from './masking.ts'

export const FIXED = 0
export const VALUES = 1 // values as the text has them, perhaps several ("<*>, <*>")
export const WILD = 2 // anything, one parameter

/** Elements beyond this one are not asked whether they vary. */
export const MAX_PLACES = 96

export interface Group {
  id: string
  text: string
  count: number
  /** Used since the clock's hand last passed. */
  used: boolean
  /** Where its lines go now, once it has been merged. */
  into: Group | undefined
  /** Merged into a group with other elements: lines have to be looked up anew, unless `cut` tells how they lie in it. */
  lost: boolean
  /** Elements [from, to) became one element of the group it was merged into. */
  cut: readonly [from: number, to: number] | undefined
  hashes: number[]
  words: string[]
  spaced: boolean[]
  shapes: number[]
  kinds: number[]
}

/** Two independent 32-bit hashes as 16 hex digits: the identity of a template is its text. */
export function templateId(text: string): string {
  let a = 0xdeadbeef | 0
  let b = 0x41c6ce57 | 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    a = Math.imul(a ^ c, 0x9e3779b1)
    b = Math.imul(b ^ c, 0x5f356495)
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0')
}

export function emptyGroup(elements: number): Group {
  const of = <T>() => new Array<T>(elements)
  const group = { id: '', text: '', count: 0, used: true, into: undefined, lost: false, cut: undefined }
  return { ...group, hashes: of(), words: of(), spaced: of(), shapes: of(), kinds: of() }
}

/** What no longer has a template of its own stands under words that no line could have as its template. */
export const OTHER_LINES = '<other lines>'

export function restGroup(): Group {
  const group = emptyGroup(1)
  group.spaced[0] = false
  free(group, 0)
  group.words[0] = OTHER_LINES
  name(group)
  return group
}

/** The group that the scanned line would make on its own. */
export function groupOf(scanner: LineScanner): Group {
  const { kind, begins, spaced, hash, atoms, elements } = scanner
  const group = emptyGroup(elements)
  let e = -1
  for (let k = 0; k < atoms; k++) {
    if (begins[k] !== 1) continue
    e++
    const c = kind[k] as number
    group.hashes[e] = hash[k] as number
    group.words[e] = runText(scanner, k)
    group.spaced[e] = spaced[k] === 1
    group.shapes[e] = c >= FIRST_VALUE ? VALUES : FIXED
    group.kinds[e] = c
  }
  name(group)
  return group
}

/** The text of the element that begins at atom k: values masked, units and commas as they are. */
export function runText({ kind, start, end, begins, spaced, atoms, text }: LineScanner, k: number): string {
  if ((kind[k] as number) < FIRST_VALUE) return text.slice(start[k], end[k])
  let run = '<*>'
  for (let j = k + 1; j < atoms && begins[j] === 0; j++) {
    if (spaced[j] === 1) run += ' '
    run += (kind[j] as number) >= FIRST_VALUE ? '<*>' : text.slice(start[j], end[j])
  }
  return run
}

export function name(group: Group): void {
  let text = ''
  for (let e = 0; e < group.words.length; e++) text += group.spaced[e] && e > 0 ? ` ${group.words[e]}` : group.words[e]
  group.text = text
  group.id = templateId(text)
}

export function copyOf(group: Group): Group {
  const { hashes, words, spaced, shapes, kinds } = group
  const lists = { hashes: [...hashes], words: [...words], spaced: [...spaced], shapes: [...shapes], kinds: [...kinds] }
  return { ...group, ...lists, count: 0, into: undefined, lost: false, cut: undefined }
}

/** The group with one value in the place of all but its first and last elements. */
export function spanned(group: Group, before: number, after: number): Group {
  const n = group.hashes.length
  const cut = <T>(list: readonly T[]): T[] => [...list.slice(0, before + 1), ...list.slice(n - after)]
  const { hashes, words, spaced, shapes, kinds } = group
  const lists = { hashes: cut(hashes), words: cut(words), spaced: cut(spaced), shapes: cut(shapes), kinds: cut(kinds) }
  const wider: Group = { ...group, ...lists, count: 0, into: undefined, lost: false, cut: undefined }
  free(wider, before)
  return wider
}

/** Makes element e a value. */
export function free(group: Group, e: number): void {
  group.shapes[e] = WILD
  group.words[e] = '<*>'
  group.hashes[e] = group.spaced[e] ? VALUE_HASH ^ SPACED : VALUE_HASH
  group.kinds[e] = FIRST_VALUE
}

export function skeletonOf(group: Group): [number, number] {
  let s1 = 0
  let s2 = 0
  for (let e = 0; e < group.hashes.length; e++) {
    const h = group.hashes[e] as number
    s1 = (s1 + Math.imul(h, pow1[e] as number)) | 0
    s2 = (s2 + Math.imul(h ^ (h >>> 13), pow2[e] as number)) | 0
  }
  return [s1, s2]
}

/** The skeleton with the element at place i taken out. */
export function placeKey(skeleton1: number, group: Group, i: number): number {
  const without = (skeleton1 - Math.imul(group.hashes[i] as number, pow1[i] as number)) | 0
  return Math.imul(without ^ Math.imul(i + 1, 0x9e3779b1), 0x85ebca6b) ^ group.hashes.length
}

/** Element count and a fixed word: where templates with free words are looked for. */
export function wideKey(group: Group): number {
  for (let e = 1; e < group.hashes.length; e++) {
    if (group.shapes[e] === FIXED && group.kinds[e] === WORD)
      return Math.imul(group.hashes[e] as number, 31) ^ group.hashes.length
  }
  return group.hashes.length
}

/** A place that may turn out to hold a value: a word, or a value already (so that words and values of one place meet). */
export function mayVary(group: Group, i: number): boolean {
  const kind = group.kinds[i] as number
  return group.shapes[i] !== FIXED || kind === WORD || kind === SOFT
}

/** A word that names something in a program: dotted, with an underscore or capitals inside. */
function isIdentifier(word: string): boolean {
  return word.length > 3 && /[a-z0-9][A-Z]|[A-Za-z0-9][._$/\\][A-Za-z0-9]/.test(word)
}

const letters = (word: string): string => word.replace(/[0-9]+/g, '0')

/** Place i may differ freely: after "=", or a numbered word as long as its letters stay. */
const isLoose = (group: Group, i: number): boolean =>
  group.shapes[i] === FIXED && (group.kinds[i] === SOFT || (group.kinds[i] === WORD && i > 0 && group.words[i - 1] === '='))

/** Hash of the line with its loose places taken out; undefined when it has none. */
export function looseKey(group: Group): number | undefined {
  let any = false
  let h = group.hashes.length
  for (let e = 0; e < group.hashes.length; e++) {
    let word = group.hashes[e] as number
    if (isLoose(group, e)) {
      any = true
      const afterEquals = e > 0 && group.words[e - 1] === '='
      word = afterEquals
        ? group.spaced[e]
          ? VALUE_HASH ^ SPACED
          : VALUE_HASH
        : hashOf(letters(group.words[e] as string)) ^ (group.spaced[e] ? SPACED : 0)
    } else if (group.shapes[e] === WILD && group.kinds[e] === FIRST_VALUE) any = true
    h = Math.imul(h ^ word, 0x01000193) ^ (h >>> 11)
  }
  return any ? h : undefined
}

/** Hash of the line with its identifiers taken out; undefined when too little text would be left. */
export function identifierKey(group: Group): number | undefined {
  let identifiers = 0
  let plain = 0
  let h = group.hashes.length ^ 0x51ed
  for (let e = 0; e < group.hashes.length; e++) {
    let word = group.hashes[e] as number
    if (group.shapes[e] === FIXED && (group.kinds[e] === WORD || group.kinds[e] === SOFT)) {
      if (isIdentifier(group.words[e] as string)) {
        identifiers++
        word = group.spaced[e] ? VALUE_HASH ^ SPACED : VALUE_HASH
      } else if ((group.words[e] as string).length > 1) plain++
    }
    h = Math.imul(h ^ word, 0x01000193) ^ (h >>> 11)
  }
  return identifiers > 1 && plain >= 2 ? h : undefined
}

/** Tokens that hold a value and something else ("LOCAL(<*>)", "#<*>"), as element ranges. */
export function compounds(group: Group): [number, number][] {
  const found: [number, number][] = []
  const n = Math.min(group.hashes.length, MAX_PLACES)
  let from = 0
  for (let e = 1; e <= n && found.length < 4; e++) {
    if (e < n && !group.spaced[e]) continue
    let to = e
    // marks at the end of a token belong to the sentence
    while (to > from + 1 && /^[.,:;!?]+$/.test(group.words[to - 1] as string)) to--
    if (to - from > 1 && to - from <= 12 && found.length < 4) {
      let values = 0
      for (let i = from; i < to; i++) if (group.shapes[i] !== FIXED && group.words[i] === '<*>') values++
      const keyed = group.words[from + 1] === '='
      // "key=<*>" and "(<*>)" are no values with something around them; of "key=Name{<*>}" it is the part after the sign
      if (values > 0 && !'([{"\''.includes(group.words[from] as string) && !(keyed && to - from < 4))
        found.push([keyed ? from + 2 : from, to])
    }
    from = e
  }
  return found
}

/** The skeleton with elements [from, to) made one value. */
export function reducedSkeleton(group: Group, from: number, to: number): [number, number] {
  let s1 = 0
  let s2 = 0
  let at = 0
  for (let e = 0; e < group.hashes.length; e++) {
    if (e > from && e < to) continue
    const h = e === from ? (group.spaced[e] ? VALUE_HASH ^ SPACED : VALUE_HASH) : (group.hashes[e] as number)
    s1 = (s1 + Math.imul(h, pow1[at] as number)) | 0
    s2 = (s2 + Math.imul(h ^ (h >>> 13), pow2[at] as number)) | 0
    at++
  }
  return [s1, s2]
}

/** Whether two groups are the same but for place `except`. */
export function agree(a: Group, b: Group, except: number): boolean {
  if (a.hashes.length !== b.hashes.length) return false
  for (let e = 0; e < a.hashes.length; e++) if (e !== except && a.hashes[e] !== b.hashes[e]) return false
  return true
}

/** Whether the line's group is an instance of the wide one. */
export function fits(wide: Group, line: Group): boolean {
  if (wide.hashes.length !== line.hashes.length) return false
  for (let e = 0; e < wide.hashes.length; e++) {
    if (wide.hashes[e] === line.hashes[e]) continue
    if (wide.shapes[e] !== WILD || wide.spaced[e] !== line.spaced[e]) return false
    const kind = line.kinds[e] as number
    if (kind !== WORD && kind !== SOFT && kind < FIRST_VALUE) return false
  }
  return true
}

/** What covers all of the groups: every element in which they differ becomes a value. */
export function cover(groups: readonly Group[]): Group {
  const wider = copyOf(groups[0] as Group)
  for (const group of groups) {
    for (let e = 0; e < wider.words.length; e++) if (wider.shapes[e] !== WILD && wider.words[e] !== group.words[e]) free(wider, e)
  }
  return wider
}
