/** What a window of metrics and lines is made of, as numbers: for the model that says what failed, and for the rules that stand in for it. */

import { impossibility, unitOf } from '@aegis/domain'
import { FAILURE_NAMES, FAILURE_TYPES, type FailureName } from './failure-types.ts'
import { type Meaning, meaningOf } from './metric-meaning.ts'

export interface FailureLine {
  /** Microseconds since the epoch. */
  readonly time: number
  readonly level: string
  readonly message: string
  readonly service: string
  /** Known fault in it, a kind of libs/log-mining. */
  readonly fault?: string
}
export interface FailureMetric {
  readonly metric_type: string
  readonly value: number
  readonly time: number
  readonly labels?: Readonly<Record<string, string>>
}
export type Level = 'error' | 'warning' | 'info'
export const levelOf = (level: string): Level =>
  /^(?:err|error|fatal|crit|critical|severe|alert|emerg|emergency|panic|e|f|[0-3])$/i.test(level.trim())
    ? 'error'
    : /^(?:warn|warning|w|4)$/i.test(level.trim())
      ? 'warning'
      : 'info'

const MEANINGS = ['cpu', 'memory', 'disk', 'latency', 'errors', 'connections', 'queue', 'availability', 'traffic'] as const
/** Inputs of the model, in this order: the same in training and serving. */
export const FAILURE_FEATURES: readonly string[] = [
  'log_errors',
  'log_warnings',
  'log_infos',
  'log_error_rate',
  'services_with_errors',
  'errors_of_worst_service',
  ...FAILURE_NAMES.map(name => `says_${name}`),
  ...FAILURE_NAMES.map(name => `share_${name}`),
  ...MEANINGS.flatMap(m => [`${m}_level`, `${m}_rise`]),
  'memory_steady_rise',
]

export interface FailureWindow {
  readonly features: Float64Array
  readonly errors: number
  readonly warnings: number
  readonly infos: number
  /** Lines that speak for each type, errors whole and warnings half. */
  readonly says: ReadonlyMap<FailureName, number>
  /** The first line that speaks for each type. */
  readonly quotes: ReadonlyMap<FailureName, FailureLine>
  /** Errors of each service, most first. */
  readonly services: readonly (readonly [service: string, errors: number])[]
  /** Of each meaning: how full or high at its worst, 0 to 1, and the metric that is. */
  readonly levels: ReadonlyMap<
    Meaning,
    { readonly level: number; readonly metric: string; readonly value: number; readonly rise: number }
  >
  readonly steadyRise: number
  /** Values there cannot be, as in detect-anomaly. */
  readonly impossible: readonly string[]
}

/** Kinds of faults to the types they speak for. */
const BY_FAULT = new Map<string, FailureName[]>()
for (const name of FAILURE_NAMES)
  for (const fault of FAILURE_TYPES[name].faults) BY_FAULT.set(fault, [...(BY_FAULT.get(fault) ?? []), name])
/** Lines whose words were looked for; the same line comes often. */
const spoken = new Map<string, readonly FailureName[]>()
const MOST_LINES = 10_000
const HEAD = 1000
const spokenBy = (message: string, fault: string | undefined): readonly FailureName[] => {
  const head = message.length > HEAD ? message.slice(0, HEAD) : message
  const key = `${fault ?? ''}\0${head}`
  const before = spoken.get(key)
  if (before) return before
  const found = FAILURE_NAMES.filter(
    name => FAILURE_TYPES[name].lines.test(head) || (fault !== undefined && BY_FAULT.get(fault)?.includes(name)),
  )
  if (spoken.size >= MOST_LINES) spoken.clear()
  spoken.set(key, found)
  return found
}

/**
 * What a metric's values are to be multiplied by to be shares of one; 0 where nobody can tell. Told by its name, else by the largest of all its values: an idle
 * processor at 1.2 % must not be taken for one at 120.
 */
const scaleOf = (metric: string, largest: number): number =>
  unitOf(metric) !== 'percent'
    ? 0
    : /pct|percent/i.test(metric) || largest > 1
      ? 0.01
      : /util|ratio|share|fraction|usage/i.test(metric)
        ? 1
        : 0

/** How bad a value is by itself, 0 (well) to 1. */
const badness = (meaning: Meaning, metric: string, value: number, scale: number): number => {
  if (meaning === 'cpu' || meaning === 'memory' || meaning === 'disk')
    return Math.min(1, Math.max(0, (value * scale - 0.6) / 0.4))
  if (meaning === 'availability') return value >= 1 ? 0 : 1 - Math.max(0, value)
  if (meaning === 'errors') {
    const rate = /rate|ratio|percent|share/.test(metric) ? (value > 1 ? value / 100 : value) : value / (value + 20)
    return Math.min(1, Math.max(0, rate * 4))
  }
  if (meaning === 'latency') {
    const ms = /seconds|_s$|_sec\b/i.test(metric) && !/milli|ms/i.test(metric) ? value * 1000 : value
    return Math.min(1, Math.max(0, Math.log10(Math.max(1, ms) / 300) / 1.5))
  }
  return 0
}

/** @param metrics of the window, in any order; a series (its labels apart) is judged by how it rose as well */
export const describeWindow = (metrics: readonly FailureMetric[], lines: readonly FailureLine[]): FailureWindow => {
  let [errors, warnings, infos] = [0, 0, 0]
  const says = new Map<FailureName, number>()
  const quotes = new Map<FailureName, FailureLine>()
  const byService = new Map<string, number>()
  for (const line of lines) {
    const level = levelOf(line.level)
    if (level === 'error') errors++
    else if (level === 'warning') warnings++
    else infos++
    if (level === 'error') byService.set(line.service, (byService.get(line.service) ?? 0) + 1)
    // What is told as information is as a rule about something that went well: "reconnected after timeout".
    if (level === 'info' && line.fault === undefined) continue
    const weight = level === 'error' ? 1 : level === 'warning' ? 0.5 : 0.25
    for (const name of spokenBy(line.message, line.fault)) {
      says.set(name, (says.get(name) ?? 0) + weight)
      const quoted = quotes.get(name)
      if (!quoted || (levelOf(quoted.level) !== 'error' && level === 'error')) quotes.set(name, line)
    }
  }
  const series = new Map<string, FailureMetric[]>()
  const largest = new Map<string, number>()
  const impossible: string[] = []
  for (const m of metrics) {
    const wrong = impossibility(m.metric_type, m.value)
    if (wrong) {
      impossible.push(wrong)
      continue
    }
    largest.set(m.metric_type, Math.max(largest.get(m.metric_type) ?? Number.NEGATIVE_INFINITY, m.value))
    const labels = m.labels ? Object.entries(m.labels).sort().join(';') : ''
    const key = `${m.metric_type}\0${labels}`
    const known = series.get(key)
    if (known) known.push(m)
    else series.set(key, [m])
  }
  const levels = new Map<Meaning, { level: number; metric: string; value: number; rise: number }>()
  let steadyRise = 0
  for (const points of series.values()) {
    points.sort((a, b) => a.time - b.time)
    const metric = points[0].metric_type
    const meaning = meaningOf(metric)
    const { rise, steady } = riseOf(points)
    if (meaning === 'memory') steadyRise = Math.max(steadyRise, steady)
    for (const p of points) {
      const level = badness(meaning, metric, p.value, scaleOf(metric, largest.get(metric) ?? 0))
      const known = levels.get(meaning)
      if (!known || level > known.level || (level === known.level && rise > known.rise))
        levels.set(meaning, { level, metric, value: p.value, rise: Math.max(rise, known?.rise ?? 0) })
    }
  }
  const services = [...byService].sort((a, b) => b[1] - a[1])
  const total = lines.length
  const bad = errors + 0.5 * warnings
  const numbers = [
    Math.log1p(errors),
    Math.log1p(warnings),
    Math.log1p(infos),
    total === 0 ? 0 : errors / total,
    Math.min(10, services.length),
    errors === 0 ? 0 : (services[0]?.[1] ?? 0) / errors,
    ...FAILURE_NAMES.map(name => Math.log1p(says.get(name) ?? 0)),
    ...FAILURE_NAMES.map(name => Math.min(1, (says.get(name) ?? 0) / Math.max(1, bad))),
    ...MEANINGS.flatMap(m => [levels.get(m)?.level ?? 0, levels.get(m)?.rise ?? 0]),
    steadyRise,
  ]
  return { features: Float64Array.from(numbers), errors, warnings, infos, says, quotes, services, levels, steadyRise, impossible }
}

/** How much higher the last third is than the first, as a share of it (at most 5), and how steadily it rose: 0 to 1. */
const riseOf = (points: readonly FailureMetric[]): { rise: number; steady: number } => {
  if (points.length < 4) return { rise: 0, steady: 0 }
  const third = Math.max(1, Math.floor(points.length / 3))
  const mean = (list: readonly FailureMetric[]) => list.reduce((sum, p) => sum + p.value, 0) / list.length
  const [first, last] = [mean(points.slice(0, third)), mean(points.slice(-third))]
  const rise = Math.min(5, Math.max(0, (last - first) / Math.max(1e-9, Math.abs(first))))
  let up = 0
  for (let i = 1; i < points.length; i++) if (points[i].value > points[i - 1].value) up++
  const share = up / (points.length - 1)
  return { rise, steady: rise >= 0.1 ? Math.max(0, (share - 0.5) * 2) : 0 }
}
