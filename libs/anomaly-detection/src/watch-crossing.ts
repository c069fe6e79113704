/**
 * Watches one series on its way to a limit, and says once that it will cross it, and once that it will not after all or has. Points are thinned to sixty in the
 * time looked ahead, so that a forecast reaches no further than the past it is made from.
 */
import { willCross } from './forecast.ts'

export interface CrossingState {
  /** Distance of the points kept, microseconds. */
  readonly step: number
  times: number[]
  values: number[]
  /** Looks in a row that saw, or did not see, a crossing. */
  seen: number
  unseen: number
  /** Whether it is told of at present, and since when, microseconds. */
  open: boolean
  opened: number
  /** When it is expected to cross, microseconds. */
  expected: number
}
const AHEAD = 60
const KEPT = 120
/** A third of the time looked ahead must be known. */
const NEEDED = 20
const CONFIRM = 3

export const newCrossing = (seconds: number): CrossingState => ({
  step: (seconds * 1e6) / AHEAD,
  times: [],
  values: [],
  seen: 0,
  unseen: 0,
  open: false,
  opened: 0,
  expected: 0,
})
export const restoredCrossing = (c: CrossingState): CrossingState => ({ ...c, times: [...c.times], values: [...c.values] })

/** One more point; `crossed` where it is beyond the limit already. Returns what is to be told, if anything. */
export function pointTowards(
  c: CrossingState,
  limit: number,
  time: number,
  value: number,
  crossed: boolean,
): 'open' | 'close' | undefined {
  if (crossed) {
    c.seen = 0
    const was = c.open
    c.open = false
    return was ? 'close' : undefined
  }
  if (!Number.isFinite(value) || time - (c.times[c.times.length - 1] ?? 0) < c.step) return undefined
  c.times.push(time)
  c.values.push(value)
  if (c.times.length > KEPT) {
    c.times.shift()
    c.values.shift()
  }
  if (c.times.length < NEEDED) return undefined
  // Points that come less often than the step are fewer in the same time.
  const apart = (c.times[c.times.length - 1] - c.times[0]) / (c.times.length - 1)
  const ahead = AHEAD * c.step
  const likely = willCross(c.times, c.values, limit, Math.max(1, Math.floor((2 * ahead) / apart)))
  // Told when the middle crosses in time, and the near edge of the band in twice that: a line that may as well pass below is no news.
  const crossing = likely && likely.time <= time + ahead && Number.isFinite(likely.latest) ? likely : undefined
  c.seen = crossing ? c.seen + 1 : 0
  c.unseen = crossing ? 0 : c.unseen + 1
  if (crossing) c.expected = crossing.time
  if (!c.open && c.seen >= CONFIRM) {
    c.open = true
    c.opened = time
    return 'open'
  }
  if (!c.open || c.unseen < CONFIRM) return undefined
  c.open = false
  return 'close'
}
