/**
 * stop-evidence.ts for a stream: visits are held against what visits of their kind usually do, as far as that is known by then, and learned
 * from after. What stopped short is learned too, at a fraction: a fault stays strange for as long as it lasts, a new release becomes usual.
 */
import type { CaseLine, CaseSpan } from './case-evidence.ts'
import { kindOfVisit, stoppedShort, type Usual, type Visit, visitsOf } from './stop-evidence.ts'

export interface VisitWatchOptions {
  /** Kinds of visit remembered; the one seen least lately makes room. Default 5000. */
  readonly kinds?: number
  /** Visits after which what is known of a kind counts half. Default 1000. */
  readonly memory?: number
}
export interface SeenVisit {
  readonly visit: Visit
  /** What it lacks, or "! " and the error it wrote, where it was the deepest of its trace to stop short. */
  readonly stopped: string | undefined
}
/** Share of a whole visit that one which stopped short counts for in learning. */
const STOPPED_WEIGHT = 0.02
/** Different steps remembered of one kind of visit. */
const STEPS = 300

export class VisitWatch {
  readonly #kinds: number
  readonly #memory: number
  /** By environment and kind of visit, the one seen last at the end. */
  #usual = new Map<string, Usual>()

  constructor(options: VisitWatchOptions = {}) {
    this.#kinds = options.kinds ?? 5000
    this.#memory = options.memory ?? 1000
  }

  /** The visits of one trace: which of them stopped short beside those before; then learns them. */
  see(environment: string, spans: readonly CaseSpan[], lines: readonly CaseLine[]): SeenVisit[] {
    const key = (v: Visit) => `${environment}\0${kindOfVisit(v)}`
    const visits = visitsOf(spans, lines)
    const seen = stoppedShort(visits, v => this.#usual.get(key(v)))
    for (const { visit, missing, below } of seen)
      this.#learn(key(visit), visit, missing !== undefined || below ? STOPPED_WEIGHT : 1)
    return seen.map(({ visit, missing, below }) => ({ visit, stopped: below ? undefined : missing }))
  }

  #learn(key: string, visit: Visit, weight: number): void {
    // A visit without a step may not have been recorded: it is no example of leaving steps out.
    if (visit.steps.size === 0) return
    const usual = this.#usual.get(key) ?? { visits: 0, steps: new Map<string, number>() }
    this.#usual.delete(key)
    this.#usual.set(key, usual)
    if (this.#usual.size > this.#kinds) this.#usual.delete(this.#usual.keys().next().value as string)
    usual.visits += weight
    for (const step of visit.steps.keys()) {
      const count = usual.steps.get(step)
      if (count !== undefined || usual.steps.size < STEPS) usual.steps.set(step, (count ?? 0) + weight)
    }
    if (usual.visits < this.#memory) return
    usual.visits /= 2
    for (const [step, count] of usual.steps) {
      if (count < 1) usual.steps.delete(step)
      else usual.steps.set(step, count / 2)
    }
  }

  toJSON(): [string, number, [string, number][]][] {
    return [...this.#usual].map(([key, { visits, steps }]) => [key, visits, [...steps]])
  }
  load(state: ReturnType<VisitWatch['toJSON']>): void {
    this.#usual = new Map(state.map(([key, visits, steps]) => [key, { visits, steps: new Map(steps) }]))
  }
}
