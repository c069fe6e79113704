import { metricKnowledge } from '@aegis/domain'

/** Least spread a series is given, by its unit: a change smaller than a few of these matters to nobody, however still the series was before. */
const FLOORS: Readonly<Record<string, number>> = {
  '1': 0.03,
  '%': 3,
  ms: 20,
  s: 0.02,
  us: 20_000,
  By: 8 * 1024 * 1024,
  '1/s': 1,
  // Seconds of a processor, or of waiting, a second.
  's/s': 0.05,
  'ms/s': 50,
  'us/s': 50_000,
  'By/s': 1024 * 1024,
}
/** Ways between services take a millisecond or so, whatever the services take. */
const WIRE = 0.15
/** Errors count from the first few. */
const ERRORS = 0.1
/** A share that nobody called one: it has never left the range of 0 to 1. */
const SHARE = 0.05

/** `most`: the largest value the series has had. */
export const floorOf = (unit: string, metric = '', most = Number.NaN): number => {
  const role = metricKnowledge(metric)?.role
  if (role === 'errors' && unit === '1/s') return ERRORS
  if (role === 'saturation' && unit === '' && most > 1) return 1
  const known = FLOORS[unit] ?? (unit.startsWith('{') ? 1 : most <= 1 && role !== undefined ? SHARE : 0.5)
  return known * (metric.startsWith('calls.wire_time') ? WIRE : 1)
}
