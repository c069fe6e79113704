/**
 * How many different words must be seen in one place of otherwise equal lines before the place is taken for a value.
 *
 * A word that varies is not yet a value: "link up" and "link down" are two messages. What decides is the place: after "=" two are
 * enough, after a preposition a few, in the running text several, and the first word of a line (most often the name of what speaks) many.
 */
import { FIRST_VALUE, SOFT, WORD } from './masking.ts'

interface Line {
  readonly words: readonly string[]
  readonly spaced: readonly boolean[]
  readonly shapes: readonly number[]
  readonly kinds: readonly number[]
}

export const evidence = {
  /** After "=": the key names the value. */
  afterEquals: 2,
  /** eth0, eth1: the same word with another number. */
  numbered: 2,
  /** Alone in brackets or quotes. */
  enclosed: 3,
  /** Single letters. */
  letters: 3,
  /** A lower-case word between two that announce: "for X from". */
  flanked: 2,
  /** After a word that announces a value (from, to, user, node ...). */
  announced: 4,
  /** Several identifiers varying together. */
  identifiers: 6,
  /** Elsewhere in the text. */
  running: 6,
  /** First in the line, where most often the speaker is named; fewer when much text agrees. */
  first: 24,
  firstOfLong: 7,
}

const ANNOUNCES = new Set(
  'for from to by on at of in via user host node domain name file device server client service group queue topic table key module class interface port process task job'.split(
    ' ',
  ),
)

const OPENING = '([{\'"<'

/** Lines equal but for place i: the number of them needed. */
export function neededVariants(lines: readonly Line[], i: number): number {
  const one = lines[0] as Line
  // a line of which nothing would stay fixed is no template
  let fixedWords = 0
  for (let e = 0; e < one.words.length; e++) if (e !== i && one.shapes[e] === 0 && (one.kinds[e] as number) <= SOFT) fixedWords++
  if (fixedWords === 0) return Number.POSITIVE_INFINITY
  let words = 0
  let stem: string | undefined
  let sameStem = true
  let sawValue = false
  for (const line of lines) {
    if ((line.kinds[i] as number) >= FIRST_VALUE) {
      sawValue = true
      continue
    }
    words++
    const text = line.words[i] as string
    const without = text.replace(/[0-9]+/g, '0')
    if (line.kinds[i] === WORD) sameStem = false
    if (stem === undefined) stem = without
    else if (stem !== without) sameStem = false
  }
  if (words === 0) return Number.POSITIVE_INFINITY
  if (sameStem && words > 1) return evidence.numbered
  const already = sawValue ? 1 : 0
  if (words > 1 && lines.every(l => (l.words[i] as string).length === 1)) return evidence.letters
  const before = i > 0 ? (one.words[i - 1] as string) : ''
  const after = i + 1 < one.words.length ? (one.words[i + 1] as string) : ''
  if (before === '=') return evidence.afterEquals
  if (before !== '' && OPENING.includes(before) && after !== '' && ')]}\'">'.includes(after)) return evidence.enclosed
  if (ANNOUNCES.has(before) && ANNOUNCES.has(after) && lines.every(l => /^[a-z][a-z0-9_-]*$/.test(l.words[i] as string)))
    return evidence.flanked
  if (ANNOUNCES.has(before.toLowerCase())) return evidence.announced - already
  if (i === 0) return (fixedWords > 3 ? evidence.firstOfLong : evidence.first) - already
  return evidence.running - already
}
