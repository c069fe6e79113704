/**
 * Incidents as the pipeline hands them over, with a hidden truth: what a policy for real incidents is trained on before it has met any.
 *
 * An episode draws a fault, a service graph's worth of symptoms, and a diagnosis that is right as often as its confidence says: the suspect and the
 * kind of fault may both be wrong, kinds are confused with their neighbours, and a failed attempt often brings a better diagnosis. What heals what
 * is general knowledge of operations with wide margins (`HEALS`), redrawn for every episode (domain randomisation, Tobin et al. 2017), so
 * that the policy learns to read evidence and to change its mind, not one system's habits. An action that did not work once does not work again.
 * No figure is taken from a particular system. The policy sees what it sees in service: `encodeSituation` of an incident.
 */
import { ACTIONS, type ActionName, type Cause, type Incident, isDisruptive, seededRandom } from '@aegis/domain'
import { encodeSituation, type FAULT_KINDS, FEATURES } from '../encode-situation.ts'
import type { Environment } from '../ppo.ts'

export const INCIDENT_ACTIONS = Object.keys(ACTIONS) as readonly ActionName[]
type Kind = (typeof FAULT_KINDS)[number]
interface Truth {
  readonly prior: number
  /** Usual chance that an action on the right entity heals it. */
  readonly heals: Partial<Record<ActionName, number>>
  /** What the diagnosis may call it instead. */
  readonly takenFor: readonly Kind[]
  readonly signs: readonly ('metric' | 'log' | 'trace' | 'change')[]
}
// biome-ignore format: a table
export const HEALS: Partial<Record<Kind, Truth>> = {
  crash: { prior: 0.14, heals: { start: 0.85, restart: 0.85 }, takenFor: ['error', 'network', 'unknown'], signs: ['log', 'trace'] },
  memory: { prior: 0.12, heals: { restart: 0.85, rollback_deploy: 0.3, raise_limit: 0.2 }, takenFor: ['cpu', 'latency', 'unknown'], signs: ['metric'] },
  cpu: { prior: 0.12, heals: { restart: 0.65, scale_out: 0.6 }, takenFor: ['latency', 'memory'], signs: ['metric'] },
  deploy: { prior: 0.16, heals: { rollback_deploy: 0.92 }, takenFor: ['error', 'config', 'latency'], signs: ['log', 'change', 'trace'] },
  config: { prior: 0.12, heals: { revert_config: 0.92, rollback_deploy: 0.1 }, takenFor: ['error', 'deploy', 'latency'], signs: ['log', 'change', 'trace'] },
  pool: { prior: 0.1, heals: { raise_limit: 0.75, restart: 0.45 }, takenFor: ['latency', 'error'], signs: ['metric', 'log'] },
  latency: { prior: 0.08, heals: { raise_limit: 0.3, restart: 0.5, scale_out: 0.35 }, takenFor: ['pool', 'network', 'cpu'], signs: ['metric', 'trace'] },
  disk: { prior: 0.08, heals: { clean_disk: 0.9 }, takenFor: ['error', 'unknown'], signs: ['metric', 'log'] },
  network: { prior: 0.04, heals: { restart: 0.1, scale_out: 0.1 }, takenFor: ['latency', 'error'], signs: ['trace'] },
  error: { prior: 0.04, heals: { restart: 0.35, rollback_deploy: 0.3, revert_config: 0.2 }, takenFor: ['deploy', 'config', 'crash'], signs: ['log'] },
}
const TRUTHS = Object.entries(HEALS) as readonly [Kind, Truth][]
const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const
const LONGEST = 6
const MINUTE_US = 60e6
/** Cost of an attempt, of a disruptive one, of one on the wrong entity on top; of a page, and minutes until a person has healed it. */
const COSTS = { attempt: 0.6, disruptive: 1.5, wrong: 1.5, page: 8, personMinutes: 10, impact: 2 }

export class IncidentSim implements Environment {
  readonly features = FEATURES
  readonly actions = INCIDENT_ACTIONS.length
  readonly truncated = false
  done = true
  healed = false
  tried: string[] = []
  incident!: Incident
  /** Disruptive acts that could not have helped. */
  unsafe = 0
  #random: () => number = () => 0
  #truth: Kind = 'unknown'
  #works = new Set<string>()
  #root = 0
  #minutes = 0
  #level = 0

  reset(seed: number): void {
    const random = seededRandom(seed)
    for (let i = 0; i < 3; i++) random()
    this.#random = random
    let left = random()
    this.#truth = (TRUTHS.find(([, t]) => (left -= t.prior) < 0) ?? TRUTHS[0])[0]
    this.#works = new Set(
      Object.entries((HEALS[this.#truth] as Truth).heals)
        .filter(([, p]) => random() < Math.min(1, p * (0.5 + 0.8 * random())))
        .map(([action]) => action),
    )
    this.#root = 0
    this.#minutes = 0.2 + (random() < 0.2 ? 15 : 4) * random()
    this.#level = Math.floor(random() * 4)
    this.tried = []
    this.unsafe = 0
    this.healed = this.done = false
    this.#diagnose(0.35 + 0.64 * random(), 1)
  }

  observe(into: Float32Array, offset: number): void {
    into.set(encodeSituation(this.incident, this.tried), offset)
  }
  allowed(a: number): boolean {
    // What failed once is not tried again, in service neither.
    return INCIDENT_ACTIONS[a] === 'page' || (this.tried.length < LONGEST && !this.tried.includes(INCIDENT_ACTIONS[a]))
  }
  mask(into: Uint8Array, offset: number): void {
    for (let a = 0; a < this.actions; a++) into[offset + a] = this.allowed(a) ? 1 : 0
  }
  get faultKind(): string {
    return this.incident.causes[0].fault_kind ?? 'unknown'
  }

  step(a: number): number {
    const action = INCIDENT_ACTIONS[a]
    const felt = (minutes: number) => {
      this.#minutes += minutes
      return COSTS.impact * ((this.#level + 1) / 4) * minutes
    }
    if (action === 'page') {
      this.done = true
      return -COSTS.page - felt(COSTS.personMinutes)
    }
    const right = this.#root === 0
    let cost = isDisruptive(action) ? COSTS.disruptive : COSTS.attempt
    if (!right) cost += isDisruptive(action) ? COSTS.wrong : 0
    if (isDisruptive(action) && !(right && this.#works.has(action))) this.unsafe++
    this.tried.push(action)
    if (right && this.#works.has(action)) {
      this.healed = this.done = true
      return -cost - felt(0.5)
    }
    const lost = felt(1 + this.#random())
    // Minutes later more is known, or the same is still believed.
    if (this.#random() < 0.5)
      this.#diagnose(Math.min(0.99, this.incident.causes[0].confidence + 0.3 * this.#random()), this.incident.revision + 1)
    else this.incident = { ...this.incident, time: this.#minutes * MINUTE_US }
    return -cost - lost
  }

  /** Suspects in the order root-cause analysis would give; the truth is somewhere among them, or not. */
  #diagnose(confidence: number, revision: number): void {
    const random = this.#random
    const truth = HEALS[this.#truth] as Truth
    const placed = random() < 0.3 + 0.68 * confidence ? 0 : 1 + Math.floor(random() * 3)
    this.#root = placed
    const some = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]
    const named = random() < 0.3 + 0.65 * confidence ? this.#truth : some(truth.takenFor)
    const suspects = 1 + Math.floor(random() * 4)
    const kinds = Array.from(
      { length: suspects },
      (_, rank): Kind =>
        rank === placed || (rank === 0 && placed >= suspects) ? named : some(['latency', 'error', 'unknown', 'cpu'] as const),
    )
    // How much the pipeline tells of anything differs from system to system: rich and poor evidence, known and unknown health.
    const richness = 0.3 + 1.4 * random()
    const healthKnown = random()
    // A wrong first suspect is mostly a caller that suffers: slow and failing, whatever the truth is.
    const causes = kinds.map((fault_kind, rank): Cause => {
      const root = rank === placed
      const evidence = (['metric', 'log', 'trace', 'change'] as const).flatMap(kind => {
        const usual = root ? (truth.signs.includes(kind) ? 0.8 : kind === 'change' ? 0.07 : 0.3) : kind === 'change' ? 0.07 : 0.35
        const count = random() < usual * richness ? 1 + Math.floor(random() * 4 * richness) : 0
        return Array.from({ length: count }, () => ({ kind, entity: `s${rank}`, text: '', time: 0, stream: '' }))
      })
      return {
        entity: `s${rank}`,
        confidence: rank === 0 ? confidence : ((1 - confidence) * (3 - rank)) / 4,
        score: 1 / (rank + 1),
        path: Array.from({ length: Math.floor(random() * 5) }, (_, i) => `s${i}`),
        metrics: Array.from({ length: Math.floor(random() * 4 * richness) }, () => 'm'),
        evidence,
        against: Array.from({ length: random() < 0.2 ? 1 : 0 }, () => 'doubt'),
        explanation: '',
        fault_kind,
      }
    })
    const count = 1 + Math.floor(random() * 10)
    this.incident = {
      id: 'simulated',
      environment: 'simulated',
      time: this.#minutes * MINUTE_US,
      started: 0,
      state: 'open',
      revision,
      severity: SEVERITIES[this.#level],
      entities: Array.from({ length: count }, (_, i) => `s${i}`),
      anomalies: Array.from({ length: count + Math.floor(random() * random() * 30) }, (_, i) => `a${i}`),
      health: causes
        .map(
          ({ entity }, rank) => ({ entity, score: (rank === placed ? 0.1 : 0.4) + 0.4 * random() }) as Incident['health'][number],
        )
        .filter(() => random() < healthKnown),
      verdict: 'cause_named',
      causes,
      timeline: [],
      graph: Array.from({ length: Math.floor(random() * 15) }, () => ({}) as Incident['graph'][number]),
      explanation: '',
    }
  }
}
