/**
 * Words in varying number: lines that begin and end alike and have one, two or seven other words in between.
 *
 * One word that varies is told by its place (evidence.ts). A run of them has no place to count in, so groups are gathered by their first and by
 * their last elements; the part in which they differ is a value when it is hardly ever the same, comes in several lengths, and reads like no
 * sentence of its own, or stands between text that is always there.
 */
import { FIXED, type Group, WILD } from './group.ts'
import { FIRST_VALUE, SOFT, WORD } from './masking.ts'

/** A template with a run of any length in it: the first `before` and the last `after` elements of its lines are its own. */
export interface Span {
  readonly group: Group
  readonly before: number
  readonly after: number
}

/** Elements that lines share at one end before they are held against each other. */
const ENDS = 3
/** Groups needed, and different lengths among them. */
const VARIANTS = 10
const LENGTHS = 3
/** Words that sentences are made of, and values hardly ever. */
const GRAMMAR = new Set(
  'a an the of to in on at by for from with without into is are was were be been has have had not no and or as it its this that will can cannot could did does do while when after before because than then if'.split(
    ' ',
  ),
)

const keyOf = (group: Group, from: number, salt: number): number => {
  let h = salt
  for (let e = from; e < from + ENDS; e++) h = Math.imul(h ^ (group.hashes[e] as number), 0x01000193) ^ (h >>> 13)
  return h
}
/** Where lines with the same first, and with the same last elements are gathered; none for short lines. */
export const headKey = (group: Group): number | undefined => (group.hashes.length > ENDS ? keyOf(group, 0, 0x5bd1) : undefined)
export const tailKey = (group: Group): number | undefined =>
  group.hashes.length > ENDS ? keyOf(group, group.hashes.length - ENDS, 0x2c1b) : undefined

/** How many elements all groups share at the beginning and at the end, when what is between is a value of varying length. */
export function spanOf(members: readonly Group[]): { before: number; after: number } | undefined {
  if (members.length < VARIANTS) return undefined
  const one = members[0]
  let least = one.hashes.length
  for (const group of members) least = Math.min(least, group.hashes.length)
  let before = 0
  while (before < least - 1 && members.every(group => group.hashes[before] === one.hashes[before])) before++
  let after = 0
  while (after < least - 1 - before && members.every(group => fromEnd(group, after) === fromEnd(one, after))) after++
  if (wordsOf(one, 0, before) + wordsOf(one, one.hashes.length - after, one.hashes.length) < 2) return undefined
  const lengths = new Set(members.map(group => group.hashes.length))
  if (lengths.size < LENGTHS) return undefined
  const first = new Set<string>()
  const last = new Set<string>()
  let rare = 0
  let sentences = 0
  for (const group of members) {
    const end = group.hashes.length - after
    first.add(group.words[before])
    last.add(group.words[end - 1])
    if (group.count <= 1) rare++
    if (hasGrammar(group, before, end)) sentences++
  }
  const enclosed = before > 0 && after > 0 && /^[[({<"'=]$/.test(one.words[before - 1])
  const most = members.length
  if (rare < 0.8 * most || first.size < 0.6 * most || last.size < 0.6 * most) return undefined
  return enclosed || sentences <= 0.1 * most ? { before, after } : undefined
}

/** Whether the line's group has the ends of the span, and something between. */
export function fitsSpan({ group, before, after }: Span, line: Group): boolean {
  const n = line.hashes.length
  if (n < before + after + 1) return false
  for (let e = 0; e < before; e++) if (!alike(group, e, line, e)) return false
  for (let e = 1; e <= after; e++) if (!alike(group, group.hashes.length - e, line, n - e)) return false
  return (before > 0 && after > 0) || !hasGrammar(line, before, n - after)
}

const fromEnd = (group: Group, e: number): number => group.hashes[group.hashes.length - 1 - e] as number

function alike(group: Group, g: number, line: Group, l: number): boolean {
  if (group.hashes[g] === line.hashes[l]) return true
  if (group.shapes[g] !== WILD || group.spaced[g] !== line.spaced[l]) return false
  const kind = line.kinds[l] as number
  return kind === WORD || kind === SOFT || kind >= FIRST_VALUE
}

function wordsOf(group: Group, from: number, to: number): number {
  let words = 0
  for (let e = from; e < to; e++)
    if (group.shapes[e] === FIXED && group.kinds[e] === WORD && /^[A-Za-z]{2}/.test(group.words[e])) words++
  return words
}

function hasGrammar(group: Group, from: number, to: number): boolean {
  for (let e = from; e < to; e++) if (GRAMMAR.has(group.words[e])) return true
  return false
}
