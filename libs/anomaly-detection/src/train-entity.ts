/**
 * Learns one entity's rows and gives back everything needed to score it elsewhere, as plain data: what the columns are, how they are standardised, the
 * detector's weights, and the threshold that keeps the budget of alarms.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import { Spot } from '@aegis/learning/spot'
import { Companion, SHARE } from './companion.ts'
import type { Ensemble } from './ensemble.ts'
import { makeDetector } from './make-detector.ts'
import type { Rows } from './row-model.ts'
import { scaleOf, standardise } from './standardise.ts'
import type { Tensors } from './tensorflow.ts'
import type { Progress } from './train-network.ts'

export interface TrainRequest {
  /** Any name of `DETECTOR_NAMES`. */
  readonly detector: string
  /** What the columns are. */
  readonly metrics: readonly string[]
  /** NaN where a value was missing. */
  readonly rows: Rows
  /** Seconds between rows. */
  readonly stepSeconds: number
  /** The one knob: alarms per entity and day. */
  readonly alarmsPerDay: number
  /** Threshold while there are fewer than 1,000 rows, which say too little about tails; a surprise. */
  readonly youngThreshold: number
  /** Training steps at most, for networks. Default the network's own. */
  readonly steps?: number
}
export interface TrainedEntity {
  readonly detector: string
  readonly metrics: readonly string[]
  readonly mean: readonly number[]
  readonly spread: readonly number[]
  readonly rowsPerDay: number
  readonly alarmsPerDay: number
  readonly threshold: number
  readonly spot: ReturnType<Spot['save']>
  readonly ensemble: ReturnType<Ensemble['save']>
  /** The second opinion that goes with the whole ensemble. */
  readonly companion?: ReturnType<Companion['save']>
  /** Errors at the last check of a network's training. */
  readonly loss?: number
  readonly validation?: number
}
/** Fewer rows than these are young. */
const YOUNG = 1000
/** Surprises end at 20; a threshold beyond that would never be passed. */
const MOST = 15
/** What the worker says. */
export interface TrainMessage {
  readonly progress?: Progress
  readonly done?: TrainedEntity
  readonly failed?: string
}

export function trainEntity(
  request: TrainRequest,
  tensors?: Tensors,
  onProgress: (progress: Progress) => void = () => {},
): TrainedEntity {
  const { detector: name, metrics, rows, stepSeconds, alarmsPerDay, youngThreshold, steps } = request
  let last: Progress | undefined
  const told = (progress: Progress) => {
    last = progress
    onProgress(progress)
  }
  const detector = makeDetector(name, { tensors, steps, onProgress: told })
  const scale = scaleOf(rows)
  const values = new Float64Array(rows.values.length)
  for (let i = 0; i < rows.count; i++) {
    const at = i * rows.metrics
    standardise(rows.values.subarray(at, at + rows.metrics), scale, values.subarray(at, at + rows.metrics))
    for (let j = 0; j < rows.metrics; j++)
      if (!Number.isFinite(values[at + j])) values[at + j] = i > 0 ? values[at + j - rows.metrics] : 0
  }
  detector.fit({ ...rows, values })
  const rowsPerDay = 86_400 / stepSeconds
  const companion = Companion.goesWith(name) ? new Companion(metrics.length, alarmsPerDay, rowsPerDay) : undefined
  companion?.fit({ ...rows, values })
  const spot = new Spot({ alarmsPerDay: companion ? SHARE * alarmsPerDay : alarmsPerDay, rowsPerDay })
  spot.fit(detector.fitted)
  const state = spot.save()
  // How rare the rarest is, a few rows cannot say; and a surprise that is unheard of is one whatever is extrapolated.
  const base = rows.count < YOUNG ? youngThreshold : Math.min(MOST, state.base ?? MOST)
  return {
    detector: name,
    metrics,
    mean: Array.from(scale.mean),
    spread: Array.from(scale.spread),
    rowsPerDay,
    alarmsPerDay,
    threshold: base,
    spot: { ...state, base },
    ensemble: detector.save(),
    // A few rows say too little of tails for a threshold that is not given.
    ...(companion && rows.count >= YOUNG && { companion: companion.save() }),
    loss: last?.loss,
    validation: last?.validation,
  }
}

/** Bytes of a trained entity, for the `models` stream; the same for the same content. */
export const packTrained = (trained: TrainedEntity): Uint8Array => gzipSync(JSON.stringify(trained))
/** Throws on bytes that are none. */
export const unpackTrained = (bytes: Uint8Array): TrainedEntity => JSON.parse(gunzipSync(bytes).toString()) as TrainedEntity
