/**
 * Whether what raised the alert is to be seen in the window at all: the worst row of the alerted series is held against the worst rows of all
 * windows of that length in its own history. Where nine in ten of them are better, something happened; where every fifth is as bad, people
 * live with it every day. Ranks of extremes need neither a scale nor a threshold for the metric.
 */
import type { CutSeries } from './case-evidence.ts'
import { meaningOf } from './metric-meaning.ts'

export interface Alert {
  readonly entity: string
  /** Name of the series, with or without its entity before it ("shop__latency"). */
  readonly metric: string
}
/** Histories shorter than this say too little about what is usual, rows. */
export const LONG_HISTORY = 100
/** A window this many times in the history is no window to compare with. */
const WINDOWS = 4
/** Share of the windows of the history that may be as bad. */
const AS_BAD = 0.1

/** Undefined where it cannot be told: no such series, no bad direction, too short a history. */
export const alertHolds = (series: readonly CutSeries[], alert: Alert): boolean | undefined => {
  const alerted = series.find(
    s => s.entity === alert.entity && !s.peer && (s.metric === alert.metric || `${s.entity}__${s.metric}` === alert.metric),
  )
  if (!alerted) return undefined
  const { before, after, metric } = alerted
  const { bad } = meaningOf(metric)
  if (bad === 0 || after.length === 0 || before.length < Math.max(LONG_HISTORY, WINDOWS * after.length)) return undefined
  const worst = (rows: readonly number[]) =>
    rows.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, v * bad) : most), Number.NEGATIVE_INFINITY)
  const now = worst(after)
  let asBad = 0
  const windows = before.length - after.length + 1
  for (let at = 0; at < windows; at++) if (worst(before.slice(at, at + after.length)) >= now) asBad++
  return asBad <= AS_BAD * windows
}
