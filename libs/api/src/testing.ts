/** For tests of what people call: wishes become controls as the clock makes them. */
import { type Control, type ControlWanted, controls, controlsWanted, setControl } from '@aegis/domain'
import type { Seen, ServiceContext } from '@aegis/runtime'

export class ClockStandIn {
  readonly inForce = new Map<string, Control>()
  readonly #told = new Set<(seen: readonly Seen[]) => void>()

  readonly latest = (_stream: unknown, key: string) => this.inForce.get(key) as never
  readonly tail: ServiceContext['tail'] = async (_streams, _from, onValues) => {
    this.#told.add(onValues)
    return { caughtUp: Promise.resolve(), close: async () => undefined, positions: () => ({}) }
  }

  /** To be called with all that is published. */
  heard(stream: string, values: readonly unknown[]): void {
    if (stream !== controlsWanted.name) return
    for (const wanted of values as readonly ControlWanted[]) {
      const control = setControl(this.inForce.get(wanted.environment), wanted)
      if (!control) continue
      this.inForce.set(control.environment, control)
      for (const tell of this.#told) tell([{ stream: controls.name, partition: 0, offset: 0, value: control, headers: {} }])
    }
  }
}
