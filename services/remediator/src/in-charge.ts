import { isDisruptive, type ModelVersion, models, type Outcome, type Policy, type Tick } from '@aegis/domain'
import { CANDIDATE_MODEL, isShadow, POLICY_MODEL, RULES_VERSION } from '@aegis/model-registry'

interface Named {
  readonly version: string
  readonly time: number
}
interface Saved {
  readonly present?: Named
  readonly candidate?: Named
  readonly demoted?: Named
}
export interface InChargeOptions {
  /** Who decides while nothing was promoted. */
  readonly policy: Policy
  readonly load: (version: ModelVersion) => Policy
  /** The newest version of a model, asked for once after a restart; from then on ticks name it. */
  readonly latest?: (id: string) => ModelVersion | undefined
  readonly onFailed?: (version: string, error: Error) => void
}
/** Health, of 1, that an entity must have lost for an act that failed to be called unsafe. */
const WORSE = 0.05

/** A disruptive action that failed and left its target in worse health. */
export const isUnsafe = (o: Outcome): boolean =>
  isDisruptive(o.action) &&
  (o.status === 'failed' || o.status === 'undone') &&
  // What nobody measured says nothing.
  o.health_before != null &&
  o.health_after != null &&
  o.health_after < o.health_before - WORSE

/** Who decides and who speaks in its shadow, as the models stream says at each tick; an unsafe act puts the rule table in charge at once. */
export class InCharge {
  readonly #options: InChargeOptions
  #present: Named | undefined
  #candidate: Named | undefined
  /** What an unsafe act has demoted, and when: it comes back only when it is promoted anew. */
  #demoted: Named | undefined
  readonly #loaded = new Map<string, Policy | undefined>()

  constructor(options: InChargeOptions) {
    this.#options = options
  }

  see(tick: Tick): void {
    const present = tick.inForce(models, POLICY_MODEL)
    if (present) this.#present = this.#take(present)
    const candidate = tick.inForce(models, CANDIDATE_MODEL)
    if (candidate) this.#candidate = isShadow(candidate) ? this.#take(candidate) : undefined
  }
  /** A version that cannot be read changes nothing but the log. */
  #take(model: ModelVersion): Named {
    if (!this.#loaded.has(model.version)) {
      try {
        this.#loaded.set(model.version, this.#options.load(model))
      } catch (error) {
        this.#loaded.set(model.version, undefined)
        this.#options.onFailed?.(model.version, error as Error)
      }
    }
    return { version: model.version, time: model.time }
  }

  get policy(): Policy {
    const named = this.#present
    const demoted = this.#demoted && (!named || named.time <= this.#demoted.time)
    return (
      (named && !demoted ? this.#loaded.get(named.version) : undefined) ??
      (named || demoted ? this.#rules() : this.#options.policy)
    )
  }
  get candidate(): Policy | undefined {
    return this.#candidate && this.#loaded.get(this.#candidate.version)
  }
  #rules(): Policy {
    return this.#options.load({ version: RULES_VERSION } as ModelVersion)
  }

  /** What to publish when this outcome shows an unsafe act: a disruptive action that failed and left its target in worse health. */
  judge(o: Outcome, decidedBy: string): ModelVersion | undefined {
    const { policy } = this
    if (!isUnsafe(o) || policy.name === 'rules' || decidedBy !== `${policy.name}@${policy.version}`) return undefined
    const { health_before: before, health_after: after } = o
    this.#demoted = { version: policy.version, time: o.time }
    return {
      id: POLICY_MODEL,
      environment: '*',
      time: o.time,
      version: RULES_VERSION,
      state: 'held',
      metrics: { health_before: before ?? 0, health_after: after ?? 0 },
      lineage: {
        took_over_from: decidedBy,
        reason: `unsafe act: ${o.action} ${o.target} ${o.status}, health ${before} before and ${after} after`,
        decision: o.decision,
      },
    }
  }

  toJSON(): Saved {
    return { present: this.#present, candidate: this.#candidate, demoted: this.#demoted }
  }
  fromJSON(saved: Saved | undefined): void {
    this.#demoted = saved?.demoted
    const again = (named: Named | undefined, id: string): Named | undefined => {
      const model = named && this.#options.latest?.(id)
      return model?.version === named?.version && model ? this.#take(model) : named
    }
    this.#present = again(saved?.present, POLICY_MODEL)
    this.#candidate = again(saved?.candidate, CANDIDATE_MODEL)
  }
}
