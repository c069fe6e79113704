import {
  BoundedMap,
  type Control,
  controls,
  controlsWanted,
  emit,
  type Input,
  isFrom,
  type Result,
  type Stage,
  type Stateful,
  setControl,
} from '@aegis/domain'

/** Environments remembered; of one that fell out the stream itself still knows. */
const MOST = 1000

/** Wishes to controls, one after the other: the one place where they are weighed, however many gateways there are. */
export class SetControls implements Stage, Stateful {
  readonly snapshotVersion = 1
  readonly #before: (environment: string) => Control | undefined
  readonly #inForce = new BoundedMap<string, Control>(MOST)

  /** @param before what is in force of an environment that is not remembered: set before there was this stage, or long ago */
  constructor(before: (environment: string) => Control | undefined = () => undefined) {
    this.#before = before
  }

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    return batch.flatMap(input => {
      if (!isFrom(input, controlsWanted)) return []
      const { environment } = input.value
      const control = setControl(this.#inForce.get(environment) ?? this.#before(environment), input.value)
      if (!control) return []
      this.#inForce.set(environment, control)
      return [emit(controls, control, input)]
    })
  }

  snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify([...this.#inForce]))
  }
  restore(bytes: Uint8Array): void {
    this.#inForce.load(JSON.parse(Buffer.from(bytes).toString()))
  }
}
