import {
  type Anomaly,
  type Evidence,
  idOf,
  type LogEvent,
  partsOf,
  type Received,
  SEVERITIES,
  type TraceContext,
} from '@aegis/domain'
import { entityKey, quoteOf, type Told } from './log-quotes.ts'

export interface BadLinesOptions {
  /** Ticks an entity is listened to before its new templates count. Default 10. */
  readonly warmUp?: number
  /** Bad lines of one template within the window before an anomaly opens. Default 3. */
  readonly lines?: number
  /** Quiet ticks before it closes. Default 5. */
  readonly quiet?: number
}
interface TemplateState {
  /** Bad lines a tick, learned slowly from quiet times. */
  usual: number
  now: number
  recent: number[]
  /** How many lines more than usual have gathered; falls slowly. */
  gathered?: number
  /** Errors of a known fault: a few of them are worth a look however slowly they come. */
  fault?: boolean
  evidence: Evidence[]
  pattern: string
  category: string
  trace?: TraceContext
}
interface EntityState {
  environment: string
  ticks: number
  /** When it last logged anything, microseconds. */
  last?: number
  templates: Record<string, TemplateState>
  open?: {
    id: string
    started: number
    quiet: number
    severity: number
    /** Opened by what gathered slowly, and open while that lasts. */
    slow?: boolean
    templates: string[]
    evidence: Evidence[]
    summary: string
    trace?: TraceContext
  }
}
const BAD = new Set(['ERROR', 'CRITICAL', 'FATAL'])
const WINDOW = 4
/**
 * Errors of a known fault that come too slowly for the window are summed up over what is usual (the CUSUM of Page 1954, "Continuous Inspection
 * Schemes", for Poisson counts): an anomaly opens at `lines` and so many for each usual line a tick; each tick takes away the `drift`, and half of
 * what is usual. From the share `doubt` of that on what comes is hardly learned as usual any more.
 */
const SLOW = { lines: 5, perUsual: 15, drift: 0.1, doubt: 0.4 } as const
const enough = (t: TemplateState): number => SLOW.lines + SLOW.perUsual * t.usual
/** An entity that has logged nothing for this long is forgotten: pods come and go; microseconds. */
const FORGET_US = 86_400_000_000

/** What has gathered with this tick's lines; not much more than opens an anomaly, so that it is over soon after the last line. */
const gatheredOf = (t: TemplateState): number =>
  Math.max(0, Math.min(enough(t) + 1, (t.gathered ?? 0) + t.now - 1.5 * t.usual - SLOW.drift))

/**
 * Bad lines that are new or much more frequent than usual: errors, and lines that match a known fault pattern. Works from the first lines on, before
 * anything else is trained. One anomaly per entity and event; it quotes its lines verbatim with their places in the log.
 */
export class BadLines {
  readonly #warmUp: number
  readonly #lines: number
  readonly #quiet: number
  #entities = new Map<string, EntityState>()

  constructor(options: BadLinesOptions = {}) {
    this.#warmUp = options.warmUp ?? 10
    this.#lines = options.lines ?? 3
    this.#quiet = options.quiet ?? 5
  }

  /** Time passed to `now` in the environments that `moves` names: what opened, grew or closed. */
  tick(time: number, moves: (environment: string) => boolean, now: (environment: string) => number): Told[] {
    const told: Told[] = []
    for (const [key, state] of this.#entities) {
      if (!moves(state.environment)) continue
      state.last ??= now(state.environment)
      if (!state.open && now(state.environment) - state.last > FORGET_US) {
        this.#entities.delete(key)
        continue
      }
      const entity = partsOf(key)[1]
      // Whose trace it is must be read after the round: that opens.
      const anomaly = this.#round(entity, state, time, now(state.environment))
      if (anomaly) told.push({ anomaly, trace: state.open?.trace })
    }
    return told
  }

  line(input: Received<LogEvent>): void {
    const v = input.value
    const key = entityKey(v)
    let state = this.#entities.get(key)
    if (!state) this.#entities.set(key, (state = { environment: v.environment, ticks: 0, templates: {} }))
    state.last = input.time
    if (!BAD.has(v.severity) && !(v.fault_pattern && v.severity !== 'INFO' && v.severity !== 'DEBUG')) return
    const t = (state.templates[v.template_id] ??= {
      usual: 0,
      now: 0,
      recent: [],
      evidence: [],
      pattern: v.fault_pattern ?? '',
      category: v.category,
    })
    t.now++
    if (v.fault_pattern && BAD.has(v.severity)) t.fault = true
    if (input.trace) t.trace = input.trace
    if (t.evidence.length >= 3) t.evidence.shift()
    t.evidence.push(quoteOf(v))
  }

  #round(entity: string, state: EntityState, tickTime: number, time: number): Anomaly | undefined {
    state.ticks++
    if (state.ticks < this.#warmUp) {
      // The mean of all ticks so far, those before its first line included: a single early line is no habit.
      for (const t of Object.values(state.templates)) {
        t.usual += (t.now - t.usual) / state.ticks
        t.now = 0
      }
      return undefined
    }
    const strange: [string, TemplateState, number][] = []
    const slowly: typeof strange = []
    const onlySlow = state.open?.slow ?? true
    for (const [id, t] of Object.entries(state.templates)) {
      t.recent.push(t.now)
      // What the window sees needs no second count, and is over when the window says so.
      t.gathered = onlySlow && t.fault ? gatheredOf(t) : 0
      t.now = 0
      if (t.recent.length > WINDOW) t.recent.shift()
      const seen = t.recent.reduce((a, b) => a + b, 0)
      const expected = t.usual * t.recent.length
      // Poisson: six standard deviations above what is usual, and enough lines to be worth a look.
      if (seen >= this.#lines && seen > expected + 6 * Math.sqrt(Math.max(expected, 0.25))) strange.push([id, t, seen])
      else if (t.gathered >= enough(t)) slowly.push([id, t, seen])
      else t.usual += (t.gathered < SLOW.doubt * enough(t) ? 0.02 : 0.002) * (t.recent.at(-1)! - t.usual)
      if (seen === 0 && t.usual < 1e-4) delete state.templates[id]
    }
    let open = state.open
    const slow = strange.length === 0
    strange.push(...slowly)
    if (strange.length === 0) {
      if (!open || ++open.quiet < this.#quiet) return undefined
      delete state.open
      return this.#words(entity, state.environment, time, open, 'close')
    }
    strange.sort((a, b) => b[2] - a[2])
    const severity = strange.some(([, t]) => t.pattern) ? 2 : 1
    const fresh = open === undefined
    const started = Math.min(...strange.flatMap(([, t]) => t.evidence.map(e => e.time)))
    if (!open)
      state.open = open = {
        id: idOf(state.environment, entity, 'log', tickTime),
        started,
        quiet: 0,
        severity,
        ...(slow && { slow }),
        templates: [],
        evidence: [],
        summary: '',
      }
    open.quiet = 0
    if (!slow) delete open.slow
    open.trace ??= strange.find(([, t]) => t.trace)?.[1].trace
    const news = strange.filter(([id]) => !open.templates.includes(id))
    const worse = severity > open.severity
    open.severity = Math.max(open.severity, severity)
    if (news.length === 0 && !worse) return undefined
    open.templates.push(...news.map(([id]) => id))
    open.evidence.push(...news.flatMap(([, t]) => t.evidence))
    const [, first, count] = strange[0]
    const often = open.slow ? 'time and again lines' : `${count} lines in ${first.recent.length} s`
    open.summary ||= `${entity}: ${often} of ${first.pattern ? `${first.pattern.replaceAll('_', ' ')}: ` : ''}"${(first.evidence.at(-1)?.text ?? '').split('\n')[0].slice(0, 160)}"`
    return this.#words(entity, state.environment, time, open, fresh ? 'open' : 'update')
  }

  #words(
    entity: string,
    environment: string,
    time: number,
    open: NonNullable<EntityState['open']>,
    state: 'open' | 'update' | 'close',
  ): Anomaly {
    return {
      id: open.id,
      environment,
      time,
      state,
      entity,
      kind: 'log',
      severity: SEVERITIES[open.severity],
      score: open.evidence.length,
      threshold: this.#lines,
      summary: open.summary,
      started: open.started,
      ended: state === 'close' ? time : null,
      series: [],
      templates: [...open.templates],
      evidence: open.evidence.slice(0, 12),
      detector: 'log-templates',
      model_version: '1',
    }
  }

  toJSON(): [string, EntityState][] {
    return [...this.#entities]
  }
  load(state: ReturnType<BadLines['toJSON']>): void {
    this.#entities = new Map(state)
  }
}
