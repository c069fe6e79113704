/**
 * From the scores of one entity to its events: one per thing that happened, not one per row. An event opens when the score passes its threshold, is updated
 * when it gets worse or another metric joins, and closes when it has been quiet for a while. A score that stays high but no longer moves is a level shift:
 * the event closes as the new normal, and whoever trains the detector is told to learn from it.
 */
import { SEVERITIES, type Severity } from '@aegis/domain'

export interface EventOptions {
  /** Rows over the threshold before an event opens. Default 1. */
  readonly open?: number
  /** Quiet rows before it closes. Default 5. */
  readonly quiet?: number
  /** Rows after which a score that stays where it is is the new normal. Default 600. */
  readonly adoptAfter?: number
  /** Metrics named per event. Default 8. */
  readonly guilty?: number
}
export interface Guilty {
  readonly metric: string
  readonly score: number
  readonly value: number
  readonly low: number
  readonly high: number
}
export interface EntityEvent {
  readonly state: 'open' | 'update' | 'close'
  readonly started: number
  readonly time: number
  readonly severity: Severity
  readonly score: number
  readonly threshold: number
  /** Guiltiest first. */
  readonly guilty: readonly Guilty[]
  /** What would most likely help, by what is guilty and how. */
  readonly recommended: 'scale' | 'restart' | 'investigate'
  /** Closed because it lasted, not because it ended: learn from it. */
  readonly newNormal: boolean
}
interface Open {
  started: number
  quiet: number
  rows: number
  worst: number
  told: string
  guilty: Map<string, Guilty>
}

export class EntityEvents {
  readonly #options: Required<EventOptions>
  #over = 0
  #since = 0
  #last = Number.NEGATIVE_INFINITY
  #open: Open | undefined

  constructor(options: EventOptions = {}) {
    this.#options = { open: 1, quiet: 5, adoptAfter: 600, guilty: 8, ...options }
  }
  get isOpen(): boolean {
    return this.#open !== undefined
  }

  /** One row. A row that is not newer than the last is late and says nothing new. */
  row(
    time: number,
    score: number,
    threshold: number,
    guilty: readonly Guilty[],
    over = score >= threshold,
  ): EntityEvent | undefined {
    if (time <= this.#last) return undefined
    this.#last = time
    const { open, quiet, adoptAfter } = this.#options
    if (over) {
      if (this.#over++ === 0) this.#since = time
    } else this.#over = 0
    const event = this.#open
    if (!event) {
      if (this.#over < open) return undefined
      this.#open = { started: this.#since, quiet: 0, rows: 0, worst: 0, told: '', guilty: new Map() }
      this.#add(this.#open, score, threshold, guilty)
      return this.#tell(this.#open, 'open', time, threshold)
    }
    event.rows++
    if (!over) {
      if (++event.quiet < quiet) return undefined
      return this.#close(event, time, threshold, false)
    }
    event.quiet = 0
    if (event.rows >= adoptAfter) return this.#close(event, time, threshold, true)
    this.#add(event, score, threshold, guilty)
    const told = tellable(event, threshold)
    return told === event.told ? undefined : this.#tell(event, 'update', time, threshold)
  }

  #close(event: Open, time: number, threshold: number, newNormal: boolean): EntityEvent {
    this.#open = undefined
    this.#over = 0
    return { ...this.#tell(event, 'close', time, threshold), newNormal }
  }

  #add(event: Open, score: number, threshold: number, guilty: readonly Guilty[]): void {
    event.worst = Math.max(event.worst, score)
    for (const g of guilty.slice(0, this.#options.guilty)) {
      const before = event.guilty.get(g.metric)
      // Half the threshold is the least that makes a metric part of what happened.
      if (g.score >= threshold / 2 && (!before || g.score > before.score)) event.guilty.set(g.metric, g)
    }
  }

  #tell(event: Open, state: EntityEvent['state'], time: number, threshold: number): EntityEvent {
    event.told = tellable(event, threshold)
    const guilty = [...event.guilty.values()].sort((a, b) => b.score - a.score).slice(0, this.#options.guilty)
    return {
      state,
      started: event.started,
      time,
      severity: severityOf(event.worst, threshold),
      score: event.worst,
      threshold,
      guilty,
      recommended: recommend(guilty),
      newNormal: false,
    }
  }

  save() {
    return {
      over: this.#over,
      since: this.#since,
      last: Number.isFinite(this.#last) ? this.#last : null,
      open: this.#open && { ...this.#open, guilty: [...this.#open.guilty] },
    }
  }
  load(state: ReturnType<EntityEvents['save']>): void {
    this.#over = state.over
    this.#since = state.since
    this.#last = state.last ?? Number.NEGATIVE_INFINITY
    this.#open = state.open && { ...state.open, guilty: new Map(state.open.guilty) }
  }
}

/** An update is told only when this changes. */
const tellable = (event: Open, threshold: number): string =>
  `${severityOf(event.worst, threshold)} ${[...event.guilty.keys()].sort().join(' ')}`

/** Surprises are logarithms: twice the threshold is as rare as the threshold squared. */
export const severityOf = (score: number, threshold: number): Severity => {
  const ratio = score / threshold
  return SEVERITIES[ratio >= 2.5 ? 3 : ratio >= 1.8 ? 2 : ratio >= 1.3 ? 1 : 0]
}

/** Everything up is load; most things down to nothing is a thing that stopped; else a person should look. */
function recommend(guilty: readonly Guilty[]): EntityEvent['recommended'] {
  const up = guilty.filter(g => g.value > g.high).length
  const stopped = guilty.filter(g => g.value < g.low && Math.abs(g.value) < 0.1 * Math.abs(g.low)).length
  if (guilty.length === 0) return 'investigate'
  if (stopped > guilty.length / 2) return 'restart'
  return up >= 2 && up > (2 * guilty.length) / 3 ? 'scale' : 'investigate'
}
