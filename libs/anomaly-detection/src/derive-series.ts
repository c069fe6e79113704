/**
 * Observations to series of comparable numbers, one value per series and round: counters become rates per second, `<name>.sum` and
 * `<name>.count` become a mean, and the instances of an entity are put together, so that a restart continues the series.
 */

import { keyOf, metricKnowledge, type Observation, partsOf } from '@aegis/domain'

export interface SeriesInfo {
  readonly handle: number
  readonly environment: string
  readonly entity: string
  /** Metric name with its dimensions, without the instance. */
  readonly metric: string
  readonly unit: string
}
export interface SeriesValue {
  readonly info: SeriesInfo
  readonly value: number
}
interface Accumulator {
  info: SeriesInfo
  kind: 'gauge' | 'rate' | 'mean'
  sum: number
  weight: number
  seen: boolean
  /** Event time of its newest observation, microseconds; absent while only its past is known. */
  last?: number
  /** Largest absolute value so far. */
  most?: number
  /** Rounds it was seen in, while they are few: until then its past may still be learned. */
  young?: number
}
interface Last {
  value: number
  time: number
}
/** A counter quiet for this long starts anew, microseconds. */
const STALE_US = 300_000_000
/** Rounds in which a series is young. */
const YOUNG = 30

/** Seconds of work a second, bytes a second; what is merely counted, a second. */
const rateUnit = (unit: string | null | undefined): string => (unit && /^[A-Za-z]/.test(unit) ? `${unit}/s` : '1/s')

export class DeriveSeries {
  #series = new Map<string, Accumulator>()
  #last = new Map<string, Last>()
  #infos: SeriesInfo[] = []
  /** Handles of series that were forgotten; given out again first. */
  #free: number[] = []

  get size(): number {
    return this.#infos.length
  }
  /** Largest absolute value that a series has had. */
  mostOf({ environment, entity, metric }: SeriesInfo): number {
    return this.#series.get(keyOf(environment, entity, metric))?.most ?? Number.NaN
  }
  info(handle: number): SeriesInfo {
    return this.#infos[handle]
  }

  add(o: Observation): void {
    const dimensions = o.dimensions ?? {}
    const names = Object.keys(dimensions)
    let instance = ''
    let labels = ''
    for (const name of names.length > 1 ? names.sort() : names) {
      if (name === 'instance') instance = dimensions[name]
      else labels += `${labels ? ',' : ''}${name}=${dimensions[name]}`
    }
    const base = labels ? `{${labels}}` : ''
    const role = metricKnowledge(`${o.metric_name}${base}`)?.role
    // What says nothing by itself is not followed: settings, builds, inner details.
    if (role === 'none' || role === 'capacity') return
    if (o.metric_type === 'gauge') return this.#put(o, `${o.metric_name}${base}`, 'gauge', o.unit ?? '', o.value, 1)
    const isSum = o.metric_name.endsWith('.sum')
    const isCount = o.metric_name.endsWith('.count')
    let delta = o.value
    let seconds = 1
    if (o.metric_type === 'counter') {
      const key = keyOf(o.environment, o.entity, instance, `${o.metric_name}${base}`)
      const last = this.#last.get(key)
      if (last && o.time <= last.time) return // late or repeated: its increase is already in a newer value
      this.#last.set(key, { value: o.value, time: o.time })
      if (!last || o.time - last.time > STALE_US) return
      // A counter that fell was reset: what it counts now happened since.
      delta = o.value >= last.value ? o.value - last.value : o.value
      seconds = (o.time - last.time) / 1e6
    }
    if (isSum || isCount) {
      const name = o.metric_name.slice(0, isSum ? -4 : -6)
      // The mean needs both halves of the same interval; they come together, in either order.
      this.#put(o, `${name}.mean${base}`, 'mean', isSum ? (o.unit ?? '') : '', isSum ? delta : 0, isCount ? delta : 0)
    }
    if (!isSum) this.#put(o, `${o.metric_name}${base}`, 'rate', rateUnit(o.unit), delta / seconds, 1)
  }

  #put(o: Observation, metric: string, kind: Accumulator['kind'], unit: string, value: number, weight: number): void {
    // A gauge that turns out to be a counter, once its type is declared, is another series: its values are no longer comparable.
    const key = kind === 'gauge' ? keyOf(o.environment, o.entity, metric) : keyOf(o.environment, o.entity, metric, kind)
    const { environment, entity } = o
    const a = this.#series.get(key) ?? this.#make(key, { environment, entity, metric, unit })
    a.kind = kind
    if (unit && !a.info.unit) {
      a.info = { ...a.info, unit }
      this.#infos[a.info.handle] = a.info
    }
    if (!((a.most ?? 0) >= Math.abs(value))) a.most = Math.abs(value)
    a.sum += value
    a.weight += weight
    a.seen = true
    a.last = o.time
  }

  /** The series whose past is to be learned, made where there is none; undefined where it has been seen for a while, and its past says nothing new. */
  ofPast({ environment, entity, metric, unit }: Omit<SeriesInfo, 'handle'>): SeriesInfo | undefined {
    const key = keyOf(environment, entity, metric)
    const known = this.#series.get(key)
    if (known) return known.young === undefined ? undefined : known.info
    return this.#make(key, { environment, entity, metric, unit }).info
  }

  #make(key: string, named: Omit<SeriesInfo, 'handle'>): Accumulator {
    const info = { handle: this.#free.pop() ?? this.#infos.length, ...named }
    this.#infos[info.handle] = info
    const a: Accumulator = { info, kind: 'gauge', sum: 0, weight: 0, seen: false, young: 0 }
    this.#series.set(key, a)
    return a
  }

  /** Values since the last call, of the environments whose clock moved. Rates add up over instances and averages do not. */
  round(moves: (environment: string) => boolean): SeriesValue[] {
    const out: SeriesValue[] = []
    for (const a of this.#series.values()) {
      if (!a.seen || !moves(a.info.environment)) continue
      const value = a.kind === 'rate' ? a.sum : a.weight > 0 ? a.sum / a.weight : Number.NaN
      a.sum = 0
      a.weight = 0
      a.seen = false
      if (a.young !== undefined && ++a.young >= YOUNG) a.young = undefined
      if (Number.isFinite(value)) out.push({ info: a.info, value })
    }
    return out
  }

  /** Forgets what has said nothing for `silenceUs`: pods come and go. Returns handles that other series will get, for the detector to forget as well. */
  forget(now: (environment: string) => number, silenceUs: number): number[] {
    const gone: number[] = []
    for (const [key, a] of this.#series) {
      const time = now(a.info.environment)
      a.last ??= time
      if (time - a.last <= silenceUs) continue
      this.#series.delete(key)
      gone.push(a.info.handle)
    }
    for (const [key, { time }] of this.#last) if (now(partsOf(key)[0]) - time > silenceUs) this.#last.delete(key)
    this.#free.push(...gone)
    return gone
  }

  toJSON() {
    return { series: [...this.#series], last: [...this.#last], infos: this.#infos, free: this.#free }
  }
  fromJSON(state: Omit<ReturnType<DeriveSeries['toJSON']>, 'free'> & { free?: number[] }): void {
    this.#series = new Map(state.series)
    this.#last = new Map(state.last)
    this.#infos = state.infos
    this.#free = state.free ?? []
  }
}
