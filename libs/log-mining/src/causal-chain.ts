/**
 * The ordered events of an incident's window and what ties them together, so that a person or the root-cause analyser can read from the first
 * sign to the last.
 *
 * Links run forward in time, each to the nearest earlier event that shares something: a trace or request, an entity that few lines name, the same
 * exception further up, or a template that regularly comes before this one (learned on the normal stream by TemplateOrder).
 */
import type { Category } from './categories.ts'
import type { Mention } from './entities.ts'
import { type Severity, severities } from './severity.ts'

export interface ChainEvent {
  readonly id: string
  readonly timeUs: number
  readonly service: string
  readonly templateId: string
  readonly severity: Severity
  readonly category: Category
  readonly body: string
  readonly mentions: readonly Mention[]
  readonly traceId?: string
  readonly exception?: string
  /** Flagged by a detector: kept before others of its severity. */
  readonly anomalous?: boolean
}

export interface ChainLink {
  readonly from: string
  readonly to: string
  readonly kind: 'trace' | 'exception' | 'entity' | 'order'
  /** What the two share. */
  readonly label: string
}

export interface CausalChain {
  readonly events: readonly ChainEvent[]
  readonly links: readonly ChainLink[]
}

export interface ChainOptions {
  /** Events kept; the less severe go first, the first sign never. Default 200. */
  readonly maxEvents?: number
  /** An entity named by more than this share of the events ties nothing together. Default 0.3. */
  readonly commonShare?: number
  /** Which template regularly comes before which. Default none. */
  readonly order?: TemplateOrder
}

const NAMES_A_THING = new Set<Mention['kind']>(['ip', 'host', 'pod', 'container', 'path', 'uuid', 'url', 'user', 'mac'])

const REQUEST =
  /\b(?:x-)?(?:trace|request|req|correlation|transaction)[ _.-]?id["']?\s*[=:]\s*["']?([\w.-]{6,})|\btraceparent["']?\s*[=:]\s*["']?00-([0-9a-f]{32})/gi
/** Requests that a line names by an id of theirs. */
const requestsIn = (body: string): string[] => [...body.matchAll(REQUEST)].map(m => m[1] ?? m[2])
const nameOfService = ({ service }: ChainEvent): string | undefined => service?.replace(/^[a-z]+:/, '') || undefined
const namesService = (body: string, name: string): boolean =>
  name.length > 2 && new RegExp(`(?<![\\w.-])${name.replace(/\W/g, '\\$&')}(?![\\w-])`, 'i').test(body)

export function causalChain(input: readonly ChainEvent[], options: ChainOptions = {}): CausalChain {
  const events = select(input, options.maxEvents ?? 200)
  const named = new Map<string, number>()
  for (const event of events) for (const key of new Set(event.mentions.map(keyOf))) named.set(key, (named.get(key) ?? 0) + 1)
  const tooCommon = Math.max(2, (options.commonShare ?? 0.3) * events.length)
  const last = new Map<string, ChainEvent>()
  const links: ChainLink[] = []
  const services = new Set(events.flatMap(e => nameOfService(e) ?? []))
  /** The last bad line of each service. */
  const spoke = new Map<string, ChainEvent>()
  for (const event of events) {
    const tie = (kind: ChainLink['kind'], key: string, label: string) => {
      const before = last.get(`${kind} ${key}`)
      if (before !== undefined && !links.some(link => link.from === before.id && link.to === event.id))
        links.push({ from: before.id, to: event.id, kind, label })
      last.set(`${kind} ${key}`, event)
    }
    const requests = new Set([...(event.traceId ? [event.traceId] : []), ...requestsIn(event.body)])
    for (const id of requests) tie('trace', id, id)
    if (event.exception !== undefined) tie('exception', event.exception, event.exception)
    for (const mention of event.mentions) {
      const count = named.get(keyOf(mention)) ?? 0
      if (NAMES_A_THING.has(mention.kind) && count > 1 && count <= tooCommon) tie('entity', keyOf(mention), mention.text)
    }
    // Who is named comes before who names it, where it said something bad itself.
    for (const name of services) {
      const before = name === nameOfService(event) || !namesService(event.body, name) ? undefined : spoke.get(name)
      if (before && !links.some(link => link.from === before.id && link.to === event.id))
        links.push({ from: before.id, to: event.id, kind: 'entity', label: name })
    }
    const own = nameOfService(event)
    if (own !== undefined && (event.anomalous || severities.indexOf(event.severity) >= severities.indexOf('WARN')))
      spoke.set(own, event)
  }
  if (options.order !== undefined) links.push(...orderLinks(events, options.order, links))
  const place = new Map(events.map((event, i) => [event.id, i]))
  links.sort((a, b) => place.get(a.to)! - place.get(b.to)! || place.get(a.from)! - place.get(b.from)!)
  return { events, links }
}

const keyOf = (mention: Mention): string => `${mention.kind}:${mention.text}`

/** In time order; when there are too many, the first sign, then the flagged and the severe. Of repeats of a template in a service the first stays. */
function select(input: readonly ChainEvent[], most: number): ChainEvent[] {
  const ordered = [...input].sort((a, b) => a.timeUs - b.timeUs || (a.id < b.id ? -1 : 1))
  if (ordered.length <= most) return ordered
  const seen = new Set<string>()
  const weight = (event: ChainEvent) => {
    const key = `${event.service} ${event.templateId}`
    const repeat = seen.has(key)
    seen.add(key)
    return severities.indexOf(event.severity) * 2 + (event.anomalous === true ? 3 : 0) - (repeat ? 20 : 0)
  }
  const weighed = ordered.map((event, i) => ({ event, i, weight: weight(event) }))
  const sign = weighed.find(({ event }) => event.anomalous === true || severities.indexOf(event.severity) >= 2)
  const kept = weighed.sort((a, b) => Number(b === sign) - Number(a === sign) || b.weight - a.weight || a.i - b.i).slice(0, most)
  return kept.sort((a, b) => a.i - b.i).map(({ event }) => event)
}

function orderLinks(events: readonly ChainEvent[], order: TemplateOrder, known: readonly ChainLink[]): ChainLink[] {
  const tied = new Set(known.map(link => `${link.from} ${link.to}`))
  const links: ChainLink[] = []
  const last = new Map<string, ChainEvent>()
  for (const event of events) {
    for (const template of order.regularlyBefore(event.templateId)) {
      const before = last.get(template)
      if (before === undefined || event.timeUs - before.timeUs > order.windowUs || tied.has(`${before.id} ${event.id}`)) continue
      links.push({ from: before.id, to: event.id, kind: 'order', label: 'regularly before' })
    }
    last.set(event.templateId, event)
  }
  return links
}

export interface OrderOptions {
  /** How far apart two events may be, in microseconds. Default 30 s. */
  readonly windowUs?: number
  /** Share of the later template's lines that the earlier one must precede. Default 0.8. */
  readonly minShare?: number
  /** Times the pair must have been seen. Default 5. */
  readonly minCount?: number
  /** How much more often than by chance. Default 3. */
  readonly minLift?: number
}

const RECENT_EVENTS = 16
const MAX_PAIRS = 100_000

/** Learns which template regularly comes before which, over services: counts for each line the templates seen shortly before it. */
export class TemplateOrder {
  readonly windowUs: number
  readonly #minShare: number
  readonly #minCount: number
  readonly #minLift: number
  #lines = 0
  #counts = new Map<string, number>()
  #before = new Map<string, Map<string, number>>()
  #pairs = 0
  #recent: { template: string; timeUs: number }[] = []

  constructor(options: OrderOptions = {}) {
    this.windowUs = options.windowUs ?? 30_000_000
    this.#minShare = options.minShare ?? 0.8
    this.#minCount = options.minCount ?? 5
    this.#minLift = options.minLift ?? 3
  }

  learn(template: string, timeUs: number): void {
    this.#lines++
    this.#counts.set(template, (this.#counts.get(template) ?? 0) + 1)
    let before = this.#before.get(template)
    if (before === undefined) {
      before = new Map()
      this.#before.set(template, before)
    }
    const seen = new Set<string>()
    for (const { template: earlier, timeUs: at } of this.#recent) {
      if (earlier === template || seen.has(earlier) || timeUs - at > this.windowUs) continue
      seen.add(earlier)
      const count = before.get(earlier)
      if (count === undefined && this.#pairs >= MAX_PAIRS) continue
      if (count === undefined) this.#pairs++
      before.set(earlier, (count ?? 0) + 1)
    }
    this.#recent.push({ template, timeUs })
    if (this.#recent.length > RECENT_EVENTS) this.#recent.shift()
  }

  regularlyBefore(template: string): readonly string[] {
    const total = this.#counts.get(template) ?? 0
    const regular: string[] = []
    for (const [earlier, count] of this.#before.get(template) ?? []) {
      if (count < this.#minCount || count / total < this.#minShare) continue
      // what is everywhere comes before everything
      const byChance = Math.min(1, ((this.#counts.get(earlier) ?? 0) * RECENT_EVENTS) / this.#lines)
      if (count / total >= Math.min(1, this.#minLift * byChance) && byChance < 0.9) regular.push(earlier)
    }
    return regular
  }
}
