/**
 * Guide 1: write a stage. Read it from top to bottom; it runs with the unit tests, so it is never out of date.
 *
 * A stage turns records of some streams into records of others. It never sees Kafka: it is handed a batch, and gives back what is to be written. The
 * runtime puts that, the positions read and now and then the stage's state into one transaction, so that nothing is lost and nothing happens twice.
 */
import {
  emit,
  type Input,
  idOf,
  isFrom,
  logsRaw,
  metricsRaw,
  type Result,
  reject,
  type Stage,
  type Stateful,
} from '@aegis/domain'
import { boundsContract, stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage, tick } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'

// 1. A class with `process`. Time comes with the records and with ticks, never from a clock: a replay must give the same.
class CountLines implements Stage, Stateful {
  readonly snapshotVersion = 1
  #counts = new Map<string, number>()

  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const input of batch) {
      // 2. `isFrom` narrows the type: `input.value` is a LogLine in here.
      if (isFrom(input, logsRaw)) {
        const { entity } = input.value
        // 3. Bad data is a value, not an exception: it goes to the dead letters, with its bytes and this reason.
        if (!entity) results.push(reject(input, 'a line without an entity cannot be counted'))
        else this.#counts.set(entity, (this.#counts.get(entity) ?? 0) + 1)
      } else if (input.kind === 'tick') {
        // 4. A tick says that time has passed. What waits for silence waits for it.
        for (const [entity, value] of this.#counts) results.push(emit(metricsRaw, linesOf(entity, value, input.time), input))
        this.#counts.clear()
      }
    }
    return results
  }

  // 5. What must survive a restart goes through these two.
  snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify([...this.#counts]))
  }
  restore(bytes: Uint8Array): void {
    this.#counts = new Map(JSON.parse(Buffer.from(bytes).toString()))
  }
}

// 6. Ids follow from what caused them, so that a record written twice has one id.
const linesOf = (entity: string, value: number, time: number) => ({
  id: idOf(entity, 'lines', time),
  environment: 'prod',
  time,
  entity,
  metric_name: 'lines',
  metric_type: 'delta',
  unit: '1',
  value,
})

const line = (offset: number, entity: string | null) =>
  received(
    logsRaw,
    { id: `l${offset}`, environment: 'prod', time: offset, observed_time: offset, entity, body: 'hello', source: 's' },
    offset,
  )

describe('a stage', () => {
  // 7. A stage is tested without any server.
  it('counts lines between two ticks, and rejects what it cannot use', async () => {
    const { of, results } = await runStage(new CountLines(), [
      [line(1, 'service:a'), line(2, 'service:a'), line(3, null)],
      [tick(1_000_000)],
    ])
    expect(of(metricsRaw)).toMatchObject([{ entity: 'service:a', value: 2 }])
    expect(results.filter(r => r.kind === 'reject')).toHaveLength(1)
  })

  // 8. Every stage keeps this: however the input is cut into batches, and wherever it restarts, the same comes out.
  stageContract('count-lines', () => new CountLines(), [
    line(1, 'service:a'),
    line(2, 'service:b'),
    tick(1e6),
    line(3, 'service:a'),
    tick(2e6),
  ])

  // 9. And this: what it keeps has an end, whatever comes. Ours forgets at each tick.
  const round = (n: number): Input[] => [
    tick(n * 1e6),
    ...Array.from({ length: Math.min(30, 1 + n) }, (_, i) => line(30 * n + i, `service:${i}`)),
  ]
  boundsContract('count-lines', () => new CountLines(), round, 60)
})

// 10. `npm run new-service NAME` writes a service around such a stage. A new stream is a file in `schemas/`, a line in
// `libs/domain/src/streams.ts`, and `npm run generate`.
