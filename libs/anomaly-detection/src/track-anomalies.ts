/**
 * From scores to anomalies: one per entity and event, not per point. A series takes part once it was strange several rounds running
 * (fewer when it is very strange); the anomaly opens with the first, is updated when others join or it gets worse, and closes when all have
 * been quiet for a while.
 */
import { type Anomaly, type Evidence, type GuiltySeries, idOf, keyOf, partsOf, SEVERITIES, shownLow } from '@aegis/domain'

export interface TrackOptions {
  /** Score at which a series is strange. Default 6. */
  readonly threshold?: number
  /** Rounds a series must be strange before it counts. Default 3. */
  readonly rounds?: number
  /** Quiet rounds before an anomaly closes. Default 4. */
  readonly quiet?: number
  /** A series that says nothing for so long is gone, and with it what was strange about it; microseconds. Default one hour. */
  readonly goneUs?: number
}
export interface Scored {
  readonly entity: string
  readonly environment: string
  readonly metric: string
  readonly unit: string
  readonly value: number
  readonly score: number
  readonly low: number
  readonly high: number
}
interface OpenAnomaly {
  id: string
  started: number
  severity: number
  /** Every series that took part; `calm` counts the rounds since it was last strange, `seen` is when it last reported. */
  guilty: Record<string, GuiltySeries & { since: number; before: number; calm: number; seen: number }>
  told: string
}
interface Streak {
  rounds: number
  since: number
  seen: number
}

const number = (value: number): string =>
  Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 0.01)
    ? value.toExponential(2)
    : String(Math.round(value * 100) / 100)

export class TrackAnomalies {
  readonly threshold: number
  readonly #rounds: number
  readonly #quiet: number
  readonly #goneUs: number
  readonly #detector: string
  readonly #kind: string
  #streaks = new Map<string, Streak>()
  #open = new Map<string, OpenAnomaly>()

  constructor(detector: string, kind: string, options: TrackOptions = {}) {
    this.#detector = detector
    this.#kind = kind
    this.threshold = options.threshold ?? 6
    this.#rounds = options.rounds ?? 3
    this.#quiet = options.quiet ?? 4
    this.#goneUs = options.goneUs ?? 3_600_000_000
  }

  /** Environments in which something is open: they need rounds even when nothing reports any more. */
  get environments(): ReadonlySet<string> {
    return new Set([...this.#open.keys()].map(key => partsOf(key)[0]))
  }

  /** One round of an environment: every score there was, and what came of it. */
  round(environment: string, time: number, scores: readonly Scored[]): Anomaly[] {
    const strange = new Map<string, Scored[]>()
    for (const s of scores) {
      const key = keyOf(environment, s.entity, s.metric)
      if (!(s.score >= this.threshold)) {
        this.#streaks.delete(key)
        continue
      }
      const streak = this.#streaks.get(key) ?? { rounds: 0, since: time, seen: time }
      streak.rounds++
      streak.seen = time
      this.#streaks.set(key, streak)
      if (streak.rounds >= (s.score >= 3 * this.threshold ? Math.max(1, this.#rounds - 1) : this.#rounds)) {
        const list = strange.get(s.entity) ?? []
        list.push(s)
        strange.set(s.entity, list)
      }
    }
    // Quiet can only be what was looked at: a series that reports once a minute says nothing in between.
    const looked = new Set(scores.map(s => keyOf(s.entity, s.metric)))
    const out: Anomaly[] = []
    for (const [key, streak] of this.#streaks)
      if (time - streak.seen > this.#goneUs && partsOf(key)[0] === environment) this.#streaks.delete(key)
    for (const [entity, list] of strange) this.#add(environment, entity, time, list)
    for (const [key, open] of this.#open) {
      const [env, entity] = partsOf(key)
      if (env !== environment) continue
      const now = new Set(strange.get(entity)?.map(s => s.metric))
      for (const [metric, g] of Object.entries(open.guilty))
        if (looked.has(keyOf(entity, metric))) {
          g.calm = now.has(metric) ? 0 : g.calm + 1
          g.seen = time
        } else if (time - g.seen > this.#goneUs) g.calm = this.#quiet
      const active = Object.keys(open.guilty).filter(metric => open.guilty[metric].calm < this.#quiet)
      if (active.length === 0) {
        this.#open.delete(key)
        out.push(this.#words(environment, entity, time, open, 'close'))
        continue
      }
      // News: it opened, got worse, another series joined, or one is back in its band.
      const told = `${open.severity} ${active.sort().join(' ')}`
      if (told === open.told) continue
      out.push(this.#words(environment, entity, time, open, open.told === '' ? 'open' : 'update'))
      open.told = told
    }
    return out
  }

  #add(environment: string, entity: string, time: number, list: readonly Scored[]): void {
    const key = keyOf(environment, entity)
    let open = this.#open.get(key)
    if (!open) {
      const started = Math.min(...list.map(s => this.#streaks.get(keyOf(environment, entity, s.metric))?.since ?? time))
      open = { id: idOf(environment, entity, this.#kind, started), started, severity: 0, guilty: {}, told: '' }
      this.#open.set(key, open)
    }
    for (const s of list) {
      const before = open.guilty[s.metric]
      if (before && before.score >= s.score) continue
      const since = before?.since ?? this.#streaks.get(keyOf(environment, entity, s.metric))?.since ?? time
      open.guilty[s.metric] = {
        metric: s.metric,
        unit: s.unit,
        value: s.value,
        expected_low: s.low,
        expected_high: s.high,
        score: s.score,
        since,
        calm: 0,
        seen: time,
        before: (s.low + s.high) / 2,
      }
    }
    const worst = Math.max(...Object.values(open.guilty).map(g => g.score)) / this.threshold
    const severity = worst >= 10 ? 3 : worst >= 4 ? 2 : worst >= 2 ? 1 : 0
    open.severity = Math.max(open.severity, severity)
  }

  #words(environment: string, entity: string, time: number, open: OpenAnomaly, state: 'open' | 'update' | 'close'): Anomaly {
    const guilty = Object.values(open.guilty).sort((a, b) => b.score - a.score)
    const first = guilty[0]
    const evidence: Evidence[] = guilty.slice(0, 8).map(g => ({
      kind: 'series',
      entity,
      text: `${g.metric} was ${number(g.value)}${g.unit && g.unit !== '1' ? ` ${g.unit}` : ''}, expected ${number(shownLow(g.metric, g.unit ?? '', g.expected_low))} to ${number(g.expected_high)}`,
      time: g.since,
      stream: 'metrics.raw',
      name: g.metric,
      before: g.before,
      after: g.value,
    }))
    return {
      id: open.id,
      environment,
      time,
      state,
      entity,
      kind: this.#kind,
      severity: SEVERITIES[open.severity],
      score: first?.score ?? 0,
      threshold: this.threshold,
      summary: first
        ? `${entity}: ${evidence[0].text}${guilty.length > 1 ? `, and ${guilty.length - 1} more series` : ''}`
        : `${entity} is strange`,
      started: open.started,
      ended: state === 'close' ? time : null,
      // Those still strange; the evidence keeps the others.
      series: guilty
        .filter(g => state === 'close' || g.calm < this.#quiet)
        .slice(0, 20)
        .map(({ since: _since, before: _before, calm: _calm, seen: _seen, ...g }) => g),
      templates: [],
      evidence,
      detector: this.#detector,
      model_version: '1',
    }
  }

  toJSON() {
    return { streaks: [...this.#streaks], open: [...this.#open] }
  }
  fromJSON(state: ReturnType<TrackAnomalies['toJSON']>): void {
    this.#streaks = new Map(state.streaks)
    this.#open = new Map(state.open)
    // Written before rounds of calm were counted, and before it was noted when a series last reported.
    for (const open of this.#open.values())
      for (const g of Object.values(open.guilty)) {
        g.calm ??= 0
        g.seen ??= g.since
      }
    for (const streak of this.#streaks.values()) streak.seen ??= streak.since
  }
}
