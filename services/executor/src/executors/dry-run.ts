import { ACTIONS, type Action, type Executor, type Found, PLATFORM_ACTIONS, type Receipt } from '@aegis/domain'

/** Says what would be done, and does nothing. */
export class DryRun implements Executor {
  readonly name = 'dry-run'
  readonly actions = [...Object.keys(ACTIONS), ...Object.keys(PLATFORM_ACTIONS)]

  async execute(action: Action): Promise<Receipt> {
    return { text: `dry run: ${action.action} ${action.target} was not carried out` }
  }
  async find(): Promise<Found> {
    return 'not-done'
  }
}
