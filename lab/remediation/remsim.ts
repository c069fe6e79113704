/**
 * RemSim-128/20: a neutral remediation simulator with 128 features, 20 masked actions, a hidden fault and an exact oracle.
 *
 * One step is one minute, 40 at most. Hidden: the fault, the service it sits in, its age. Seen: ten services by eight signals with noise,
 * ordered by distance from the candidate in focus (80), cooldowns left (20), the last action (20), globals (8). The return is minus what
 * users felt and what the actions cost.
 *
 * A port of a reference environment: every random number is a 32-bit hash of (seed, stream, counter) and noise is a sum of three of them, so
 * that both replay the same episodes bit for bit. The order of floating-point operations below is therefore part of the contract.
 */
export const SERVICES = 10
export const SIGNALS = ['latency', 'errors', 'cpu', 'memory', 'restarts', 'queue_lag', 'log_anomaly', 'change_recency'] as const
export const SIM_ACTIONS = [
  'wait',
  'probe',
  'next_candidate',
  'restart_pod',
  'rollout_restart',
  'scale_out',
  'raise_limits',
  'rollback_deploy',
  'rollback_config',
  'cordon_drain',
  'traffic_shift',
  'circuit_break',
  'flush_cache',
  'failover_replica',
  'rotate_cert',
  'clean_disk',
  'ci_retry',
  'ci_clear_cache',
  'ci_pin_dependency',
  'page_human',
] as const
export type SimAction = (typeof SIM_ACTIONS)[number]
export const ACTION_COUNT = SIM_ACTIONS.length
export const FEATURE_COUNT = 128
export const HORIZON = 40
/** Disruptive acts allowed per episode. */
export const DISRUPTIVE_BUDGET = 4
export const PAGE = 19
const SIGNAL_COUNT = SIGNALS.length
const PAGE_DELAY = 15
const IMPACT = 4
export const actionId = (name: SimAction): number => SIM_ACTIONS.indexOf(name)

export const COST = Float64Array.of(0, 0.1, 0.05, 0.5, 1, 0.8, 0.6, 2, 1.2, 2.5, 1.5, 1, 1, 3, 1, 0.7, 0.3, 0.6, 0.8, 8)
/** Minutes before an action may be repeated. */
export const COOL = Int32Array.of(0, 0, 0, 3, 5, 4, 4, 8, 8, 10, 8, 6, 5, 12, 8, 5, 2, 4, 5, 0)
const flags = (names: readonly SimAction[]): Uint8Array => Uint8Array.from(SIM_ACTIONS, a => (names.includes(a) ? 1 : 0))
export const DISRUPTIVE = flags([
  'restart_pod',
  'rollout_restart',
  'rollback_deploy',
  'rollback_config',
  'cordon_drain',
  'traffic_shift',
  'circuit_break',
  'flush_cache',
  'failover_replica',
])
/** Chance that the action itself does harm. */
export const RISK = Float64Array.from(flags(['rollback_deploy', 'cordon_drain', 'failover_replica', 'flush_cache']), x => x * 0.1)
/** These act on the pipeline that builds, not on the service in focus. */
export const ANYWHERE = flags(['ci_retry', 'ci_clear_cache', 'ci_pin_dependency'])
/** They soften every fault for eight minutes. */
export const MITIGATES = flags(['traffic_shift', 'circuit_break'])

type Signals = Partial<Record<(typeof SIGNALS)[number], number>>
type Effects = Partial<Record<SimAction, number>>
interface Fault {
  readonly name: string
  readonly prior: number
  /** Severity gained a minute. */
  readonly growth: number
  readonly signs: Signals
  readonly cures: Effects
  /** The action takes the fault's age back to this. */
  readonly relief: Effects
  /** Chance a minute that it goes away by itself. */
  readonly heals: number
}
const fault = (
  name: string,
  prior: number,
  growth: number,
  signs: Signals,
  cures: Effects,
  relief: Effects = {},
  heals = 0,
): Fault => ({ name, prior, growth, signs, cures, relief, heals })
// biome-ignore format: a table
export const FAULTS: readonly Fault[] = [
  fault('crash_loop', 0.10, 0.03, { errors: 2.5, restarts: 3, log_anomaly: 1.5 }, { restart_pod: 0.7, rollout_restart: 0.75, rollback_deploy: 0.2 }),
  fault('mem_leak', 0.08, 0.04, { memory: 3, latency: 1, restarts: 0.8 }, { rollback_deploy: 0.6 }, { restart_pod: 0, rollout_restart: 0, raise_limits: 3 }),
  fault('oom_limit', 0.07, 0.03, { memory: 2.7, restarts: 2.2, errors: 1 }, { raise_limits: 0.9 }, { restart_pod: 2 }),
  fault('load_surge', 0.10, 0.03, { cpu: 2.6, latency: 2, queue_lag: 2 }, { scale_out: 0.85 }, { circuit_break: 2 }, 0.03),
  fault('bad_deploy', 0.12, 0.05, { errors: 3, latency: 1.5, log_anomaly: 2, change_recency: 3 }, { rollback_deploy: 0.95 }),
  fault('bad_config', 0.09, 0.05, { errors: 2.7, log_anomaly: 2, change_recency: 2.4 }, { rollback_config: 0.95, rollback_deploy: 0.3 }),
  fault('node_fault', 0.06, 0.04, { latency: 2, errors: 1.5, restarts: 1.5, cpu: -1 }, { cordon_drain: 0.9, restart_pod: 0.25 }),
  fault('disk_full', 0.05, 0.03, { errors: 2, log_anomaly: 2.5, queue_lag: 1 }, { clean_disk: 0.9 }, { rollout_restart: 3 }),
  fault('cache_poison', 0.05, 0.02, { errors: 1.6, latency: -1, log_anomaly: 1 }, { flush_cache: 0.9, rollback_config: 0.2 }),
  fault('db_primary', 0.05, 0.05, { latency: 3.2, queue_lag: 2.5 }, { failover_replica: 0.9 }, { circuit_break: 3 }),
  fault('cert_expiry', 0.03, 0.02, { errors: 3.5, cpu: -1.5, log_anomaly: 2 }, { rotate_cert: 0.97 }),
  fault('zone_network', 0.05, 0.04, { latency: 2.5, errors: 2, queue_lag: 1.5 }, { traffic_shift: 0.5 }, { traffic_shift: 0 }, 0.04),
  fault('ci_flaky', 0.04, 0.01, { log_anomaly: 2, change_recency: 1 }, { ci_retry: 0.7 }),
  fault('ci_dependency', 0.04, 0.01, { log_anomaly: 2.4, change_recency: 1.6 }, { ci_pin_dependency: 0.85, ci_clear_cache: 0.35 }),
  fault('transient', 0.05, 0.02, { errors: 1.8, latency: 1.6, restarts: 1 }, { restart_pod: 0.3 }, {}, 0.25),
  fault('unknown', 0.02, 0.03, { errors: 2, latency: 2, log_anomaly: 2.5 }, {}, {}, 0.01),
]
export const FAULT_COUNT = FAULTS.length
export const GROWTH = Float64Array.from(FAULTS, f => f.growth)
export const HEALS = Float64Array.from(FAULTS, f => f.heals)
/** Fault by signal, fault by action: row-major. `RELIEF` is -1 where there is none. */
export const SIGNS = Float64Array.from(FAULTS.flatMap(f => SIGNALS.map(s => f.signs[s] ?? 0)))
export const CURES = Float64Array.from(FAULTS.flatMap(f => SIM_ACTIONS.map(a => f.cures[a] ?? 0)))
export const RELIEF = Int32Array.from(FAULTS.flatMap(f => SIM_ACTIONS.map(a => f.relief[a] ?? -1)))
/** Priors are divided by their sum, added in the order eight-lane summation takes. */
export const PRIOR = ((): Float64Array => {
  const lanes = Array.from({ length: 8 }, (_, i) => FAULTS[i].prior + FAULTS[i + 8].prior)
  const sum = lanes[0] + lanes[1] + (lanes[2] + lanes[3]) + (lanes[4] + lanes[5] + (lanes[6] + lanes[7]))
  return Float64Array.from(FAULTS, f => f.prior / sum)
})()
const CUMULATIVE = ((): Float64Array => {
  let sum = 0
  return PRIOR.map(p => (sum += p))
})()
/** How much users feel a fault in each service. */
export const CRITICALITY = Float64Array.of(1, 0.9, 0.8, 0.8, 0.6, 0.6, 0.5, 0.5, 0.4, 0.4)
export const RANK_PRIOR = Float64Array.of(0.65, 0.2, 0.1, 0.05)
const RANK_CUMULATIVE = Float64Array.of(0.65, 0.85, 0.95)

const mix = (x: number): number => {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}
const streamKey = (seed: number, stream: number): number => mix(seed ^ mix(stream))
const at = (key: number, i: number): number => mix((key + Math.imul(i, 0x9e3779b9)) | 0) / 4294967296
/** The i-th uniform number of a seed's stream. */
export const uniform = (seed: number, stream: number, i: number): number => at(streamKey(seed, stream), i)

export const severity = (f: number, age: number): number => Math.min(1, 0.3 + GROWTH[f] * age)

export class RemSim {
  seed = 0
  t = 0
  done = true
  cured = false
  /** Hidden: fault, root service, minutes since it began. A policy may not read these; a trainer may, to judge. */
  fault = 0
  root = 0
  age = 0
  unsafe = 0
  /** Seen: suspects in order, the one in focus, minutes of mitigation left, disruptive acts done, whether this minute is a probe's. */
  readonly candidates = [0, 0, 0]
  focus = 0
  mitigated = 0
  disruptions = 0
  probing = false
  last = 0
  readonly cooldown = new Int32Array(ACTION_COUNT)
  readonly #strength = new Float64Array(SERVICES)
  readonly #noise = new Float64Array(SERVICES * SIGNAL_COUNT)
  readonly #order = new Int32Array(SERVICES)

  reset(seed: number): void {
    this.seed = seed
    this.t = this.age = this.mitigated = this.disruptions = this.focus = this.last = this.unsafe = 0
    this.done = this.cured = this.probing = false
    this.cooldown.fill(0)
    const key = streamKey(seed, 1)
    const r = at(key, 0)
    let f = 0
    while (f < FAULT_COUNT - 1 && CUMULATIVE[f] < r) f++
    this.fault = f
    this.root = Math.floor(at(key, 1) * SERVICES)
    // Service i > 0 is called by one or two services of smaller index; symptoms climb to callers at 0.6 a hop.
    const strength = this.#strength.fill(0)
    strength[this.root] = 1
    for (let i = SERVICES - 1; i > 0; i--) {
      const a = Math.floor(at(key, 4 + i) * i)
      strength[a] = Math.max(strength[a], strength[i] * 0.6)
      if (at(key, 20 + i) < 0.4) {
        const b = Math.floor(at(key, 40 + i) * i)
        strength[b] = Math.max(strength[b], strength[i] * 0.6)
      }
    }
    // The ranking handed over by root-cause analysis: right at 1, 2, 3 or not at all.
    const draw = at(key, 2)
    let rank = 0
    while (rank < 3 && RANK_CUMULATIVE[rank] < draw) rank++
    const second = streamKey(seed, 2)
    const others = Array.from({ length: SERVICES }, (_, i) => ({ i, u: at(second, i) }))
      .sort((a, b) => a.u - b.u || a.i - b.i)
      .filter(o => o.i !== this.root)
    for (let k = 0; k < 3; k++) this.candidates[k] = k === rank ? this.root : others[k].i
  }

  /** Hidden too: how strongly the symptoms show in each service, 1 at the root. */
  strengthOf(service: number): number {
    return this.#strength[service]
  }

  /** 128 features from `offset` on. */
  observe(into: Float32Array, offset = 0): void {
    const { candidates, focus, fault } = this
    const noise = this.#noise
    const key = streamKey(this.seed, 100 + this.t)
    const n = SERVICES * SIGNAL_COUNT
    for (let i = 0; i < n; i++) noise[i] = (at(key, i) + at(key, i + n) + at(key, i + 2 * n) - 1.5) * 2
    const focused = candidates[focus]
    if (this.probing) for (let j = 0; j < SIGNAL_COUNT; j++) noise[focused * SIGNAL_COUNT + j] *= 0.25
    const shown = 0.5 + (this.done && this.cured ? 0 : severity(fault, this.age))
    const order = this.#order
    let rows = 0
    order[rows++] = focused
    for (let k = 0; k < 3; k++) if (k !== focus) order[rows++] = candidates[k]
    for (let i = 0; i < SERVICES; i++) if (!candidates.includes(i)) order[rows++] = i
    let p = offset
    for (let row = 0; row < SERVICES; row++) {
      const i = order[row]
      for (let j = 0; j < SIGNAL_COUNT; j++)
        into[p++] = (this.#strength[i] * SIGNS[fault * SIGNAL_COUNT + j] * shown + noise[i * SIGNAL_COUNT + j]) / 3
    }
    for (let a = 0; a < ACTION_COUNT; a++) into[p++] = this.cooldown[a] / 12
    for (let a = 0; a < ACTION_COUNT; a++) into[p++] = a === this.last ? 1 : 0
    into[p++] = this.t / HORIZON
    into[p++] = focus / 2
    into[p++] = this.mitigated / 8
    into[p++] = (DISRUPTIVE_BUDGET - this.disruptions) / DISRUPTIVE_BUDGET
    into[p++] = CRITICALITY[focused]
    into[p++] = this.probing ? 1 : 0
    into[p++] = this.last >= 3 ? 1 : 0
    into[p] = 1
  }

  allowed(a: number): boolean {
    if (this.cooldown[a] !== 0) return false
    if (DISRUPTIVE[a] === 1 && this.disruptions >= DISRUPTIVE_BUDGET) return false
    return a !== 2 || this.focus < 2
  }

  /** Takes one action, returns the reward. */
  step(a: number): number {
    if (!this.allowed(a)) throw new RangeError(`${SIM_ACTIONS[a] ?? a} may not be taken at minute ${this.t} of seed ${this.seed}`)
    const key = streamKey(this.seed, 9000 + this.t)
    const f = this.fault
    const right = this.candidates[this.focus] === this.root || ANYWHERE[a] === 1
    let cost = COST[a] * (right || a < 3 || a === PAGE ? 1 : 2)
    const relief = RELIEF[f * ACTION_COUNT + a]
    if (DISRUPTIVE[a] === 1) {
      this.disruptions++
      if (!right || (CURES[f * ACTION_COUNT + a] === 0 && relief < 0 && MITIGATES[a] === 0)) this.unsafe++
    }
    if (at(key, 1) < RISK[a]) cost += 3
    for (let i = 0; i < ACTION_COUNT; i++) if (this.cooldown[i] > 0) this.cooldown[i]--
    this.cooldown[a] = COOL[a]
    this.probing = a === 1
    this.last = a
    if (a === 2) this.focus++
    if (MITIGATES[a] === 1) this.mitigated = 8
    if (right && relief >= 0) this.age = Math.min(this.age, relief)
    let reward = -cost
    const cured = (right && at(key, 0) < CURES[f * ACTION_COUNT + a]) || at(key, 2) < HEALS[f]
    if (cured) this.cured = this.done = true
    else {
      for (let minutes = a === PAGE ? PAGE_DELAY : 1; minutes > 0; minutes--) {
        reward -= IMPACT * CRITICALITY[this.root] * severity(f, this.age) * (this.mitigated > 0 ? 0.5 : 1)
        this.age++
        this.mitigated = Math.max(0, this.mitigated - 1)
      }
      if (a === PAGE) this.cured = this.done = true
    }
    this.t++
    if (this.t >= HORIZON && !this.done) {
      let felt = 0
      for (let k = 0; k < PAGE_DELAY; k++) felt += IMPACT * CRITICALITY[this.root] * severity(f, this.age + k)
      reward -= COST[PAGE] + felt
      this.done = true
    }
    return reward
  }
}
