/** What tests of the detectors are fed. */
import type { Observation } from '@aegis/domain'

export const T0 = 1_700_000_000_000_000
export const SECOND = 1_000_000

/** A gauge of service:a, so many seconds after T0. */
export const observation = (metric: string, second: number, value: number, over: Partial<Observation> = {}): Observation => ({
  id: `${metric}${second}`,
  environment: 'test',
  time: T0 + second * SECOND,
  entity: 'service:a',
  metric_name: metric,
  metric_type: 'gauge',
  unit: 'ms',
  value,
  dimensions: {},
  ...over,
})
