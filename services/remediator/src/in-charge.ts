import { isDisruptive, type ModelVersion, models, type Outcome, type Policy, type Tick } from '@aegis/domain'
import { CANDIDATE_MODEL, isCanary, isShadow, POLICY_MODEL, RULES_VERSION } from '@aegis/model-registry'

interface Named {
  readonly version: string
  readonly time: number
}
interface Saved {
  readonly present?: Named
  readonly candidate?: Named
  readonly canary?: boolean
  readonly demoted?: Named
  readonly stopped?: number
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
  /** Whether the candidate decides for its share of entities. */
  #canary = false
  /** What an unsafe act has demoted, and when: it comes back only when it is promoted anew. */
  #demoted: Named | undefined
  /** When a canary did harm: it comes back only when it is promoted anew. */
  #stopped: number | undefined
  readonly #loaded = new Map<string, Policy | undefined>()

  constructor(options: InChargeOptions) {
    this.#options = options
  }

  see(tick: Tick): void {
    const present = tick.inForce(models, POLICY_MODEL)
    if (present) this.#present = this.#take(present)
    const candidate = tick.inForce(models, CANDIDATE_MODEL)
    if (!candidate) return
    const stopped = this.#stopped !== undefined && candidate.time <= this.#stopped
    this.#canary = candidate.state === 'canary' && !stopped
    this.#candidate = isShadow(candidate) || this.#canary ? this.#take(candidate) : undefined
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
  /** The candidate, where it is a canary and this entity is one of its own. */
  canaryFor(entity: string): Policy | undefined {
    return this.#canary && this.#candidate && isCanary(this.#candidate.version, entity) ? this.candidate : undefined
  }
  get candidate(): Policy | undefined {
    return this.#candidate && this.#loaded.get(this.#candidate.version)
  }
  #rules(): Policy {
    return this.#options.load({ version: RULES_VERSION } as ModelVersion)
  }

  /** What to publish when this outcome shows an unsafe act: a disruptive action that failed and left its target in worse health. */
  judge(o: Outcome, decidedBy: string): ModelVersion | undefined {
    const { policy, candidate } = this
    const [before, after] = [o.health_before ?? 0, o.health_after ?? 0]
    if (this.#canary && candidate && isUnsafe(o) && decidedBy === `${candidate.name}@${candidate.version}`) {
      const { version } = this.#candidate as Named
      this.#canary = false
      this.#candidate = undefined
      this.#stopped = o.time
      return {
        id: CANDIDATE_MODEL,
        environment: '*',
        time: o.time,
        version,
        state: 'rolled_back',
        metrics: { health_before: before, health_after: after },
        lineage: { reason: `unsafe act as a canary: ${o.action} ${o.target} ${o.status}`, decision: o.decision },
      }
    }
    if (!isUnsafe(o) || policy.name === 'rules' || decidedBy !== `${policy.name}@${policy.version}`) return undefined
    this.#demoted = { version: policy.version, time: o.time }
    return {
      id: POLICY_MODEL,
      environment: '*',
      time: o.time,
      version: RULES_VERSION,
      state: 'held',
      metrics: { health_before: before, health_after: after },
      lineage: {
        took_over_from: decidedBy,
        reason: `unsafe act: ${o.action} ${o.target} ${o.status}, health ${before} before and ${after} after`,
        decision: o.decision,
      },
    }
  }

  toJSON(): Saved {
    return {
      present: this.#present,
      candidate: this.#candidate,
      canary: this.#canary,
      stopped: this.#stopped,
      demoted: this.#demoted,
    }
  }
  fromJSON(saved: Saved | undefined): void {
    this.#demoted = saved?.demoted
    this.#canary = saved?.canary ?? false
    this.#stopped = saved?.stopped
    const again = (named: Named | undefined, id: string): Named | undefined => {
      const model = named && this.#options.latest?.(id)
      return model?.version === named?.version && model ? this.#take(model) : named
    }
    this.#present = again(saved?.present, POLICY_MODEL)
    this.#candidate = again(saved?.candidate, CANDIDATE_MODEL)
  }
}
