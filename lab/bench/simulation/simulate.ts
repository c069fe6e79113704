/** One simulated run of the whole pipeline: the input of `npm run chaos` on the broker in memory, struck by what a seed draws or left alone. */
import { hash } from 'node:crypto'
import { outcomes, type Stream, seededRandom, streams } from '@aegis/domain'
import { allTopics, Codec, MemoryBroker, MemoryRegistry, type RawRecord, type ServiceDefinition } from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { collect, compare, countDeadLetters, type Difference, type Outputs, type Readable } from '../chaos/compare.ts'
import { Drive } from '../chaos/drive.ts'
import { ChaosInput, LAST_EVENT_US } from '../chaos/input.ts'
import type { Broken } from '../chaos/phases.ts'
import { Fate } from './fate.ts'
import type { Surroundings } from './instance-broker.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedFleet } from './simulated-fleet.ts'

const PARTITIONS = { data: 2, environment: 2 }
/** Small batches and frequent snapshots, so that blows fall into the middle of things; snapshots by records alone, for time hardly passes. */
const SETTINGS = {
  AEGIS_DATA_PARTITIONS: String(PARTITIONS.data),
  AEGIS_ENVIRONMENT_PARTITIONS: String(PARTITIONS.environment),
  AEGIS_BATCH_RECORDS: '40',
  AEGIS_BATCH_WAIT_MS: '0',
  AEGIS_SNAPSHOT_EVERY_RECORDS: '150',
}
/** Different inputs; seeds take turns with them. */
const INPUTS = 8
const STEPS = 30
const RECORDS = 2400
const MOST_BLOWS = 40

export interface Simulated {
  readonly outputs: Outputs
  readonly deadLetters: number
  readonly crashes: readonly string[]
  readonly stuck?: string
  readonly fate: Fate
  /** Of everything that happened, in order: the same seed gives the same one. */
  readonly schedule: string
  readonly simulatedMs: number
  readonly records: number
}
export interface SimulateOptions {
  readonly definitions: Readonly<Record<string, ServiceDefinition>>
  readonly seed: number
  /** Left out: nothing is struck. */
  readonly struck?: { readonly broken?: Broken }
  /** Told of everything that happens. */
  readonly trace?: (line: string) => void
}

export const inputOf = (seed: number): number => seed % INPUTS

export const simulate = async ({ definitions, seed, struck, trace }: SimulateOptions): Promise<Simulated> => {
  const fate = new Fate(seed, struck ? MOST_BLOWS : 0)
  const clock = new SimulatedClock(seededRandom(seed ^ 0x5bd1e995), LAST_EVENT_US / 1000 + 3 * 365 * 86_400_000)
  const deliver = (arrive: () => void) => void clock.after(2 * fate.random(), arrive)
  const broker = new MemoryBroker({ now: () => Math.floor(clock.wallUs / 1000), deliver })
  const registry = new MemoryRegistry()
  let schedule = ''
  let lines: string[] = []
  const fold = () => {
    schedule = hash('sha1', schedule + lines.join('\n'), 'hex')
    lines = []
  }
  const world: Surroundings = {
    broker,
    clock,
    fate,
    broken: struck?.broken,
    awayUntil: 0,
    note: line => {
      trace?.(line)
      if (lines.push(line) > 1000) fold()
    },
  }
  const fleet = new SimulatedFleet(world, registry, definitions, SETTINGS)
  const codec = new Codec(registry)
  const readable: Readable = {
    read: async (topic, onRecords) => {
      for (let p = 0; p < (await broker.partitions(topic)); p++) await broker.read(topic, p, 0, undefined, onRecords)
    },
    decode: async (stream: Pick<Stream<never>, 'name'>, records: readonly RawRecord[]) => {
      await codec.learn(
        stream.name,
        records.map(r => r.value),
      )
      return records.filter(r => r.value !== null).map(r => codec.decode(stream.name, r.value!))
    },
  }
  clock.install()
  try {
    return await clock.run(
      (async () => {
        await broker.ensureTopics(allTopics(PARTITIONS))
        await codec.prepare(streams)
        await fleet.startAll()
        const drive = new Drive(new StreamClient({ broker, registry }), {
          decode: records => readable.decode(outcomes, records),
          say: () => undefined,
        })
        const stuck = await drive.run(new ChaosInput({ seed: inputOf(seed), records: RECORDS, steps: STEPS })).then(
          () => undefined,
          error => (error as Error).message,
        )
        fate.end()
        fold()
        return {
          outputs: await collect(readable),
          deadLetters: await countDeadLetters(readable),
          crashes: fleet.crashes,
          stuck,
          fate,
          schedule: schedule.slice(0, 16),
          simulatedMs: clock.now,
          records: drive.records,
        }
      })(),
    )
  } finally {
    clock.uninstall()
  }
}

export interface SeedVerdict {
  readonly differences: readonly Difference[]
  readonly faults: readonly string[]
}
/** What is wrong with a run that was struck, beside the one of the same input that was left alone. */
export const judgeSimulated = (unharmed: Simulated, ran: Simulated): SeedVerdict => {
  const differences = compare(unharmed.outputs, ran.outputs)
  const faults = differences
    .filter(d => !d.equal)
    .map(d => `${d.topic}: ${d.lost} lost, ${d.duplicated} duplicated, ${d.different} different, ${d.added} added`)
  if (ran.stuck) faults.push(ran.stuck)
  if (ran.deadLetters > 0) faults.push(`${ran.deadLetters} dead letters of an input that holds none`)
  if (ran.crashes.length > 0) faults.push(`services ended by themselves: ${ran.crashes.join(', ')}`)
  return { differences, faults }
}
