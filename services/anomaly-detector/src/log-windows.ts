import type { SessionScore } from '@aegis/anomaly-detection/logs/log-anomaly'
import { type LogFinding, LogWatch } from '@aegis/anomaly-detection/logs/log-watch'
import type { SessionRoom } from '@aegis/anomaly-detection/logs/session-watch'
import {
  type Anomaly,
  BoundedMap,
  type Evidence,
  hash32,
  idOf,
  type LogEvent,
  type Received,
  sessionOf,
  type TraceContext,
} from '@aegis/domain'
import { entityKey, quoteOf, type Told } from './log-quotes.ts'

export interface WindowOptions {
  /** Length of a window, microseconds. Default 5 s. */
  readonly windowUs?: number
  /** Windows without a finding before an anomaly closes. Default 6. */
  readonly quiet?: number
  /** Entities watched; the one heard of least lately makes room. Default 300. */
  readonly maxEntities?: number
  /** Sessions kept of all entities together. Default 10,000. */
  readonly maxSessions?: number
  /** Called with every judgement of a session, told of as an anomaly or not. */
  readonly onSession?: (entity: string, session: string, score: SessionScore) => void
}

interface OpenAnomaly {
  id: string
  started: number
  quiet: number
  /** Lines that say WARN or worse were in an unusual mix. */
  grave: boolean
  score: number
  threshold: number
  /** Finding kinds and templates told so far. */
  told: string[]
  templates: string[]
  evidence: Evidence[]
  summary: string
  trace?: TraceContext
}
interface EntityState {
  environment: string
  entity: string
  watch: LogWatch<Evidence>
  /** When the open window began; 0 before the first tick. */
  began: number
  bad: number
  trace?: TraceContext
  open?: OpenAnomaly
}

const NOTEWORTHY = new Set(['WARN', 'ERROR', 'CRITICAL'])
const EVIDENCE = 12
/** Ticks over which the ends of windows are spread. */
const TURNS = 5
/** A window so many times its length is a pause of the clock, of which nothing can be said. */
const PAUSE = 3

/**
 * What is strange in an entity's log beside its usual self, by windows of time: the findings of `LogWatch` as anomalies that open, grow and close.
 * They are of low severity, worth reading but no incident of their own, unless the mix of lines is unusual and errors are in it.
 */
export class LogWindows {
  readonly #windowUs: number
  readonly #quiet: number
  readonly #room: SessionRoom
  readonly #onSession: WindowOptions['onSession']
  /** In order of their last line. */
  readonly #entities: BoundedMap<string, EntityState>

  constructor(options: WindowOptions = {}) {
    this.#windowUs = options.windowUs ?? 5_000_000
    this.#quiet = options.quiet ?? 6
    this.#entities = new BoundedMap(options.maxEntities ?? 300, ({ watch }) => watch.leave())
    this.#room = { left: options.maxSessions ?? 10_000 }
    this.#onSession = options.onSession
  }

  line({ value: v, trace }: Received<LogEvent>): void {
    const key = entityKey(v)
    const state: EntityState = this.#entities.touch(key) ?? {
      environment: v.environment,
      entity: v.entity,
      watch: this.#watchOf(v.entity),
      began: 0,
      bad: 0,
    }
    if (!this.#entities.has(key)) this.#entities.set(key, state)
    if (v.severity === 'ERROR' || v.severity === 'CRITICAL') state.bad++
    if (trace) state.trace = trace
    state.watch.line({
      templateId: v.template_id,
      template: v.template,
      parameters: v.parameters as never,
      bad: NOTEWORTHY.has(v.severity),
      session: sessionOf(v.trace_id, v.parameters as never),
      timeUs: v.time,
      quote: quoteOf(v),
    })
  }

  #watchOf(entity: string): LogWatch<Evidence> {
    const onSession = this.#onSession
    const onJudged = onSession && ((session: string, score: SessionScore) => onSession(entity, session, score))
    return new LogWatch<Evidence>(hash32(entity), { room: this.#room, onJudged })
  }

  /** Time passed: ends the windows that are over, in the environments that `moves` names. */
  tick(moves: (environment: string) => boolean, now: (environment: string) => number, final = false): Told[] {
    const told: Told[] = []
    for (const [key, state] of this.#entities) {
      if (!moves(state.environment)) continue
      const time = now(state.environment)
      // The first window is shorter, and the entities' windows end at different ticks: after a restart each fits its models anew, and not all of them at once.
      if (state.began === 0) state.began = time - ((hash32(key) % TURNS) * this.#windowUs) / TURNS
      if (time - state.began < this.#windowUs && !final) continue
      const findings = state.watch.close(time, final)
      const anomaly = time - state.began >= PAUSE * this.#windowUs ? undefined : this.#words(state, findings, time)
      if (anomaly) told.push(anomaly)
      state.began = time
      state.bad = 0
    }
    return told
  }

  #words(state: EntityState, findings: readonly LogFinding<Evidence>[], time: number): Told | undefined {
    let open = state.open
    if (findings.length === 0) {
      if (!open || ++open.quiet < this.#quiet) return undefined
      delete state.open
      return { anomaly: anomalyOf(state, open, time, 'close'), trace: open.trace }
    }
    const fresh = open === undefined
    if (!open)
      state.open = open = {
        id: idOf(state.environment, state.entity, 'log-windows', time),
        started: Math.min(state.began, ...findings.flatMap(f => f.quotes.map(q => q.time)).filter(t => t >= state.began)),
        quiet: 0,
        grave: false,
        score: 0,
        threshold: 0,
        told: [],
        templates: [],
        evidence: [],
        summary: '',
        trace: state.trace,
      }
    open.quiet = 0
    const grave = state.bad > 0 && findings.some(f => f.kind === 'unusual mix')
    const news = findings.filter(f => !open.told.includes(`${f.kind} ${f.templateId}`))
    if (news.length === 0 && (!grave || open.grave)) return undefined
    open.grave ||= grave
    for (const f of news) {
      open.told.push(`${f.kind} ${f.templateId}`)
      if (f.templateId && !open.templates.includes(f.templateId)) open.templates.push(f.templateId)
      open.evidence.push(...f.quotes.filter(q => !open.evidence.some(e => e.offset === q.offset && e.partition === q.partition)))
      if (f.score > open.score) Object.assign(open, { score: f.score, threshold: f.threshold })
      open.summary ||= `${state.entity}: ${f.text.slice(0, 300)}`
    }
    return { anomaly: anomalyOf(state, open, time, fresh ? 'open' : 'update'), trace: open.trace }
  }

  toJSON() {
    return this.#entities.toJSON()
  }
  load(state: [string, Omit<EntityState, 'watch'> & { watch: ReturnType<LogWatch<Evidence>['toJSON']> }][]): void {
    this.#entities.load(
      state.map(([key, { watch, ...rest }]) => [key, { ...rest, watch: this.#watchOf(rest.entity).load(watch) }]),
    )
  }
}

const anomalyOf = (
  { environment, entity }: EntityState,
  open: OpenAnomaly,
  time: number,
  state: 'open' | 'update' | 'close',
): Anomaly => ({
  id: open.id,
  environment,
  time,
  state,
  entity,
  kind: 'log',
  severity: open.grave ? 'medium' : 'low',
  score: open.score,
  threshold: open.threshold,
  summary: open.summary,
  started: open.started,
  ended: state === 'close' ? time : null,
  series: [],
  templates: [...open.templates],
  evidence: open.evidence.slice(0, EVIDENCE),
  detector: 'log-windows',
  model_version: '1',
})
