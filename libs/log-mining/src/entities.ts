/**
 * What a line names: addresses, paths, URLs, hosts, error codes, exception classes, services, pods, containers, trace ids, users.
 *
 * One sweep per kind over a bounded head of the text, with bounded patterns. A stretch of text is one mention only: a URL hides the host and the
 * path inside it. Users are masked: the same user gives the same mark, and the name cannot be read from it.
 */
import { hashOf } from './masking.ts'

export type MentionKind =
  | 'timestamp'
  | 'url'
  | 'email'
  | 'uuid'
  | 'ip'
  | 'mac'
  | 'trace'
  | 'span'
  | 'path'
  | 'exception'
  | 'error_code'
  | 'pod'
  | 'container'
  | 'service'
  | 'host'
  | 'user'

export interface Mention {
  readonly kind: MentionKind
  readonly text: string
}

export interface EntityOptions {
  /** Services known by name; they count where they stand as whole words. Default none. */
  readonly services?: ReadonlySet<string>
  /** Most mentions kept of one line. Default 32. */
  readonly most?: number
}

const HEAD = 8192

const PATTERNS: readonly (readonly [MentionKind, RegExp])[] = [
  [
    'timestamp',
    /\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?|\b[A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:\d{2}:\d{2}(?: \d{4})?\b/g,
  ],
  ['url', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>()[\]{}|,;]{1,2000}/g],
  ['trace', /(?<=\btrace[_-]?id["']?[=:] ?["']?)[0-9a-f]{16,32}\b|\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b/gi],
  ['span', /(?<=\bspan[_-]?id["']?[=:] ?["']?)[0-9a-f]{16}\b/gi],
  ['uuid', /\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b/g],
  ['mac', /\b[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\b/g],
  [
    'ip',
    /(?<![\w.-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w-]|\.\d)|(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:])|(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){1,6}:(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,5})?(?![\w:])|(?<![\w:.])::(?:ffff:)?[0-9a-fA-F]{1,4}(?![\w:])/g,
  ],
  ['email', /(?<![\w.%+-])[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}\b/g],
  [
    'path',
    /(?<![\w/.:<])\/(?:[\w.@%+=~-]{1,255}\/){0,64}[\w.@%+=~*-]{1,255}|\b[A-Za-z]:\\(?:[^\s\\"'<>|:]{1,255}\\){0,64}[^\s\\"'<>|:,;]{0,255}/g,
  ],
  ['exception', /\b(?:[a-zA-Z_$][\w$]{0,63}\.){0,12}[A-Z][\w$]{0,80}(?:Exception|Error|Failure|Fault)\b/g],
  [
    'error_code',
    /\bE(?:CONN(?:REFUSED|RESET|ABORTED)|TIMEDOUT|NOENT|ACCES|PERM|EXIST|MFILE|NFILE|NOSPC|PIPE|ADDRINUSE|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN|IO|BUSY|INVAL|NOMEM|ROFS)\b|\b(?:HRESULT|SQLSTATE|errno|error code|exit code|exit status|status code|errorCode|code|status)[ :=(#]{1,3}(?:0x[0-9a-fA-F]{1,16}|-?\d{1,10}|[0-9A-Z]{5})\b|\b(?:ORA|TNS|PLS|ERR|MSB|CS|TS|E)-?\d{4,5}\b|\bHTTP(?:\/\d(?:\.\d)?)? [45]\d\d\b/g,
  ],
  ['pod', /\b[a-z][a-z0-9]{0,40}(?:-[a-z0-9]{1,40}){0,8}-[a-f0-9]{8,10}-[a-z0-9]{5}\b/g],
  ['container', /(?<=\b(?:container|docker:\/\/|containerd:\/\/)[ =:]{0,2})[0-9a-f]{12}(?:[0-9a-f]{52})?\b/g],
  [
    'host',
    /(?<![\w.@/-])[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?){0,8}\.(?:com|net|org|edu|gov|io|dev|local|internal|lan|svc|cluster\.local)(?![\w-]|\.\w)|\blocalhost\b/g,
  ],
  ['user', /(?<=\b(?:user(?:name)?[ =:]{1,2}|account[=:] ?|login[=:] ?)["']?)[A-Za-z_][\w.-]{1,31}(?=$|[\s"',;)\]])/gi],
]

/** A kind is looked for only where one of these stands in the text: most lines hold few of them. */
const NEEDS: Partial<Record<MentionKind, RegExp>> = {
  timestamp: /:\d\d:/,
  url: /:\/\//,
  trace: /trace|00-/i,
  span: /span/i,
  uuid: /-[0-9a-fA-F]{4}-/,
  mac: /:[0-9a-fA-F]{2}:/,
  ip: /\d\.\d|:[0-9a-fA-F]{0,4}:/,
  email: /@/,
  path: /[/\\]/,
  exception: /Exception|Error|Failure|Fault/,
  error_code: /E[A-Z]{2}|\d/,
  pod: /-[a-z0-9]{5}\b/,
  container: /container|docker/,
  host: /\.[a-z]{2}|localhost/,
  user: /user|account|login/i,
}

const NOT_A_USER =
  /^(?:unknown|not|is|was|has|and|or|the|in|on|of|to|for|from|by|with|at|name|names|id|agent|data|group|session|mode|request|error|null|none|root|authentication|methods?|account|password)$/i
const SERVICE = /\b(?:service|svc|component|app)(?:[=:]["']?| ["'])([a-z][a-z0-9]{0,30}(?:-[a-z0-9]{1,30}){0,6})\b/g
const SERVICE_NAMED = /\b[a-z][a-z0-9]{1,30}(?:-[a-z0-9]{1,30}){0,4}-(?:service|svc|api|server|worker|gateway|db|cache|proxy)\b/g
const NOT_A_SERVICE =
  /^(?:is|was|not|name|unavailable|failed|started|stopped|error|in|on|for|has|with|to|from|and|the|at|of|status|down|up|unknown)$/

export function findMentions(text: string, options: EntityOptions = {}): readonly Mention[] {
  const head = text.length > HEAD ? text.slice(0, HEAD) : text
  const most = options.most ?? 32
  const taken: [number, number][] = []
  const found: { at: number; mention: Mention }[] = []
  const seen = new Set<string>()
  const add = (kind: MentionKind, raw: string, at: number) => {
    const shown = raw.replace(/[.,:;]+$/, '')
    if (shown === '' || taken.some(([from, to]) => at < to && at + shown.length > from)) return
    taken.push([at, at + shown.length])
    const mention = { kind, text: kind === 'user' || kind === 'email' ? maskedUser(shown) : shown }
    const key = `${mention.kind} ${mention.text}`
    if (seen.has(key)) return
    seen.add(key)
    found.push({ at, mention })
  }
  for (const [kind, pattern] of PATTERNS) {
    if (taken.length >= 4 * most) break
    if (NEEDS[kind]?.test(head) === false) continue
    for (const m of head.matchAll(pattern)) {
      if (taken.length >= 4 * most) break
      if (kind === 'user' && NOT_A_USER.test(m[0])) continue
      if (kind === 'ip' && m[0].length < 3) continue
      add(kind, m[0], m.index)
    }
  }
  if (/-(?:service|svc|api|server|worker|gateway|db|cache|proxy)/.test(head))
    for (const m of head.matchAll(SERVICE_NAMED)) add('service', m[0], m.index)
  for (const m of head.matchAll(SERVICE))
    if (!NOT_A_SERVICE.test(m[1] as string)) add('service', m[1] as string, m.index + m[0].lastIndexOf(m[1] as string))
  if (options.services !== undefined && options.services.size > 0) {
    for (const m of head.matchAll(/[a-z][a-z0-9]{0,40}(?:[-_][a-z0-9]{1,40}){0,6}/g))
      if (options.services.has(m[0])) add('service', m[0], m.index)
  }
  return found
    .sort((a, b) => a.at - b.at)
    .slice(0, most)
    .map(({ mention }) => mention)
}

/** Eight hex digits that stand for a name. */
export function maskedUser(userName: string): string {
  return `user-${(hashOf(`aegis ${userName}`) >>> 0).toString(16).padStart(8, '0')}`
}
