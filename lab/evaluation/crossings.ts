/**
 * How early a series is said to cross its limit, and how often in vain: recorded points, one after the other, through the same watch as the alert rules.
 *
 * A crossing is the first point at or beyond the limit after the series was below it for as long as is looked ahead. It was foretold if a prediction stood when
 * it came; its lead is how long that had stood by then. A prediction is vain if it was taken back and no crossing came within the time looked ahead of its start.
 */
import { newCrossing, pointTowards } from '@aegis/anomaly-detection/watch-crossing'

export interface Crossings {
  readonly crossings: number
  /** Seconds between prediction and crossing, one per crossing that was foretold. */
  readonly leads: readonly number[]
  /** Seconds between the crossing and when it was expected as the prediction was first told, same order; positive where it came later. */
  readonly errors: readonly number[]
  readonly predictions: number
  readonly vain: number
}

/** @param times seconds, rising. @param limit an upper one. @param ahead seconds looked ahead. */
export function evaluateCrossings(times: ArrayLike<number>, values: ArrayLike<number>, limit: number, ahead: number): Crossings {
  const watch = newCrossing(ahead)
  const crossed: number[] = []
  const leads: number[] = []
  const errors: number[] = []
  const takenBack: number[] = []
  let predictions = 0
  let opened = Number.NaN
  let expected = Number.NaN
  let beyond = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const isBeyond = values[i] >= limit
    const told = pointTowards(watch, limit, times[i] * 1e6, values[i], isBeyond)
    if (isBeyond) {
      if (times[i] - beyond >= ahead) {
        crossed.push(times[i])
        if (!Number.isNaN(opened)) {
          leads.push(times[i] - opened)
          errors.push(times[i] - expected)
        }
      }
      beyond = times[i]
    } else if (told === 'close') takenBack.push(opened)
    if (told === 'open') {
      predictions++
      opened = times[i]
      expected = watch.expected / 1e6
    } else if (told === 'close') opened = Number.NaN
  }
  const vain = takenBack.filter(start => !crossed.some(t => t > start && t <= start + ahead)).length
  return { crossings: crossed.length, leads, errors, predictions, vain }
}
