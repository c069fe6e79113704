/**
 * Incidents as the pipeline hands them over, with a hidden truth: what a policy for real incidents is trained on before it has met any.
 *
 * An episode draws a service graph, a fault on one of its services, and the diagnosis that would come of it (`simulated-diagnosis.ts`), which is
 * right about as often as its confidence says; a failed attempt sometimes brings a better one. What heals what comes from two places. In half of the
 * episodes it is the demo shop's: its service graph, its faults, and what each action was measured to do to each (`shop-effects.json`,
 * `lab/bench/remediation-effects.ts`). In the other half it is general knowledge of operations with wide margins (`HEALS`) on random graphs, redrawn for
 * every episode (domain randomisation, Tobin et al. 2017), so that the policy learns to read evidence and to change its mind, not one system's
 * habits. The policy sees what it sees in service: `encodeSituation` of an incident, and the options of `optionsOf`.
 */
import { type ActionName, type Incident, isDisruptive, SEVERITIES, seededRandom } from '@aegis/domain'
import { encodeSituation, FEATURES } from '@aegis/remediation/encode-situation'
import { type Attempt, OPTIONS, optionsOf } from '@aegis/remediation/options'
import type { Environment } from '@aegis/remediation/ppo'
import measured from './shop-effects.json' with { type: 'json' }
import { drawDiagnosis, drawGraph, type HiddenFault, type Kind, type ServiceGraph } from './simulated-diagnosis.ts'

/** What was measured on the demo shop. */
export interface ShopEffects {
  /** Who calls whom; callers stand before whom they call. */
  readonly services: readonly string[]
  readonly calls: readonly (readonly string[])[]
  readonly faults: readonly {
    readonly name: string
    readonly service: string
    /** Its kind, and what it may be called instead. */
    readonly kind: string
    readonly takenFor: readonly string[]
    /** Times each action on the faulty service was tried, and how often the shop was well again. */
    readonly heals: Readonly<Record<string, { readonly tried: number; readonly healed: number; readonly seconds: number | null }>>
  }[]
  /** Bad seconds that each action brings when it is done to a service that is well. */
  readonly harm: Readonly<Record<string, number>>
}
export const SHOP: ShopEffects = measured

interface Truth {
  readonly prior: number
  /** Usual chance that an action on the right entity heals it. */
  readonly heals: Partial<Record<ActionName, number>>
  /** What the diagnosis may call it instead. */
  readonly takenFor: readonly Kind[]
}
// biome-ignore format: a table
export const HEALS: Partial<Record<Kind, Truth>> = {
  crash: { prior: 0.14, heals: { start: 0.85, restart: 0.85 }, takenFor: ['error', 'network', 'unknown'] },
  memory: { prior: 0.12, heals: { restart: 0.85, rollback_deploy: 0.3, raise_limit: 0.2 }, takenFor: ['cpu', 'latency', 'unknown'] },
  cpu: { prior: 0.12, heals: { restart: 0.65, scale_out: 0.6 }, takenFor: ['latency', 'memory', 'latency'] },
  deploy: { prior: 0.16, heals: { rollback_deploy: 0.92 }, takenFor: ['error', 'crash', 'latency'] },
  config: { prior: 0.12, heals: { revert_config: 0.92, rollback_deploy: 0.1 }, takenFor: ['error', 'crash', 'latency'] },
  pool: { prior: 0.1, heals: { raise_limit: 0.75, restart: 0.45 }, takenFor: ['latency', 'latency', 'error'] },
  latency: { prior: 0.08, heals: { raise_limit: 0.3, restart: 0.5, scale_out: 0.35 }, takenFor: ['pool', 'network', 'cpu'] },
  disk: { prior: 0.08, heals: { clean_disk: 0.9 }, takenFor: ['error', 'error', 'unknown'] },
  network: { prior: 0.04, heals: { restart: 0.1, scale_out: 0.1 }, takenFor: ['latency', 'error'] },
  error: { prior: 0.04, heals: { restart: 0.35, rollback_deploy: 0.3, revert_config: 0.2 }, takenFor: ['crash', 'unknown'] },
}
const TRUTHS = Object.entries(HEALS) as readonly [Kind, Truth][]
const LONGEST = 6
const MINUTE_US = 60e6
/** Confidence from which root-cause analysis names a cause, and the guard's limit for acting on one, as shipped. */
const NAMED_FROM = 0.3
const MINIMUM_CONFIDENCE = 0.4
const PAGE = OPTIONS.findIndex(o => o.action === 'page')
/** Cost of an attempt, of a disruptive one, of one on the wrong entity on top; of a page, and minutes until a person has healed it. */
const COSTS = { attempt: 0.6, disruptive: 1.5, wrong: 1.5, page: 8, personMinutes: 10, impact: 2 }

export class IncidentSim implements Environment {
  readonly features = FEATURES
  readonly actions = OPTIONS.length
  readonly truncated = false
  done = true
  healed = false
  tried: Attempt[] = []
  incident!: Incident
  options!: ReturnType<typeof optionsOf>
  /** Disruptive acts that could not have helped. */
  unsafe = 0
  /** Name of the demo shop's fault, where it is one. */
  shopFault: string | undefined
  #random: () => number = () => 0
  #graph!: ServiceGraph
  #fault!: HiddenFault
  #works = new Set<string>()
  #minutes = 0
  #level = 0
  #clarity = 0

  reset(seed: number): void {
    const random = seededRandom(seed)
    for (let i = 0; i < 3; i++) random()
    this.#random = random
    if (random() < 0.5) this.#shop()
    else this.#general()
    this.#minutes = 0.1 + (random() < 0.15 ? 15 : 0.6) * random()
    // What is acted on is seldom of low severity.
    this.#level = Math.min(3, Math.floor(0.5 + random() * 3.5))
    this.tried = []
    this.unsafe = 0
    this.healed = this.done = false
    this.#clarity = Math.sqrt(random())
    this.#diagnose(1 + Math.floor(random() * 4))
  }

  #shop(): void {
    const random = this.#random
    const { services, calls, faults } = SHOP
    const at = (name: string) => services.indexOf(name)
    const fault = faults[Math.floor(random() * faults.length)]
    const kind = fault.kind as Kind
    this.shopFault = fault.name
    this.#graph = {
      services: services.map(name => `service:${name}`),
      calls: calls.map(([from, to]) => [at(from), at(to)] as const),
    }
    this.#fault = {
      kind,
      takenFor: fault.takenFor as readonly Kind[],
      root: at(fault.service),
      changed: kind === 'deploy' || kind === 'config',
    }
    // A little of a doubt: few trials prove little.
    this.#works = new Set(
      Object.entries(fault.heals)
        .filter(([, { tried, healed }]) => random() < (healed + 0.1) / (tried + 0.2))
        .map(([action]) => action),
    )
  }

  #general(): void {
    const random = this.#random
    let left = random()
    const [kind, truth] = TRUTHS.find(([, t]) => (left -= t.prior) < 0) ?? TRUTHS[0]
    this.shopFault = undefined
    this.#graph = drawGraph(random)
    this.#fault = {
      kind,
      takenFor: truth.takenFor,
      // Not the edge itself, mostly.
      root: Math.floor(random() ** 0.7 * this.#graph.services.length),
      changed: kind === 'deploy' || kind === 'config',
    }
    this.#works = new Set(
      Object.entries(truth.heals)
        .filter(([, p]) => random() < Math.min(1, p * (0.5 + 0.8 * random())))
        .map(([action]) => action),
    )
  }

  observe(into: Float32Array, offset: number): void {
    into.set(encodeSituation(this.incident, this.tried), offset)
  }
  allowed(a: number): boolean {
    return a === PAGE || (this.tried.length < LONGEST && this.options[a].allowed)
  }
  mask(into: Uint8Array, offset: number): void {
    for (let a = 0; a < this.actions; a++) into[offset + a] = this.allowed(a) ? 1 : 0
  }
  /** The entity truly at fault. */
  get root(): string {
    return this.#graph.services[this.#fault.root]
  }
  /** What the first suspect is said to have. */
  get faultKind(): string {
    return this.incident.causes[0].fault_kind ?? 'unknown'
  }

  step(a: number): number {
    const { action, target } = this.options[a]
    const felt = (minutes: number) => {
      this.#minutes += minutes
      return COSTS.impact * ((this.#level + 1) / 4) * minutes
    }
    if (action === 'page') {
      this.done = true
      return -COSTS.page - felt(COSTS.personMinutes)
    }
    const right = target === this.root
    const works = right && this.#works.has(action)
    let cost = isDisruptive(action) ? COSTS.disruptive : COSTS.attempt
    if (!right) cost += (isDisruptive(action) ? COSTS.wrong : 0) + felt((SHOP.harm[action] ?? 0) / 60)
    if (isDisruptive(action) && !works) this.unsafe++
    this.tried.push({ action, target })
    if (works) {
      this.healed = this.done = true
      return -cost - felt(0.5)
    }
    const lost = felt(1 + this.#random())
    // Minutes later more is known, or the same is still believed.
    if (this.#random() < 0.5) {
      this.#clarity = Math.min(1, this.#clarity + 0.3 * this.#random())
      this.#diagnose(this.incident.revision + 1)
    } else this.#tell(this.incident)
    return -cost - lost
  }

  #tell(incident: Incident): void {
    this.incident = { ...incident, time: this.#minutes * MINUTE_US }
    this.options = optionsOf(incident.causes, this.tried, MINIMUM_CONFIDENCE)
  }

  #diagnose(revision: number): void {
    const random = this.#random
    let drawn = drawDiagnosis(this.#graph, this.#fault, this.#clarity, random)
    // Nothing is decided before a cause is named; meanwhile more is seen.
    for (let more = 0; more < 8 && drawn.causes[0].confidence < NAMED_FROM; more++) {
      this.#clarity = Math.min(1, this.#clarity + 0.1)
      drawn = drawDiagnosis(this.#graph, this.#fault, this.#clarity, random)
    }
    const { causes, health, entities } = drawn
    this.#tell({
      id: 'simulated',
      environment: 'simulated',
      time: 0,
      started: 0,
      state: 'open',
      revision,
      severity: SEVERITIES[this.#level],
      entities: [...entities],
      anomalies: entities.flatMap(entity => Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => `${entity}${i}`)),
      health,
      verdict: 'cause_named',
      causes: [...causes],
      timeline: [],
      graph: this.#graph.calls.map(() => ({}) as Incident['graph'][number]),
      explanation: '',
    })
  }
}
