import {
  type Action,
  type Control,
  controls,
  controlsWanted,
  type Decision,
  decisions,
  EnvironmentClocks,
  emit,
  type Incident,
  type Input,
  idOf,
  incidents,
  isFrom,
  type Outcome,
  outcomes,
  type Result,
  type Stage,
  type Stateful,
  standstills,
} from '@aegis/domain'

export interface CarryOutOptions {
  /** How long health may take to return after an action, microseconds. */
  readonly verifyUs: number
  /** Does the work; called only after the word that it starts is committed. */
  readonly start: (decision: Decision, resumed: boolean) => void
  /** Takes back what did not help; called only after the word that it does is committed. */
  readonly undo: (decision: Decision, undo: Action, resumed: boolean) => void
  /** Stops what is under way for a decision. */
  readonly cancel: (decision: Decision, reason: string) => void
  /** Hears the kill switch as it is in force, every tick. */
  readonly mirror: (environment: string, version: number, stopped: boolean) => void
}
interface Work {
  decision: Decision
  phase: 'started' | 'carried_out' | 'undoing'
  since: number
  /** Null where the incident said nothing of the target. */
  healthBefore: number | null
  /** How to take it back, once it is carried out and can be. */
  undo?: Action
  /** Why it is cancelled or taken back. */
  reason?: string
}
/** Decisions already seen are remembered this long, microseconds. */
const REMEMBER_US = 24 * 3_600_000_000

/** Decisions to deeds: writes down what starts, has it done outside transactions, and verifies by health returning. */
export class CarryOutDecisions implements Stage, Stateful {
  readonly snapshotVersion = 1
  readonly #options: CarryOutOptions
  readonly #clocks = new EnvironmentClocks()
  #work = new Map<string, Work>()
  #seen = new Map<string, number>()
  #incidents = new Map<string, Incident>()
  #environments = new Set<string>()
  /** The newest stop of each environment since which nothing is under way, as it was told. */
  #still = new Map<string, number>()

  constructor(options: CarryOutOptions) {
    this.#options = options
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (isFrom(input, decisions)) this.#decision(input.value, input, results)
      else if (isFrom(input, incidents)) this.#incident(input.value, input, results)
      else if (isFrom(input, outcomes)) this.#heard(input.value, input, results)
      else if (isFrom(input, controlsWanted)) this.#environments.add(input.value.environment)
      else if (input.kind === 'tick' && input.stream.name === decisions.name) {
        this.#clocks.see(input)
        for (const environment of this.#environments) {
          const control: Control | undefined = input.inForce(controls, environment)
          this.#options.mirror(environment, control?.version ?? 0, control?.kill_switch ?? false)
          if (control?.kill_switch) this.#standStill(environment, control, input, results)
        }
        for (const work of [...this.#work.values()]) {
          if (work.phase !== 'carried_out' || !this.#clocks.moves(input, work.decision.environment)) continue
          const now = this.#clocks.now(work.decision.environment)
          if (now - work.since >= this.#options.verifyUs)
            this.#giveUp(work, now, input, results, `health did not return within ${Math.round(this.#options.verifyUs / 1e6)} s`)
        }
        for (const [decision, at] of this.#seen) if (input.time - at > REMEMBER_US) this.#seen.delete(decision)
      }
    }
    return results
  }

  /** Says once of each stop that nothing is under way any more: calling a person is, and may go on. */
  #standStill(environment: string, control: Control, input: Input, results: Result[]): void {
    const version = control.stopped_at ?? control.version
    if (this.#still.get(environment) === version) return
    const moving = [...this.#work.values()].some(
      ({ decision, phase }) => decision.environment === environment && decision.action !== 'page' && phase !== 'carried_out',
    )
    if (moving) return
    this.#still.set(environment, version)
    results.push(emit(standstills, { id: `${environment}@${version}`, environment, time: input.time, version }, input))
  }

  #decision(decision: Decision, input: Input, results: Result[]): void {
    this.#environments.add(decision.environment)
    const acts =
      (decision.status === 'decided' && (decision.mode === 'act' || decision.mode === 'canary')) || decision.status === 'approved'
    if (decision.status === 'cancelled') this.#cancel(decision, input, results)
    if (!acts || this.#seen.has(decision.decision)) return
    this.#seen.set(decision.decision, input.time)
    const incident = this.#incidents.get(decision.incident)
    const healthBefore = healthOf(incident, decision.target)
    this.#work.set(decision.decision, { decision, phase: 'started', since: input.time, healthBefore })
    results.push(emit(outcomes, { ...this.#head(decision, 'started', input.time), health_before: healthBefore }, input))
  }

  /** Somebody said stop: what has not ended is cut short, what waits for health is taken back. */
  #cancel(decision: Decision, input: Input, results: Result[]): void {
    const work = this.#work.get(decision.decision)
    const reason = decision.reasons.at(-1) ?? 'cancelled'
    if (work?.phase === 'started') {
      work.reason = reason
      this.#options.cancel(decision, reason)
    } else if (work?.phase === 'carried_out') this.#giveUp(work, input.time, input, results, reason)
  }

  /** It did not help: taken back where it can be, else failed. */
  #giveUp(work: Work, now: number, input: Input, results: Result[], reason: string): void {
    if (!work.undo) {
      this.#finish(work, 'failed', now, input, results, reason)
      return
    }
    work.phase = 'undoing'
    work.reason = reason
    results.push(emit(outcomes, { ...this.#head(work.decision, 'undoing', now), error: reason }, input))
  }

  #incident(incident: Incident, input: Input, results: Result[]): void {
    this.#environments.add(incident.environment)
    this.#incidents.set(incident.id, incident)
    if (incident.state === 'mitigated' || incident.state === 'closed')
      for (const work of [...this.#work.values()])
        if (work.decision.incident === incident.id && work.phase === 'carried_out')
          this.#finish(work, 'done', input.time, input, results)
    if (incident.state === 'closed') this.#incidents.delete(incident.id)
  }

  /** The runner's word, or our own coming back. */
  #heard(o: Outcome, input: Input, results: Result[]): void {
    const work = this.#work.get(o.decision)
    if (!work) return
    if (o.status === 'carried_out' && work.phase === 'started') {
      work.phase = 'carried_out'
      work.since = input.time
      work.undo = o.undo ? JSON.parse(o.undo) : undefined
      const incident = this.#incidents.get(work.decision.incident)
      // A page is done when it is sent; a person takes it from there.
      if (work.decision.action === 'page') this.#work.delete(o.decision)
      else if (incident?.state === 'mitigated' || incident?.state === 'closed')
        this.#finish(work, 'done', input.time, input, results)
    } else if (o.status === 'unverified' && work.phase === 'started') {
      work.undo = o.undo ? JSON.parse(o.undo) : undefined
      this.#giveUp(work, input.time, input, results, o.error ?? 'it was not seen to work')
    } else if (o.status === 'taken_back' && work.phase === 'undoing')
      this.#finish(work, 'undone', input.time, input, results, work.reason)
    else if (o.status === 'failed' || o.status === 'unfinished' || o.status === 'done') this.#work.delete(o.decision)
  }

  #finish(work: Work, status: 'done' | 'failed' | 'undone', now: number, input: Input, results: Result[], error = ''): void {
    const { decision } = work
    this.#work.delete(decision.decision)
    const incident = this.#incidents.get(decision.incident)
    const seconds = incident ? (now - incident.started) / 1e6 : null
    results.push(
      emit(
        outcomes,
        {
          ...this.#head(decision, status, now),
          health_before: work.healthBefore,
          health_after: healthOf(incident, decision.target),
          seconds_to_recover: status === 'done' ? seconds : null,
          verified: status === 'done',
          reward: status === 'done' ? 1 : -1,
          error,
        },
        input,
      ),
    )
  }

  #head(decision: Decision, status: string, time: number): Outcome {
    return {
      id: idOf(decision.decision, status),
      environment: decision.environment,
      time,
      decision: decision.decision,
      incident: decision.incident,
      action: decision.action,
      target: decision.target,
      status,
    }
  }

  committed(results: readonly Result[]): void {
    for (const r of results) {
      if (r.kind !== 'emit') continue
      const outcome = r.value as Outcome
      const work = this.#work.get(outcome.decision)
      if (work?.phase === 'started' && outcome.status === 'started') this.#start(work, false)
      else if (work?.undo && outcome.status === 'undoing') this.#options.undo(work.decision, work.undo, false)
    }
  }
  live(): void {
    for (const work of this.#work.values()) {
      if (work.phase === 'started') this.#start(work, true)
      else if (work.phase === 'undoing' && work.undo) this.#options.undo(work.decision, work.undo, true)
    }
  }
  /** One that was cancelled before it could begin is begun and stopped at once, so that its end is told. */
  #start(work: Work, resumed: boolean): void {
    this.#options.start(work.decision, resumed)
    if (work.reason) this.#options.cancel(work.decision, work.reason)
  }

  snapshot(): Uint8Array {
    return Buffer.from(
      JSON.stringify({
        clocks: this.#clocks,
        work: [...this.#work],
        seen: [...this.#seen],
        incidents: [...this.#incidents],
        environments: [...this.#environments],
        still: [...this.#still],
      }),
    )
  }
  restore(bytes: Uint8Array): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#work = new Map(state.work)
    this.#seen = new Map(state.seen)
    this.#incidents = new Map(state.incidents)
    this.#environments = new Set(state.environments)
    this.#still = new Map(state.still ?? [])
  }
}

/** What the incident itself says of the target now; null where it says nothing, for nobody measured it. */
const healthOf = (incident: Incident | undefined, entity: string): number | null =>
  incident?.health.find(h => h.entity === entity)?.score ?? null
