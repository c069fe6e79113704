import { type Scored, type SeriesValue, TrackAnomalies } from '@aegis/anomaly-detection'
import type { Anomaly, Detector } from '@aegis/domain'

export interface WatchOptions {
  /** Makes the detector of one entity. */
  readonly create: (entity: string) => Detector
  readonly name: string
  readonly threshold: number
}

/** A detector for each entity over all its metrics together: what no single series shows. */
export class WatchEntities {
  readonly #options: WatchOptions
  readonly #track: TrackAnomalies
  #detectors = new Map<string, Detector>()

  constructor(options: WatchOptions) {
    this.#options = options
    this.#track = new TrackAnomalies(options.name, 'metric', { threshold: options.threshold })
  }

  round(values: readonly SeriesValue[], time: (environment: string) => number): Anomaly[] {
    const byEntity = new Map<string, SeriesValue[]>()
    for (const v of values) {
      const key = `${v.info.environment}\0${v.info.entity}`
      byEntity.set(key, [...(byEntity.get(key) ?? []), v])
    }
    const byEnvironment = new Map<string, Scored[]>()
    for (const [key, list] of byEntity) {
      let detector = this.#detectors.get(key)
      if (!detector) this.#detectors.set(key, (detector = this.#options.create(key)))
      const { environment, entity } = list[0].info
      const round = {
        time: time(environment),
        series: Int32Array.from(list, v => v.info.handle),
        values: Float64Array.from(list, v => v.value),
      }
      const scores = detector.score(round)
      const band = detector.expect?.(round)
      const scored = list.map((v, i) => ({
        environment,
        entity,
        metric: v.info.metric,
        unit: v.info.unit,
        value: v.value,
        score: scores[i],
        low: band?.low[i] ?? Number.NaN,
        high: band?.high[i] ?? Number.NaN,
      }))
      detector.learn(
        round,
        scored.map(s => s.score >= this.#options.threshold),
      )
      byEnvironment.set(environment, [...(byEnvironment.get(environment) ?? []), ...scored])
    }
    return [...byEnvironment].flatMap(([environment, scored]) => this.#track.round(environment, time(environment), scored))
  }

  toJSON() {
    return {
      track: this.#track,
      detectors: [...this.#detectors].map(([key, d]) => [key, Buffer.from(d.snapshot()).toString('base64')]),
    }
  }
  fromJSON(state: { track: never; detectors: [string, string][] }): void {
    this.#track.fromJSON(state.track)
    this.#detectors = new Map(
      state.detectors.map(([key, bytes]) => {
        const detector = this.#options.create(key)
        detector.restore(Buffer.from(bytes, 'base64'))
        return [key, detector]
      }),
    )
  }
}
