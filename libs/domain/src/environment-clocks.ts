import type { Tick } from './stage.ts'

/**
 * What time it is in each environment. A tick for `*` moves every environment that has no clock of its own; an environment that is being
 * replayed gets ticks that name it, and from then on listens to those alone.
 */
export class EnvironmentClocks {
  #common = 0
  #own = new Map<string, number>()

  see(tick: Pick<Tick, 'environment' | 'time'>): void {
    if (tick.environment === '*') this.#common = Math.max(this.#common, tick.time)
    else this.#own.set(tick.environment, Math.max(this.#own.get(tick.environment) ?? 0, tick.time))
  }
  /** Microseconds; 0 before the first tick. */
  now(environment: string): number {
    return this.#own.get(environment) ?? this.#common
  }
  /** Whether this tick moves the environment's clock. */
  moves(tick: Pick<Tick, 'environment'>, environment: string): boolean {
    return tick.environment === environment || (tick.environment === '*' && !this.#own.has(environment))
  }
  toJSON(): { common: number; own: [string, number][] } {
    return { common: this.#common, own: [...this.#own] }
  }
  fromJSON(state: { common: number; own: [string, number][] }): void {
    this.#common = state.common
    this.#own = new Map(state.own)
  }
}
