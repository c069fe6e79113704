/** What is counted of each batch, and how many records in a row may be bad. */
import { type Emit, FatalError } from '@aegis/domain'
import type { RawRecord } from './broker.ts'
import type { Undelivered } from './dead-letters.ts'
import type { Telemetry } from './telemetry.ts'

/** A bad deploy must not empty a topic into its dead letters: after so many bad records with no good one between them the service stops. */
export class DeadInARow {
  readonly #most: number
  #count = 0

  constructor(most: number) {
    this.#most = most
  }

  /** @throws FatalError TOO_MANY_DEAD_LETTERS */
  see(batch: readonly RawRecord[], bad: readonly Undelivered[]): void {
    if (bad.length === 0) {
      if (batch.some(r => r.value !== null)) this.#count = 0
      return
    }
    const dead = new Set(bad.map(b => b.raw))
    for (const r of batch) {
      if (r.value === null) continue
      this.#count = dead.has(r) ? this.#count + 1 : 0
      if (this.#count > this.#most)
        throw new FatalError(
          'TOO_MANY_DEAD_LETTERS',
          `${this.#count} records in a row of ${r.topic}/${r.partition} up to offset ${r.offset} cannot be used (last: ${bad.at(-1)?.message}); the service stops rather than empty the topic`,
        )
    }
  }
}

export const countBatch = (
  telemetry: Telemetry,
  labels: Readonly<Record<string, string>>,
  { batch, emitted, bad }: { batch: readonly RawRecord[]; emitted: readonly Emit[]; bad: readonly Undelivered[] },
): void => {
  const tally = (names: Iterable<string>, metric: 'aegis_records_in_total' | 'aegis_records_out_total') => {
    const counts = new Map<string, number>()
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const [stream, n] of counts) telemetry.add(metric, { ...labels, stream }, n)
  }
  tally(
    batch.map(r => r.topic),
    'aegis_records_in_total',
  )
  tally(
    emitted.map(e => e.stream.name),
    'aegis_records_out_total',
  )
  for (const b of bad) telemetry.add('aegis_dead_letters_total', { ...labels, stream: b.raw.topic, code: b.code })
}
