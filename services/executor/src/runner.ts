import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Action, type Decision, type Executor, idOf, type Outcome, outcomes, type Receipt, Unverified } from '@aegis/domain'
import type { ServiceContext } from '@aegis/runtime'
import type { Coordination } from './coordination.ts'

export interface RunnerOptions {
  /** Longest an action may take, milliseconds. */
  readonly timeoutMs: number
  /** Who carries out an action on an entity of an environment. */
  readonly executorFor: (environment: string, action: string, target: string) => Executor
  /** Why this executor itself does not do it; undefined where it may. */
  readonly objection?: (action: Action) => string | undefined
  /** How long to wait for the kill switch's word where there is none yet (after a restart, or in a new environment), milliseconds. */
  readonly permissionMs?: number
}
/** What is told of an action: everything about the outcome that the runner knows. */
type Word = Pick<Outcome, 'status' | 'receipt' | 'error' | 'undo'>
interface UnderWay {
  readonly environment: string
  readonly decision: string
  readonly action: string
  readonly abort: AbortController
}
const PERMISSION_MS = 10_000
const PERMISSION_POLL_MS = 200
/** How long an executor may look in the world for what became of an action, milliseconds. */
const LOOK_MS = 15_000
/** How long an executor that is told to stop may take to say how far it came, milliseconds. */
const DEAF_MS = 3000

/** Fails some time after the signal, for executors that do not hear it: nothing may stay open for ever. */
const overdue = (signal: AbortSignal): Promise<never> =>
  new Promise((_, fail) =>
    signal.addEventListener('abort', () => setTimeout(() => fail(signal.reason), DEAF_MS).unref(), { once: true }),
  )

const told = (receipt: Receipt): Pick<Outcome, 'receipt' | 'undo'> => ({
  receipt: receipt.text,
  undo: receipt.undo ? JSON.stringify(receipt.undo) : '',
})

/**
 * Acts in the world, outside transactions. What it did comes back as an outcome on its stream. A decision is claimed before it is carried
 * out, and the target leased: two executors never act on one entity at a time, nor both on one decision. When an attempt ends without a clear
 * answer (cancelled, out of time, killed half-way), the executor is asked to look; `failed` is only said of what did not happen or was refused,
 * and what nobody can tell is `unfinished`.
 */
export class Runner {
  readonly #context: ServiceContext
  readonly #coordination: Coordination
  readonly #options: RunnerOptions
  /** Claims are this process's: another one, or this one started again, is somebody else. */
  readonly #holder = randomUUID()
  readonly #underWay = new Map<string, UnderWay>()
  #stopping = false

  constructor(context: ServiceContext, coordination: Coordination, options: RunnerOptions) {
    this.#context = context
    this.#coordination = coordination
    this.#options = options
  }

  /** Starts the work and returns at once. `resumed`: it had been started before a restart, and may or may not have happened. */
  start(decision: Decision, resumed: boolean): void {
    const { action, target, environment } = decision
    const canary: Record<string, string> = decision.mode === 'canary' ? { canary: 'first' } : {}
    this.#begin(
      decision,
      decision.decision,
      { action, target, environment, parameters: { ...decision.parameters, ...canary } },
      resumed,
    )
  }

  /** Takes an action back that did not help; the answer is `taken_back`. */
  undo(decision: Decision, undo: Action, resumed: boolean): void {
    this.#begin(decision, `${decision.decision}-undo`, undo, resumed)
  }

  /** Stops what is under way for a decision, or in an environment; there, calling a person goes on. */
  cancel(which: { readonly decision?: string; readonly environment?: string }, reason: string): void {
    for (const w of this.#underWay.values())
      if (w.decision === which.decision || (w.environment === which.environment && w.action !== 'page'))
        w.abort.abort(new Error(reason))
  }

  /** Says nothing about what is under way: whoever takes over looks what became of it. */
  stop(): void {
    this.#stopping = true
    for (const { abort } of this.#underWay.values()) abort.abort(new Error('the executor is stopping'))
  }

  #begin(decision: Decision, id: string, action: Action, resumed: boolean): void {
    if (this.#underWay.has(id) || this.#stopping) return
    const abort = new AbortController()
    this.#underWay.set(id, { environment: decision.environment, decision: decision.decision, action: action.action, abort })
    void this.#run(id, action, resumed, abort)
      .then(word => (word ? this.#tell(decision, id, word) : undefined))
      .finally(() => this.#underWay.delete(id))
  }

  /** What to tell, or nothing when it is not ours to tell. */
  async #run(id: string, action: Action, resumed: boolean, abort: AbortController): Promise<Word | undefined> {
    const { timeoutMs } = this.#options
    const timer = setTimeout(() => abort.abort(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    let executor: Executor | undefined
    let leased = false
    let mayHaveBegun = resumed
    try {
      executor = this.#options.executorFor(action.environment, action.action, action.target)
      const objection = resumed ? undefined : this.#options.objection?.(action)
      if (objection !== undefined) return { status: 'failed', error: `not done: ${objection}` }
      const mine = await this.#coordination.claim(id, this.#holder)
      if (!mine && !resumed) return undefined // another process has it, and tells
      if (resumed) {
        const found = await executor.find(action, id, abort.signal)
        if (found === 'unknown')
          return { status: 'unfinished', error: 'the executor was stopped half-way, and nobody can tell whether it was done' }
        if (typeof found === 'object') return { status: 'carried_out', ...told(found) }
        mayHaveBegun = found === 'ask-again'
      }
      if (action.action !== 'page') {
        const word = await this.#permission(action.environment, abort.signal)
        if (word !== 'go')
          return {
            status: mayHaveBegun ? 'unfinished' : 'failed',
            error:
              word === 'stop'
                ? 'not done: the kill switch is on'
                : 'not done: the kill switch’s word is missing; ticks come from the clock, and Redis must answer',
          }
      }
      leased = await this.#coordination.lease(action.environment, action.target, id, timeoutMs + LOOK_MS)
      if (!leased) return { status: 'failed', error: `not done: another action on ${action.target} is under way` }
      abort.signal.throwIfAborted()
      mayHaveBegun = true
      const receipt = await Promise.race([executor.execute(action, id, abort.signal), overdue(abort.signal)])
      return { status: 'carried_out', ...told({ ...receipt, text: `${executor.name}: ${receipt.text}` }) }
    } catch (error) {
      if (this.#stopping) return undefined
      const reason = abort.signal.aborted ? String(abort.signal.reason?.message ?? abort.signal.reason) : (error as Error).message
      if (!mayHaveBegun) return { status: 'failed', error: `not done: ${reason}` }
      if (error instanceof Unverified) return { status: 'unverified', ...told(error.receipt), error: error.message }
      return await this.#look(executor, action, id, reason, abort.signal.aborted || resumed)
    } finally {
      clearTimeout(timer)
      if (leased) await this.#coordination.release(action.environment, action.target, id).catch(() => undefined)
    }
  }

  /** An attempt that ended without an answer may have had its effect all the same. */
  async #look(executor: Executor | undefined, action: Action, id: string, reason: string, cut: boolean): Promise<Word> {
    try {
      const found = await executor?.find(action, id, AbortSignal.timeout(LOOK_MS))
      if (found === 'not-done') return { status: 'failed', error: reason }
      if (typeof found === 'object') return { status: 'carried_out', ...told(found) }
    } catch (error) {
      return { status: 'unfinished', error: `${reason}; looking what became of it failed: ${(error as Error).message}` }
    }
    return cut
      ? { status: 'unfinished', error: `${reason}; nobody can tell whether it was done` }
      : { status: 'failed', error: reason }
  }

  async #permission(environment: string, signal: AbortSignal) {
    const { permissionMs = PERMISSION_MS } = this.#options
    for (let waited = 0; ; waited += PERMISSION_POLL_MS) {
      const word = await this.#coordination.mayAct(environment)
      if (word !== 'silent' || waited >= permissionMs) return word
      await sleep(PERMISSION_POLL_MS, undefined, { signal })
    }
  }

  async #tell(decision: Decision, id: string, word: Word): Promise<void> {
    const undone = id !== decision.decision
    const status = undone && (word.status === 'carried_out' || word.status === 'unverified') ? 'taken_back' : word.status
    const value: Outcome = {
      id: idOf(decision.decision, status),
      environment: decision.environment,
      time: this.#context.now(),
      decision: decision.decision,
      incident: decision.incident,
      action: decision.action,
      target: decision.target,
      ...word,
      status,
      undo: undone ? '' : word.undo,
      error: undone && status !== 'taken_back' ? `did not help, and could not be taken back: ${word.error}` : word.error,
    }
    for (let wait = 100; ; wait = Math.min(5000, wait * 2)) {
      try {
        await this.#context.publish(outcomes, [value])
        return
      } catch (error) {
        // The deed is done; its word must get through, however long the broker is away.
        this.#context.log.warn({ err: error, decision: decision.decision }, 'outcome not yet on the broker')
        await sleep(wait)
      }
    }
  }
}
