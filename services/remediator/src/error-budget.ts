import type { Incident } from '@aegis/domain'

const WINDOW_US = 30 * 86_400_000_000
/** Times remembered per environment; older ones are forgotten first. */
const MOST = 1000
type Times = Record<string, Record<string, readonly [from: number, to: number | null]>>

/**
 * How much of an environment's error budget is left: its budget is a time in which, over 30 days, it may be in an incident of high or critical
 * severity, and what was spent is the time in which at least one was open.
 */
export class ErrorBudget {
  readonly #budgetUs: number
  /** First sign and end of each incident, by environment and id; without an end it is still open. */
  #times: Times = {}

  /** `budgetUs` 0: no budget is kept. */
  constructor(budgetUs: number) {
    this.#budgetUs = budgetUs
  }

  see({ id, environment, severity, state, started, time }: Incident): void {
    if (this.#budgetUs === 0) return
    this.#times[environment] ??= {}
    const times = this.#times[environment]
    const over = state === 'mitigated' || state === 'closed' || state === 'merged'
    if (!times[id] && (over || (severity !== 'high' && severity !== 'critical'))) return
    times[id] = [times[id]?.[0] ?? started, over ? (times[id]?.[1] ?? time) : null]
    for (const [old, [, to]] of Object.entries(times)) if (to !== null && to < time - WINDOW_US) delete times[old]
    const ids = Object.keys(times)
    if (ids.length > MOST) delete times[ids[0]]
  }

  /** Share that is left, 0 to 1; undefined where no budget is kept. `now` in microseconds. */
  left(environment: string, now: number): number | undefined {
    if (this.#budgetUs === 0) return undefined
    const spans = Object.values(this.#times[environment] ?? {})
      .map(([from, to]) => [Math.max(from, now - WINDOW_US), to ?? now] as const)
      .sort((a, b) => a[0] - b[0])
    let spent = 0
    let until = -Infinity
    for (const [from, to] of spans) {
      spent += Math.max(0, to - Math.max(from, until))
      until = Math.max(until, to)
    }
    return Math.max(0, 1 - spent / this.#budgetUs)
  }

  toJSON(): unknown {
    return this.#times
  }
  fromJSON(state: unknown): void {
    this.#times = (state ?? {}) as Times
  }
}
