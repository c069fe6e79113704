/** Least spread a series is given, by its unit: a change smaller than a few of these matters to nobody, however still the series was before. */
const FLOORS: Readonly<Record<string, number>> = {
  '1': 0.03,
  '%': 3,
  ms: 20,
  s: 0.02,
  us: 20_000,
  By: 8 * 1024 * 1024,
  '1/s': 1,
}
/** Ways between services take a millisecond or so, whatever the services take. */
const WIRE = 0.15
export const floorOf = (unit: string, metric = ''): number =>
  (FLOORS[unit] ?? (unit.startsWith('{') ? 1 : 0.5)) * (metric.startsWith('calls.wire_time') ? WIRE : 1)
