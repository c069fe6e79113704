import { type Action, type Decision, type Executor, idOf, type Outcome, outcomes } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { Coordination } from './coordination.ts'

export interface RunnerOptions {
  readonly timeoutMs: number
  /** Executors by environment; the last fitting pattern wins, `*` at the end stands for anything. */
  readonly executorFor: (environment: string, action: string) => Executor
}

/**
 * Acts in the world, outside transactions. What it did comes back as an outcome on its stream; a decision is claimed first and the target
 * leased, so that two executors never act on one entity at a time, and a repeated decision finds its work done.
 */
export class Runner {
  readonly #context: ServiceContext
  readonly #coordination: Coordination
  readonly #options: RunnerOptions
  readonly #underWay = new Map<string, AbortController>()

  constructor(context: ServiceContext, coordination: Coordination, options: RunnerOptions) {
    this.#context = context
    this.#coordination = coordination
    this.#options = options
  }

  /** Starts the work and returns at once. `resumed`: it had been started before a restart, and may or may not have happened. */
  start(decision: Decision, resumed: boolean): void {
    if (this.#underWay.has(decision.decision)) return
    const abort = new AbortController()
    this.#underWay.set(decision.decision, abort)
    void this.#run(decision, resumed, abort)
      .then(outcome => this.#tell(decision, outcome))
      .finally(() => this.#underWay.delete(decision.decision))
  }

  stop(): void {
    for (const abort of this.#underWay.values()) abort.abort(new Error('the executor is stopping'))
  }

  async #run(
    decision: Decision,
    resumed: boolean,
    abort: AbortController,
  ): Promise<Pick<Outcome, 'status' | 'receipt' | 'error'>> {
    const { environment, target } = decision
    const action: Action = { action: decision.action, target, environment, parameters: decision.parameters ?? {} }
    const holder = decision.decision
    const timer = setTimeout(
      () => abort.abort(new Error(`no answer within ${this.#options.timeoutMs / 1000} s`)),
      this.#options.timeoutMs,
    )
    let leased = false
    try {
      const executor = this.#options.executorFor(environment, action.action)
      if (action.action !== 'page' && !(await this.#coordination.mayAct(environment)))
        return { status: 'failed', error: 'stopped: the kill switch is on, or its mirror is silent' }
      if (!(await this.#coordination.claim(decision.decision, holder)))
        return { status: 'failed', error: 'another executor has claimed this decision' }
      leased = await this.#coordination.lease(environment, target, holder, this.#options.timeoutMs + 5000)
      if (!leased) return { status: 'failed', error: `another action on ${target} is under way` }
      if (resumed) {
        const found = await executor.find(action, decision.decision, abort.signal)
        if (found === 'done') return { status: 'carried_out', receipt: 'found done after a restart' }
        if (found === 'unknown')
          return { status: 'unfinished', error: 'the executor restarted half-way and cannot tell whether it was done' }
      }
      const receipt = await executor.execute(action, decision.decision, abort.signal)
      return { status: 'carried_out', receipt: `${executor.name}: ${receipt.text}` }
    } catch (error) {
      return {
        status: 'failed',
        error: abort.signal.aborted ? String(abort.signal.reason?.message ?? abort.signal.reason) : (error as Error).message,
      }
    } finally {
      clearTimeout(timer)
      if (leased) await this.#coordination.release(environment, target, holder).catch(() => undefined)
    }
  }

  async #tell(decision: Decision, outcome: Pick<Outcome, 'status' | 'receipt' | 'error'>): Promise<void> {
    const value: Outcome = {
      id: idOf(decision.decision, outcome.status),
      environment: decision.environment,
      time: this.#context.now(),
      decision: decision.decision,
      incident: decision.incident,
      action: decision.action,
      target: decision.target,
      ...outcome,
    }
    for (let wait = 100; ; wait = Math.min(5000, wait * 2)) {
      try {
        await this.#context.publish(outcomes, [value])
        return
      } catch (error) {
        // The deed is done; its word must get through, however long the broker is away.
        this.#context.log.warn({ err: error, decision: decision.decision }, 'outcome not yet on the broker')
        await new Promise(resolve => setTimeout(resolve, wait))
      }
    }
  }
}
