import { BoundedMap, type Observation } from '@aegis/domain'

/** Values kept of a series; nearer ones than a step are put together as the last. */
const MOST_VALUES = 180
const STEP_US = 5e6
const MOST_SERIES = 5000

export interface LiveSeries {
  readonly id: string
  readonly environment: string
  readonly entity: string
  readonly metric: string
  readonly type: string
  readonly unit: string
  readonly dimensions: Readonly<Record<string, string>>
  /** Microseconds and values, oldest first. */
  readonly times: number[]
  readonly values: number[]
}
interface Kept extends LiveSeries {
  /** Where a counter stood before. */
  base: { time: number; value: number } | undefined
}
/** The last minutes of every series, for those who look; bounded, and gone with the process. */
export class SeriesBook {
  readonly #series = new BoundedMap<string, Kept>(MOST_SERIES)

  take(o: Observation): void {
    if (o.history) return
    const dimensions = o.dimensions ?? {}
    const id = `${o.environment}|${o.entity}|${o.metric_name}${Object.keys(dimensions)
      .sort()
      .map(k => `|${k}=${dimensions[k]}`)
      .join('')}`
    const s = this.#series.touch(id) ?? this.#begin(id, o, dimensions)
    let value = o.value
    if (o.metric_type === 'counter') {
      // What it grew by each second; a counter that begins anew starts from there.
      const { base } = s
      s.base = { time: o.time, value: o.value }
      if (!base || o.time <= base.time || o.value < base.value) return
      value = ((o.value - base.value) / (o.time - base.time)) * 1e6
    }
    const last = s.times.at(-1)
    if (last !== undefined && o.time < last) return
    if (last !== undefined && o.time - last < STEP_US && s.times.length > 1) s.values[s.values.length - 1] = value
    else {
      s.times.push(o.time)
      s.values.push(value)
      if (s.times.length > MOST_VALUES) {
        s.times.shift()
        s.values.shift()
      }
    }
  }
  #begin(
    id: string,
    { environment, entity, metric_name, metric_type, unit = '' }: Observation,
    dimensions: Kept['dimensions'],
  ): Kept {
    const s: Kept = {
      id,
      environment,
      entity,
      metric: metric_name,
      type: metric_type,
      unit,
      dimensions,
      times: [],
      values: [],
      base: undefined,
    }
    this.#series.set(id, s)
    return s
  }
  reporting(): { readonly series: number } {
    return { series: this.#series.size }
  }
  /** Who reports, and when last. */
  entities(): { readonly environment: string; readonly entity: string; readonly last: number }[] {
    const last = new Map<string, { environment: string; entity: string; last: number }>()
    for (const { environment, entity, times } of this.#series.values()) {
      const key = `${environment}|${entity}`
      const at = times.at(-1) ?? 0
      const known = last.get(key)
      if (!known) last.set(key, { environment, entity, last: at })
      else if (at > known.last) known.last = at
    }
    return [...last.values()].slice(0, 2000)
  }
  get(id: string): LiveSeries | undefined {
    return this.#series.get(id)
  }
  *all(): Iterable<LiveSeries> {
    yield* this.#series.values()
  }
}
