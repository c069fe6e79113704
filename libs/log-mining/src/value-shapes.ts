/**
 * The shapes of values: character classes, words with a meaning of their own, and what a stretch of text looks like.
 *
 * Every function looks at a bounded window or once at each character of [s, e).
 */
/** What an atom is. Everything from FIRST_VALUE on is a value; the kinds are in parameterKinds. */
export const WORD = 1
export const SOFT = 2 // a word with a digit or two in it (eth0): fixed until another one turns up in its place
export const PUNCTUATION = 3
export const UNIT = 4 // a unit right after a number
export const FIRST_VALUE = 8

export const parameterKinds = [
  'number',
  'hex',
  'id',
  'ip',
  'host',
  'path',
  'url',
  'time',
  'duration',
  'size',
  'boolean',
  'user',
  'email',
  'uuid',
  'version',
  'mac',
  'text',
] as const
export type ParameterKind = (typeof parameterKinds)[number]

export const NUMBER = FIRST_VALUE
export const HEX = FIRST_VALUE + 1
export const ID = FIRST_VALUE + 2
export const IP = FIRST_VALUE + 3
export const HOST = FIRST_VALUE + 4
export const PATH = FIRST_VALUE + 5
export const URL = FIRST_VALUE + 6
export const TIME = FIRST_VALUE + 7
export const DURATION = FIRST_VALUE + 8
export const SIZE = FIRST_VALUE + 9
export const BOOLEAN = FIRST_VALUE + 10
export const USER = FIRST_VALUE + 11
export const EMAIL = FIRST_VALUE + 12
export const UUID = FIRST_VALUE + 13
export const VERSION = FIRST_VALUE + 14
export const MAC = FIRST_VALUE + 15
export const TEXT = FIRST_VALUE + 16

// Character flags. A chunk is a run of characters that are neither space nor HARD.
export const SPACE = 1
export const HARD = 2
export const DIGIT = 4
export const LETTER = 8
export const DOT = 16
export const COLON = 32
export const SLASH = 64
export const UNDERSCORE = 128
export const HYPHEN = 256
export const AT = 512
export const UPPER = 1024
export const OTHER = 2048

export const FLAGS = new Uint16Array(128).fill(OTHER)
for (let c = 0; c <= 32; c++) FLAGS[c] = SPACE
FLAGS[127] = SPACE
for (const c of '()[]{}<>,;=|"\'#&%`') FLAGS[c.charCodeAt(0)] = HARD
for (let c = 48; c <= 57; c++) FLAGS[c] = DIGIT
for (let c = 65; c <= 90; c++) FLAGS[c] = LETTER | UPPER
for (let c = 97; c <= 122; c++) FLAGS[c] = LETTER
FLAGS[46] = DOT
FLAGS[58] = COLON
FLAGS[47] = SLASH
FLAGS[92] = SLASH
FLAGS[95] = UNDERSCORE
FLAGS[45] = HYPHEN
FLAGS[64] = AT

export const flagsOf = (c: number): number =>
  c < 128 ? (FLAGS[c] as number) : c === 0xa0 || c === 0x2028 || c === 0x2029 ? SPACE : LETTER

/** Words with a meaning of their own. */
export const S_BOOLEAN = 1
export const S_MONTH = 2
export const S_WEEKDAY = 3
export const S_UNIT = 4
export const S_SCALE = 5 // byte multiples: always part of the value, since writers scale them
export const S_USER = 6

export function hashOf(text: string, start = 0, end = text.length): number {
  let h = 0x811c9dc5 | 0
  for (let i = start; i < end; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h
}

export const SPECIAL = new Map<number, number>()
export const SPECIAL_FILTER = new Uint8Array(8192)
const special = (kind: number, words: string) => {
  for (const word of words.split(' ')) {
    const h = hashOf(word)
    SPECIAL.set(h, kind)
    SPECIAL_FILTER[h & 8191] = 1
  }
}
special(S_BOOLEAN, 'true false True False TRUE FALSE null NULL nil')
special(S_MONTH, 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec')
special(S_WEEKDAY, 'Mon Tue Wed Thu Fri Sat Sun')
special(
  S_UNIT,
  'byte bytes B ns us µs ms msec msecs s sec secs second seconds min mins minute minutes h hour hours day days millis milliseconds microseconds nanoseconds',
)
special(S_SCALE, 'KB MB GB TB PB KiB MiB GiB TiB kB Kb Mb Gb Kbytes Mbytes Gbytes')
special(S_USER, 'user User USER')

/** Keys whose value is a user's name. */
export const USER_KEYS = new Set(['user', 'User', 'USER', 'username', 'userName', 'ruser', 'euser'])

/** Words that follow "user" without naming one. */
export const NOT_A_USER = new Set(
  'unknown not is was are has had have and or the a an in on of to for from by with at as id ids name names agent account accounts data group groups session sessions level mode space request requests code input error errors already does cannot could authenticated logged exists login logout password privacy permission permissions defined who that this denied process profile settings service info information limit switch type key token authentication authorization authenticated interface home directory script thread program preferences store table activity list count limits management manager role roles access'.split(
    ' ',
  ),
)

const TOP_LEVEL = new Set('com net org edu gov mil local localdomain lan internal arpa info biz'.split(' '))
const COUNTRIES = new Set(
  'cn ru de uk fr jp br nl se ch es tr kr tw hk mx ua cz ro gr hu pt dk fi ar au nz ca us eu za sg il vn th my'.split(' '),
)
const SOURCE_FILES = new Set(
  'c h cc cpp cxx hpp hh java kt scala groovy py rb go rs js mjs cjs ts jsx tsx php cs fs vb swift m mm pl lua sh sql ex exs erl clj hs ml s asm lex yy log conf cfg xml json yaml yml properties txt html css dll exe so'.split(
    ' ',
  ),
)
const SECOND_LEVEL = new Set('com co net org edu ac gov'.split(' '))

/** Where the character c first stands in [s, e), or e. */
export function indexIn(text: string, c: number, s: number, e: number): number {
  while (s < e && text.charCodeAt(s) !== c) s++
  return s
}

export const LOCALHOST = hashOf('localhost')

/** A full stop after a path ends the sentence when a capital or nothing follows; otherwise it is a part of the path. */
export function pathEnd(text: string, s: number, e: number, length: number): number {
  const stop = trimmedEnd(text, s, e)
  if (e - stop !== 1 || text.charCodeAt(stop) !== 46 || e + 1 >= length || text.charCodeAt(e) !== 32) return stop
  return (flagsOf(text.charCodeAt(e + 1)) & (UPPER | SPACE | HARD)) !== 0 ? stop : e
}

/** Where the text ends without trailing sentence marks. */
export function trimmedEnd(text: string, s: number, e: number): number {
  while (e > s) {
    const c = text.charCodeAt(e - 1)
    if (c === 46 || c === 58 || c === 33 || c === 63 || c === 32 || c === 44 || c === 59) e--
    else break
  }
  return e
}

const PATH_STOPS = new Uint8Array(128)
for (let c = 0; c <= 32; c++) PATH_STOPS[c] = 1
for (const c of '"\'`()[]{}<>|,;') PATH_STOPS[c.charCodeAt(0)] = 1
export const partOfPath = (c: number): boolean => c >= 128 || PATH_STOPS[c] === 0

export function schemeEnd(text: string, s: number, e: number): number {
  for (let i = s; i < e - 2; i++) {
    const c = text.charCodeAt(i)
    if (c === 58) return i > s && text.charCodeAt(i + 1) === 47 && text.charCodeAt(i + 2) === 47 ? i + 3 : 0
    if ((flagsOf(c) & (LETTER | DIGIT | DOT | HYPHEN)) === 0 && c !== 43) return 0
  }
  return 0
}

export function kindOfPath(text: string, s: number, e: number): number {
  let dots = 0
  for (let i = s + 1; i < e; i++) {
    const c = text.charCodeAt(i)
    if (c === 46) dots++
    else if (!((c >= 48 && c <= 58) || c === 47)) return PATH
  }
  return dots === 3 ? IP : PATH
}

export function kindOfNumber(text: string, s: number, e: number, flags: number, digits: number): number {
  if ((flags & (LETTER | UNDERSCORE | SLASH | AT | OTHER)) === 0) {
    if ((flags & HYPHEN) !== 0 && indexIn(text, 45, s + 1, e) < e) return isUuid(text, s, e) ? UUID : ID
    if ((flags & DOT) === 0) return NUMBER
    let dots = 0
    for (let i = s; i < e; i++) if (text.charCodeAt(i) === 46) dots++
    return dots === 1 ? NUMBER : dots === 3 ? IP : VERSION
  }
  const c = text.charCodeAt(s + 1) | 32
  if (text.charCodeAt(s) === 48 && c === 120) return HEX
  if ((flags & (UNDERSCORE | SLASH | AT)) !== 0) return ID
  if (isUuid(text, s, e)) return UUID
  if (isHost(text, s, e)) return HOST
  let i = s
  while (i < e && (flagsOf(text.charCodeAt(i)) & (DIGIT | DOT | HYPHEN)) !== 0) i++
  const suffix = text.slice(i, e)
  if (suffix.length <= 6) {
    if (/^(ns|us|µs|ms|s|sec|secs|m|min|h|d)$/.test(suffix)) return DURATION
    if (/^([kKMGTP]i?B?|bytes|Kbytes|B)$/.test(suffix)) return SIZE
  }
  return digits > 0 && allHex(text, s, e) ? HEX : ID
}

export function colonKind(text: string, s: number, e: number): number {
  let colons = 0
  let dots = 0
  let letters = false
  for (let i = s; i < e; i++) {
    const c = text.charCodeAt(i)
    if (c === 58) colons++
    else if (c === 46) dots++
    else if (c > 58) letters = true
  }
  if (dots === 3) return IP
  if (colons === 5 && e - s === 17) return MAC
  if (colons <= 2 && !letters) return TIME
  return colons > 2 && letters ? IP : ID
}

export function isUuid(text: string, s: number, e: number): boolean {
  if (e - s !== 36) return false
  for (let i = 0; i < 36; i++) {
    const c = text.charCodeAt(s + i)
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (c !== 45) return false
    } else if (!isHex(c)) return false
  }
  return true
}

const isHex = (c: number): boolean => (c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70)

export function allHex(text: string, s: number, e: number): boolean {
  for (let i = s; i < e; i++) if (!isHex(text.charCodeAt(i))) return false
  return true
}

/** A dotted name that ends as host names do, and does not begin as package names do. */
export function isHost(text: string, s: number, e: number): boolean {
  // the last label decides most cases without taking the name apart
  let dot = e - 1
  while (dot > s && text.charCodeAt(dot) !== 46) dot--
  if (dot <= s || e - dot < 3 || e - dot > 12 || e - s > 256) return false
  const end = text.slice(dot + 1, e).toLowerCase()
  if (!TOP_LEVEL.has(end) && end.length !== 2) return false
  const name = text.slice(s, Math.min(e, s + 256))
  const labels = name.split('.')
  if (labels.length < 2) return false
  for (const label of labels) if (!/^[A-Za-z0-9_-]+$/.test(label)) return false
  const last = (labels[labels.length - 1] as string).toLowerCase()
  const first = labels[0] as string
  if (first === 'com' || first === 'org' || first === 'net' || first === 'java' || first === 'javax' || first === 'io')
    return false
  if (TOP_LEVEL.has(last)) return true
  return (
    labels.length > 2 &&
    (COUNTRIES.has(last) || (last.length === 2 && SECOND_LEVEL.has(labels[labels.length - 2] as string) && /^[a-z]+$/.test(last)))
  )
}

/** "name.tld:443": a dotted name that is no source file, with a port. */
export function portFollows(text: string, s: number, e: number): boolean {
  let i = e + 1
  if (text.charCodeAt(e) !== 58) return false
  while (i < text.length && flagsOf(text.charCodeAt(i)) === DIGIT) i++
  if (i === e + 1 || i > e + 6 || (i < text.length && (flagsOf(text.charCodeAt(i)) & (SPACE | HARD | SLASH | DOT | COLON)) === 0))
    return false
  const name = text.slice(s, Math.min(e, s + 256))
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/.test(name)) return false
  const last = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return /^[a-z]{2,}$/.test(last) && !SOURCE_FILES.has(last)
}

/** "<id@host>": an address or message id in angle brackets. Returns where it ends, or 0. */
export function addressEnd(text: string, s: number, length: number): number {
  let at = 0
  for (let i = s + 1; i < length && i < s + 256; i++) {
    const c = text.charCodeAt(i)
    if (c === 62) return at > s + 1 && i > at + 1 ? i + 1 : 0
    if (c === 64) {
      if (at > 0) return 0
      at = i
    } else if (c <= 32 || c === 60) return 0
  }
  return 0
}

/** "(1.13 KB)" after a size in bytes. Returns where it ends, or 0. */
export function sizeInBrackets(text: string, s: number, length: number): number {
  let i = s + 1
  while (i < length && i < s + 24 && (flagsOf(text.charCodeAt(i)) & (DIGIT | DOT)) !== 0) i++
  if (i === s + 1) return 0
  if (text.charCodeAt(i) === 32) i++
  const close = indexIn(text, 41, i, Math.min(length, i + 7))
  if (close === i || text.charCodeAt(close) !== 41) return 0
  return SPECIAL.get(hashOf(text, i, close)) === S_SCALE ? close + 1 : 0
}

/** "Fri Jun 17 07:07:00 2005", "Jun 17 07:07:00". Returns where it ends, or 0. */
export function datePhrase(text: string, s: number, e: number, length: number): number {
  const tail = text.slice(s, Math.min(length, s + 48))
  const m =
    /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +)?(?:[A-Z][a-z]{2} +\d{1,2}|\d{1,2} [A-Z][a-z]{2}(?: \d{4})?) +\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: (?:[A-Z]{3,4}|[+-]\d{4}))?(?: \d{4}\b)?/.exec(
      tail,
    )
  return m && m[0].length > e - s ? s + m[0].length : 0
}
