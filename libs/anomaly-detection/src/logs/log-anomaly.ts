/**
 * Anomalies in logs without labels: sessions (the lines of one request, block or instance) and single lines.
 *
 * Sessions. What a session holds, lacks and how it goes on are features with a share each: of the sessions seen, how many have this
 * event, how many have an event that nearly all have, how often this event followed that one. A session is as strange as its strangest
 * feature. An event that is missing counts only once it is overdue: by the time the session has been watched, those that have the event had
 * it. (Counting what is not yet there as missing is what makes plain count vectors fail when the log ends before the sessions do.)
 * Fitting is robust: sessions that the first fit finds strange are left out of the second. Learning goes on with each session that was not
 * flagged; what keeps being flagged becomes the new normal.
 * Kin: count matrices (Xu et al., SOSP 2009), workflow mining (Lou et al., 2010); ours differs in overdue events and in its shares.
 *
 * Lines. Rarity and newness of the template, in how few stretches of the log it occurs, what the line says of its severity, and known faults, as one
 * sum. Failures come in bursts (Oliner and Stearley, DSN 2007): what is in every stretch is everyday, however bad it sounds, and counts less; what is in
 * few is not, however many lines it has there.
 */

import { BoundedMap, type KnownFault, type LogSeverity } from '@aegis/domain'

export interface Session {
  /** Template ids, in order. */
  readonly events: readonly string[]
  /** When each was, microseconds; without them nothing is ever overdue by time, and what is missing counts at once. */
  readonly timesUs?: readonly number[]
  /** Until when the session has been watched. Default the time of its last event. */
  readonly watchedUntilUs?: number
}

export interface SessionOptions {
  /** A feature seen in at most this share of sessions is anomalous. Default 0.025. */
  readonly rareShare?: number
  /** An event is expected when at least this share of sessions has it. Default 0.9. */
  readonly expectedShare?: number
  /** A flagged feature found in this share of recent sessions is the new normal. Default 0.1. */
  readonly newNormalShare?: number
  /** Events known; further ones count as never seen. Default 20,000. */
  readonly maxEvents?: number
  /** Seconds beyond the usual delay after which an event is overdue. Default 60. */
  readonly slackSeconds?: number
}

export interface SessionScore {
  /** How strange: minus the decimal logarithm of the strangest feature's share. */
  readonly score: number
  readonly alert: boolean
  /** The strangest features, worst first. */
  readonly reasons: readonly string[]
}

const RECENT = 400
/**
 * The most that the share of a feature may be, from how many of how many had it: few sessions call nothing rare. The upper limit of a Poisson count at
 * 95 %, by the cube root that makes it normal (Wilson and Hilferty 1931).
 */
const atMost = (some: number, all: number): number => {
  const n = some + 1
  return (n * (1 - 1 / (9 * n) + 1.645 / (3 * Math.sqrt(n))) ** 3) / (all + 1)
}
/** Delays remembered per event: enough for a high quantile. */
const MAX_DELAYS = 256

interface EventStatistics {
  sessions: number
  /** Seconds from the start of the session to the first of its kind: a ring. */
  delays: number[]
  delayAt: number
  followed: number
  next: Map<string, number>
}

export class SessionAnomalyDetector {
  readonly #rareShare: number
  readonly #expectedShare: number
  readonly #newNormalShare: number
  readonly #maxEvents: number
  readonly #slackSeconds: number
  #sessions = 0
  #events = new Map<string, EventStatistics>()
  #recent: string[] = []
  #recentCounts = new Map<string, number>()
  /** Surprise of the strangest step that is still ordinary in what was learned. */
  #orderlyStep = Number.POSITIVE_INFINITY

  constructor(options: SessionOptions = {}) {
    this.#rareShare = options.rareShare ?? 0.025
    this.#expectedShare = options.expectedShare ?? 0.9
    this.#newNormalShare = options.newNormalShare ?? 0.1
    this.#maxEvents = options.maxEvents ?? 20_000
    this.#slackSeconds = options.slackSeconds ?? 60
  }

  get threshold(): number {
    return -Math.log10(this.#rareShare)
  }

  /** Learns from sessions taken together, leaving out those that look strange among the others. */
  fit(sessions: readonly Session[]): void {
    this.#reset()
    for (const session of sessions) this.learn(session)
    for (let pass = 0; pass < 2; pass++) {
      const ordinary = sessions.filter(session => !this.score(session).alert)
      if (ordinary.length < sessions.length / 2) break
      this.#reset()
      for (const session of ordinary) this.learn(session)
    }
    const steps = sessions.filter(session => !this.score(session).alert).map(session => this.#step(session).surprise)
    steps.sort((a, b) => a - b)
    // order is a feature only where sessions keep one: the ordinary tail itself must be unsurprising
    const tail = steps[Math.floor(steps.length * 0.995)] ?? Number.POSITIVE_INFINITY
    this.#orderlyStep = sessions.length >= 50 && tail < 2.2 ? tail : Number.POSITIVE_INFINITY
  }

  #reset(): void {
    this.#sessions = 0
    this.#events = new Map()
    this.#orderlyStep = Number.POSITIVE_INFINITY
  }

  /** Learns from a session; from its events from number `from` on, where those before were learned earlier. */
  learn(session: Session, from = 0): void {
    if (from === 0) this.#sessions++
    else if (from < session.events.length) {
      // it was thought to end there
      const next = this.#events.get(session.events[from - 1] as string)?.next
      const on = session.events[from] as string
      if (next?.has('')) next.set('', (next.get('') as number) - 1)
      next?.set(on, (next.get(on) ?? 0) + 1)
    }
    const start = session.timesUs?.[0] ?? 0
    const seen = new Set(session.events.slice(0, from))
    for (let i = from; i < session.events.length; i++) {
      const event = session.events[i] as string
      const known = this.#known(event)
      if (known === undefined) continue
      if (!seen.has(event)) {
        seen.add(event)
        known.sessions++
        const time = session.timesUs?.[i]
        if (time !== undefined) {
          known.delays[known.delayAt] = (time - start) / 1e6
          known.delayAt = (known.delayAt + 1) % MAX_DELAYS
        }
      }
      const next = session.events[i + 1] ?? ''
      known.followed++
      if (known.next.size < 256 || known.next.has(next)) known.next.set(next, (known.next.get(next) ?? 0) + 1)
    }
  }

  /** An event goes by another name from now on, one that may be known already. */
  rename(from: string, to: string): void {
    const old = this.#events.get(from)
    for (const { next } of this.#events.values()) {
      const count = next.get(from)
      if (count === undefined) continue
      next.delete(from)
      next.set(to, (next.get(to) ?? 0) + count)
    }
    if (old === undefined) return
    this.#events.delete(from)
    const known = this.#events.get(to)
    if (known === undefined) {
      this.#events.set(to, old)
      return
    }
    // Whether both were in one session is not known; they seldom are.
    known.sessions = Math.min(this.#sessions, known.sessions + old.sessions)
    known.delays = [...old.delays, ...known.delays].slice(-MAX_DELAYS)
    known.delayAt = known.delays.length % MAX_DELAYS
    known.followed += old.followed
    for (const [next, count] of old.next) known.next.set(next, (known.next.get(next) ?? 0) + count)
  }

  /** Statistics of an event; undefined when there is no room for another. */
  #known(event: string): EventStatistics | undefined {
    let known = this.#events.get(event)
    if (known === undefined && this.#events.size < this.#maxEvents) {
      known = { sessions: 0, delays: [], delayAt: 0, followed: 0, next: new Map() }
      this.#events.set(event, known)
    }
    return known
  }

  score(session: Session): SessionScore {
    const surprise = (of: number): number => -Math.log10(atMost(of, this.#sessions))
    const features: [surprise: number, reason: string][] = []
    const present = new Set(session.events)
    for (const event of present) features.push([surprise(this.#events.get(event)?.sessions ?? 0), `has ${event}`])
    const start = session.timesUs?.[0]
    const end = session.watchedUntilUs ?? session.timesUs?.[session.timesUs.length - 1]
    for (const [event, known] of this.#events) {
      if (present.has(event) || known.sessions < this.#expectedShare * this.#sessions) continue
      if (start !== undefined && end !== undefined && (end - start) / 1e6 < overdueAfter(known.delays, this.#slackSeconds))
        continue
      features.push([surprise(this.#sessions - known.sessions), `lacks ${event}`])
    }
    if (this.#orderlyStep < Number.POSITIVE_INFINITY) {
      const { surprise: unexpected, reason } = this.#step(session)
      if (unexpected > this.#orderlyStep && unexpected >= this.threshold) features.push([unexpected, reason])
    }
    features.sort((a, b) => b[0] - a[0])
    const worst = features[0]?.[0] ?? 0
    // among equals, more strange features make a stranger session; never enough to change the decision
    const others = features.slice(1, 6).reduce((sum, [surprise]) => sum + surprise, 0)
    return {
      score: worst + others * 1e-3,
      alert: worst >= this.threshold,
      reasons: features
        .filter(([surprise]) => surprise >= this.threshold)
        .map(([, reason]) => reason)
        .slice(0, 8),
    }
  }

  /** Scores a session, then learns from it unless it was flagged for something that is not yet common. */
  observe(session: Session): SessionScore {
    const scored = this.score(session)
    if (this.isNewNormal(scored) || !scored.alert) this.learn(session)
    return scored
  }

  /** Whether what it was scored for is found in so many of late that it is no longer strange. Counts it. */
  isNewNormal(scored: SessionScore): boolean {
    const key = scored.reasons[0] ?? ''
    this.#recent.push(key)
    this.#recentCounts.set(key, (this.#recentCounts.get(key) ?? 0) + 1)
    if (this.#recent.length > RECENT) {
      const gone = this.#recent.shift() as string
      const left = (this.#recentCounts.get(gone) ?? 1) - 1
      if (left === 0) this.#recentCounts.delete(gone)
      else this.#recentCounts.set(gone, left)
    }
    return this.#recent.length >= RECENT / 4 && (this.#recentCounts.get(key) ?? 0) >= this.#newNormalShare * this.#recent.length
  }

  /** The least expected step from one event to the next. */
  #step(session: Session): { surprise: number; reason: string } {
    let surprise = 0
    let reason = ''
    for (let i = 0; i < session.events.length; i++) {
      const event = session.events[i] as string
      const known = this.#events.get(event)
      if (known === undefined || known.followed < 20) continue
      const next = session.events[i + 1] ?? ''
      // a session that is watched in time may go on yet
      if (next === '' && session.timesUs !== undefined) continue
      const s = -Math.log10(atMost(known.next.get(next) ?? 0, known.followed))
      if (s > surprise) {
        surprise = s
        reason = `${event} then ${next === '' ? 'end' : next}`
      }
    }
    return { surprise, reason }
  }

  snapshot(): Uint8Array {
    const events = [...this.#events].map(([event, known]) => [event, { ...known, next: [...known.next] }])
    return new TextEncoder().encode(
      JSON.stringify({
        version: 1,
        sessions: this.#sessions,
        orderlyStep: Number.isFinite(this.#orderlyStep) ? this.#orderlyStep : null,
        recent: this.#recent,
        events,
      }),
    )
  }

  restore(bytes: Uint8Array): void {
    const state = JSON.parse(new TextDecoder().decode(bytes))
    if (state.version !== 1) throw new Error(`session detector: snapshot of version ${state.version}, expected 1`)
    this.#sessions = state.sessions
    this.#orderlyStep = state.orderlyStep ?? Number.POSITIVE_INFINITY
    this.#recent = state.recent
    this.#recentCounts = new Map()
    for (const key of this.#recent) this.#recentCounts.set(key, (this.#recentCounts.get(key) ?? 0) + 1)
    this.#events = new Map(
      state.events.map(([event, known]: [string, EventStatistics & { next: [string, number][] }]) => [
        event,
        { ...known, next: new Map(known.next) },
      ]),
    )
  }
}

/** Seconds after which an event that usually comes is overdue: beyond nearly all delays seen, with slack. */
function overdueAfter(delays: readonly number[], slackSeconds: number): number {
  if (delays.length === 0) return 0
  const sorted = [...delays].sort((a, b) => a - b)
  return 1.5 * (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] as number) + slackSeconds
}

export interface ScoredLine {
  readonly templateId: string
  readonly severity: LogSeverity
  /** What the words of the text say of its severity, apart from the level its writer gave. Default the severity. */
  readonly textSeverity?: LogSeverity
  /** Whether there was no level, so that the severity too is only what the words say. Default false. */
  readonly severityGuessed?: boolean
  readonly fault?: KnownFault | undefined
}

export interface LineScore {
  readonly score: number
  readonly alert: boolean
  readonly reasons: readonly string[]
}

const SEVERITY_WEIGHT: Record<LogSeverity, number> = { DEBUG: 0, INFO: 0, WARN: 0.25, ERROR: 0.6, CRITICAL: 1 }

/** Lines of a stretch. */
const STRETCH = 200

interface TemplateCounts {
  count: number
  inTraining: number
  /** Stretches of the log that it was in, and the last of them. */
  stretches: number
  lastStretch: number
}

const noCounts = (): TemplateCounts => ({ count: 0, inTraining: 0, stretches: 0, lastStretch: -1 })

/** Line by line: learns rates while it is being trained, then scores each line before learning from it. */
export class LineAnomalyDetector {
  #lines = 0
  #trained = 0
  readonly #templates: BoundedMap<string, TemplateCounts>

  constructor(options: { /** Templates whose counts are kept. Default 50,000. */ readonly maxTemplates?: number } = {}) {
    this.#templates = new BoundedMap(options.maxTemplates ?? 50_000)
  }

  learn({ templateId }: Pick<ScoredLine, 'templateId'>, training = false): void {
    let known = this.#templates.get(templateId)
    if (known === undefined) {
      known = noCounts()
      this.#templates.set(templateId, known)
    }
    known.count++
    const stretch = Math.floor(this.#lines++ / STRETCH)
    if (known.lastStretch !== stretch) known.stretches++
    known.lastStretch = stretch
    if (training) {
      known.inTraining++
      this.#trained++
    }
  }

  /** A template goes by another id from now on, one that may be known already. */
  rename(from: string, to: string): void {
    const old = this.#templates.get(from)
    if (old === undefined || from === to) return
    this.#templates.delete(from)
    const known = this.#templates.get(to) ?? noCounts()
    this.#templates.set(to, {
      count: known.count + old.count,
      inTraining: known.inTraining + old.inTraining,
      // Whether both were in one stretch is not known.
      stretches: Math.min(known.stretches + old.stretches, 1 + Math.floor(this.#lines / STRETCH)),
      lastStretch: Math.max(known.lastStretch, old.lastStretch),
    })
  }

  score(line: ScoredLine): LineScore {
    const known = this.#templates.get(line.templateId)
    const reasons: string[] = []
    // share in what was learned as normal; lines since then count little, so that a flood does not make itself normal
    const share = ((known?.inTraining ?? 0) + 0.1 * (known?.count ?? 0) + 0.5) / (this.#trained + 0.1 * this.#lines + 1)
    const rarity = Math.min(1, Math.max(0, -Math.log10(share) / 5))
    const stretches = ((known?.stretches ?? 0) + 0.5) / (Math.floor(this.#lines / STRETCH) + 2)
    // 0 for what is in every stretch, 1 for what is in one of a hundred or fewer
    const seldom = Math.min(1, Math.max(0, -Math.log10(stretches) / 2))
    const isNew = this.#trained > 0 && (known === undefined || known.inTraining === 0)
    if (isNew) reasons.push('template not seen in training')
    else if (rarity > 0.7) reasons.push('rare template')
    else if (seldom > 0.7) reasons.push('template of few stretches of the log')
    // what is new loses its newness as it goes on; what is severe does not become less so
    const newness = isNew ? 0.35 / (1 + Math.log2(1 + (known?.count ?? 0))) : 0
    const guessed = line.severityGuessed === true
    const severity = SEVERITY_WEIGHT[line.severity] * (guessed ? 0.7 : 1)
    // a severe level on words that tell of a failure says more than on a dump of registers; words alone do not outdo a mild level
    const words = guessed || severity < 0.2 ? 0 : 0.4 * SEVERITY_WEIGHT[line.textSeverity ?? line.severity]
    if (severity >= 0.4) reasons.push(`says ${line.severity}`)
    if (line.fault !== undefined) reasons.push(`known fault: ${line.fault.kind}`)
    const fault = line.fault === undefined ? 0 : 0.25
    const everyday = guessed ? 0.3 + 0.7 * seldom : 0.7 + 0.3 * seldom
    const score =
      (guessed ? 0.5 : 0.3) * rarity +
      (SEVERITY_WEIGHT[line.severity] === 0 ? 0.36 : 0.6) * seldom +
      newness +
      words +
      everyday * (severity + fault)
    return { score, alert: score >= 1, reasons }
  }

  observe(line: ScoredLine): LineScore {
    const scored = this.score(line)
    this.learn(line)
    return scored
  }
}
