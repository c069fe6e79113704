/**
 * Learns one entity's rows and gives back everything needed to score it elsewhere, as plain data: what the columns are, how they are standardised, the
 * detector's weights, and the threshold that keeps the budget of alarms.
 */
import { gzipSync } from 'node:zlib'
import { AegisError } from '@aegis/domain'
import { Spot } from '@aegis/learning/spot'
import { inflate, notFinite } from '@aegis/model-registry/check-model'
import { Companion, SHARE } from './companion.ts'
import type { Ensemble } from './ensemble.ts'
import { makeDetector } from './make-detector.ts'
import type { Rows } from './row-model.ts'
import { scaleOf, standardiseRows } from './standardise.ts'
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
  /** Threshold of several metrics together while there are fewer than 1,000 rows, which say too little about tails; a surprise. */
  readonly youngThreshold: number
  /** Training steps at most, for networks. Default the network's own. */
  readonly steps?: number
  /** Calibrates as it goes, by members that need little history. Default: a single metric with fewer than 8,000 rows. */
  readonly streaming?: boolean
}
export interface TrainedEntity {
  readonly detector: string
  readonly metrics: readonly string[]
  readonly mean: readonly number[]
  readonly spread: readonly number[]
  readonly streaming: boolean
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
/** With fewer rows the past of a single metric is best looked up itself; with more, what was learned from it is as good, and cheap. */
const LONG = 8_000
/** Fewer rows than these are young. */
const YOUNG = 1000
/** Least threshold of a young stream: of sixty healthy ones ten are called strange within 600 rows, rather than half (`npm run bench -- metric-warm-up`). */
const YOUNG_STREAM = 5
/** Surprises end at 20; a threshold beyond that would never be passed. */
const MOST = 15
/** Without history events are long and their scores uneven: an alarm outlasts lulls, so that one event is one alarm. */
const STREAM_ALARMS = { release: 0.5, fall: 0, quiet: 90 }
/** The threshold of an entity, not yet fitted; each of two opinions has a part of the alarms. */
export const spotOf = (of: Pick<TrainedEntity, 'streaming' | 'alarmsPerDay' | 'rowsPerDay'> & { companion: boolean }): Spot =>
  new Spot({
    alarmsPerDay: of.companion ? SHARE * of.alarmsPerDay : of.alarmsPerDay,
    rowsPerDay: of.rowsPerDay,
    ...(of.streaming && STREAM_ALARMS),
  })
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
  const streaming = request.streaming ?? (metrics.length === 1 && rows.count < LONG)
  const detector = makeDetector(name, { streaming, tensors, steps, onProgress: told })
  const scale = scaleOf(rows)
  const standard = standardiseRows(rows, scale)
  detector.fit(standard)
  const rowsPerDay = 86_400 / stepSeconds
  // Without history the members are of so many kinds already that a second opinion adds none.
  const companion = !streaming && Companion.goesWith(name) ? new Companion(metrics.length, alarmsPerDay, rowsPerDay) : undefined
  companion?.fit(standard)
  const spot = spotOf({ streaming, alarmsPerDay, rowsPerDay, companion: companion !== undefined })
  spot.fit(detector.fitted)
  const state = spot.save()
  // How rare the rarest is, a few rows cannot say; and a surprise that is unheard of is one whatever is extrapolated.
  const tail = Math.min(MOST, state.base ?? MOST)
  const young = rows.count < YOUNG
  const base = !young ? tail : streaming ? Math.max(YOUNG_STREAM, tail) : youngThreshold
  return {
    detector: name,
    metrics,
    mean: Array.from(scale.mean),
    spread: Array.from(scale.spread),
    streaming,
    rowsPerDay,
    alarmsPerDay,
    threshold: base,
    spot: { ...state, base },
    ensemble: detector.save(),
    // A few rows say too little of tails for a threshold that is not given.
    ...(companion && !young && { companion: companion.save() }),
    loss: last?.loss,
    validation: last?.validation,
  }
}

/** Bytes of a trained entity, for the `models` stream; the same for the same content. */
export const packTrained = (trained: TrainedEntity): Uint8Array => gzipSync(JSON.stringify(trained))
/** @throws INPUT_INVALID on bytes that are none, hold too much, or hold numbers that are none */
export function unpackTrained(bytes: Uint8Array): TrainedEntity {
  const what = 'the model of an entity'
  const trained = JSON.parse(inflate(bytes, what).toString()) as TrainedEntity
  const invalid = (why: string) => new AegisError('INPUT_INVALID', `${what} is damaged: ${why}`)
  if (!Array.isArray(trained?.metrics) || trained.metrics.length === 0) throw invalid('it names no metrics')
  for (const name of ['mean', 'spread'] as const) {
    const values = trained[name]
    if (values?.length !== trained.metrics.length || values.some(x => typeof x !== 'number'))
      throw invalid(`its ${name} is no number for each metric`)
  }
  if (typeof trained.threshold !== 'number') throw invalid('its threshold is no number')
  const at = notFinite(trained)
  if (at !== undefined) throw invalid(`${at} is no number`)
  return trained
}
