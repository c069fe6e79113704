/**
 * A detector over recorded rows, causally: learns from the training rows (or, where there are none, as it goes), then scores each test row, decides by its
 * own threshold, and names the guilty metrics. What `aegis eval metric-anomaly` runs, and the same models the service runs.
 */

import { Spot } from '@aegis/learning/spot'
import { Companion, SHARE } from './companion.ts'
import { type MakeOptions, makeDetector } from './make-detector.ts'
import type { Rows } from './row-model.ts'
import { scaleOf, standardise } from './standardise.ts'
import type { Tensors } from './tensorflow.ts'

export interface EvaluateOptions {
  /** Any name of `DETECTOR_NAMES`. Default ensemble. */
  readonly detector?: string
  /** The one knob. Default 0.5. */
  readonly alarmsPerDay?: number
  /** Seconds between rows. */
  readonly stepSeconds: number
  /** Share of a stream without history that is only learned from. Default 0.15. */
  readonly warmUp?: number
  /** Also gives what was expected of each value. Default false. */
  readonly expected?: boolean
  /** What `loadTensorFlow()` gave, for detectors that are networks. */
  readonly tensors?: Tensors
  readonly onProgress?: MakeOptions['onProgress']
}
export interface Evaluation {
  readonly scores: Float64Array
  /** Threshold as it stood at each row; NaN while learning. */
  readonly thresholds: Float64Array
  /** Row by row, in the units of the metrics; NaN where nothing is expected. Empty unless asked for. */
  readonly expected: Float64Array
  readonly decisions: Uint8Array
  /** Rows worth a look, with their metrics, guiltiest first. The first row of an event is left out: what is to blame shows a row later. */
  readonly explanations: readonly {
    readonly index: number
    readonly metrics: readonly number[]
  }[]
}
/** Without history events are long and their scores uneven: an alarm outlasts lulls, so that one event is one alarm. */
const STREAM_ALARMS = { release: 0.5, fall: 0, quiet: 90 }
/** Surprise from which a row is explained. */
const NOTABLE = 2.5

export function evaluateMetrics(train: Rows | undefined, test: Rows, options: EvaluateOptions): Evaluation {
  const streaming = train === undefined
  const detector = makeDetector(options.detector ?? 'ensemble', {
    streaming,
    tensors: options.tensors,
    onProgress: options.onProgress,
  })
  const first = streaming ? Math.max(Math.min(test.count, 60), Math.floor((options.warmUp ?? 0.15) * test.count)) : 0
  const history: Rows = train ?? {
    count: first,
    metrics: test.metrics,
    times: test.times,
    values: test.values.subarray(0, first * test.metrics),
  }
  let scale = scaleOf(history)
  const standard = (rows: Rows): Rows => {
    const values = new Float64Array(rows.values.length)
    for (let i = 0; i < rows.count; i++) {
      const at = i * rows.metrics
      standardise(rows.values.subarray(at, at + rows.metrics), scale, values.subarray(at, at + rows.metrics))
      for (let j = 0; j < rows.metrics; j++)
        if (!Number.isFinite(values[at + j])) values[at + j] = i > 0 ? values[at + j - rows.metrics] : 0
    }
    return { ...rows, values }
  }
  detector.fit(standard(history))
  const alarmsPerDay = options.alarmsPerDay ?? 0.5
  const rowsPerDay = 86_400 / options.stepSeconds
  // Without history the members are of so many kinds already that a second opinion adds none.
  const companion =
    !streaming && Companion.goesWith(options.detector ?? 'ensemble')
      ? new Companion(test.metrics, alarmsPerDay, rowsPerDay)
      : undefined
  companion?.fit(standard(history))
  const spot = new Spot({
    alarmsPerDay: companion ? SHARE * alarmsPerDay : alarmsPerDay,
    rowsPerDay,
    ...(streaming && STREAM_ALARMS),
  })
  spot.fit(detector.fitted)
  const scores = new Float64Array(test.count)
  const decisions = new Uint8Array(test.count)
  const thresholds = new Float64Array(test.count).fill(Number.NaN)
  const expected = new Float64Array(options.expected ? test.count * test.metrics : 0).fill(Number.NaN)
  const told = new Float64Array(test.metrics)
  const explanations: { index: number; metrics: number[] }[] = []
  scores.set(streaming ? detector.fitted.subarray(0, first) : [])
  const guilt = new Float64Array(test.metrics)
  const row = new Float64Array(test.metrics)
  const order = Array.from({ length: test.metrics }, (_, j) => j)
  let refitAt = 2 * first
  let wasNotable = false
  if (!streaming) detector.foresee(standard(test))
  for (let i = first; i < test.count; i++) {
    if (streaming && i >= refitAt) {
      // The past up to here, learned anew in its own scale.
      const past = {
        count: i,
        metrics: test.metrics,
        times: test.times,
        values: test.values.subarray(0, i * test.metrics),
      }
      scale = scaleOf(past)
      detector.fit(standard(past))
      // The little that was known at the start says little about tails.
      spot.fit(scores.subarray(first >> 1, i))
      refitAt = Math.floor(1.5 * i)
    }
    const at = i * test.metrics
    const before = i > 0 ? row.slice() : undefined
    standardise(test.values.subarray(at, at + test.metrics), scale, row)
    for (let j = 0; j < row.length; j++) if (!Number.isFinite(row[j])) row[j] = before?.[j] ?? 0
    if (test.times) detector.at(test.times[i])
    scores[i] = detector.score(row, guilt)
    thresholds[i] = spot.threshold
    decisions[i] = spot.push(scores[i]) ? 1 : 0
    const second = companion?.row(row, test.times?.[i])
    if (second && second.ratio >= 1 && second.ratio > scores[i] / thresholds[i]) {
      decisions[i] = 1
      guilt.set(second.guilt)
      if (companion?.ranks) scores[i] = second.ratio * thresholds[i]
    }
    if (options.expected) {
      detector.expected(told.fill(Number.NaN))
      for (let j = 0; j < told.length; j++) expected[at + j] = told[j] * scale.spread[j] + scale.mean[j]
    }
    const notable = scores[i] >= NOTABLE || decisions[i] === 1
    if (notable && wasNotable)
      explanations.push({
        index: i,
        metrics: order.slice().sort((a, b) => guilt[b] - guilt[a]),
      })
    wasNotable = notable
    detector.push(row)
  }
  for (let i = 0; i < scores.length; i++) if (Number.isNaN(scores[i])) scores[i] = 0
  return { scores, thresholds, expected, decisions, explanations }
}
