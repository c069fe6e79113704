/**
 * stop-evidence.ts for a stream: visits are held against what visits of their kind usually do, as far as that is known by then, and learned
 * from after. What stopped short is learned too, but minutes later: a fault is strange until it has long been noticed, what a new release
 * leaves out becomes usual, and so does a step that was taken for one always made because few visits had been seen.
 */
import { BoundedMap, keyOf } from '@aegis/domain'
import type { CaseLine, CaseSpan } from './case-evidence.ts'
import { kindOfVisit, stoppedShort, type Usual, type Visit, visitsOf } from './stop-evidence.ts'

export interface VisitWatchOptions {
  /** Kinds of visit remembered; the one seen least lately makes room. Default 5000. */
  readonly kinds?: number
  /** Visits after which what is known of a kind counts half. Default 1000. */
  readonly memory?: number
  /** How much later visits that stopped short are learned from, microseconds. Default 10 minutes. */
  readonly laterUs?: number
}
export interface SeenVisit {
  readonly visit: Visit
  /** What it lacks, or "! " and the error it wrote, where it was the deepest of its trace to stop short. */
  readonly stopped: string | undefined
}
/** What is to be learned later is kept by minutes. */
const MINUTE_US = 60_000_000
/** Different steps remembered of one kind of visit. */
const STEPS = 300

export class VisitWatch {
  readonly #kinds: number
  readonly #memory: number
  readonly #laterUs: number
  /** By environment and kind of visit, the one seen last at the end. */
  readonly #usual: BoundedMap<string, Usual>
  /** Visits that stopped short, by environment (each has its clock), minute and kind. */
  #later = new Map<string, Map<number, Map<string, Usual>>>()

  constructor(options: VisitWatchOptions = {}) {
    this.#kinds = options.kinds ?? 5000
    this.#usual = new BoundedMap(this.#kinds)
    this.#memory = options.memory ?? 1000
    this.#laterUs = options.laterUs ?? 600_000_000
  }

  /** The visits of one trace: which of them stopped short beside those before; then learns them. `time` is that of the clock, microseconds. */
  see(environment: string, spans: readonly CaseSpan[], lines: readonly CaseLine[], time: number): SeenVisit[] {
    const later = this.#laterOf(environment, time)
    const key = (v: Visit) => keyOf(environment, kindOfVisit(v))
    const visits = visitsOf(spans, lines)
    const seen = stoppedShort(visits, v => this.#usual.get(key(v)))
    for (const { visit, missing, below } of seen) {
      // A visit without a step may not have been recorded: it is no example of leaving steps out.
      if (visit.steps.size === 0) continue
      if (missing === undefined && !below) this.#learn(key(visit), 1, visit.steps.keys())
      else this.#keep(later, key(visit), visit, Math.floor(time / MINUTE_US))
    }
    return seen.map(({ visit, missing, below }) => ({ visit, stopped: below ? undefined : missing }))
  }

  #keep(later: Map<number, Map<string, Usual>>, key: string, visit: Visit, minute: number): void {
    let kinds = later.get(minute)
    if (!kinds) later.set(minute, (kinds = new Map()))
    let usual = kinds.get(key)
    if (!usual) {
      if (kinds.size >= this.#kinds) return
      kinds.set(key, (usual = { visits: 0, steps: new Map() }))
    }
    usual.visits++
    for (const step of visit.steps.keys())
      if (usual.steps.has(step) || usual.steps.size < STEPS) usual.steps.set(step, (usual.steps.get(step) ?? 0) + 1)
  }
  /** What is still to be learned of an environment; what has waited long enough is learned. */
  #laterOf(environment: string, time: number): Map<number, Map<string, Usual>> {
    let later = this.#later.get(environment)
    if (!later) this.#later.set(environment, (later = new Map()))
    for (const [minute, kinds] of later) {
      if ((minute + 1) * MINUTE_US + this.#laterUs > time) break
      later.delete(minute)
      for (const [key, { visits, steps }] of kinds) this.#learn(key, visits, steps.keys(), steps)
    }
    return later
  }

  #learn(key: string, visits: number, steps: Iterable<string>, counts?: ReadonlyMap<string, number>): void {
    const usual = this.#usual.get(key) ?? { visits: 0, steps: new Map<string, number>() }
    this.#usual.set(key, usual)
    usual.visits += visits
    for (const step of steps) {
      const count = usual.steps.get(step)
      if (count !== undefined || usual.steps.size < STEPS) usual.steps.set(step, (count ?? 0) + (counts?.get(step) ?? 1))
    }
    while (usual.visits >= this.#memory) {
      usual.visits /= 2
      for (const [step, count] of usual.steps) {
        if (count < 1) usual.steps.delete(step)
        else usual.steps.set(step, count / 2)
      }
    }
  }

  toJSON(): { usual: Plain; later: [string, [number, Plain][]][] } {
    return {
      usual: plain(this.#usual),
      later: [...this.#later].map(([e, minutes]) => [e, [...minutes].map(([m, kinds]) => [m, plain(kinds)])]),
    }
  }
  load(state: ReturnType<VisitWatch['toJSON']>): void {
    this.#usual.load(mapped(state.usual))
    this.#later = new Map(state.later.map(([e, minutes]) => [e, new Map(minutes.map(([m, kinds]) => [m, mapped(kinds)]))]))
  }
}

type Plain = [string, number, [string, number][]][]
const plain = (kinds: ReadonlyMap<string, Usual>): Plain =>
  [...kinds].map(([key, { visits, steps }]) => [key, visits, [...steps]])
const mapped = (state: Plain): Map<string, Usual> =>
  new Map(state.map(([key, visits, steps]) => [key, { visits, steps: new Map(steps) }]))
