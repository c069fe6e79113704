/**
 * Takes secrets out of text before it is stored or sent on: passwords and tokens after a telling key, credentials in headers and URLs, keys with a
 * known form, private keys, card numbers (checked by their digit sum), e-mail addresses.
 *
 * What is taken out leaves a mark that says what it was. Every pattern is bounded and starts at a fixed word or character class, so the work is
 * linear in the length of the text. Redacting twice changes nothing.
 */

export interface RedactOptions {
  /** Take out e-mail addresses. Default true. */
  readonly emails?: boolean
  /** Take out payment card numbers. Default true. */
  readonly cards?: boolean
  /** Further keys whose values are secret, as they stand before "=" or ":". Default none. */
  readonly keys?: readonly string[]
}

const SECRET_KEYS = [
  'passw(?:or)?d',
  'passwd',
  'passphrase',
  'pwd',
  'secret',
  'api[_-]?key',
  'apikey',
  'access[_-]?key',
  'private[_-]?key',
  'signing[_-]?key',
  'encryption[_-]?key',
  'client[_-]?secret',
  'credentials?',
  'auth[_-]?token',
  'access[_-]?token',
  'refresh[_-]?token',
  'id[_-]?token',
  'token',
  'session[_-]?(?:id|key|token)',
  'set-cookie',
  'cookie',
  'x-api-key',
  'authorization',
  'pin[_-]?code',
  'cvv',
  'ssn',
]

/** A key, its sign, and the value up to where it ends; quoted values may hold spaces. */
const keyed = (keys: readonly string[]): RegExp =>
  new RegExp(
    `((?:${keys.join('|')})[\\w-]{0,24}(?:\\\\?["'])?\\s{0,2}(?:=>|[:=])\\s{0,2})(\\\\?"(?:[^"\\\\]|\\\\[^"]){1,4096}\\\\?"|'[^']{1,4096}'|(?:(?:bearer|basic|digest|token) )?[^\\s"',;&)}\\]\\\\]{1,4096})`,
    'gi',
  )

const SECRET_VALUE = keyed(SECRET_KEYS)
const TELLING = /passw|pwd|passphrase|secret|key|credential|token|session|cookie|authorization|cvv|ssn|pin/i
const HARMLESS =
  /^\\?["']?(?:null|none|nil|undefined|true|false|empty|missing|invalid|expired|required|yes|no|\*+|x+|<[^>]{0,64}>|\[redacted[^\]]{0,32}\]?|\d{1,5})\\?["']?$/i

const FORMS: readonly (readonly [kind: string, trigger: string, pattern: RegExp])[] = [
  [
    'private-key',
    '-----BEGIN',
    /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?:(?!-----END)[\s\S]){0,16384}(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?/g,
  ],
  ['token', 'eyJ', /\beyJ[\w-]{8,4096}\.[\w-]{2,8192}(?:\.[\w-]{0,4096})?/g],
  ['token', 'earer ', /(?<=\b[Bb]earer )[\w.~+/=-]{8,4096}/g],
  ['token', 'asic ', /(?<=\b[Bb]asic )[A-Za-z0-9+/]{8,4096}={0,2}(?![\w ])/g],
  ['key', 'A', /\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b/g],
  ['token', 'gh', /\bgh[pousr]_[A-Za-z0-9]{20,255}\b/g],
  ['token', 'github_pat_', /\bgithub_pat_\w{20,255}\b/g],
  ['token', 'glpat-', /\bglpat-[\w-]{16,255}/g],
  ['token', 'xox', /\bxox[abeoprs]-[\w-]{8,255}/g],
  ['token', 'npm_', /\bnpm_[A-Za-z0-9]{30,64}\b/g],
  ['key', 'AIza', /\bAIza[\w-]{30,64}/g],
  ['key', '_', /\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,255}\b/g],
  ['key', 'sk-', /\bsk-[\w-]{20,255}/g],
]

const URL_CREDENTIALS = /(:\/\/[^\s:/@"']{0,256}):([^\s/@"']{1,1024})@/g
const EMAIL = /(?<![\w.%+-])[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}\b/g
const CARD =
  /(?<![\w.:-])[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?![\w:-]|\.\d)|(?<![\w.:-])3[47]\d{2}[ -]?\d{6}[ -]?\d{5}(?![\w:-]|\.\d)/g

export function redact(text: string, options: RedactOptions = {}): string {
  let out = text
  if (options.keys !== undefined && options.keys.length > 0)
    out = withoutValues(out, keyed(options.keys.map(key => key.replace(/[^\w-]/g, '\\$&'))))
  for (const [kind, trigger, pattern] of FORMS) if (out.includes(trigger)) out = out.replace(pattern, `[redacted ${kind}]`)
  if (TELLING.test(out)) out = withoutValues(out, SECRET_VALUE)
  if (out.includes('://') && out.includes('@')) out = out.replace(URL_CREDENTIALS, '$1:[redacted]@')
  if (options.emails !== false && out.includes('@')) out = out.replace(EMAIL, '[redacted email]')
  if (options.cards !== false) out = out.replace(CARD, digits => (isCard(digits) ? '[redacted card]' : digits))
  return out
}

function withoutValues(text: string, pattern: RegExp): string {
  return text.replace(pattern, (whole, key: string, value: string) => {
    if (HARMLESS.test(value)) return whole
    const quote = /^\\?["']/.exec(value)?.[0] ?? ''
    return `${key}${quote}[redacted]${quote}`
  })
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
