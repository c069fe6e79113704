/**
 * Which service wrote a line, when the producer did not say: learned from lines whose service is known.
 *
 * Each trait of a line (its source, logger, template) counts the services it was seen with. A trait speaks for a service when nearly all of its
 * lines came from it; the most telling trait decides. Counts are halved when a trait fills up, so that a move of a service is followed.
 */

export interface IdentifyOptions {
  /** Traits remembered; beyond it the oldest is forgotten. Default 50,000. */
  readonly maxTraits?: number
  /** Share of a trait's lines that must be one service's. Default 0.95. */
  readonly minShare?: number
  /** Lines a trait must have been seen in. Default 3. */
  readonly minLines?: number
}

export interface IdentifiedService {
  readonly service: string
  readonly confidence: number
  readonly trait: string
}

const FULL = 1024
const MOST_SERVICES = 32

export class ServiceIdentifier {
  readonly #options: Required<IdentifyOptions>
  #traits = new Map<string, Map<string, number>>()

  constructor(options: IdentifyOptions = {}) {
    this.#options = {
      maxTraits: options.maxTraits ?? 50_000,
      minShare: options.minShare ?? 0.95,
      minLines: options.minLines ?? 3,
    }
  }

  learn(traits: readonly string[], service: string): void {
    for (const trait of traits) {
      let counts = this.#traits.get(trait)
      if (counts === undefined) {
        if (this.#traits.size >= this.#options.maxTraits) this.#traits.delete(this.#traits.keys().next().value as string)
        counts = new Map()
        this.#traits.set(trait, counts)
      }
      const count = (counts.get(service) ?? 0) + 1
      if (counts.size >= MOST_SERVICES && count === 1) continue
      counts.set(service, count)
      if (count >= FULL) for (const [name, n] of counts) counts.set(name, n / 2)
    }
  }

  /** Traits in order of trust: where two are as sure, the earlier decides. */
  identify(traits: readonly string[]): IdentifiedService | undefined {
    let best: IdentifiedService | undefined
    for (const trait of traits) {
      const counts = this.#traits.get(trait)
      if (counts === undefined) continue
      let total = 0
      let top = ''
      let most = 0
      for (const [service, count] of counts) {
        total += count
        if (count > most) {
          most = count
          top = service
        }
      }
      if (most < this.#options.minLines || most / total < this.#options.minShare) continue
      const confidence = most / (total + 1)
      if (best === undefined || confidence > best.confidence) best = { service: top, confidence, trait }
    }
    return best
  }

  snapshot(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify([...this.#traits].map(([trait, counts]) => [trait, [...counts]])))
  }

  restore(bytes: Uint8Array): void {
    const traits = JSON.parse(new TextDecoder().decode(bytes)) as [string, [string, number][]][]
    this.#traits = new Map(traits.map(([trait, counts]) => [trait, new Map(counts)]))
  }
}
