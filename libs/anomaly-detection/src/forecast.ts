/**
 * Where a series is going, with bands, and when it will cross a limit: the straight line through the recent past, plus the time of day where there is one.
 *
 * Theil 1950 and Sen 1968, "Estimates of the Regression Coefficient Based on Kendall's Tau": the slope is the median of the slopes of pairs of points, so a few
 * wild ones do not tilt it. Ours takes pairs half a window apart, which needs no more than half as many slopes as points and uses the ones that say most; the
 * band widens with the spread of the slopes.
 */
export interface ForecastOptions {
  /** Points of the recent past that the line is laid through. Default 120. */
  readonly window?: number
  /** Points in a season (a day); 0 for none. Default 0. */
  readonly season?: number
  /** Share of the future inside the band. Default 0.9. */
  readonly inside?: number
}
export interface Forecast {
  readonly times: Float64Array
  readonly middle: Float64Array
  readonly low: Float64Array
  readonly high: Float64Array
}
export interface Crossing {
  /** Time at which the middle of the forecast crosses. */
  readonly time: number
  /** Between these it crosses as often as the band says; the second is infinite when it may not. */
  readonly earliest: number
  readonly latest: number
}
interface Line {
  readonly level: number
  readonly slope: number
  readonly slopeSpread: number
  readonly spread: number
}

/** Times in any unit, as long as it is the same one everywhere. */
export function forecast(
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  ahead: number,
  options: ForecastOptions = {},
): Forecast {
  const { season = 0 } = options
  const n = values.length
  const step = n > 1 ? (times[n - 1] - times[0]) / (n - 1) : 1
  const shape = seasonOf(values, season)
  const line = lineOf(times, values, shape, options)
  const z = quantile(options.inside ?? 0.9)
  const out = {
    times: new Float64Array(ahead),
    middle: new Float64Array(ahead),
    low: new Float64Array(ahead),
    high: new Float64Array(ahead),
  }
  for (let h = 1; h <= ahead; h++) {
    const distance = h * step
    const middle = line.level + line.slope * distance + (season > 0 ? shape[(n - 1 + h) % season] : 0)
    const width = z * Math.hypot(line.spread, line.slopeSpread * distance)
    out.times[h - 1] = times[n - 1] + distance
    out.middle[h - 1] = middle
    out.low[h - 1] = middle - width
    out.high[h - 1] = middle + width
  }
  return out
}

/** When the series passes a limit within so many points, or undefined if the forecast does not. A crossing needs a slope that stands out of its own spread. */
export function willCross(
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  limit: number,
  ahead: number,
  options: ForecastOptions = {},
): Crossing | undefined {
  const n = values.length
  if (n < 8) return undefined
  const from = values[n - 1]
  const upwards = limit > from
  const line = lineOf(times, values, seasonOf(values, options.season ?? 0), options)
  if (Math.abs(line.slope) < 2 * line.slopeSpread || line.slope > 0 !== upwards) return undefined
  const { times: future, middle, low, high } = forecast(times, values, ahead, options)
  const passes = (values: Float64Array) => {
    const at = values.findIndex(v => (upwards ? v >= limit : v <= limit))
    return at < 0 ? Number.POSITIVE_INFINITY : future[at]
  }
  const time = passes(middle)
  if (!Number.isFinite(time)) return undefined
  return { time, earliest: passes(upwards ? high : low), latest: passes(upwards ? low : high) }
}

/** Median of each place in the season, over its level; zeros where less than two seasons are known. */
function seasonOf(values: ArrayLike<number>, season: number): Float64Array {
  const shape = new Float64Array(Math.max(1, season))
  if (season <= 1 || values.length < 2 * season) return shape
  const all = median(Array.from(values).filter(Number.isFinite))
  for (let p = 0; p < season; p++) {
    const same: number[] = []
    for (let i = p; i < values.length; i += season) if (Number.isFinite(values[i])) same.push(values[i])
    shape[p] = same.length > 0 ? median(same) - all : 0
  }
  return shape
}

function lineOf(
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  shape: Float64Array,
  { window = 120 }: ForecastOptions,
): Line {
  const n = values.length
  const t: number[] = []
  const v: number[] = []
  for (let i = Math.max(0, n - window); i < n; i++) {
    if (!Number.isFinite(values[i])) continue
    t.push(times[i])
    v.push(values[i] - (shape.length > 1 ? shape[i % shape.length] : 0))
  }
  const half = t.length >> 1
  const slopes: number[] = []
  for (let i = 0; i + half < t.length; i++) if (t[i + half] > t[i]) slopes.push((v[i + half] - v[i]) / (t[i + half] - t[i]))
  const slope = slopes.length > 0 ? median(slopes) : 0
  const end = times[n - 1]
  const levels = v.map((x, i) => x + slope * (end - t[i]))
  const level = median(levels)
  const spread = 1.4826 * median(levels.map(x => Math.abs(x - level)))
  // Slopes of pairs share points: as many of them count as there are independent halves' worth, about half.
  const slopeSpread =
    slopes.length > 1 ? (1.4826 * median(slopes.map(s => Math.abs(s - slope)))) / Math.sqrt(Math.max(1, slopes.length / 2)) : 0
  return { level, slope, slopeSpread, spread }
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const n = sorted.length
  return n === 0 ? 0 : n % 2 === 1 ? sorted[n >> 1] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2
}

/** Half-width of a two-sided normal band, by bisection of the logistic approximation (Bowling et al. 2009). */
function quantile(inside: number): number {
  const wanted = 0.5 + inside / 2
  let low = 0
  let high = 10
  for (let i = 0; i < 50; i++) {
    const z = (low + high) / 2
    if (1 / (1 + Math.exp(-(0.07056 * z ** 3 + 1.5976 * z))) < wanted) low = z
    else high = z
  }
  return (low + high) / 2
}
