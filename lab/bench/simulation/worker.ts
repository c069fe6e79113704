/** A thread that runs its share of the seeds, one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Broken } from '../chaos/phases.ts'
import type { Blow, RequestKind } from './fate.ts'
import { inputOf, judgeSimulated, type Simulated, simulate } from './simulate.ts'
import { loadDefinitions } from './simulated-fleet.ts'

export interface SeedTask {
  readonly seeds: readonly number[]
  readonly broken?: Broken
}
export interface SeedReport {
  readonly seed: number
  readonly faults: readonly string[]
  readonly struck: Readonly<Partial<Record<Blow, number>>>
  readonly landed: Readonly<Partial<Record<RequestKind, number>>>
  readonly records: number
  readonly schedule: string
}

const { seeds, broken } = workerData as SeedTask
const definitions = await loadDefinitions()
const unharmed = new Map<number, Simulated>()
for (const seed of seeds) {
  const input = inputOf(seed)
  const before = unharmed.get(input) ?? (await simulate({ definitions, seed: input }))
  unharmed.set(input, before)
  const ran = await simulate({ definitions, seed, struck: { broken } })
  parentPort?.postMessage({
    seed,
    faults: judgeSimulated(before, ran).faults,
    struck: ran.fate.struck,
    landed: ran.fate.landed,
    records: ran.records,
    schedule: ran.schedule,
  } satisfies SeedReport)
}
