/**
 * Sessions as they happen: gathers the lines of each request, block or instance, takes a session for complete when it has been idle long enough,
 * and has it scored by SessionAnomalyDetector. Which sessions are worth a word is decided by how many were strange lately beside how many usually
 * are: where one in fifty always fails, one more is no news.
 */
import { type Session, SessionAnomalyDetector } from './log-anomaly.ts'
import { UnusualCount } from './unusual-count.ts'

export interface SessionWatchOptions {
  /** A session without lines for so long is complete, microseconds. Default 30 s. */
  readonly idleUs?: number
  /** Complete sessions gathered before the first is scored. Default 100. */
  readonly warmUp?: number
  /** Sessions open at a time; the one idle for longest is taken for complete. Default 200. */
  readonly maxOpen?: number
  /** Lines of a session that are looked at. Default 100. */
  readonly maxLines?: number
  /** Strange sessions in four windows below which nothing is said. Default 3. */
  readonly least?: number
}
export interface SessionFinding<Quote> {
  readonly sessions: number
  readonly score: number
  readonly threshold: number
  readonly reasons: readonly string[]
  /** Lines of the strangest session, in order. */
  readonly quotes: readonly Quote[]
}
interface Open<Quote> {
  events: string[]
  timesUs: number[]
  quotes: Quote[]
}
const QUOTES = 4

export class SessionWatch<Quote> {
  readonly #idleUs: number
  readonly #warmUp: number
  readonly #maxOpen: number
  readonly #maxLines: number
  readonly #detector: SessionAnomalyDetector
  /** In order of their last line. */
  #open = new Map<string, Open<Quote>>()
  #gathered: Session[] | undefined = []
  #strange = 0
  #worst: SessionFinding<Quote> | undefined
  readonly #usual: UnusualCount

  constructor(options: SessionWatchOptions = {}) {
    this.#idleUs = options.idleUs ?? 30_000_000
    // What does not come within the time a session may idle is overdue.
    this.#detector = new SessionAnomalyDetector({ maxEvents: 256, slackSeconds: this.#idleUs / 2e6 })
    this.#warmUp = options.warmUp ?? 100
    this.#maxOpen = options.maxOpen ?? 200
    this.#maxLines = options.maxLines ?? 100
    this.#usual = new UnusualCount(options.least ?? 3)
  }

  line(session: string, event: string, timeUs: number, quote: Quote): void {
    let open = this.#open.get(session)
    if (open) this.#open.delete(session)
    else open = { events: [], timesUs: [], quotes: [] }
    this.#open.set(session, open)
    if (open.events.length < this.#maxLines) {
      open.events.push(event)
      open.timesUs.push(Math.max(timeUs, open.timesUs[open.timesUs.length - 1] ?? timeUs))
      if (open.quotes.length < QUOTES) open.quotes.push(quote)
    }
    if (this.#open.size > this.#maxOpen) this.#complete(this.#open.keys().next().value as string, timeUs)
  }

  /** An event goes by another name from now on. */
  rename(from: string, to: string): void {
    const renamed = (events: readonly string[]) => events.map(event => (event === from ? to : event))
    for (const open of this.#open.values()) open.events = renamed(open.events)
    if (this.#gathered) this.#gathered = this.#gathered.map(session => ({ ...session, events: renamed(session.events) }))
    else this.#detector.rename(from, to)
  }

  /** Ends a window at this time; what was strange in the last ones, if more than usual. */
  close(nowUs: number): SessionFinding<Quote> | undefined {
    for (const [session, { timesUs }] of this.#open)
      if (nowUs - (timesUs[timesUs.length - 1] as number) >= this.#idleUs) this.#complete(session, nowUs)
    const count = this.#strange
    this.#strange = 0
    const worst = this.#worst
    this.#worst = undefined
    return this.#usual.close(count) && worst ? { ...worst, sessions: count } : undefined
  }

  #complete(id: string, nowUs: number): void {
    const { events, timesUs, quotes } = this.#open.get(id) as Open<Quote>
    this.#open.delete(id)
    const session: Session = { events, timesUs, watchedUntilUs: nowUs }
    if (this.#gathered) {
      this.#gathered.push(session)
      if (this.#gathered.length < this.#warmUp) return
      this.#detector.fit(this.#gathered)
      this.#gathered = undefined
      return
    }
    const { score, alert, reasons } = this.#detector.observe(session)
    if (!alert) return
    this.#strange++
    if (score > (this.#worst?.score ?? 0))
      this.#worst = { sessions: 1, score, threshold: this.#detector.threshold, reasons, quotes }
  }

  toJSON() {
    return {
      open: [...this.#open],
      gathered: this.#gathered ?? null,
      detector: this.#gathered ? null : new TextDecoder().decode(this.#detector.snapshot()),
      strange: this.#strange,
      worst: this.#worst ?? null,
      usual: this.#usual.toJSON(),
    }
  }
  load(state: ReturnType<SessionWatch<Quote>['toJSON']>): this {
    this.#open = new Map(state.open)
    this.#gathered = state.gathered ?? undefined
    if (state.detector !== null) this.#detector.restore(new TextEncoder().encode(state.detector))
    this.#strange = state.strange
    this.#worst = state.worst ?? undefined
    this.#usual.load(state.usual)
    return this
  }
}
