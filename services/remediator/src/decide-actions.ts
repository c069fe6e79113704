import {
  approvals,
  BoundedMap,
  type Control,
  controls,
  type Decision,
  decisions,
  EnvironmentClocks,
  emit,
  type GuardFacts,
  type Incident,
  type Input,
  idOf,
  incidents,
  isDisruptive,
  isFinal,
  isFrom,
  keyOf,
  type Mode,
  type ModelVersion,
  manualFixes,
  models,
  type Outcome,
  outcomes,
  type Policy,
  type Result,
  type Stage,
  type Stateful,
} from '@aegis/domain'
import {
  type Arm,
  type Attempt,
  assignArm,
  type Experiment,
  type RecordedFix,
  type Signature,
  signatureOf,
  stoppedArms,
  suggestFixes,
  withStage,
} from '@aegis/remediation'
import { wordFor } from '@aegis/remediation/guard-settings'
import type { AskPolicyService } from './ask-policy-service.ts'
import { ErrorBudget } from './error-budget.ts'
import { InCharge, type InChargeOptions, isUnsafe } from './in-charge.ts'
import { chooseAction, type DecisionGrounds, isRefused, makeDecision } from './make-decision.ts'

export interface DecideOptions {
  readonly defaultMode: Mode
  readonly environmentModes: Readonly<Record<string, Mode>>
  readonly limits: GuardFacts['limits']
  readonly approvalUs: number
  /** Actions that may be done at all, where not empty, and those that may not. */
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  /** Time in incidents of high or critical severity that an environment may have in 30 days, microseconds; 0: no budget is kept. */
  readonly errorBudgetUs?: number
  /** Asks the external policy service, where there is one. */
  readonly ask?: AskPolicyService
  /** Loads what the models stream puts in charge; without it the policy given stays. */
  readonly models?: Omit<InChargeOptions, 'policy'>
  /** Names of policies by environment, or its beginning and `*`; they win over the one in charge. */
  readonly environmentPolicies?: Readonly<Record<string, string>>
  /** Policies that experiments and environments may name, beside the one in charge. */
  readonly policies?: Readonly<Record<string, Policy>>
}
interface Standing {
  incident: Incident
  tried: Attempt[]
  attempt: number
  /** The decision now under way or waiting. */
  current?: Decision
  /** Since when it waits for approval. */
  waitingSince?: number
  /** The newest revision that named a cause. */
  named?: Incident
  /** Ticks left in which to hear what is thought of the incident now that an action did not help. */
  patience?: number
  /** A person said stop: nothing more is tried. */
  stopped?: boolean
  /** A person has been called, which is done once; another diagnosis may still have an action. */
  paged: boolean
  /** Cause and fault of the last decision that only spoke or called: the same is not said twice. */
  said?: string
}
type Deed = GuardFacts['recent'][number] & { decision: string }
const HOUR_US = 3_600_000_000
/** That an action did not help often tells who the cause is: the next is decided on the diagnosis that knows of it, unless none comes in so many ticks. */
const PATIENCE_TICKS = 5
/** What is remembered at most: it all stands in the snapshot. */
const MOST = { signatures: 500, fixes: 500, suggestions: 3, arms: 100 } as const

/** Incidents to guarded decisions: one at a time, each with what was weighed, why, and everything needed to decide it again. */
export class DecideActions implements Stage, Stateful {
  readonly snapshotVersion = 5
  readonly #charge: InCharge
  readonly #budget: ErrorBudget
  readonly #options: DecideOptions
  readonly #clocks = new EnvironmentClocks()
  #standing = new Map<string, Standing>()
  #deeds = new Map<string, Deed[]>()
  #controls = new Map<string, Control>()
  /** What incidents looked like, for the day somebody says what helped. */
  readonly #signatures = new BoundedMap<string, readonly Signature[]>(MOST.signatures)
  #fixes: RecordedFix[] = []
  /** Acts of each arm of an experiment, and how many did harm. */
  readonly #harms = new BoundedMap<string, { acts: number; harmful: number }>(MOST.arms)

  constructor(policy: Policy, options: DecideOptions) {
    const none = () => {
      throw new Error('this stage follows no models')
    }
    this.#charge = new InCharge({ load: none, ...options.models, policy })
    this.#budget = new ErrorBudget(options.errorBudgetUs ?? 0)
    this.#options = options
  }

  async process(batch: readonly Input[], signal: AbortSignal): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      if (isFrom(input, incidents)) await this.#incident(input.value, input, results, signal)
      else if (isFrom(input, outcomes)) this.#outcome(input.value, input, results)
      else if (isFrom(input, manualFixes)) this.#learn(input.value, this.#signatures.get(input.value.incident ?? ''))
      else if (isFrom(input, approvals)) {
        const { decision, approved, who, until } = input.value
        const s = [...this.#standing.values()].find(x => x.current?.decision === decision)
        if (s?.current && s.waitingSince === undefined && !approved && s.current.status !== 'cancelled') {
          // Said of what is under way it means stop. A person is on it, so nothing more is tried.
          s.current = this.#next(s.current, 'cancelled', [`${who} said stop`], input.time)
          s.stopped = true
          results.push(emit(decisions, s.current, input))
          continue
        }
        if (!s?.current || s.waitingSince === undefined || s.current.status !== 'decided') continue
        if (until && input.time > until) continue
        s.waitingSince = undefined
        s.current = this.#next(
          s.current,
          approved ? 'approved' : 'rejected',
          [`${who} said ${approved ? 'yes' : 'no'}`],
          input.time,
        )
        results.push(emit(decisions, s.current, input))
        if (!approved) {
          s.tried.push({ action: s.current.action, target: s.current.target })
          s.current = undefined
        }
      } else if (input.kind === 'tick' && input.stream.name === incidents.name) {
        this.#clocks.see(input)
        if (this.#options.models) this.#charge.see(input)
        for (const environment of new Set([...this.#standing.values()].map(s => s.incident.environment))) {
          const control = input.inForce(controls, environment)
          if (control) this.#controls.set(environment, control)
        }
        for (const s of this.#standing.values()) {
          if (!this.#clocks.moves(input, s.incident.environment)) continue
          if (s.patience !== undefined && --s.patience === 0) await this.#decide(s, input, results, signal)
          if (s.waitingSince === undefined || !s.current) continue
          if (input.time - s.waitingSince < this.#options.approvalUs) continue
          s.waitingSince = undefined
          s.current = this.#next(s.current, 'expired', ['nobody answered in time'], input.time)
          results.push(emit(decisions, s.current, input))
          s.current = undefined
        }
      }
    }
    return results
  }

  async #incident(incident: Incident, input: Input, results: Result[], signal: AbortSignal): Promise<void> {
    this.#budget.see(incident)
    if (incident.state === 'closed' || incident.state === 'merged') {
      this.#standing.delete(incident.id)
      return
    }
    const s = this.#standing.get(incident.id) ?? { incident, tried: [], attempt: 0, paged: false }
    s.incident = incident
    this.#standing.set(incident.id, s)
    if (incident.verdict === 'cause_named') {
      s.named = incident
      this.#signatures.set(incident.id, withStage(this.#signatures.get(incident.id) ?? [], signatureOf(incident)))
    }
    if (incident.verdict === 'cause_named') await this.#decide(s, input, results, signal)
  }

  async #decide(s: Standing, input: Input, results: Result[], signal: AbortSignal): Promise<void> {
    delete s.patience
    const incident = s.named
    if (!incident || s.current || s.stopped || s.incident.state === 'mitigated') return
    const about = `${incident.causes[0].entity} ${incident.causes[0].fault_kind}`
    if (s.said === about) return
    const { attempt, tried } = s
    const facts = this.#facts(incident, input.time)
    const suggestions = suggestFixes(signatureOf(incident), this.#fixes).slice(0, MOST.suggestions)
    const { policy, arm } = this.#inCharge(incident)
    const grounds: DecisionGrounds = { attempt, tried, now: input.time, facts, suggestions, arm }
    const decision = makeDecision(policy, incident, await this.#asked(policy, incident, grounds, signal))
    if (decision.action === 'page') {
      s.said = about
      if (s.paged) return
      s.paged = true
    }
    s.attempt++
    const inert =
      decision.mode === 'refuse' || decision.mode === 'observe' || decision.mode === 'shadow' || decision.mode === 'suggest'
    if (inert) s.said = about
    else s.current = decision
    if (decision.mode === 'approve') s.waitingSince = input.time
    results.push(emit(decisions, decision, input))
    // Nothing is done, and nobody would know: a person is called.
    if (isRefused(decision) && !s.paged) {
      s.paged = true
      const refused = `${decision.action} on ${decision.target} was refused: ${decision.reasons.at(-1)}`
      const call = makeDecision(policy, incident, { ...grounds, attempt: s.attempt++, refused })
      if (call.mode === 'act') s.current = call
      results.push(emit(decisions, call, input))
    }
    const { candidate } = this.#charge
    if (!candidate || candidate === policy) return
    const inShadowOf = `${policy.name} ${policy.version}`
    results.push(emit(decisions, makeDecision(candidate, incident, { ...grounds, inShadowOf }), input))
  }

  /** The grounds with the policy service's answer about what would be chosen on them. */
  async #asked(policy: Policy, incident: Incident, grounds: DecisionGrounds, signal: AbortSignal): Promise<DecisionGrounds> {
    if (!this.#options.ask) return grounds
    const choice = chooseAction(policy, incident, grounds)
    if (choice.action === 'page') return grounds
    const policyService = await this.#options.ask(choice, incident, signal)
    return { ...grounds, facts: { ...grounds.facts, policyService } }
  }

  #facts(incident: Incident, now: number): DecisionGrounds['facts'] {
    const control = this.#controls.get(incident.environment)
    const errorBudgetLeft = this.#budget.left(incident.environment, now)
    return {
      environment: incident.environment,
      killSwitch: control?.kill_switch ?? false,
      ladder: (control?.ladder ?? {}) as Record<string, Mode>,
      defaultMode:
        // Empty: the kill switch or an experiment was set, and nothing said of modes.
        ((control?.default_mode || undefined) as Mode | undefined) ??
        wordFor(this.#options.environmentModes, incident.environment) ??
        this.#options.defaultMode,
      allow: this.#options.allow ?? [],
      deny: this.#options.deny ?? [],
      protectedEntities: control?.protected ?? [],
      maintenance: (control?.maintenance ?? []).map(w => ({ ...w, entities: w.entities ?? [] })),
      recent: (this.#deeds.get(incident.environment) ?? [])
        .filter(d => d.time > now - HOUR_US)
        .map(({ decision: _decision, ...deed }) => deed),
      limits: this.#options.limits,
      ...(errorBudgetLeft !== undefined && { errorBudgetLeft }),
    }
  }

  /** The policy of the experiment's arm that the incident falls into, else the environment's, else the one in charge. */
  #inCharge({ environment, id, causes }: Incident): { policy: Policy; arm?: DecisionGrounds['arm'] } {
    const text = this.#controls.get(environment)?.experiment
    const experiment = text ? (JSON.parse(text) as Experiment) : undefined
    const given: Arm | undefined = experiment && assignArm(experiment, id)
    // One that does harm is given nothing more: its share goes to the first.
    const arm = experiment && given && this.#stopped(environment, experiment).includes(given.name) ? experiment.arms[0] : given
    const policy = arm && this.#options.policies?.[arm.policy]
    const named = wordFor(this.#options.environmentPolicies ?? {}, environment)
    if (!experiment || !arm || !policy) {
      const canary = this.#charge.canaryFor(causes[0]?.entity ?? '')
      return { policy: canary ?? this.#options.policies?.[named ?? ''] ?? this.#charge.policy }
    }
    return { policy, arm: { experiment: experiment.name, arm: arm.name } }
  }

  #stopped(environment: string, experiment: Experiment): readonly string[] {
    const none = { acts: 0, harmful: 0 }
    return stoppedArms(
      experiment,
      experiment.arms.map(
        ({ name }) => this.#harms.get(keyOf(environment, `experiment ${experiment.name}: arm ${name}`)) ?? none,
      ),
    )
  }

  #learn(fix: RecordedFix['fix'], stages: readonly Signature[] | undefined): void {
    if (!stages) return
    this.#fixes = [...this.#fixes.filter(f => f.fix.id !== fix.id), { fix, stages }].slice(-MOST.fixes)
  }

  #outcome(o: Outcome, input: Input, results: Result[]): void {
    const deeds = this.#deeds.get(o.environment) ?? []
    this.#deeds.set(o.environment, deeds)
    const known = deeds.find(d => d.decision === o.decision)
    if (o.status === 'started') {
      if (!known)
        deeds.push({
          decision: o.decision,
          action: o.action,
          target: o.target,
          time: o.time,
          disruptive: isDisruptive(o.action),
          finished: false,
        })
      return
    }
    if (!isFinal(o)) return
    if (known) deeds[deeds.indexOf(known)] = { ...known, finished: true }
    while (deeds.length > 0 && deeds[0].time < o.time - HOUR_US) deeds.shift()
    if (o.action !== 'page' && o.status !== 'unfinished')
      this.#learn(
        {
          id: o.id,
          command: `${o.action} ${o.target}`,
          action: o.action,
          target: o.target,
          success: o.status === 'done',
          who: 'aegis',
          time: o.time,
        },
        this.#signatures.get(o.incident),
      )
    const s = this.#standing.get(o.incident)
    if (!s?.current || s.current.decision !== o.decision) return
    const demotion: ModelVersion | undefined =
      this.#options.models && this.#charge.judge(o, `${s.current.policy}@${s.current.policy_version}`)
    if (demotion) results.push(emit(models, demotion, input))
    const arm = s.current.reasons.find(reason => /^experiment .*: arm /.test(reason))
    if (arm && o.action !== 'page') {
      const key = keyOf(o.environment, arm)
      const { acts, harmful } = this.#harms.touch(key) ?? { acts: 0, harmful: 0 }
      this.#harms.set(key, { acts: acts + 1, harmful: harmful + (isUnsafe(o) ? 1 : 0) })
    }
    s.tried.push({ action: s.current.action, target: s.current.target })
    s.current = undefined
    // It did not help: the next candidate, and in the end a person.
    if (o.status !== 'done' && s.incident.state !== 'mitigated') s.patience = PATIENCE_TICKS
  }

  #next(decision: Decision, status: string, reasons: readonly string[], time: number): Decision {
    return { ...decision, id: idOf(decision.decision, status), status, time, reasons: [...decision.reasons, ...reasons] }
  }

  snapshot(): Uint8Array {
    return Buffer.from(
      JSON.stringify({
        clocks: this.#clocks,
        charge: this.#charge,
        budget: this.#budget,
        standing: [...this.#standing],
        deeds: [...this.#deeds],
        controls: [...this.#controls],
        signatures: this.#signatures,
        fixes: this.#fixes,
        harms: this.#harms,
      }),
    )
  }
  restore(bytes: Uint8Array, version = this.snapshotVersion): void {
    const state = JSON.parse(Buffer.from(bytes).toString())
    this.#clocks.fromJSON(state.clocks)
    this.#charge.fromJSON(state.charge)
    this.#budget.fromJSON(state.budget)
    // Before version 3 attempts were actions alone, all on the first suspect.
    this.#standing = new Map(
      (state.standing as [string, Standing & { tried: (Attempt | string)[] }][]).map(([id, s]) => {
        const target = s.incident.causes[0]?.entity ?? ''
        return [
          id,
          {
            ...s,
            // Before version 4 the newest named revision was not kept, and a call and a person's stop were one.
            named: s.named ?? (s.incident.verdict === 'cause_named' ? s.incident : undefined),
            stopped: version < 4 ? s.paged : s.stopped,
            tried: s.tried.map(t => (typeof t === 'string' ? { action: t, target } : t)),
          },
        ]
      }),
    )
    this.#deeds = new Map(state.deeds)
    this.#harms.load(state.harms ?? [])
    this.#controls = new Map(state.controls)
    // Before version 2 nothing was learned from fixes.
    // Before version 5 an incident was kept as it looked last.
    const stagesOf = (v: Signature | readonly Signature[]) => (Array.isArray(v) ? (v as readonly Signature[]) : [v as Signature])
    this.#signatures.load(
      ((state.signatures ?? []) as [string, Signature | readonly Signature[]][]).map(([id, v]) => [id, stagesOf(v)]),
    )
    this.#fixes = ((state.fixes ?? []) as (RecordedFix & { signature?: Signature })[]).map(({ fix, stages, signature }) => ({
      fix,
      stages: stages ?? stagesOf(signature ?? {}),
    }))
  }
}
