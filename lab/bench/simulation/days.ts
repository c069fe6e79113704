/** Many simulated days of one environment through the whole pipeline, a tick a minute: pods come and go, releases bring new lines, services fail. Is what is kept bounded? */

import { idOf, type LogLine, type Observation, outcomes, seededRandom, streams } from '@aegis/domain'
import { allTopics, Codec, loadSnapshot, MemoryBroker, MemoryRegistry, type RawRecord } from '@aegis/runtime'
import { fullCollection } from '@aegis/runtime/collect-garbage'
import { StreamClient } from '@aegis/stack/pipeline/client'
import { printTable } from '../chaos/compare.ts'
import { Drive } from '../chaos/drive.ts'
import { ChaosInput, ENVIRONMENTS, LAST_EVENT_US, type Step } from '../chaos/input.ts'
import { Fate } from './fate.ts'
import { realNow, SimulatedClock } from './simulated-clock.ts'
import { loadDefinitions, SimulatedFleet } from './simulated-fleet.ts'

const MINUTE_US = 60_000_000
const STEPS_A_DAY = 1440
/** Steps a pod lives, and between two faults. */
const POD_STEPS = 360
const FAULT_STEPS = 120
const RECORDS_A_STEP = 100
/** What may be kept more after the second half of the days than after the first. */
const GROWTH = 1.1
/** State below this is not looked at, bytes: an open incident more or less decides there. */
const SMALL = 65_536

const ENVIRONMENT = ENVIRONMENTS[1]
const GROUPS = [
  'log-parser-parse-logs',
  'span-aggregator-join-spans',
  'span-aggregator-merge-edges',
  'anomaly-detector-detect-metric-anomalies',
  'anomaly-detector-detect-log-anomalies',
  'root-cause-analyzer-diagnose-incidents',
  'remediator-decide-actions',
  'executor-carry-out-decisions',
]

class DaysInput extends ChaosInput {
  constructor(days: number) {
    const steps = days * STEPS_A_DAY
    super({ seed: 1, steps, records: RECORDS_A_STEP * steps, stepUs: MINUTE_US, faultEvery: FAULT_STEPS })
  }
  override step(n: number): Step {
    const { time, logs, metrics, spans } = super.step(n)
    const ours = <T extends { environment: string }>(list: readonly T[]) => list.filter(v => v.environment === ENVIRONMENT)
    const first = ours(logs)[0] as LogLine
    const usual = ours(metrics)[0] as Observation
    // A pod of every service, replaced four times a day; and each day a release whose lines nobody has seen before.
    const pods = ['front', 'cart', 'checkout', 'payment', 'stock', 'mail'].map(
      service => `pod:${service}-${idOf(service, Math.floor(n / POD_STEPS)).slice(0, 10)}`,
    )
    const release = [...idOf('release', Math.floor(n / STEPS_A_DAY))]
      .map(c => 'ghijklmnopqrstuv'[Number.parseInt(c, 16)])
      .join('')
    return {
      time,
      spans: ours(spans),
      metrics: [
        ...ours(metrics),
        ...pods.map(entity => ({ ...usual, id: idOf(entity, n), entity, value: 0.2 + 0.01 * (n % 7) })),
      ],
      logs: [
        ...ours(logs),
        ...pods.map(
          (entity, i): LogLine => ({
            ...first,
            id: idOf('pod line', entity, n),
            entity,
            severity: 'INFO',
            body: `${release.slice(i, i + 6)} handled ${n % 1000} items of ${release.slice(8, 14)}`,
          }),
        ),
      ],
    }
  }
}

interface Day {
  readonly day: number
  /** After a full collection, broker's records included, bytes. */
  readonly heap: number
  /** Uncompressed state of each stage, bytes. */
  readonly state: Readonly<Record<string, number>>
  /** Seconds of wall clock since the beginning. */
  readonly seconds: number
}
export interface DaysReport {
  readonly days: number
  readonly seconds: number
  readonly records: number
  readonly outputs: Readonly<Record<string, number>>
  readonly watched: readonly Day[]
  /** The heap does not grow. */
  readonly bounded: boolean
  /** Stages that are not full yet; that each is full some time is what `boundsContract` shows. */
  readonly filling: readonly string[]
}

export const liveDays = async ({ days, say }: { days: number; say: (line: string) => void }): Promise<DaysReport> => {
  const collectGarbage = fullCollection()
  const definitions = await loadDefinitions()
  const fate = new Fate(1, 0)
  /** The broker's clock goes with the days, for compaction; timers need not, and cost time. */
  let passedMs = 0
  const clock = new SimulatedClock(seededRandom(1), LAST_EVENT_US / 1000)
  const broker = new MemoryBroker({
    now: () => Math.floor(clock.wallUs / 1000) + passedMs,
    retainedRecords: 2000,
    deliver: arrive => void clock.after(0, arrive),
  })
  const registry = new MemoryRegistry()
  const spread = { data: 1, environment: 1 }
  const settings = {
    AEGIS_DATA_PARTITIONS: '1',
    AEGIS_ENVIRONMENT_PARTITIONS: '1',
    AEGIS_BATCH_WAIT_MS: '0',
    AEGIS_SNAPSHOT_EVERY_RECORDS: '20000',
  }
  const world = { broker, clock, fate, awayUntil: 0, note: () => undefined }
  const fleet = new SimulatedFleet(world, registry, definitions, settings)
  const codec = new Codec(registry)
  const input = new DaysInput(days)
  const watched: Day[] = []
  const began = realNow()
  const watch = async (day: number) => {
    collectGarbage()
    const state: Record<string, number> = {}
    for (const group of GROUPS) state[group] = (await loadSnapshot(broker, group, 0)).snapshot?.bytes.length ?? 0
    watched.push({ day, heap: process.memoryUsage().heapUsed, state, seconds: Math.round((realNow() - began) / 1000) })
    say(
      `day ${day} of ${days}: ${watched.at(-1)!.seconds} s, heap ${(watched.at(-1)!.heap / 2 ** 20).toFixed(0)} MiB, ${Object.entries(
        state,
      )
        .map(([g, n]) => `${g.split('-').slice(-2).join('-')} ${(n / 1024).toFixed(0)}`)
        .join(', ')} KiB`,
    )
  }
  clock.install()
  try {
    return await clock.run(
      (async () => {
        await broker.ensureTopics(allTopics(spread))
        await codec.prepare(streams)
        await fleet.startAll()
        const drive = new Drive(new StreamClient({ broker, registry }), {
          onStep: async n => {
            passedMs = (n * MINUTE_US) / 1000
            if (n > 0 && n % STEPS_A_DAY === 0) await watch(n / STEPS_A_DAY)
          },
          decode: async (records: readonly RawRecord[]) =>
            records.filter(r => r.value).map(r => codec.decode(outcomes.name, r.value!)),
          say: () => undefined,
        })
        await drive.run(input)
        if (fleet.crashes.length > 0) throw new Error(`services ended by themselves: ${fleet.crashes.join(', ')}`)
        const outputs: Record<string, number> = {}
        for (const name of [
          'logs.parsed',
          'metrics.raw',
          'anomalies',
          'incidents',
          'remediation.decisions',
          'remediation.outcomes',
        ])
          outputs[name] = (await broker.end(name, 0)) - (drive.ticks.get(name) ?? 0)
        const last = watched.at(-1)!
        const half = watched[Math.max(0, Math.ceil(watched.length / 2) - 1)]
        const filling = GROUPS.filter(g => last.state[g] > SMALL && last.state[g] > GROWTH * half.state[g])
        return {
          days,
          seconds: Math.round((realNow() - began) / 1000),
          records: drive.records,
          outputs,
          watched,
          bounded: last.heap <= GROWTH * half.heap,
          filling,
        }
      })(),
    )
  } finally {
    clock.uninstall()
  }
}

export const printDays = (report: DaysReport): void => {
  console.log(
    `\n${report.days} simulated days of one environment, a tick a minute: ${report.seconds} s, ${report.records} records in`,
  )
  console.log(
    `  came out: ${Object.entries(report.outputs)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ')}`,
  )
  const { watched } = report
  const shown = [
    ...new Set([
      watched[Math.min(1, watched.length - 1)],
      watched[Math.max(0, Math.ceil(watched.length / 2) - 1)],
      watched.at(-1)!,
    ]),
  ]
  const kib = (n: number) => `${Math.round(n / 1024)} KiB`
  printTable(
    ['kept after', ...shown.map(d => `day ${d.day}`)],
    [['heap', ...shown.map(d => kib(d.heap))], ...GROUPS.map(g => [g, ...shown.map(d => kib(d.state[g]))])],
  )
  if (report.filling.length > 0) console.log(`  not full yet: ${report.filling.join(', ')}`)
  console.log(report.bounded ? '  BOUNDED' : '  GROWING: the heap')
}
