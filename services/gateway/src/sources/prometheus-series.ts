import { idOf, type Observation } from '@aegis/domain'
import { whoseSample } from '../whose.ts'

/** A sample of a Prometheus series. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Microseconds. */
  readonly time: number
  /** As the sender declared it (`counter`, `gauge`, `histogram`, `summary`); guessed from the name where it did not. */
  readonly type?: string
}

/**
 * A sample as an observation, or undefined for what says nothing here: stale markers and other values that are no number, and buckets (their count and sum come
 * beside them). Whom it is about: see `whoseSample`; `instance` tells its instances apart; `environment` or `env` its environment.
 */
export function observationOf(s: Sample, defaultEnvironment: string): Observation | undefined {
  if (!Number.isFinite(s.value) || s.name === '' || (s.name.endsWith('_bucket') && s.labels.le !== undefined)) return undefined
  const { __name__: _name, job: _job, service: _service, environment, env, ...dimensions } = s.labels
  const entity = whoseSample(s.name, s.labels)
  const where = environment || env || defaultEnvironment
  const half = /^(.+)_(sum|count)$/.exec(s.name)
  const isPair = half !== null && s.type !== 'gauge' && s.type !== 'counter'
  // Of a sum and a count the detector makes a mean.
  const name = isPair ? `${half[1]}.${half[2]}` : s.name
  const counter = isPair || s.type === 'counter' || (s.type !== 'gauge' && s.name.endsWith('_total'))
  const key = Object.keys(dimensions)
    .sort()
    .map(k => `${k}=${dimensions[k]}`)
    .join(',')
  return {
    id: idOf(where, entity, name, key, s.time),
    environment: where,
    time: s.time,
    entity,
    metric_name: name,
    metric_type: counter ? 'counter' : 'gauge',
    unit: unitOf(name),
    value: s.value,
    dimensions,
  }
}

const UNITS: Readonly<Record<string, string>> = {
  seconds: 's',
  milliseconds: 'ms',
  ms: 'ms',
  usec: 'us',
  microseconds: 'us',
  bytes: 'By',
  ratio: '1',
  percent: '%',
  celsius: 'Cel',
  volts: 'V',
}
/** Prometheus puts the base unit at the end of the name, before `_total`. */
const unitOf = (name: string): string => {
  const words = name.replace(/\.(sum|count)$|_total$/, '').split('_')
  return name.endsWith('.count') ? '1' : (UNITS[words[words.length - 1]] ?? '')
}
