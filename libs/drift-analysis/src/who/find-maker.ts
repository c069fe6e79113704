/** Which entry of an audit log made a change: by whom it names, by what it does, by when; refused ones made none. */
import type { AuditEvent, Channel, Mention } from './audit-event.ts'

export interface Question {
  /** Terraform type (aws_iam_role), kind (Deployment) or type of another provider. */
  readonly type: string
  /** Name, identifier, ARN or path of the resource. */
  readonly id: string
  /** What changed; '(resource)' where it came or went itself. */
  readonly changed: readonly string[]
  /** Milliseconds since 1970, both ends included. */
  readonly from: number
  readonly to: number
}
export interface Attribution {
  readonly event: AuditEvent
  readonly actor: string
  readonly channel: Channel
  /** 0 to 1: how well it fits. */
  readonly fit: number
}
export interface Finding {
  readonly found: Attribution | undefined
  /** How sure it is that the answer, or that there is none, is right. */
  readonly confidence: number
  /** Others that fit, best first. */
  readonly others: readonly Attribution[]
}

const lower = (s: string) => s.toLowerCase()
/** Words of a name, in lower case and without endings: `managed_policy_arns` and `ManagedPolicyArns` are manag, policy, arn. */
export const stemsOf = (name: string): string[] =>
  name
    .replace(/DB(?=[A-Z])/g, 'Db')
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(Boolean)
    .map(stem)
const stem = (w: string): string => {
  const plain = w
    .replace(/(?:ies)$/, 'y')
    .replace(/(?<=[a-z]{3})(?:ses|xes)$/, m => m.slice(0, -2))
    .replace(/(?<=[a-rt-z]{2,})s$/, '')
  return plain.replace(/(?<=[a-z]{2})([a-z])\1ing$/, '$1').replace(/(?<=[a-z]{4})(?:ing|ation)$|(?<=[a-z]{3})ed$/, '')
}
/** Words for the same thing, in configuration and in the calls of providers. */
const SAME: readonly (readonly string[])[] = [
  ['ami', 'image'],
  ['eip', 'address'],
  ['state', 'start', 'stop', 'reboot', 'statu', 'power'],
  ['value', 'string', 'content', 'data'],
  ['permission', 'policy', 'grant'],
  ['entry', 'rule'],
  ['member', 'user'],
  ['account', 'attribute', 'share', 'shared'],
  ['acl', 'access'],
  ['nacl', 'acl'],
  ['sg', 'group'],
  ['code', 'sourc'],
  ['fw', 'firewall'],
  ['lb', 'balancer'],
  ['elb', 'balancer'],
  ['alb', 'balancer'],
  ['autoscal', 'asg'],
  ['replica', 'scale', 'siz', 'size', 'capacity'],
  ['encrypt', 'sse', 'kms'],
  ['label', 'tag'],
  ['enable', 'disable', 'enabl', 'disabl', 'suspend', 'resume'],
  ['kind', 'type'],
  ['cluster', 'db'],
  ['topic', 'sn'],
]
const SYNONYM = new Map<string, Set<string>>()
for (const group of SAME) for (const w of group) SYNONYM.set(w, new Set([...(SYNONYM.get(w) ?? []), ...group]))
const alike = (a: string, b: string): boolean =>
  a === b || (a.length > 4 && b.length > 4 && (a.startsWith(b) || b.startsWith(a))) || (SYNONYM.get(a)?.has(b) ?? false)

const MAKES =
  /^(?:create|run|allocate|register|import|launch|insert|provision|start(?=db)|restore|copy|upload|publish|request|put)$/
const ENDS = /^(?:delete|terminate|release|deregister|remove|destroy|purge|cancel|schedule|deactivate)$/
const PREPOSITIONS = new Set(['to', 'from', 'for', 'of', 'with', 'in', 'by', 'on', 'batch'])
/** What does not tell one resource of a provider from another. */
const COMMON = new Set([
  'aw',
  'aws',
  'google',
  'azurerm',
  'azure',
  'kubernete',
  'resource',
  'compute',
  'config',
  'configuration',
  'arn',
  'id',
  'name',
  'set',
  'list',
  'attribute',
  'update',
  'v',
])

/** Entries by every name they mention, so that a search looks only at those that name the resource. */
export class AuditTrail {
  readonly events: readonly AuditEvent[]
  readonly #named = new Map<string, number[]>()

  constructor(events: readonly AuditEvent[]) {
    this.events = [...events].sort((a, b) => a.time - b.time)
    this.events.forEach((event, i) => {
      if (event.readOnly) return
      const names = new Set<string>()
      for (const { text } of event.request) for (const n of namesFor(text)) names.add(n)
      for (const { text } of event.response) for (const n of namesFor(text)) names.add(n)
      for (const n of names) {
        const list = this.#named.get(n)
        if (list) list.push(i)
        else this.#named.set(n, [i])
      }
    })
  }

  /** Writes that name the resource and lie within the time, in order. */
  touching({ id, from, to }: Question): AuditEvent[] {
    const found = new Set<number>()
    for (const name of idsOf(id)) {
      const list = this.#named.get(name) ?? []
      let [low, high] = [0, list.length]
      while (low < high) {
        const middle = (low + high) >> 1
        if (this.events[list[middle]].time < from) low = middle + 1
        else high = middle
      }
      for (let i = low; i < list.length && this.events[list[i]].time <= to; i++) found.add(list[i])
    }
    return [...found].sort((a, b) => a - b).map(i => this.events[i])
  }

  find(question: Question): Finding {
    const touching = this.touching(question)
    const fits = touching
      .filter(e => !e.denied)
      .map(event => ({ event, fit: fitOf(event, question) }))
      .filter(c => c.fit > 0.3)
    // What is there now was made by the last of those that fit about as well as the best.
    const best = Math.max(0, ...fits.map(c => c.fit))
    const ranked = fits
      .map((c, order) => ({ ...c, order }))
      .sort((a, b) => Number(b.fit >= best - 0.1) - Number(a.fit >= best - 0.1) || b.order - a.order)
      .map(({ event, fit }) => ({ event, actor: event.actors[0] ?? 'unknown', channel: event.channel, fit }))
    const [first, ...others] = ranked
    const unsure = touching.filter(e => !e.denied).length
    if (!first) return { found: undefined, confidence: unsure === 0 ? 0.97 : 0.88, others }
    const rival = others.some(o => o.fit >= first.fit - 0.1)
    return {
      found: first,
      confidence: Math.min(0.99, (first.fit >= 0.8 ? 0.98 : 0.75 + 0.25 * first.fit) - (rival ? 0.03 : 0)),
      others,
    }
  }
}

/** A text as it may be asked for: whole, and the last part of addresses and paths. */
const namesFor = (text: string): string[] => {
  if (text.length < 2 || text.length > 512) return []
  const low = lower(text)
  const parts = /[:/]/.test(low)
    ? [low, low.split('/').at(-1) ?? '', low.split(/[:/]/).at(-1) ?? '', ...low.split('/').slice(1)]
    : [low]
  return parts.filter(p => p.length > 1)
}
const idsOf = (id: string): string[] => {
  const low = lower(id)
  return [...new Set([low, ...(/[:/]/.test(low) ? [low.split('/').at(-1) ?? low, low.split(/[:/]/).at(-1) ?? low] : [])])].filter(
    Boolean,
  )
}

/** How well an entry that names the resource explains the change: 0 to 1. */
export function fitOf(event: AuditEvent, { type, id, changed }: Question): number {
  const said = stemsOf(event.action).filter(w => !PREPOSITIONS.has(w))
  // `schedule key deletion` deletes a key.
  const words = said.at(-1) === 'deletion' ? ['delete', ...said.slice(1, -1)] : said
  const [verb, ...nouns] = words
  const kind = stemsOf(type).filter(w => !COMMON.has(w) && w !== event.service)
  const ids = idsOf(id)
  const names = (m: Mention) => namesFor(m.text).some(n => ids.includes(n))
  const named = event.request.some(names)
  const answered = event.response.some(names)
  const isKind = (w: string) => kind.some(k => alike(k, w))
  let best = 0
  for (const attribute of changed) {
    if (attribute === '(resource)') {
      if (!MAKES.test(verb) && !ENDS.test(verb)) continue
      // The last noun is what is made: a role policy is no role.
      const last = nouns.filter(w => !COMMON.has(w)).at(-1)
      const whole = last !== undefined && isKind(last) && alike(kind.at(-1) ?? '', last)
      // Things that are made without being named in the call are named in its answer.
      if (whole && nouns.filter(w => !COMMON.has(w) && !isKind(w)).length === 0)
        best = Math.max(best, verb === 'put' ? 0.4 : named || answered ? 1 : 0)
      continue
    }
    if (
      nouns.length > 0 &&
      (MAKES.test(verb) || ENDS.test(verb)) &&
      verb !== 'put' &&
      nouns.filter(w => !COMMON.has(w)).every(isKind) &&
      alike(nouns.filter(w => !COMMON.has(w)).at(-1) ?? '', kind.at(-1) ?? '')
    )
      continue
    best = Math.max(best, attributeFit(event, verb, nouns, attribute, kind, named))
  }
  return best
}

function attributeFit(
  event: AuditEvent,
  verb: string,
  nouns: readonly string[],
  attribute: string,
  kind: readonly string[],
  named: boolean,
): number {
  const all = stemsOf(attribute)
  const wanted = all.filter(w => !COMMON.has(w))
  const telling = wanted.filter(w => !kind.some(k => k === w))
  const words = telling.length > 0 ? telling : wanted.length > 0 ? wanted : all
  const flat = lower(attribute).replace(/[^a-z\d]/g, '')
  const keyed = (list: readonly Mention[]) =>
    list.some(m => m.path.split('.').some(k => lower(k).replace(/[^a-z\d]/g, '') === flat)) ||
    list.some(m => /attribute|field|type|mask/i.test(m.path) && lower(m.text).replace(/[^a-z\d]/g, '') === flat)
  const about = [verb, ...nouns]
  const byName = words.filter(w => about.some(n => alike(w, n))).length / words.length
  // A policy that is attached is managed; one that is put is the resource's own.
  if (wanted.some(w => /^(?:manag|managed|attachment|attached)$/.test(w)) && nouns.some(n => n === 'policy'))
    return /^(?:attach|detach)$/.test(verb) ? 0.95 : 0
  if (wanted.includes('inline') && nouns.includes('policy')) return /^(?:put|delete)$/.test(verb) ? 0.95 : 0
  if (keyed(event.request)) return 0.95
  // Other attributes are set by name, and ours is not among them.
  const tags = wanted.length === 1 && alike(wanted[0], 'tag')
  if (tags) return about.some(n => n === 'tag' || n === 'untag' || n === 'label') ? 0.9 : 0
  if (about.some(n => n === 'tag' || n === 'untag')) return 0
  if (byName === 1) return 0.9
  const keys = event.request.flatMap(m => m.path.split('.')).flatMap(stemsOf)
  const byKey = words.filter(w => keys.some(k => alike(w, k)) || about.some(n => alike(w, n))).length / words.length
  if (byName > 0) return 0.5 + 0.35 * Math.max(byName, byKey)
  if (byKey > 0 && named) return 0.35 + 0.35 * byKey
  if (!named || !/^(?:update|modify|set|patch|put|replace)$/.test(verb)) return 0
  if (keyed(event.response)) return 0.6
  // A call that names the resource and its kind and nothing else may have set anything.
  if (!nouns.every(n => COMMON.has(n) || kind.some(k => alike(k, n)))) return 0
  return event.request.filter(m => !m.path.startsWith('resources')).length <= 1 ? 0.4 : 0
}
