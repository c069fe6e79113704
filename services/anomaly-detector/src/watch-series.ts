import { SeriesWatch, type Watched } from '@aegis/anomaly-detection/series-watch'
import { type Anomaly, idOf, keyOf, metricKnowledge, type Observation } from '@aegis/domain'

interface Watching {
  readonly environment: string
  readonly entity: string
  readonly metric: string
  /** A declared unit is not guessed at: a jump there is a jump. */
  readonly guessUnit: boolean
  readonly watch: SeriesWatch
  /** Since when it is flat, microseconds; 0 when it is not. */
  flat: number
  /** When it was last heard of, microseconds. */
  seen?: number
}

/**
 * What is wrong with gauges themselves: values that come late or twice are left out, a unit that changed is converted back and told of, and so is a line gone flat
 * that never was. Told at severity low and without guilty series: no incident by itself, but evidence for one.
 */
export class WatchSeries {
  #series = new Map<string, Watching>()

  /** The observation as detectors should see it, or undefined where they should not; and what is to be told of it. */
  see(o: Observation, time: number): { readonly value: Observation | undefined; readonly told: readonly Anomaly[] } {
    if (o.metric_type !== 'gauge') return { value: o, told: [] }
    const w = this.#of(o)
    w.seen = time
    const seen = w.watch.point(time, o.value)
    const value = !seen.usable ? undefined : seen.factor === 1 ? o : { ...o, value: o.value * seen.factor }
    return { value, told: this.#tell(w, seen, o, time) }
  }

  #of(o: Observation): Watching {
    const dimensions = Object.entries(o.dimensions ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
    const key = keyOf(o.environment, o.entity, o.metric_name, ...dimensions.flat())
    let w = this.#series.get(key)
    if (!w) {
      const labels = dimensions.map(([k, v]) => `${k}=${v}`).join(',')
      // Of a target that is scraped, or a metric that is known, the unit does not change: a jump is a jump, and a fall a restart.
      const guessUnit = !o.unit && !(o.dimensions && 'instance' in o.dimensions) && metricKnowledge(o.metric_name) === undefined
      w = {
        environment: o.environment,
        entity: o.entity,
        metric: labels ? `${o.metric_name}{${labels}}` : o.metric_name,
        guessUnit,
        watch: new SeriesWatch({ guessUnit }),
        flat: 0,
      }
      this.#series.set(key, w)
    }
    return w
  }

  /** Forgets what has said nothing for `silenceUs`. */
  forget(now: (environment: string) => number, silenceUs: number): void {
    for (const [key, w] of this.#series) {
      const time = now(w.environment)
      w.seen ??= time
      if (time - w.seen > silenceUs) this.#series.delete(key)
    }
  }

  #tell(w: Watching, seen: Watched, o: Observation, time: number): Anomaly[] {
    const tell = (state: 'open' | 'close', what: string, started: number, text: string): Anomaly => ({
      id: idOf(w.environment, w.entity, what, w.metric, started),
      environment: w.environment,
      time,
      state,
      entity: w.entity,
      kind: 'metric',
      severity: 'low',
      score: 1,
      threshold: 1,
      summary: `${w.entity}: ${text}`,
      started,
      ended: state === 'close' ? time : null,
      series: [],
      templates: [],
      evidence: [
        { kind: 'series', entity: w.entity, text, time: started, stream: 'metrics.raw', name: o.metric_name, after: o.value },
      ],
      detector: 'series-watch',
      model_version: '1',
    })
    if (seen.finding === 'flat') {
      w.flat = time
      return [tell('open', 'flat', time, `${w.metric} no longer moves: it stays at ${o.value}`)]
    }
    if (seen.finding === 'moves-again' && w.flat > 0) {
      const started = w.flat
      w.flat = 0
      return [tell('close', 'flat', started, `${w.metric} moves again`)]
    }
    if (seen.finding !== 'unit-changed') return []
    const text = `${w.metric} is counted in another unit: its values are taken times ${Number(seen.factor.toPrecision(4))}`
    return [tell('open', 'unit', time, text), tell('close', 'unit', time, text)]
  }

  toJSON() {
    return [...this.#series].map(([key, w]) => [key, { ...w, watch: w.watch.save() }])
  }
  fromJSON(state: [string, Omit<Watching, 'watch'> & { watch: ReturnType<SeriesWatch['save']> }][]): void {
    this.#series = new Map(
      state.map(([key, w]) => {
        const watch = new SeriesWatch(w)
        watch.load(w.watch)
        return [key, { ...w, watch }]
      }),
    )
  }
}
