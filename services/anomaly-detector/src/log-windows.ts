import type { SessionScore } from '@aegis/anomaly-detection/logs/log-anomaly'
import { learnedOf, packLogModel, readLogState } from '@aegis/anomaly-detection/logs/log-model-file'
import { type LogFinding, LogWatch } from '@aegis/anomaly-detection/logs/log-watch'
import type { SessionRoom } from '@aegis/anomaly-detection/logs/session-watch'
import {
  type Anomaly,
  BoundedMap,
  type Evidence,
  hash32,
  idOf,
  type LogEvent,
  logsParsed,
  type ModelVersion,
  models,
  type Received,
  sessionOf,
  type Tick,
  type TraceContext,
} from '@aegis/domain'
import {
  digestOf,
  entityModel,
  isHeld,
  LOG_MODEL,
  MOST_BYTES,
  type ModelKeys,
  type ModelSigner,
  objectionToModel,
  sealed,
} from '@aegis/model-registry'
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
  /** Windows learned from before what was learned is published, and again with half as many more. Default 720, an hour. */
  readonly publishAfter?: number
  /** Entities whose models are published: every tick names the version of each. Default 50. */
  readonly maxPublished?: number
  /** Who signs what is published, and whose signature is asked for; without them nobody's. */
  readonly signer?: ModelSigner
  readonly keys?: ModelKeys
  /** Told of a version that cannot be used; what was learned before stays. */
  readonly onRefused?: (id: string, version: string, why: string) => void
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
  /** Version it goes on from: the last one it published, took up or refused. */
  version?: string
  /** Windows seen since the first, since it last published, and at that time. */
  windows: number
  since: number
  published: number
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
  readonly #publishAfter: number
  readonly #maxPublished: number
  readonly #onRefused: WindowOptions['onRefused']
  readonly #authority: Pick<WindowOptions, 'signer' | 'keys'>
  /** In order of their last line. */
  readonly #entities: BoundedMap<string, EntityState>

  constructor(options: WindowOptions = {}) {
    this.#windowUs = options.windowUs ?? 5_000_000
    this.#quiet = options.quiet ?? 6
    this.#entities = new BoundedMap(options.maxEntities ?? 300, ({ watch }) => watch.leave())
    this.#room = { left: options.maxSessions ?? 10_000 }
    this.#onSession = options.onSession
    this.#publishAfter = options.publishAfter ?? 720
    this.#maxPublished = options.maxPublished ?? 50
    this.#onRefused = options.onRefused
    this.#authority = options
  }

  line({ value: v, trace }: Received<LogEvent>): void {
    const key = entityKey(v)
    const state: EntityState = this.#entities.touch(key) ?? {
      environment: v.environment,
      entity: v.entity,
      watch: this.#watchOf(v.entity),
      began: 0,
      bad: 0,
      windows: 0,
      since: 0,
      published: 0,
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
  tick(
    tick: Tick,
    moves: (environment: string) => boolean,
    now: (environment: string) => number,
  ): { readonly told: readonly Told[]; readonly learned: readonly ModelVersion[] } {
    const told: Told[] = []
    const learned: ModelVersion[] = []
    const { final } = tick
    for (const [key, state] of this.#entities) {
      if (!moves(state.environment)) continue
      const time = now(state.environment)
      // The first window is shorter, and the entities' windows end at different ticks: after a restart each fits its models anew, and not all of them at once.
      const fresh = state.began === 0
      if (fresh) state.began = time - ((hash32(key) % TURNS) * this.#windowUs) / TURNS
      const over = time - state.began >= this.#windowUs || final
      const inForce = fresh || over ? tick.inForce(models, entityModel(LOG_MODEL, state.environment, state.entity)) : undefined
      if (inForce) this.#takeUp(state, inForce)
      if (!over) continue
      const findings = state.watch.close(time, final)
      const anomaly = time - state.began >= PAUSE * this.#windowUs ? undefined : this.#words(state, findings, time)
      if (anomaly) told.push(anomaly)
      state.began = time
      state.bad = 0
      state.windows++
      state.since++
      const due = state.since >= Math.max(this.#publishAfter, state.published >> 1)
      if (due && !state.open && !isHeld(inForce) && this.#mayPublish(state)) learned.push(...this.#learned(state, time, tick))
    }
    return { told, learned }
  }

  /** What an entity usually logs may have been learned elsewhere: from a file, or by a service that is gone. What was learned here is left for it. */
  #takeUp(state: EntityState, model: ModelVersion): void {
    if (model.version === state.version || !model.weights || (model.state !== 'active' && model.state !== 'held')) return
    state.version = model.version
    try {
      const objection = objectionToModel(model, this.#authority.keys)
      if (objection) throw new Error(objection)
      const saved = readLogState(model.weights, `${model.id} ${model.version}`)
      const watch = this.#watchOf(state.entity).load(saved as never)
      state.watch.leave()
      state.watch = watch
      state.since = 0
      state.published = saved.rates.windows
      state.windows = saved.rates.windows
    } catch (error) {
      this.#onRefused?.(model.id, model.version, (error as Error).message)
    }
  }

  #mayPublish({ version }: EntityState): boolean {
    if (version !== undefined) return true
    let count = 0
    for (const [, other] of this.#entities) if (other.version !== undefined) count++
    return count < this.#maxPublished
  }

  #learned(state: EntityState, time: number, tick: Tick): ModelVersion[] {
    const { environment, entity, windows } = state
    state.since = 0
    state.published = windows
    const id = entityModel(LOG_MODEL, environment, entity)
    const saved = learnedOf(state.watch)
    const weights = packLogModel([[entity.slice(entity.indexOf(':') + 1), saved]])
    if (weights.length > MOST_BYTES) {
      this.#onRefused?.(id, '', `it has ${weights.length} bytes, more than the ${MOST_BYTES} that may be published`)
      return []
    }
    state.version = digestOf(weights).slice(7, 19)
    return [
      sealed(
        {
          id,
          environment,
          time,
          version: state.version,
          state: 'active',
          weights,
          metrics: { windows, templates: saved.rates.templates.length, sessions: saved.sessions.learned, bytes: weights.length },
          lineage: { entity, stream: logsParsed.name, partition: String(tick.partition), offset: String(tick.offset) },
        },
        this.#authority.signer,
      ),
    ]
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
      state.map(([key, { watch, ...rest }]) => [
        key,
        {
          ...rest,
          // Snapshots of before models were published have no counts of windows.
          windows: rest.windows ?? watch.rates.windows,
          since: rest.since ?? 0,
          published: rest.published ?? 0,
          watch: this.#watchOf(rest.entity).load(watch),
        },
      ]),
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
