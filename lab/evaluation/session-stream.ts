/**
 * Sessions of a raw log in one pass, for logs whose sessions may go on hours later: a session is judged and learned from when it has been idle for a
 * while, judged once more when it goes on or when the log ends, and what was said stands. Nothing after the moment of a judgement is used in it:
 * neither later lines of the session, nor what was learned from later ones, nor what became of templates later.
 *
 * The detector is fitted again, robustly, each time the sessions it learned from have doubled, on the newest of them.
 */

import { type Session, SessionAnomalyDetector, type SessionScore } from '@aegis/anomaly-detection/logs/log-anomaly'
import type { MinedChange } from '@aegis/domain'
import { TemplateHistory } from './template-history.ts'

export interface SessionStreamOptions {
  /** Idle for so long, a session is judged for the first time, microseconds. Default 10 minutes. */
  readonly idleUs?: number
  /** Sessions learned from before any is judged: a share of one in forty needs 20 of its kind to be told from chance. Default 800. */
  readonly warmUp?: number
  /** Sessions kept to fit on. Default 2,000. */
  readonly fitOn?: number
  /** Sessions kept for what comes later; the one idle for longest is given up. Default 100,000. */
  readonly maxSessions?: number
}

interface Kept {
  readonly unit: string
  readonly learns: boolean
  events: string[]
  timesUs: number[]
  /** Events learned already. */
  learned: number
  worst: SessionScore | undefined
}

export class SessionStream {
  readonly #idleUs: number
  readonly #warmUp: number
  readonly #fitOn: number
  readonly #maxSessions: number
  readonly #detector = new SessionAnomalyDetector()
  readonly #history = new TemplateHistory()
  /** In order of their last line: those that go on yet, and those that were idle. */
  #active = new Map<string, Kept>()
  #idle = new Map<string, Kept>()
  #basis: Kept[] = []
  #learned = 0
  #fitted = 0
  readonly #done: (unit: string, score: SessionScore) => void

  /** @param done called once per unit, with the worst that was ever said of it */
  constructor(done: (unit: string, score: SessionScore) => void, options: SessionStreamOptions = {}) {
    this.#done = done
    this.#idleUs = options.idleUs ?? 600_000_000
    this.#warmUp = options.warmUp ?? 800
    this.#fitOn = options.fitOn ?? 2000
    this.#maxSessions = options.maxSessions ?? 100_000
  }

  /** Templates changed with the line that is given next. */
  follow(changes: readonly MinedChange[]): void {
    this.#history.follow(changes)
    // What was counted under the old name is counted again under the new one.
    if (changes.some(({ kind }) => kind !== 'created') && this.#fitted > 0) this.#fit()
  }

  /** @param learns whether the unit is one to learn from; @param event template id, and what else tells events apart after a space */
  line(unit: string, learns: boolean, event: string, timeUs: number): void {
    this.#close(timeUs)
    const kept = this.#active.get(unit) ??
      this.#idle.get(unit) ?? { unit, learns, events: [], timesUs: [], learned: 0, worst: undefined }
    this.#active.delete(unit)
    this.#idle.delete(unit)
    kept.events.push(event)
    kept.timesUs.push(timeUs)
    this.#active.set(unit, kept)
  }

  /** The log has ended: judges what is left. */
  end(timeUs: number): void {
    for (const kept of [...this.#active.values()]) this.#complete(kept, timeUs)
    for (const kept of [...this.#idle.values()]) this.#tell(kept, timeUs)
  }

  #close(nowUs: number): void {
    for (const kept of this.#active.values()) {
      if (nowUs - (kept.timesUs[kept.timesUs.length - 1] as number) < this.#idleUs) break
      this.#complete(kept, nowUs)
    }
  }

  #complete(kept: Kept, nowUs: number): void {
    this.#active.delete(kept.unit)
    this.#idle.set(kept.unit, kept)
    const scored = this.#judge(kept, nowUs)
    if (kept.learns || scored === undefined || !scored.alert) this.#learn(kept)
    if (this.#idle.size > this.#maxSessions) this.#tell(this.#idle.values().next().value as Kept, nowUs)
  }

  #judge(kept: Kept, nowUs: number): SessionScore | undefined {
    if (this.#fitted === 0) return undefined
    const scored = this.#detector.score(this.#session(kept, nowUs))
    if (scored.score > (kept.worst?.score ?? -1)) kept.worst = scored
    return scored
  }

  #tell(kept: Kept, nowUs: number): void {
    this.#idle.delete(kept.unit)
    if (this.#fitted === 0 && this.#basis.length > 0) this.#fit()
    this.#judge(kept, nowUs)
    this.#done(kept.unit, kept.worst ?? { score: 0, alert: false, reasons: [] })
  }

  #learn(kept: Kept): void {
    if (kept.learned === 0) {
      this.#learned++
      this.#basis.push(kept)
      if (this.#basis.length > this.#fitOn) this.#basis.shift()
    }
    if (this.#fitted > 0) this.#detector.learn(this.#session(kept, 0), kept.learned)
    kept.learned = kept.events.length
    if (this.#learned >= (this.#fitted === 0 ? this.#warmUp : 2 * this.#fitted)) this.#fit()
  }

  #fit(): void {
    this.#fitted = Math.max(this.#learned, this.#fitted)
    this.#detector.fit(this.#basis.map(kept => this.#session(kept, kept.timesUs[kept.timesUs.length - 1] as number)))
  }

  #session(kept: Kept, watchedUntilUs: number): Session {
    const events = kept.events.map(event => {
      const [id, more] = event.split(' ') as [string, string?]
      return `${this.#history.resolve(id)} ${more ?? ''}`
    })
    return { events, timesUs: kept.timesUs, watchedUntilUs }
  }
}
