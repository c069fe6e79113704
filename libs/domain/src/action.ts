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
/** State of an action whose runner died half-way, as found in the world. */
export type Found = 'done' | 'not-done' | 'unknown'

/** Must be safe to call twice with one id: the second call finds the work done. */
export interface Executor {
  readonly name: string
  /** Actions it can carry out. */
  readonly actions: readonly string[]
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
export type ActionName = keyof typeof ACTIONS
export const isDisruptive = (action: string): boolean => ACTIONS[action as ActionName]?.disruptive ?? true
