/**
 * Takes secrets out of text before it is stored or sent on: what is known by its form (secret-rules.ts), by the name it stands under (secret-keys.ts), by its place in a
 * URL or header, and what looks random beside a telling word; besides card numbers (by their digit sum) and e-mail addresses.
 *
 * What is taken out leaves a mark that says what it was, <redacted:aws-key>, so that lines of one template stay alike. One pass over the text finds which rules can match
 * at all (occasions.ts); every pattern is bounded, so the work is linear. Redacting twice changes nothing.
 */
import { BoundedMap } from '@aegis/domain'
import { AT, CARD, Occasions, RANDOM } from './occasions.ts'
import { PLAIN_TAIL, SECRET_HEADERS, secretKeys } from './secret-keys.ts'
import { secretRules } from './secret-rules.ts'

export interface RedactOptions {
  /** Take out e-mail addresses. Default true. */
  readonly emails?: boolean
  /** Take out payment card numbers. Default true. */
  readonly cards?: boolean
  /** Further keys whose values are secret, as they stand before "=" or ":". Default none. */
  readonly keys?: readonly string[]
}

const QUOTE = '\\\\{0,3}["\'`]'
/** Between a name and its value: JSON, logfmt, YAML, URL, a Ruby or PHP hash, XML, a list of names and values, a flag. */
const SIGN = `(?:${QUOTE}|\\])?(?:\\s{0,2}(?:=>|:=|={1,2}|:|%3[dDaA])\\s{0,2}|(?<=<(?!redacted:)[\\w.:-]{1,96})>|${QUOTE}?,\\s{0,2}${QUOTE}?(?:[vV]alue|VALUE)${QUOTE}?\\s{0,2}[:=]\\s{0,2}(?:\\{\\s?${QUOTE}?stringValue${QUOTE}?\\s?:\\s?)?)`
const VALUE = `(?:[bu](?=["']))?(?:\\\\{0,3}"(?:[^"\\\\]|\\\\{1,3}[^"\\\\]){0,4096}\\\\{0,3}"?|'[^'\\n]{0,4096}'?|\`[^\`\\n]{0,4096}\`?|<[^<>\\s]{1,64}>|[^\\s"',;&)}\\]\\\\<]{1,4096})`
const keyed = (name: string): RegExp =>
  new RegExp(
    `(?<key>(?:${name})(?<tail>[\\w.-]{0,32}))(?<sign>${SIGN}|(?<=(?:^|[\\s"'])--?[\\w-]{0,48})\\s{1,2}(?=[^\\s-]))(?<value>${VALUE})`,
    'gi',
  )

const HARMLESS =
  /^(?:null|none|nil|undefined|true|false|empty|missing|invalid|incorrect|wrong|expired|required|present|absent|set|unset|yes|no|on|off|ok|failed|default|unknown|n\/a|string|str|text|bytes|number|int|optional|object|redacted|hidden|masked|secret|password|token|\*+|\.+|x+|-+|<[^>]*>|\[[^\]]*\]?|\(.*|[{$%].*|\d{1,5}|0x[0-9a-f]{1,16},?)$/i
const PATH = /^(?:[a-z]{2,10}:)?\/{1,3}[\w.-]|^\.{0,2}\/|^[A-Za-z]:\\|^~\//
/** A word of prose, or the name of a thing in code. */
const WORD = /^[A-Za-z]?[a-z]+[.!?:]?$/
const CODE = /^(?:[a-z_]\w*\.)+[A-Za-z_]\w*(?:@[0-9a-f]+)?$|^[\w.$]+\(.*|^[\w.$]+@[0-9a-f]{4,8}$/

const RULES = secretRules.map(({ kind, pattern }) => ({ pattern, mark: `<redacted:${kind}>` }))
const KEYS = secretKeys.map(({ kind, name, weak }) => ({
  pattern: keyed(name),
  mark: `<redacted:${kind}>`,
  weak: weak === true,
  kind,
}))
const FIRST_KEY = RULES.length
const HEADER = FIRST_KEY + KEYS.length
const URL_PLACE = HEADER + 1
const PROSE = HEADER + 2
const occasions = new Occasions([
  ...secretRules.map(r => r.triggers),
  ...secretKeys.map(k => k.triggers),
  ['authorization', 'cookie', 'x-amz-security-token', 'x-vault-token'],
  ['://', ':\\/\\/', '%3a%2f%2f', 'thin:'],
  [
    'password',
    'passwd',
    'passphrase',
    'passcode',
    'pwd',
    'secret',
    'api key',
    'apikey',
    'api_key',
    'token',
    'credential',
    'access key',
    'private key',
  ],
])

const HEADERS = new RegExp(
  `(?<![A-Za-z])(?<key>${SECRET_HEADERS})(?<sign>(?:${QUOTE})?\\s{0,2}(?:=>|[:=])\\s{0,2}\\[?|${QUOTE},\\s{0,2})(?<value>\\\\{0,3}"(?:[^"\\\\]|\\\\{1,3}[^"\\\\]){0,8192}\\\\{0,3}"?|'[^'\\n]{0,8192}'?|(?:(?:Digest|OAuth|Hawk|AWS4-[\\w-]{1,32}|HMAC[\\w-]{0,16}|Signature|SharedAccessSignature|GoogleLogin) [^\\n]{1,4096}|(?:Bearer|Basic|Token|ApiKey|Api-Key|SSWS|Negotiate|NTLM|Splunk|GenieKey|Key|DPoP|Bot|JWT)\\s{1,2})?[^\\s"'\`,)}\\]]{1,4096}(?:(?<=;)[ ][^\\s"'\`,)}\\]]{1,4096}){0,64})`,
  'gi',
)
const URL_CREDENTIALS =
  /(?<start>(?::|%3A)(?:\\?\/|%2F){2}[^\s:/@"'<>\\]{0,256}(?::|%3A))(?<value>(?!<redacted)[^\s/@"'<>]{1,1024})(?=@)/gi
/** A token alone in the place of the user. */
const URL_TOKEN = /(?<start>:\/\/)(?<value>(?=[\w-]{0,64}\d)[\w-]{24,255})(?=@)/g
const ORACLE = /(?<start>\bthin:[\w-]{1,64}\/)(?<value>(?!<redacted)[^\s@/<>]{1,128})(?=@)/gi
const TELLING =
  '(?:password|passwd|passphrase|passcode|pwd|secret(?: key)?|api[ _-]?key|(?:access|auth|api|bearer|refresh|session|bot|deploy) ?token|access key|private key|credential)s?'
const SAID = new RegExp(
  `(?<start>\\b${TELLING}(?: (?:is|was|are|of|set to|changed to|reset to|to|for [\\w.@-]{1,64}(?: is| to)?|with|using|value|now))?:? )(?<value>["'\`][^"'\`\\s]{4,256}["'\`]|[^\\s"'\`<>]{6,256})`,
  'gi',
)
const RANDOM_NEAR = new RegExp(
  `(?<start>\\b(?:${TELLING}|token|key|hmac)\\b[^\\n]{0,24}?[\\s"'=:(\\[])(?<value>[A-Za-z0-9_+/=.~-]{20,256})(?![A-Za-z0-9_+/=.~-])`,
  'gi',
)
const EMAIL = /(?<![\w.%+-])[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}\b/g
const CARDS =
  /(?<![\w.:-])[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?![\w:-]|\.\d)|(?<![\w.:-])3[47]\d{2}[ -]?\d{6}[ -]?\d{5}(?![\w:-]|\.\d)/g
/** A line of a private key whose first line came before it: base64 from edge to edge, in the widths that tools print. */
const KEY_LINE =
  /^\s*(?=[A-Za-z0-9+/]*[G-Zg-z])(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*[a-z])(?:[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{70}|[A-Za-z0-9+/]{76})\s*$/

const found = new Set<number>()

export function redact(text: string, options: RedactOptions = {}): string {
  found.clear()
  occasions.in(text, found)
  let out = text
  if (options.keys !== undefined && options.keys.length > 0)
    out = byKey(out, keyed(options.keys.map(key => key.replace(/[^\w-]/g, '\\$&')).join('|')), '<redacted:secret>', false, '')
  if (found.size === 0) return out
  const places = [...found].sort((a, b) => a - b)
  if (found.has(RANDOM) && KEY_LINE.test(out)) return '<redacted:private-key>'
  for (const at of places) if (at >= 0 && at < FIRST_KEY) out = out.replace(RULES[at].pattern, RULES[at].mark)
  if (found.has(HEADER))
    out = out.replace(HEADERS, (whole, key, sign, value) =>
      HARMLESS.test(bare(value))
        ? whole
        : `${key}${sign}${marked(value, /cookie/i.test(key) ? '<redacted:cookie>' : '<redacted:authorization>')}`,
    )
  for (const at of places)
    if (at >= FIRST_KEY && at < HEADER) {
      const { pattern, mark, weak, kind } = KEYS[at - FIRST_KEY]
      out = byKey(out, pattern, mark, weak, kind)
    }
  if (found.has(URL_PLACE)) {
    out = out.replace(URL_CREDENTIALS, '$<start><redacted:password>')
    out = out.replace(URL_TOKEN, '$<start><redacted:token>').replace(ORACLE, '$<start><redacted:password>')
  }
  if (found.has(PROSE)) {
    out = out.replace(SAID, (whole, start: string, value: string) =>
      isSaid(value) ? `${start}${marked(value, '<redacted:secret>')}` : whole,
    )
    if (found.has(RANDOM))
      out = out.replace(RANDOM_NEAR, (whole, start: string, value: string) =>
        entropy(value) >= 3.5 && isRandom(value) ? `${start}<redacted:secret>` : whole,
      )
  }
  if (options.emails !== false && found.has(AT)) out = out.replace(EMAIL, '<redacted:email>')
  if (options.cards !== false && found.has(CARD))
    out = out.replace(CARDS, digits => (isCard(digits) ? '<redacted:card>' : digits))
  return out
}

/** Whether what stands under this name is a secret whatever it looks like, and of which kind. */
const NAMES = secretKeys
  .filter(k => k.weak !== true || k.kind === 'token' || k.kind === 'session')
  .map(({ kind, name, weak }) => ({ kind, weak, pattern: new RegExp(`(?:${name})(?<tail>[\\w.-]{0,32})$`, 'i') }))
const HEADER_NAME = new RegExp(`(?:^|[.\\s_-])(?:${SECRET_HEADERS})$`, 'i')

interface Name {
  /** The mark of a header that says who somebody is. */
  readonly header?: string
  readonly secret?: { readonly mark: string; readonly weak: boolean }[]
}
const PLAIN_NAME: Name = {}
/** Names are few and come with every record: what each means is looked up once. */
const names = new BoundedMap<string, Name>(4000)
const nameOf = (name: string): Name => {
  const known = names.get(name)
  if (known) return known
  const header = HEADER_NAME.test(name) ? (/cookie/i.test(name) ? '<redacted:cookie>' : '<redacted:authorization>') : undefined
  const secret = NAMES.filter(({ pattern }) => {
    const match = pattern.exec(name)
    return match !== null && !PLAIN_TAIL.test(match.groups?.tail ?? '')
  }).map(({ kind, weak }) => ({ mark: `<redacted:${kind}>`, weak: weak === true }))
  const found: Name = header || secret.length > 0 ? { header, secret } : PLAIN_NAME
  names.set(name, found)
  return found
}

/** The value of an attribute, label or field, judged by its name as well as by what it says. */
export function redactAttribute(name: string, value: string): string {
  if (value === '') return value
  const { header, secret = [] } = nameOf(name)
  if (header && !HARMLESS.test(bare(value.replace(/^\[|\]$/g, '')))) return header
  for (const { mark, weak } of secret) {
    const plain = bare(value)
    if (isPlain(plain) || (weak && !isRandom(plain))) continue
    return mark
  }
  return redact(value)
}

/** Every text in a value, however deep, redacted by name and content; shares what has not changed with it. Records are plain data without cycles. */
export function redactRecord<T>(value: T, name = ''): T {
  if (typeof value === 'string') return (name === '' ? redact(value) : redactAttribute(name, value)) as T
  if (value === null || typeof value !== 'object') return value
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const before = (value as Record<string, unknown>)[key]
    const after = redactRecord(before, Array.isArray(value) ? name : key)
    if (after !== before) {
      copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
      copy[key] = after
    }
  }
  return (copy ?? value) as T
}

function byKey(text: string, pattern: RegExp, mark: string, weak: boolean, kind: string): string {
  return text.replace(pattern, (whole: string, ...rest: unknown[]) => {
    const { key, tail, sign, value } = rest.at(-1) as { key: string; tail: string; sign: string; value: string }
    const [at, all] = [rest.at(-3) as number, rest.at(-2) as string]
    if (tail !== '' && (PLAIN_TAIL.test(tail) || /^[-.]?\d|^\./.test(tail) || (kind === 'code' && tail !== ''))) return whole
    const plain = bare(value)
    if (kind === 'code' && !/^(?=\D*\d)[A-Za-z0-9-]{4,64}$/.test(plain)) return whole
    if (kind === 'pin' ? !/^[\d -]{3,12}$/.test(plain) : isPlain(plain)) return whole
    if (weak && !isRandom(plain)) return whole
    // "password: must be longer": a word of prose, with more to come.
    if (
      plain === value &&
      WORD.test(plain) &&
      (/:\s/.test(sign) || /^\s+$/.test(sign)) &&
      /^ ?[\w,.]|^$/.test(all.slice(at + whole.length, at + whole.length + 2))
    )
      return whole
    return `${key}${sign}${marked(value, mark)}`
  })
}

const OPEN = /^[bu]?\\{0,3}["'`]/
/** What stands between the quotes. */
const bare = (value: string): string => {
  const open = OPEN.exec(value)?.[0]
  if (open === undefined) return value
  const close = /\\{0,3}["'`]$/.exec(value.slice(open.length))?.[0] ?? ''
  return value.slice(open.length, value.length - close.length)
}
const marked = (value: string, mark: string): string => {
  const open = OPEN.exec(value)?.[0] ?? ''
  const close = open === '' ? '' : (/\\{0,3}["'`]$/.exec(value.slice(open.length))?.[0] ?? '')
  return `${open}${mark}${close}`
}
const isPlain = (value: string): boolean => value === '' || HARMLESS.test(value) || PATH.test(value) || CODE.test(value)
const isRandom = (value: string): boolean => {
  if (value.length < 8 || isPlain(value) || /^[\d.:,/ -]+$/.test(value) || /^[A-Za-z]+[ _-][A-Za-z _-]+$/.test(value))
    return false
  if (/^[\w.-]+(?::[\w.-]+)+$/.test(value) && !/\w{16}/.test(value)) return false
  const digit = /\d/.test(value)
  const mixed = /[a-z]/.test(value) && /[A-Z]/.test(value)
  // A word with a number behind it is a name: worker-12, attempt_0003.
  if (/^(?:[A-Za-z]{2,}[._/-]?)+\d{0,4}$/.test(value))
    return mixed && !digit ? /[a-z][A-Z]{2}|[A-Z]{2}[a-z]/.test(value) && value.length >= 16 : false
  if (
    /^[a-z]+(?:[_-][a-z0-9]+)*[_-]\d+(?:[_-]\d+)*$/i.test(value) ||
    (value.includes('/') && /^[\w.-]+(?:\/[\w.-]+)+$/.test(value) && !/[A-Za-z0-9]{20}/.test(value))
  )
    return false
  return (digit && /[A-Za-z]/.test(value)) || (mixed && value.length >= 16)
}
/** What is told in prose as a password or key: quoted, or of letters and digits or signs. */
const isSaid = (value: string): boolean => {
  const plain = bare(value)
  if (isPlain(plain)) return false
  if (plain !== value) return !/^[a-z]+$/i.test(plain) || plain.length > 12
  return (
    /[A-Za-z]/.test(plain) &&
    /\d/.test(plain) &&
    !/[=:(/\\[]|^[\w.-]+@|^\d+[a-z]{1,3}$|^[\d.]+[A-Za-z%]|^#/.test(plain) &&
    isRandom(plain.padEnd(8, '#'))
  )
}
/** Shannon's entropy, bits a character. */
const entropy = (text: string): number => {
  const counts = new Map<string, number>()
  for (const c of text) counts.set(c, (counts.get(c) ?? 0) + 1)
  let sum = 0
  for (const n of counts.values()) sum -= (n / text.length) * Math.log2(n / text.length)
  return sum
}

/** Luhn's check over 13 to 19 digits. */
function isCard(text: string): boolean {
  let sum = 0
  let count = 0
  for (let i = text.length - 1; i >= 0; i--) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) continue
    const doubled = count % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
    count++
  }
  return count >= 13 && count <= 19 && sum % 10 === 0
}
