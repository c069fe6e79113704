/**
 * What the name of a metric says of its unit, and so of which values there can be: percent, a share of one, a count, seconds and bytes that cannot be
 * below zero, or anything. By words of the name, as callers write them (`cpu_usage`, `http.latency.ms`, `memoryPercent`).
 */
export type Unit = 'percent' | 'share' | 'amount' | 'any'

export const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z\d%]+/)
    .filter(Boolean)

/** Differences, places and temperatures lie on both sides of zero. */
const SIGNED = new Set(
  'delta diff difference change offset skew drift temperature temp celsius balance profit growth deviation lag_delta net gain loss_db db altitude latitude longitude z score'.split(
    ' ',
  ),
)
const PERCENT = new Set('percent percentage pct perc % usage utilization utilisation util'.split(' '))
const LIMITED = new Set('cpu memory mem ram disk storage heap swap filesystem volume gpu'.split(' '))
const SHARE = new Set('ratio fraction share rate'.split(' '))
const SHARED = new Set('error errors hit miss success failure cache drop loss packet'.split(' '))
const AMOUNT = new Set(
  `count counts total number num bytes byte kb mb gb mib gib kilobytes megabytes ms millis milliseconds sec secs second seconds us microseconds ns minutes duration time latency
  requests request rps qps tps throughput connections connection sessions threads goroutines queue depth length size errors error failures failure retries timeouts restarts age uptime
  users replicas pods workers lag backlog pending waiting iops`.split(/\s+/),
)

const known = new Map<string, Unit>()
const MOST = 20_000

export const unitOf = (name: string): Unit => {
  const before = known.get(name)
  if (before) return before
  const has = (set: ReadonlySet<string>) => list.some(w => set.has(w))
  const list = wordsOf(name)
  const unit: Unit = has(SIGNED)
    ? 'any'
    : // Bytes used are an amount, however the usage is called.
      has(new Set(['bytes', 'byte', 'mb', 'gb', 'kb', 'mib', 'gib', 'cores', 'millicores']))
      ? 'amount'
      : has(PERCENT) || (list.length === 1 && has(LIMITED))
        ? 'percent'
        : has(SHARE) && has(SHARED)
          ? 'share'
          : has(AMOUNT) || has(SHARE) || has(LIMITED)
            ? 'amount'
            : 'any'
  if (known.size >= MOST) known.clear()
  known.set(name, unit)
  return unit
}

/** Why there can be no such value; undefined where there can. A share may be told as one of a hundred as well. */
export const impossibility = (name: string, value: number): string | undefined => {
  const unit = unitOf(name)
  if (unit === 'any') return undefined
  if (value < 0) return `${name} cannot be below 0`
  if ((unit === 'percent' || unit === 'share') && value > 100) return `${name} cannot be above 100 %`
  return undefined
}

/** Least spread that counts as movement: what lies below is rounding, not a sign. */
export const leastSpread = (name: string, mean: number): number => {
  const unit = unitOf(name)
  const floor =
    unit === 'percent' ? (Math.abs(mean) > 1 ? 0.5 : 0.005) : unit === 'share' ? (Math.abs(mean) > 1 ? 0.25 : 0.005) : 0
  return Math.max(floor, 0.02 * Math.abs(mean), mean === 0 ? 0.2 : 1e-9)
}

/** Units in which nothing can be below zero, whatever it is called. */
const NEVER_NEGATIVE =
  /^(?:[munµ]?s|ms|us|ns|min|h|d|%|[KMGTkmgt]?i?[Bb](?:y|ytes?)?|bytes?|1\/s|[\w{}]+\/(?:s|min|h)|\{\w+\}|Hz|cores?)$/
/** The least a band may be told to reach down to: 0 for what cannot be negative, the given bound for everything else. */
export const shownLow = (metric: string, unit: string, low: number): number =>
  low < 0 && (NEVER_NEGATIVE.test(unit) || unitOf(metric.split('{')[0]) !== 'any') ? 0 : low
