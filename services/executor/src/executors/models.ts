import { type Action, type Executor, type Found, type ModelVersion, nameOf, type Receipt } from '@aegis/domain'
import { earlierVersion, moved, POLICY_MODEL, presentVersion, RULES_VERSION } from '@aegis/model-registry'

export interface ModelsExecutorOptions {
  /** Every version on the `models` stream, oldest first. */
  readonly versions: () => readonly ModelVersion[]
  readonly publish: (version: ModelVersion) => Promise<void>
  /** Microseconds. */
  readonly now: () => number
}

/** Puts the version of a model in force that was before the present one; it is held there until somebody releases it. */
export class ModelsExecutor implements Executor {
  readonly name = 'models'
  readonly actions = ['rollback_deploy']
  readonly #options: ModelsExecutorOptions

  constructor(options: ModelsExecutorOptions) {
    this.#options = options
  }

  async execute(action: Action, id: string): Promise<Receipt> {
    if (action.action !== 'rollback_deploy')
      throw new Error(`${action.action} cannot be done to ${action.target}: a model is rolled back, or a person is called`)
    const { versions, publish, now } = this.#options
    const model = nameOf(action.target)
    const all = versions()
    const done = this.#done(all, model, id)
    if (done) return done
    const { to } = action.parameters
    const before = presentVersion(all, model)
    const chosen = earlierVersion(all, model, {
      ...(to && { to }),
      ...(model === POLICY_MODEL && {
        floor: { id: POLICY_MODEL, environment: '*', time: 0, version: RULES_VERSION, state: 'held' },
      }),
    })
    await publish({
      ...moved(chosen, 'held', now()),
      lineage: { ...chosen.lineage, decision: id, took_over_from: before.version },
    })
    return this.#receipt(action, before.version, chosen.version)
  }

  async find(action: Action, id: string): Promise<Found> {
    return this.#done(this.#options.versions(), nameOf(action.target), id) ?? 'not-done'
  }

  #done(all: readonly ModelVersion[], model: string, id: string): Receipt | undefined {
    const made = all.findLast(v => v.id === model && v.lineage?.decision === id)
    return made && { text: `${model}: version ${made.version} is held in place of ${made.lineage?.took_over_from ?? 'another'}` }
  }
  #receipt(action: Action, before: string, after: string): Receipt {
    return {
      text: `${nameOf(action.target)}: version ${after} is held in place of ${before}`,
      undo: { ...action, parameters: { to: before } },
    }
  }
}
