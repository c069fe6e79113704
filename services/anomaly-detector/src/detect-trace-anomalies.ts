import {
  type Anomaly,
  anomalies,
  BoundedMap,
  EnvironmentClocks,
  type Evidence,
  emit,
  type Input,
  idOf,
  isFrom,
  keyOf,
  type Result,
  type Stage,
  type Stateful,
  tracesVisits,
  type VisitPart,
} from '@aegis/domain'
import { STOPPED_SERIES, StopRate, type StopRateOptions, type StopReading, type StopState } from '@aegis/root-cause'

export interface TraceOptions extends StopRateOptions {
  /** Time without a stop after which an anomaly closes, microseconds. Default 60 s. */
  readonly quietUs?: number
  /** Entities watched; the one heard of least lately makes room. Default 20,000. */
  readonly maxEntities?: number
}
interface Open {
  id: string
  started: number
  /** When the last request stopped, microseconds. */
  last: number
  stopped: number
  visits: number
  expected: number
  strength: number
  told: number
  step: string
  steps: Record<string, number>
  evidence: Evidence[]
}
interface EntityState {
  environment: string
  entity: string
  stops: StopState
  /** Counted since the last tick. */
  visits: number
  stopped: number
  /** When the last request stopped, microseconds. */
  last: number
  /** What was missed and quoted since stops began to come. */
  steps: Record<string, number>
  evidence: Evidence[]
  open?: Open
}
const EVIDENCE = 8

/**
 * Where requests stop: entities at which more visits end short than usual, each the deepest of its trace to do so. Told at severity low: the
 * failures that follow are the incident, and this says where they begin.
 */
export class DetectTraceAnomalies implements Stage, Stateful {
  readonly snapshotVersion = 1
  readonly #clocks = new EnvironmentClocks()
  readonly #rate: StopRate
  readonly #quietUs: number
  /** The one heard of last at the end. */
  readonly #entities: BoundedMap<string, EntityState>

  constructor(options: TraceOptions = {}) {
    this.#rate = new StopRate(options)
    this.#quietUs = options.quietUs ?? 60_000_000
    this.#entities = new BoundedMap(options.maxEntities ?? 20_000)
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch)
      if (isFrom(input, tracesVisits)) this.#count(input.value)
      else if (input.kind === 'tick') {
        this.#clocks.see(input)
        for (const state of this.#entities.values()) {
          if (!this.#clocks.moves(input, state.environment)) continue
          const anomaly = this.#round(state, this.#clocks.now(state.environment))
          if (anomaly) results.push(emit(anomalies, anomaly, input))
        }
      }
    return results
  }

  #count(part: VisitPart): void {
    const key = keyOf(part.environment, part.entity)
    const state: EntityState = this.#entities.get(key) ?? {
      environment: part.environment,
      entity: part.entity,
      stops: StopRate.fresh(),
      visits: 0,
      stopped: 0,
      last: 0,
      steps: {},
      evidence: [],
    }
    this.#entities.set(key, state)
    state.visits += part.visits
    state.stopped += part.stopped
    if (part.step) state.steps[part.step] = (state.steps[part.step] ?? 0) + part.stopped
    if (state.evidence.length < EVIDENCE) state.evidence.push(...(part.evidence ?? []))
  }

  #round(state: EntityState, time: number): Anomaly | undefined {
    const { visits, stopped, steps, evidence, open } = state
    const reading = this.#rate.read(state.stops, { visits, stopped }, time)
    state.visits = 0
    state.stopped = 0
    const strange = reading.strange && stopped > 0
    if (strange || (stopped === 0 && time - state.last >= this.#quietUs)) Object.assign(state, { steps: {}, evidence: [] })
    if (stopped > 0) state.last = time
    if (!strange) {
      if (!open || time - open.last < this.#quietUs) return undefined
      delete state.open
      return anomalyOf(state, open, time, 'close')
    }
    if (open) grow(open, { visits, stopped }, reading)
    const now = (state.open ??= fresh(state, reading, time))
    now.last = time
    for (const [step, n] of Object.entries(steps)) now.steps[step] = (now.steps[step] ?? 0) + n
    now.step = mostOf(now.steps) ?? now.step
    if (now.evidence.length < EVIDENCE) now.evidence.push(...evidence)
    if (now.evidence.length > 0) now.started = Math.min(now.started, ...now.evidence.map(e => e.time))
    // Told again when there is half as much again to tell.
    if (open && now.stopped < 1.5 * now.told) return undefined
    now.told = now.stopped
    return anomalyOf(state, now, time, open ? 'update' : 'open')
  }

  snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify({ clocks: this.#clocks, entities: this.#entities }))
  }
  restore(bytes: Uint8Array): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#entities.load(state.entities)
  }
}

const mostOf = (steps: Readonly<Record<string, number>>): string | undefined =>
  Object.entries(steps).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0]

const fresh = ({ environment, entity }: EntityState, r: StopReading, time: number): Open => ({
  id: idOf(environment, entity, 'stops', time),
  started: time,
  last: time,
  stopped: r.stopped,
  visits: r.visits,
  expected: r.expected,
  strength: r.strength,
  told: 0,
  step: '',
  steps: {},
  evidence: [],
})
const grow = (open: Open, { visits, stopped }: { visits: number; stopped: number }, r: StopReading): void => {
  open.stopped += stopped
  open.visits += visits
  open.expected += r.visits > 0 ? (r.expected * visits) / r.visits : 0
  open.strength = Math.max(open.strength, r.strength)
}

const anomalyOf = (
  { environment, entity }: EntityState,
  open: Open,
  time: number,
  state: 'open' | 'update' | 'close',
): Anomaly => {
  const { step } = open
  const line = open.evidence
    .find(e => e.kind === 'log')
    ?.text.split('\n')[0]
    .slice(0, 160)
  const how = step.startsWith('! ') ? 'with an error they never write' : `without "${step.replace(/^> /, '')}"`
  return {
    id: open.id,
    environment,
    time,
    state,
    entity,
    kind: 'trace',
    severity: 'low',
    score: open.strength,
    threshold: 0,
    summary: `${entity}: ${open.stopped} of ${open.visits} requests stopped here first, ${how}${line ? `: "${line}"` : ''}`,
    started: open.started,
    ended: state === 'close' ? time : null,
    series: [
      {
        metric: STOPPED_SERIES,
        unit: '{visit}',
        value: open.stopped,
        expected_low: 0,
        expected_high: open.expected,
        score: open.strength,
      },
    ],
    templates: step ? [step] : [],
    evidence: open.evidence.slice(0, EVIDENCE),
    detector: 'stops',
    model_version: '1',
  }
}
