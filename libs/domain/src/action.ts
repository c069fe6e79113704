/** Something that could be done to an entity. */
export interface Action {
  readonly action: string
  readonly target: string
  readonly environment: string
  readonly parameters: Readonly<Record<string, string>>
}
export interface Receipt {
  /** What the system acted on said. */
  readonly text: string
  /** How to take it back, where it can be. */
  readonly undo?: Action
}
/**
 * What became of an action whose runner died half-way, as found in the world: what was done; that it was not; that it cannot be seen, but calling
 * again with the same id is safe; or that nobody can tell.
 */
export type Found = Receipt | 'not-done' | 'ask-again' | 'unknown'

/** It was carried out, and the system acted on does not show that it worked. */
export class Unverified extends Error {
  readonly receipt: Receipt
  constructor(message: string, receipt: Receipt) {
    super(message)
    this.name = 'Unverified'
    this.receipt = receipt
  }
}

/** Must be safe to call twice with one id: the second call finds the work done. */
export interface Executor {
  readonly name: string
  /** Actions it can carry out. */
  readonly actions: readonly string[]
  /** Ends when the status of the system acted on shows that it worked, where it has one; `Unverified` when it does not by the time it is stopped. */
  execute(action: Action, id: string, signal: AbortSignal): Promise<Receipt>
  /** Looks whether the action with this id was carried out; asked after a restart. */
  find(action: Action, id: string, signal: AbortSignal): Promise<Found>
}

/** Every action Aegis knows: what it does, and whether users notice it being done. */
export const ACTIONS = {
  restart: { disruptive: true, about: 'Stop the entity and start it again.' },
  start: { disruptive: false, about: 'Start an entity that is down.' },
  scale_out: { disruptive: false, about: 'Add one replica.' },
  rollback_deploy: { disruptive: true, about: 'Go back to the release before the last one.' },
  revert_config: { disruptive: true, about: 'Go back to the configuration before the last one.' },
  raise_limit: { disruptive: false, about: 'Raise the limit of the exhausted resource by half.' },
  clean_disk: { disruptive: false, about: 'Remove what may be removed from the full disk.' },
  page: { disruptive: false, about: 'Call a person.' },
} as const
/**
 * What an orchestrator offers beyond that. Carried out when decided; no policy that ships with Aegis chooses them, and they are no part of
 * what its models see, whose inputs and outputs follow `ACTIONS`.
 */
export const PLATFORM_ACTIONS = {
  stop: { disruptive: true, about: 'Stop the entity.' },
  rollout_restart: { disruptive: true, about: 'Replace the replicas one after the other.' },
  scale: { disruptive: true, about: 'Set the number of replicas to the parameter replicas.' },
  delete_pod: { disruptive: true, about: 'Delete one pod; its controller makes another.' },
  cordon: { disruptive: false, about: 'Let nothing new be placed on the node.' },
  uncordon: { disruptive: false, about: 'Let the node be used again.' },
  drain: { disruptive: true, about: 'Move everything off the node and let nothing new onto it.' },
} as const
export type ActionName = keyof typeof ACTIONS
/** What nobody knows counts as disruptive. */
export const isDisruptive = (action: string): boolean =>
  ACTIONS[action as ActionName]?.disruptive ?? PLATFORM_ACTIONS[action as keyof typeof PLATFORM_ACTIONS]?.disruptive ?? true

const FINAL = ['done', 'failed', 'undone', 'unfinished']
/** Whether an outcome of this status is the last word on its decision; a page's is that it was carried out. */
export const isFinal = (outcome: { readonly status: string; readonly action: string }): boolean =>
  FINAL.includes(outcome.status) || (outcome.action === 'page' && outcome.status === 'carried_out')
