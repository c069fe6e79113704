/**
 * A detector over recorded rows, causally: learns from the training rows (or, where there are none, from the first of the test and anew whenever there are
 * half as many more), then scores each test row, decides by its own threshold, and names the guilty metrics. What `aegis eval metric-anomaly` runs, by the
 * trainer, the model and the events of the anomaly detector.
 */
import { EntityEvents } from './entity-events.ts'
import { EntityModel } from './entity-model.ts'
import { rowsKept } from './entity-rows.ts'
import type { Rows } from './row-model.ts'
import type { Tensors } from './tensorflow.ts'
import { type TrainedEntity, trainEntity } from './train-entity.ts'
import type { Progress } from './train-network.ts'

export interface EvaluateOptions {
  /** Any name of `DETECTOR_NAMES`. Default ensemble. */
  readonly detector?: string
  /** The one knob. Default 0.5. */
  readonly alarmsPerDay?: number
  /** Seconds between rows. */
  readonly stepSeconds: number
  /** Share of a stream without history that is only learned from. Default 0.15. */
  readonly warmUp?: number
  /** Rows learned from at most, the newest. Default as the anomaly detector keeps. */
  readonly history?: number
  /** Threshold of several metrics with fewer than 1,000 rows. Default 12, as the anomaly detector has it. */
  readonly youngThreshold?: number
  /** Also gives what was expected of each value. Default false. */
  readonly expected?: boolean
  /** What `loadTensorFlow()` gave, for detectors that are networks. */
  readonly tensors?: Tensors
  readonly onProgress?: (progress: Progress) => void
}
export interface Evaluation {
  readonly scores: Float64Array
  /** Threshold as it stood at each row; NaN while learning. */
  readonly thresholds: Float64Array
  /** Row by row, in the units of the metrics; NaN where nothing is expected. Empty unless asked for. */
  readonly expected: Float64Array
  /** 1 while an event is open. */
  readonly decisions: Uint8Array
  /** Rows worth a look, with their metrics, guiltiest first. The first row of an event is left out: what is to blame shows a row later. */
  readonly explanations: readonly {
    readonly index: number
    readonly metrics: readonly number[]
  }[]
}
/** Surprise from which a row is explained. */
const NOTABLE = 2.5

export function evaluateMetrics(train: Rows | undefined, test: Rows, options: EvaluateOptions): Evaluation {
  const { stepSeconds, alarmsPerDay = 0.5, detector = 'ensemble', tensors, onProgress } = options
  const { count, metrics } = test
  const names = Array.from({ length: metrics }, (_, j) => String(j))
  const learn = (rows: Rows): TrainedEntity =>
    trainEntity(
      {
        detector,
        metrics: names,
        rows: newest(rows, options.history ?? rowsKept(metrics)),
        stepSeconds,
        alarmsPerDay,
        youngThreshold: options.youngThreshold ?? 12,
      },
      tensors,
      onProgress,
    )
  const first = train ? 0 : Math.max(Math.min(count, 60), Math.floor((options.warmUp ?? 0.15) * count))
  let model = new EntityModel(learn(train ?? part(test, first)), tensors)
  const events = new EntityEvents()
  const scores = new Float64Array(count)
  const decisions = new Uint8Array(count)
  const thresholds = new Float64Array(count).fill(Number.NaN)
  const expected = new Float64Array(options.expected ? count * metrics : 0).fill(Number.NaN)
  const explanations: { index: number; metrics: number[] }[] = []
  const order = Array.from({ length: metrics }, (_, j) => j)
  let learnAt = train ? count : Math.floor(1.5 * first)
  let wasNotable = false
  if (train) model.foresee(test)
  for (let i = first; i < count; i++) {
    if (i >= learnAt) {
      model = new EntityModel(learn(part(test, i)), tensors)
      learnAt = Math.floor(1.5 * i)
    }
    const seconds = test.times?.[i]
    const found = model.score(
      test.values.subarray(i * metrics, (i + 1) * metrics),
      seconds === undefined ? undefined : seconds * 1e6,
    )
    const event = events.row(i + 1, found.score, found.threshold, [], found.alarm)
    if (event?.newNormal) model.adopt()
    scores[i] = found.rank
    thresholds[i] = found.threshold
    decisions[i] = events.isOpen ? 1 : 0
    if (options.expected) expected.set(found.expected, i * metrics)
    const notable = found.score >= NOTABLE || found.alarm
    if (notable && wasNotable)
      explanations.push({ index: i, metrics: order.slice().sort((a, b) => found.guilt[b] - found.guilt[a]) })
    wasNotable = notable
  }
  for (let i = 0; i < scores.length; i++) if (Number.isNaN(scores[i])) scores[i] = 0
  return { scores, thresholds, expected, decisions, explanations }
}

const part = ({ metrics, values, times }: Rows, to: number, from = 0): Rows => ({
  count: to - from,
  metrics,
  values: values.subarray(from * metrics, to * metrics),
  ...(times && { times: Array.from(times).slice(from, to) }),
})
const newest = (rows: Rows, most: number): Rows => (rows.count > most ? part(rows, rows.count, rows.count - most) : rows)
