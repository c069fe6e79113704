/**
 * Sessions as they happen: gathers the lines of each request, block or instance. A session is judged, by SessionAnomalyDetector, and learned from when
 * it has been idle for a while; it is judged once more when it went on, hours later if need be, and what was said stands. Nothing after the moment of a
 * judgement is used in it. The detector is fitted again, robustly, each time the sessions it learned from have doubled, on the newest of them.
 *
 * Which sessions are worth a word is decided by how many were strange lately beside how many usually are: where one in fifty always fails, one more is
 * no news.
 */
import { BoundedMap } from '@aegis/domain'
import { type Session, SessionAnomalyDetector, type SessionScore } from './log-anomaly.ts'
import { UnusualCount } from './unusual-count.ts'

export interface SessionWatchOptions {
  /** A session without lines for so long is judged, microseconds. Default 30 s. */
  readonly idleUs?: number
  /** Sessions learned from before the first is judged. Default 400: a share of one in forty needs so many to be told from chance. */
  readonly warmUp?: number
  /** Sessions kept to fit on. Default 1,000. */
  readonly fitOn?: number
  /** Sessions kept that may go on; the one idle for longest is given up. Default 4,000. */
  readonly maxSessions?: number
  /** Lines of a session that are looked at. Default 100. */
  readonly maxLines?: number
  /** Strange sessions in four windows below which nothing is said. Default 3. */
  readonly least?: number
  /** Called with every judgement. */
  readonly onJudged?: (session: string, score: SessionScore) => void
  /** How many sessions all who share it may keep between them. Default none but the own bounds. */
  readonly room?: SessionRoom
}
/** Room that the watches of many entities share. One that finds none left gives up its own oldest. */
export interface SessionRoom {
  left: number
}
/** Sessions that a watch may keep whoever else has taken the room. */
const OWN = 100

export interface SessionFinding<Quote> {
  readonly sessions: number
  readonly score: number
  readonly threshold: number
  readonly reasons: readonly string[]
  /** Lines of the strangest session, in order. */
  readonly quotes: readonly Quote[]
}
interface Kept<Quote> {
  events: string[]
  timesUs: number[]
  quotes: Quote[]
  /** Events learned already. */
  learned: number
  /** It was strange already, and is counted. */
  strange: boolean
}
const QUOTES = 4
const sessionOf = ({ events, timesUs }: Kept<unknown>): Session => ({ events, timesUs, watchedUntilUs: timesUs.at(-1) })

export class SessionWatch<Quote> {
  readonly #options: Required<Omit<SessionWatchOptions, 'onJudged' | 'room'>>
  readonly #onJudged: SessionWatchOptions['onJudged']
  readonly #room: SessionRoom
  readonly #detector: SessionAnomalyDetector
  /** In order of their last line: those that go on yet, and those that were idle. */
  #active = new Map<string, Kept<Quote>>()
  #idle = new Map<string, Kept<Quote>>()
  /** What the next fit is made on, the newest last; what goes on yet goes on here too. */
  readonly #basis: BoundedMap<string, Kept<Quote>>
  #learned = 0
  #fitted = 0
  #strange = 0
  #worst: SessionFinding<Quote> | undefined
  readonly #usual: UnusualCount

  constructor({ onJudged, room, ...options }: SessionWatchOptions = {}) {
    this.#options = { idleUs: 30_000_000, warmUp: 400, fitOn: 1000, maxSessions: 4000, maxLines: 100, least: 3, ...options }
    this.#onJudged = onJudged
    this.#room = room ?? { left: Number.POSITIVE_INFINITY }
    // What does not come within the time a session may idle is overdue.
    this.#detector = new SessionAnomalyDetector({ maxEvents: 1000, slackSeconds: this.#options.idleUs / 2e6 })
    this.#basis = new BoundedMap(this.#options.fitOn)
    this.#usual = new UnusualCount(this.#options.least)
  }

  line(session: string, event: string, timeUs: number, quote: Quote): void {
    this.#judgeIdle(timeUs)
    let kept = this.#active.get(session) ?? this.#idle.get(session)
    if (kept) {
      this.#active.delete(session)
      this.#idle.delete(session)
    } else {
      kept = { events: [], timesUs: [], quotes: [], learned: 0, strange: false }
      this.#room.left--
    }
    this.#active.set(session, kept)
    if (kept.events.length < this.#options.maxLines) {
      kept.events.push(event)
      kept.timesUs.push(Math.max(timeUs, kept.timesUs.at(-1) ?? timeUs))
      if (kept.quotes.length < QUOTES) kept.quotes.push(quote)
    }
    const count = this.#active.size + this.#idle.size
    if (count > this.#options.maxSessions || (this.#room.left < 0 && count > OWN)) this.#giveUp(timeUs)
  }

  /** An event goes by another name from now on. */
  rename(from: string, to: string): void {
    const renamed = (events: readonly string[]) => events.map(event => (event === from ? to : event))
    for (const kept of new Set([...this.#active.values(), ...this.#idle.values(), ...this.#basis.values()]))
      kept.events = renamed(kept.events)
    this.#detector.rename(from, to)
    // Which of the two was in a session is known of the basis only.
    if (this.#fitted > 0) this.#fit()
  }

  /** Ends a window at this time; what was strange in the last ones, if more than usual. */
  close(nowUs: number): SessionFinding<Quote> | undefined {
    this.#judgeIdle(nowUs)
    const count = this.#strange
    this.#strange = 0
    const worst = this.#worst
    this.#worst = undefined
    return this.#usual.close(count) && worst ? { ...worst, sessions: count } : undefined
  }

  /** Nothing more comes: judges what is left. */
  end(nowUs: number): void {
    for (const [id, kept] of [...this.#active]) this.#complete(id, kept, nowUs)
    // However few they were: better a word at the end than none.
    if (this.#fitted === 0 && this.#basis.size > 0) {
      this.#fitted = this.#learned
      this.#fit()
    }
    for (const [id, kept] of this.#idle) this.#judge(id, kept, nowUs)
  }

  /** It is given up: the room it took is free again. */
  leave(): void {
    this.#room.left += this.#active.size + this.#idle.size
  }

  #judgeIdle(nowUs: number): void {
    for (const [id, kept] of this.#active) {
      if (nowUs - (kept.timesUs.at(-1) as number) < this.#options.idleUs) break
      this.#complete(id, kept, nowUs)
    }
  }

  #complete(id: string, kept: Kept<Quote>, nowUs: number): void {
    this.#active.delete(id)
    this.#idle.set(id, kept)
    if (!this.#judge(id, kept, nowUs)?.alert) this.#learn(id, kept)
  }

  /** Makes room: what has been idle for longest is judged for the last time and forgotten. */
  #giveUp(nowUs: number): void {
    const [oldest] = this.#idle.size > 0 ? this.#idle : this.#active
    const [id, kept] = oldest
    if (this.#active.has(id)) this.#complete(id, kept, nowUs)
    else this.#judge(id, kept, nowUs)
    this.#idle.delete(id)
    this.#room.left++
  }

  #judge(id: string, kept: Kept<Quote>, nowUs: number): SessionScore | undefined {
    if (this.#fitted === 0) return undefined
    const scored = this.#detector.score({ events: kept.events, timesUs: kept.timesUs, watchedUntilUs: nowUs })
    this.#onJudged?.(id, scored)
    const common = this.#detector.isNewNormal(scored)
    if (scored.alert && !kept.strange) {
      kept.strange = true
      this.#strange++
      if (scored.score > (this.#worst?.score ?? 0))
        this.#worst = {
          sessions: 1,
          score: scored.score,
          threshold: this.#detector.threshold,
          reasons: scored.reasons,
          quotes: kept.quotes,
        }
    }
    return common ? { ...scored, alert: false } : scored
  }

  #learn(id: string, kept: Kept<Quote>): void {
    if (kept.learned === 0) {
      this.#learned++
      this.#basis.set(id, kept)
    }
    if (this.#fitted > 0) this.#detector.learn(sessionOf(kept), kept.learned)
    kept.learned = kept.events.length
    if (this.#learned < (this.#fitted === 0 ? this.#options.warmUp : 2 * this.#fitted)) return
    this.#fitted = this.#learned
    this.#fit()
  }

  #fit(): void {
    this.#detector.fit([...this.#basis.values()].map(sessionOf))
    // What had not been learned of them is now.
    for (const kept of this.#basis.values()) kept.learned = kept.events.length
  }

  toJSON() {
    return {
      active: [...this.#active],
      idle: [...this.#idle],
      basis: [...this.#basis].map(
        ([id, kept]) => [id, this.#active.get(id) === kept || this.#idle.get(id) === kept ? null : kept] as const,
      ),
      learned: this.#learned,
      fitted: this.#fitted,
      detector: this.#fitted === 0 ? null : new TextDecoder().decode(this.#detector.snapshot()),
      strange: this.#strange,
      worst: this.#worst ?? null,
      usual: this.#usual.toJSON(),
    }
  }
  load(state: ReturnType<SessionWatch<Quote>['toJSON']>): this {
    this.#active = new Map(state.active)
    this.#idle = new Map(state.idle)
    this.#room.left -= this.#active.size + this.#idle.size
    this.#basis.load(state.basis.map(([id, kept]) => [id, kept ?? (this.#active.get(id) ?? this.#idle.get(id))!]))
    this.#learned = state.learned
    this.#fitted = state.fitted
    if (state.detector !== null) this.#detector.restore(new TextEncoder().encode(state.detector))
    this.#strange = state.strange
    this.#worst = state.worst ?? undefined
    this.#usual.load(state.usual)
    return this
  }
}
