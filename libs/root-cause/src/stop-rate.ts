/**
 * How often requests stop at one entity, beside how often they usually do: the last while, however long it is, against all before it, by the
 * signed root of their log-likelihood ratio (log-evidence.ts), as a recorded case holds its fault against its quiet time. The likeliest
 * beginning is looked for (a generalised likelihood ratio scan; Siegmund & Venkatraman, Annals of Statistics 1995), so that what is visited
 * a hundred times a second is judged in a second, and what is visited now and then in minutes.
 */
import { rootLlr } from './log-evidence.ts'

/** The series that stop evidence goes by in anomalies: visits of requests that stopped short here and nowhere below. */
export const STOPPED_SERIES = 'visits.stopped'

export interface StopRateOptions {
  /** Longest last while, microseconds. Default 3 minutes. */
  readonly windowUs?: number
  /** Strength from which stops are strange. Default 4. */
  readonly threshold?: number
  /** Least stops in the last while to be strange, and least visits before it to know what is usual. Default 3 and 5. */
  readonly least?: { readonly stopped: number; readonly usual: number }
}
interface Count {
  visits: number
  stopped: number
}
export interface StopState {
  usual: Count
  recent: (Count & { time: number })[]
}
/** Counts of the last while. */
export interface StopReading extends Count {
  /** Signed root of the log-likelihood ratio; 0 as long as nothing is known. */
  readonly strength: number
  /** Stops that would have been usual for so many visits. */
  readonly expected: number
  readonly strange: boolean
  /** When the last while began, microseconds. */
  readonly since: number
}
/** A fault makes stops so many times as frequent. */
const MORE = 3
/** Share that visits of a strange time count for in what is usual: a fault stays strange, what lasts becomes usual. */
const STRANGE_WEIGHT = 0.02
/** Visits after which what is usual counts half. */
const MEMORY = 20_000

export class StopRate {
  readonly #windowUs: number
  readonly #threshold: number
  readonly #least: { readonly stopped: number; readonly usual: number }

  constructor(options: StopRateOptions = {}) {
    this.#windowUs = options.windowUs ?? 180_000_000
    this.#threshold = options.threshold ?? 4
    this.#least = options.least ?? { stopped: 3, usual: 5 }
  }

  static fresh(): StopState {
    return { usual: { visits: 0, stopped: 0 }, recent: [] }
  }

  /** Takes in what was counted up to `time` (microseconds), and says how the last while stands; what is older than it can be is learned. */
  read(state: StopState, counted: Count, time: number): StopReading {
    const { usual, recent } = state
    if (counted.visits > 0) recent.push({ time, visits: counted.visits, stopped: counted.stopped })
    const reading = this.#scan(state)
    while (recent.length > 0 && time - recent[0].time >= this.#windowUs) {
      const { time: at, visits, stopped } = recent.shift()!
      const weight = reading.strange && at >= reading.since ? STRANGE_WEIGHT : 1
      usual.visits += weight * visits
      usual.stopped += weight * stopped
    }
    if (usual.visits > MEMORY) {
      usual.visits /= 2
      usual.stopped /= 2
    }
    return reading
  }

  #scan({ usual, recent }: StopState): StopReading {
    const before = { visits: usual.visits, stopped: usual.stopped }
    for (const r of recent) {
      before.visits += r.visits
      before.stopped += r.stopped
    }
    const now = { visits: 0, stopped: 0 }
    let best: StopReading = { ...now, strength: 0, expected: 0, strange: false, since: 0 }
    if (before.stopped < this.#least.stopped) return best
    for (let i = recent.length - 1; i >= 0; i--) {
      const { time, visits, stopped } = recent[i]
      now.visits += visits
      now.stopped += stopped
      before.visits -= visits
      before.stopped -= stopped
      if (before.visits < this.#least.usual) break
      if (stopped === 0 || now.stopped < this.#least.stopped) continue
      // What is usual at times comes in heaps at times; a fault does more.
      if (now.stopped * (before.visits + 1) < MORE * (before.stopped + 0.5) * now.visits) continue
      const strength = rootLlr(now.stopped, now.visits, before.stopped, before.visits)
      if (strength > best.strength)
        best = {
          ...now,
          strength,
          expected: (now.visits * before.stopped) / before.visits,
          strange: strength >= this.#threshold,
          since: time,
        }
    }
    return best
  }
}
