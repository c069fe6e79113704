/**
 * Whether a value that nobody declared was filled in by the provider. No table of types: a name says what a value usually is (protection is off, checks are
 * on, a timeout is a round number of seconds), an identifier looks like one, and what stands for the account, the region or the resource itself is its own.
 */
import { isEmpty, isObject, type Json, type Path } from './same-value.ts'

/** Names in parts: MaxSessionDuration is max, session, duration. */
const partsOf = (key: string): string[] =>
  key
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .filter(Boolean)

/** What providers switch on by themselves; found off, somebody switched it. */
const ON =
  /^(?:auto|automatic|managed|health|actions?|revocation|sending|reputation|minor|token|availability|overwrite|introspection)$/
/** Off until somebody wants it. What is in neither list may be on or off by where it lives, its plan or its age: that says nothing. */
const OFF =
  /^(?:deletion|insights|dedicated|accelerat(?:e|ed|ion)|cross|multi|include|export|debug|privileged|logging|logs?|trac(?:e|ing)|transfer|delete|force|skip|deny|experimental|detailed|contributor)$/
/** Numbers that count what is there only when asked for. */
const ZERO_BY_DEFAULT =
  /^(?:delay|wait|offset|limit|min(?:imum)?|grace|extra|burst|retry|retries|rollback|priority|weight|provisioned|concurrent|concurrency)$/
/** Numbers that are there only when asked for, whatever they are. */
const ABSENT_BY_DEFAULT = /^reserved$/

type State = 'on' | 'either' | 'off'
const stateOf = (key: string): State => {
  const parts = partsOf(key)
  if (parts.some(p => OFF.test(p))) return 'off'
  return parts.some(p => ON.test(p)) ? 'on' : 'either'
}

/** Round numbers of seconds, minutes, megabytes, ports and shares: what a default looks like. Twice or half of one seldom is one. */
const ROUND = new Set([
  1, 3, 4, 5, 7, 8, 10, 12, 15, 16, 20, 24, 25, 30, 32, 35, 50, 60, 64, 80, 90, 99, 100, 128, 135, 150, 180, 200, 256, 300, 365,
  400, 443, 480, 500, 512, 900, 1000, 1024, 1800, 2048, 3600, 4000, 4096, 12000, 21600, 43200, 65535, 65536, 86400, 262144,
  300000, 345600, 1048576,
])
const PORTS = /port$/i
const UNIT_SECONDS = /seconds?|timeout|ttl|interval|duration|window|period|age/i

export interface Surroundings {
  /** Strings that name the resource, its stack, account and region. */
  readonly own: readonly string[]
  /** Default of the schema at a path, as Key.Inner, where there is one. */
  readonly schemaDefault: (path: Path) => Json | undefined
  /** Names that other resources of the same stack put on this one. */
  readonly siblings: ReadonlySet<string>
  /** True for a map whose keys are free: what is in it was put there by someone. */
  readonly freeForm: (path: Path) => boolean
}

/** `extra` says that other elements of the same list are declared. */
export function isFilledIn(path: Path, live: Json, around: Surroundings, extra = false): boolean {
  const keys = path.filter(p => p !== '*')
  // A bare status is that of the block it stands in.
  const key =
    /^(?:status|mode|state)$/i.test(keys.at(-1) ?? '') && keys.length > 1 ? keys.slice(-2).join('_') : (keys.at(-1) ?? '')
  const known = around.schemaDefault(path)
  if (known !== undefined && !isObject(known) && !Array.isArray(known)) return sameScalar(known, live)
  if (RESERVED.test(key)) return true
  if (isEmpty(live) || live === 0 || live === '0') return true
  if (Array.isArray(live)) return live.every(item => isItemFilledIn([...path, '*'], item, around, false))
  if (path.at(-1) === '*') return isItemFilledIn(path, live, around, extra)
  if (around.freeForm(path.slice(0, -1))) return false
  if (isObject(live)) return Object.entries(live).every(([k, v]) => isFilledIn([...path, k], v, around))
  if (typeof live === 'boolean' || live === 'true' || live === 'false')
    return String(live) === 'true' ? stateOf(key) !== 'off' : stateOf(key) !== 'on'
  if (typeof live === 'number' || /^-?\d+(?:\.\d+)?$/.test(String(live))) return isUsualNumber(key, Number(live))
  return isUsualText(key, String(live), around)
}
const RESERVED = /^(?:aws|kubernetes\.io|azure|goog|system|cloudformation|elasticbeanstalk)[:.-]/i
const sameScalar = (a: Json, b: Json): boolean => String(a).toLowerCase() === String(b).toLowerCase()

function isUsualNumber(key: string, x: number): boolean {
  const parts = partsOf(key)
  if (x < 0) return x === -1
  if (x > 0 && x < 1) return true
  if (parts.some(p => ABSENT_BY_DEFAULT.test(p))) return false
  if (x > 100 && /percent/i.test(key)) return false
  if (parts.some(p => ZERO_BY_DEFAULT.test(p)) && x > 0 && x < 3) return false
  if (PORTS.test(key)) return x < 49152
  if (/version|revision|id$|owner|account/i.test(key)) return true
  if (UNIT_SECONDS.test(key) && x === 120) return false
  if (x === 2) return parts.some(p => /^(?:count|threshold|timeout|nodes?|clusters?|code|factor)$/.test(p))
  // What somebody set is no default, and most often some times one.
  return ROUND.has(x) || !(ROUND.has(x / 2) || ROUND.has(x / 3) || ROUND.has(x / 10))
}

/** Said of what somebody chose over how things are at first. */
const CHOSEN = /^(?:inactive|express|aws_iam|iam|enforced|infrequent.*|.*_infrequent_access|paused)$/i
const SWITCHED_ON = /^(?:enabled|on|true)$/i
const SWITCHED_OFF = /^(?:disabled|off|false)$/i
const IDENTIFIER =
  /^(?:arn:|https?:|[a-z]+-[0-9a-f]{6,}|[0-9a-f-]{16,}$|(?=.*\d)[A-Z0-9]{8,}$|\/subscriptions\/)|\.(?:com|net|internal|local)\b|\d{4}-\d\d-\d\d|\d{6,}|[a-z]{2}-[a-z]+-\d/

function isUsualText(key: string, text: string, around: Surroundings): boolean {
  const parts = partsOf(key)
  if (parts.includes('boundary')) return false
  if (
    around.own.some(
      o => o.length > 2 && (text.toLowerCase().includes(o.toLowerCase()) || o.toLowerCase().includes(text.toLowerCase())),
    )
  )
    return true
  if (IDENTIFIER.test(text)) return true
  if (CHOSEN.test(text)) return false
  const state = stateOf(key)
  if (SWITCHED_ON.test(text)) return state !== 'off'
  if (SWITCHED_OFF.test(text)) return state !== 'on'
  return true
}

/** Lists of what may be done, by whom and from where. */
const GRANTS = /polic(?:y|ies)$|statements?$|grants?$|entries$|ingress|egress|members?$|principals?$|cidrs?$/i

function isItemFilledIn(path: Path, item: Json, around: Surroundings, extra: boolean): boolean {
  const key = path.filter(p => p !== '*').at(-1) ?? ''
  if (!isObject(item)) return !extra || (typeof item === 'string' && (RESERVED.test(item) || around.own.includes(item)))
  const name = item.Key ?? item.key ?? item.Name ?? item.name ?? item.PolicyName ?? item.OptionName
  if (typeof name === 'string') {
    if (RESERVED.test(name) || (typeof item.Namespace === 'string' && RESERVED.test(item.Namespace))) return true
    if ([...around.siblings].some(s => s.toLowerCase() === name.toLowerCase())) return true
    if (/tags?$/i.test(key)) return false
    // A setting of many, by name: `stickiness.enabled`, judged as if its name were a key.
    const value = item.Value ?? item.value
    if (value !== undefined && typeof value !== 'object')
      return isFilledIn([...path.slice(0, -1), name.split('.').at(-1) ?? name], value, around)
  }
  if (GRANTS.test(key) && !('PolicyType' in item)) return false
  return Object.entries(item).every(([k, v]) => isFilledIn([...path, k], v, around))
}
