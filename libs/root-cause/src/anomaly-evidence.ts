/**
 * Anomalies and changes, as the detectors told them, in the form the ranking works on: findings of the same kinds as recorded telemetry gives,
 * each with the record it rests on. Two things only people and services say in words are read here: that a line names whom it could not
 * reach ("call to X failed" speaks of X, not of its writer), and that a line reports a resource of its writer running out.
 */
import { type Anomaly, type Change, type Evidence, type Graph, kindOf, nameOf } from '@aegis/domain'
import type { CauseCase, Finding } from './case-evidence.ts'
import { isSelfTime, isSilence, isWireTime, meaningOf } from './metric-meaning.ts'
import { addressesIn, isServerOf, quotedServer } from './quoted-server.ts'
import { type Remedy, remedyEvidence } from './remedy-evidence.ts'
import { type ReportedFault, reportedFault } from './reported-fault.ts'
import { STOPPED_SERIES } from './stop-rate.ts'

export interface LiveInput {
  readonly anomalies: readonly Anomaly[]
  readonly graph: Graph
  /** Changes of the last while; those shortly before the first sign count. */
  readonly changes?: readonly Change[]
  /** What was done in incidents before. */
  readonly remedies?: readonly Remedy[]
  /** Who is reached at which address, as somebody told. */
  readonly addresses?: ReadonlyMap<string, string>
}
export interface LiveOptions {
  /** How long before the first sign a change still counts, microseconds. Default 5 minutes. */
  readonly changeWindowUs?: number
}
export interface LiveEvidence {
  readonly evidence: CauseCase
  readonly findings: readonly Finding[]
  /** The change that counts against an entity. */
  readonly changed: ReadonlyMap<string, Change>
}
const UNREACHABLE = /refused|unreachable|no route|(host|address|name|service) not (found|known)|enotfound|no such host/i
/** A connection that was there and broke, or an answer that did not come. */
const CUT =
  /econnreset|connection (was )?reset|connection terminated|closed (the )?connection|prematurely|hang up|broken pipe|timed? ?out|etimedout/i
/** What stands before the address of whoever asked, or of who was asked to listen. */
const OWN_SIDE = /(client|host|server|from|listening on|listen|bind)["':=\s]*$/i
/** Who answered with an error status, and which; what stands behind it is that one's own words. */
const ANSWERED =
  /(\S+) (?:answered|responded|replied|returned)(?: with)?(?: an?)?(?: http)?(?: status| code| error)* ([45]\d\d)\b/g
/** What was over before the last sign counts half for each such while between the two, microseconds: a long incident gathers much that passed. */
const FADES_US = 180_000_000
/** Signs within this of each other began together, microseconds. */
const TOGETHER_US = 60_000_000
/** A fault that is written about counts as a strong deviation, one more of an error line as a little. */
const REPORTED_STRENGTH = 20
/** An absence that is not long over. */
const GONE_STRENGTH = 3
/** What others say of an entity: that it cannot be reached at all, or only that calling it failed. */
const ACCUSED_STRENGTH = { unreachable: 20, failed: 5 }

export const liveEvidence = (input: LiveInput, options: LiveOptions = {}): LiveEvidence => {
  const { changeWindowUs = 300_000_000 } = options
  const callees = new Map<string, string[]>()
  for (const e of input.graph.edges) {
    const list = callees.get(e.from)
    if (list) list.push(e.to)
    else callees.set(e.from, [e.to])
  }
  const findings: Finding[] = []
  const onsets = new Map<string, number>()
  const stops: Stop[] = []
  const lost = new Map<string, number>()
  const strange = new Set<string>()
  const last = Math.max(...input.anomalies.map(a => a.ended ?? a.time))
  const fades = (a: Anomaly) => 2 ** (-Math.max(0, last - (a.ended ?? last)) / FADES_US)
  for (const a of input.anomalies) {
    strange.add(a.entity)
    if (fades(a) > 0.5) onsets.set(a.entity, Math.min(onsets.get(a.entity) ?? Number.POSITIVE_INFINITY, a.started))
  }
  const addresses = input.addresses ?? new Map<string, string>()
  const everybody = [
    ...new Set([...input.graph.nodes.map(n => n.id), ...input.anomalies.map(a => a.entity), ...addresses.values()]),
  ]
  /** Whom a line means by an address, or by words that only a server of its kind says. */
  const serverIn = (text: string, speaker: string): Accused | undefined => {
    const lost = UNREACHABLE.test(text) || CUT.test(text)
    for (const address of addressesIn(text)) {
      const entity = addresses.get(address)
      if (entity && entity !== speaker && lost) return { entity, unreachable: UNREACHABLE.test(text), ...faultIn(text) }
    }
    const said = quotedServer(text)
    if (!said || isServerOf(said.server, speaker)) return undefined
    const near = reachedFrom(speaker, callees).filter(e => isServerOf(said.server, e))
    const far = near.length > 0 ? near : everybody.filter(e => e !== speaker && isServerOf(said.server, e))
    // Two of a kind, and nothing says which.
    if (near.length === 0 && far.length !== 1) return undefined
    return { entity: far[0], unreachable: said.unreachable ?? false, ...(said.fault && { fault: said.fault }) }
  }
  /** Refused at an address where nobody is known, by one whose callees are all known by theirs: what it was told is wrong. */
  const callsNobody = (text: string, speaker: string): boolean => {
    if (!UNREACHABLE.test(text)) return false
    const called = callees.get(speaker) ?? []
    const told = new Set(addresses.values())
    if (called.length === 0 || !called.every(e => told.has(e))) return false
    const said = addressesIn(text).filter(address => !OWN_SIDE.test(text.slice(0, text.toLowerCase().indexOf(address))))
    return said.length > 0 && said.every(address => !addresses.has(address))
  }
  const astray = new Map<string, Evidence>()
  const shortages: { entity: string; fault: ReportedFault; evidence: Evidence; weight: number }[] = []
  const accused = new Map<string, { by: Set<string>; evidence: Evidence[]; unreachable?: Evidence }>()
  for (const a of input.anomalies)
    if (a.kind === 'log') {
      // Written to whom it depends on, or of itself.
      const own: Evidence[] = []
      let blames = false
      for (const e of a.evidence ?? []) {
        const named = accusedIn(e.text, a.entity, callees) ?? serverIn(e.text, a.entity)
        if (!named) {
          own.push(e)
          if (callsNobody(e.text, a.entity)) astray.set(a.entity, e)
          continue
        }
        if (named.fault) shortages.push({ entity: named.entity, fault: named.fault, evidence: e, weight: fades(a) })
        blames = true
        const known = accused.get(named.entity) ?? { by: new Set(), evidence: [] }
        known.by.add(a.entity)
        known.evidence.push(e)
        if (named.unreachable) known.unreachable ??= e
        accused.set(named.entity, known)
      }
      const telling = own.find(e => reportedFault(e.text) !== undefined)
      const reported = telling ? reportedFault(telling.text) : blames ? undefined : reportedFault(a.summary)
      const kind = reported ?? (blames ? 'error' : 'log_new_severe')
      const quoted = telling ?? own[0] ?? a.evidence?.[0]
      findings.push({
        entity: a.entity,
        kind,
        strength: (reported ? REPORTED_STRENGTH : Math.min(12, 2 + a.score)) * fades(a),
        name: quoted?.name ?? a.summary,
        before: 0,
        after: a.score,
        text: quoted?.text ?? a.summary,
        time: quoted?.time ?? a.started,
        ...(quoted ? { reference: quoted } : {}),
      })
    } else if (a.kind === 'trace') stops.push(...stopsIn(a, fades(a)))
    else
      for (const g of a.series ?? []) {
        const { meaning, bad } = meaningOf(g.metric)
        const low = Number.isFinite(g.expected_low) ? g.expected_low : g.value
        const high = Number.isFinite(g.expected_high) ? g.expected_high : g.value
        const direction = g.value > high ? 1 : g.value < low ? -1 : 0
        const down = bad !== 0 && direction === -bad
        const timed = isSelfTime(g.metric) ? 'trace_self' : isWireTime(g.metric) ? 'trace_gap' : undefined
        const kind = isSilence(g.metric) ? 'absence' : timed ? (direction < 0 ? 'other' : timed) : meaning
        const reference = (a.evidence ?? []).find(e => e.name === g.metric)
        if (kind === 'trace_gap') lost.set(a.entity, (lost.get(a.entity) ?? 0) + Math.max(0, g.value - high) * fades(a))
        findings.push({
          entity: a.entity,
          kind: down && kind === meaning ? `${meaning}_down` : kind,
          strength: Math.min(50, Math.max(0, g.score)) * fades(a),
          name: g.metric,
          before: (low + high) / 2,
          expected: [low, high],
          after: g.value,
          time: reference?.time ?? a.started,
          ...(reference ? { reference } : {}),
        })
      }
  // A probe sees through whom it asks: where that one still speaks, or another is gone, it felt what stands behind.
  const isProbed = (f: Finding) => f.kind === 'absence' && f.name.startsWith('probe_')
  const speaks = new Set(input.anomalies.filter(a => a.kind === 'log').map(a => a.entity))
  const missing = new Set(findings.filter(f => f.kind === 'absence' && !isProbed(f)).map(f => f.entity))
  for (const [entity, { unreachable }] of accused) if (unreachable) missing.add(entity)
  findings.forEach((f, i) => {
    if (isProbed(f) && !missing.has(f.entity) && (missing.size > 0 || speaks.has(f.entity)))
      findings[i] = { ...f, kind: 'success' }
  })
  const told = (entity: string, kind: string, e: Evidence, weight: number): void => {
    findings.push({
      entity,
      kind,
      strength: REPORTED_STRENGTH * weight,
      name: e.name ?? 'log lines',
      before: 0,
      after: 1,
      text: e.text,
      time: e.time,
      reference: e,
    })
  }
  for (const { entity, fault, evidence, weight } of shortages) told(entity, fault, evidence, weight)
  for (const [entity, e] of astray) told(entity, 'config_error', e, 1)
  // Time on the wire is lost at both its ends; who sits at the end of most of it is where it is lost.
  let allLost = 0
  for (const excess of lost.values()) allLost += excess
  for (const [entity, excess] of lost)
    if (excess > 0)
      findings.push({
        entity,
        kind: 'trace_gap_share',
        strength: excess / allLost,
        name: 'share of all time lost on the wire',
        before: 0,
        after: excess,
      })
  const all = stops.reduce((sum, f) => sum + f.after, 0)
  for (const { span, ...f } of stops)
    findings.push(f, { ...f, kind: 'trace_stop_share', strength: f.after / all, ...(span ? { reference: span } : {}) })
  for (const [entity, { by, evidence, unreachable }] of accused) {
    const quoted = unreachable ?? evidence[0]
    // A time-out or a pool run dry may be the speaker's own trouble, unless the accused is strange too.
    const believed = unreachable || strange.has(entity)
    findings.push({
      entity,
      kind: 'accused',
      strength: (believed ? ACCUSED_STRENGTH.unreachable : ACCUSED_STRENGTH.failed) * Math.min(2, by.size),
      name: quoted.name ?? 'log lines of its callers',
      before: 0,
      after: evidence.length,
      text: quoted.text,
      time: quoted.time,
      reference: quoted,
      ...(unreachable ? { unreachable: true } : {}),
    })
    if (!onsets.has(entity)) onsets.set(entity, Math.min(...evidence.map(e => e.time)))
  }
  findings.push(...remedyEvidence([...strange].sort(), input.remedies ?? []))
  // Who was strange before most began is no later than they are, and they no later for it.
  const onset = beginningOf([...onsets.values()])
  for (const [entity, time] of onsets) onsets.set(entity, Math.max(onset, time))
  const signs = new Map<string, number[]>()
  const sign = (entity: string, time: number) => {
    const times = signs.get(entity)
    if (times) times.push(time)
    else signs.set(entity, [time])
  }
  for (const a of input.anomalies) sign(a.entity, a.started)
  for (const [entity, { evidence, unreachable }] of accused)
    if (unreachable || strange.has(entity)) for (const e of evidence) sign(entity, e.time)
  const changed = changesThatCount(input.changes ?? [], signs, onset, changeWindowUs)
  // A change loses when what the entity depends on is gone: that breaks it whatever was changed.
  const gone = new Set([
    ...findings.filter(f => f.kind === 'absence' && f.strength > GONE_STRENGTH).map(f => f.entity),
    ...[...accused].filter(([, a]) => a.unreachable).map(([entity]) => entity),
  ])
  for (const entity of [...changed.keys()]) {
    const said = [...accused].filter(([, a]) => a.by.has(entity)).map(([e]) => e)
    const needs = new Set([...reachedFrom(entity, callees), ...said])
    if ([...needs].some(e => e !== entity && gone.has(e) && !changed.has(e))) changed.delete(entity)
  }
  const entities = [...new Set([...input.graph.nodes.map(n => n.id), ...strange, ...accused.keys()])].sort()
  return {
    evidence: {
      entities,
      edges: input.graph.edges.map(e => [e.from, e.to] as const),
      series: [],
      changed: [...changed.keys()].sort(),
      onsets,
    },
    findings,
    changed,
  }
}

/** When most signs began: the first of those that lie within the fullest minute. */
const beginningOf = (times: readonly number[]): number => {
  const sorted = [...times].sort((a, b) => a - b)
  let best = 0
  let most = 0
  for (let i = 0, j = 0; i < sorted.length; i++) {
    while (j < sorted.length && sorted[j] - sorted[i] <= TOGETHER_US) j++
    if (j - i > most) {
      most = j - i
      best = i
    }
  }
  return sorted[best] ?? Number.POSITIVE_INFINITY
}

/** How much later than a sign a change may be told and still have caused it: it is told by the first record of the new version, microseconds. */
const TOLD_LATE_US = 10_000_000
/**
 * The newest change of each entity that can have caused what is strange about it: not long before the first sign of all, and before at least half
 * of the times at which something was strange about it, or others wrote that it fails them. A chance sign from before the change clears it of nothing; a change made when most was there already is
 * no suspect, and going back to what was before is a remedy.
 */
const changesThatCount = (
  changes: readonly Change[],
  signs: ReadonlyMap<string, readonly number[]>,
  onset: number,
  windowUs: number,
): Map<string, Change> => {
  const found = new Map<string, Change>()
  for (const c of changes) {
    const own = signs.get(c.entity) ?? []
    const since = own.filter(time => time >= c.time - TOLD_LATE_US)
    if (c.time < onset - windowUs || since.length === 0 || since.length * 2 < own.length) continue
    const remedy = changes.some(
      o =>
        o !== c && o.entity === c.entity && o.kind === c.kind && o.before === c.after && o.after === c.before && o.time < c.time,
    )
    const known = found.get(c.entity)
    if (!remedy && (!known || c.time > known.time)) found.set(c.entity, c)
  }
  return found
}

/** An anomaly of requests that stopped, as stop-evidence.ts finds it in recorded telemetry. */
type Stop = Finding & { readonly span?: Evidence }
const stopsIn = (a: Anomaly, weight: number): Stop[] =>
  (a.series ?? [])
    .filter(g => g.metric === STOPPED_SERIES && g.value > 0)
    .map((g): Stop => {
      const reference = (a.evidence ?? []).find(e => e.kind === 'log') ?? a.evidence?.[0]
      const step = a.templates?.[0] ?? ''
      return {
        entity: a.entity,
        kind: 'trace_stop',
        strength: Math.min(50, g.score) * weight,
        name: step.startsWith('! ') ? step.slice(2) : `\0${step.replace(/^> /, '')}`,
        before: g.expected_high,
        after: g.value,
        text: reference?.kind === 'log' ? reference.text : undefined,
        time: reference?.time ?? a.started,
        span: (a.evidence ?? []).find(e => e.kind === 'span'),
        ...(reference ? { reference } : {}),
      }
    })

/** Whom a line accuses, and whether of not being there at all. */
export interface Accused {
  readonly entity: string
  readonly unreachable: boolean
  /** What of it has run out, in its own words. */
  readonly fault?: ReportedFault
}
const faultIn = (text: string): { fault?: ReportedFault } => {
  const fault = reportedFault(text)
  return fault ? { fault } : {}
}
/**
 * Whom a line of `entity` accuses among all that it depends on. "X answered 503: …" accuses X, and what follows is quoted: of others named there
 * it is believed that X could not reach them, and that they failed where X answered as a mere gateway (502 and 504; RFC 9110, 15.6). Where
 * nobody is quoted, the name that stands last is what the chain of causes ends at.
 */
export const accusedIn = (text: string, entity: string, callees: ReadonlyMap<string, readonly string[]>): Accused | undefined => {
  const words = text.split('\n')[0].toLowerCase()
  const below = reachedFrom(entity, callees)
  let answered: string | undefined
  let gateway = false
  let said = words
  for (const m of words.matchAll(ANSWERED)) {
    const name = m[1].replace(/^[^\w]+|[^\w]+$/g, '')
    const who = below.find(e => nameOf(e).toLowerCase() === name)
    if (!who) continue
    answered = who
    gateway = m[2] === '502' || m[2] === '504'
    said = words.slice(m.index + m[0].length)
  }
  const named = lastNamed(said, answered ? below.filter(e => e !== answered) : below)
  const unreachable = UNREACHABLE.test(said)
  if (answered && !(named && (gateway || unreachable))) return { entity: answered, unreachable: false }
  return named ? { entity: named, unreachable } : undefined
}
/** Everything an entity depends on, nearest first. */
const reachedFrom = (entity: string, callees: ReadonlyMap<string, readonly string[]>): string[] => {
  const seen = new Set([entity])
  for (const at of seen) for (const next of callees.get(at) ?? []) seen.add(next)
  return [...seen].slice(1).filter(e => kindOf(e) !== '')
}
const lastNamed = (words: string, among: readonly string[]): string | undefined => {
  let best: string | undefined
  let at = -1
  for (const e of among) {
    const where = lastMention(words, nameOf(e).toLowerCase())
    if (where > at) {
      at = where
      best = e
    }
  }
  return best
}
const lastMention = (text: string, name: string): number => {
  for (let at = text.lastIndexOf(name); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(name, at - 1))
    if (!/[\w-]/.test(text[at - 1] ?? ' ') && !/[\w-]/.test(text[at + name.length] ?? ' ')) return at
  return -1
}
