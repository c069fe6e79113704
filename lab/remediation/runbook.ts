/** Players of RemSim that learn nothing: any allowed action, the runbook of an on-call team, and a page at once. */
import type { SimPolicy } from './full-information.ts'
import { ACTION_COUNT, actionId, PAGE, type RemSim, type SimAction, uniform } from './remsim.ts'

export class RandomPlayer implements SimPolicy {
  #turn = 0
  reset(): void {
    this.#turn = 0
  }
  act(sim: RemSim): number {
    const allowed: number[] = []
    for (let a = 0; a < ACTION_COUNT; a++) if (sim.allowed(a)) allowed.push(a)
    return allowed[Math.floor(uniform(sim.seed, 77, ++this.#turn) * allowed.length)]
  }
}

export class PagingPlayer implements SimPolicy {
  reset(): void {}
  act(): number {
    return PAGE
  }
}

/** Strongest symptom of the first suspect to an action; a person after four tries. */
const TABLE: readonly (readonly [signal: number, actions: readonly SimAction[]])[] = [
  [7, ['rollback_deploy', 'rollback_config', 'ci_retry']],
  [3, ['raise_limits', 'rollout_restart', 'rollback_deploy']],
  [4, ['rollout_restart', 'restart_pod', 'rollback_deploy']],
  [2, ['scale_out', 'circuit_break']],
  [5, ['scale_out', 'failover_replica', 'traffic_shift']],
  [6, ['clean_disk', 'rotate_cert', 'ci_retry']],
]
const OTHERWISE: readonly SimAction[] = ['restart_pod', 'flush_cache', 'traffic_shift']

export class RunbookPlayer implements SimPolicy {
  #tries = 0
  readonly #seen = new Float32Array(128)
  reset(): void {
    this.#tries = 0
  }
  act(sim: RemSim): number {
    sim.observe(this.#seen)
    // In single precision, as the table was measured.
    const z = Array.from(this.#seen.subarray(0, 8), x => Math.fround(x * 3))
    if (sim.t === 0) return 1
    if (Math.max(...z) < 2 && sim.focus < 2 && this.#tries === 0) return 2
    if (++this.#tries > 4) return PAGE
    const listed = TABLE.find(([signal]) => z[signal] > 2)?.[1] ?? OTHERWISE
    return listed.map(actionId).find(a => sim.allowed(a)) ?? PAGE
  }
}
