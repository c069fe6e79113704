/**
 * Soak: the whole pipeline at half of what it can carry, for long enough that a leak shows. What it can carry is measured first, with the same
 * input as fast as it goes; resident memory is read every few seconds once the warm-up is over, and a line is laid through it.
 */
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LogEvent, logsParsed, outcomes } from '@aegis/domain'
import { countDeadLetters, printTable } from './compare.ts'
import { Drive } from './drive.ts'
import { SERVICES, type ServiceName } from './fleet.ts'
import { ChaosInput } from './input.ts'
import { World } from './world.ts'

const STEP_US = 1_000_000
const FULL_STEPS = 20
const FULL_RECORDS_PER_STEP = 5000
const SAMPLE_MS = 5000
/** A long run tells how it stands, so that one that is cut short was not for nothing. */
const TELL_MS = 300_000
/** As services run live; the harness otherwise makes batches small and snapshots frequent. */
const LIVE = { AEGIS_BATCH_RECORDS: '5000', AEGIS_BATCH_WAIT_MS: '5', AEGIS_SNAPSHOT_EVERY_RECORDS: '50000' }

export interface Trend {
  readonly service: ServiceName
  /** Resident memory at the end of the warm-up and at the end, MiB: medians of a tenth of the samples. */
  readonly fromMib: number
  readonly toMib: number
  /** MiB an hour: median slope of all pairs of samples (Theil 1950, Sen 1968), and the 95 % interval around it. */
  readonly slope: number
  readonly low: number
  readonly high: number
}
export interface SoakReport {
  readonly minutes: number
  readonly warmUpMinutes: number
  /** Records a second. */
  readonly fullRate: number
  readonly rate: number
  readonly records: number
  /** Seconds of input that were not through before the next one was due. */
  readonly lateSteps: number
  /** Lines that went in, and lines that the events of `logs.parsed` count. */
  readonly lines: number
  readonly linesOut: number
  readonly deadLetters: number
  readonly trends: readonly Trend[]
  /** No service that is shown to grow by more than 1 MiB an hour, none that ended, nothing dead-lettered, every line out once. */
  readonly passed: boolean
}

/** Slope of y over x with its interval (Sen 1968, from the variance of Kendall's S). At most some hundred points: all pairs are looked at. */
export const theilSen = (x: readonly number[], y: readonly number[]): { slope: number; low: number; high: number } => {
  const slopes: number[] = []
  for (let i = 0; i < x.length; i++)
    for (let j = i + 1; j < x.length; j++) if (x[j] !== x[i]) slopes.push((y[j] - y[i]) / (x[j] - x[i]))
  slopes.sort((a, b) => a - b)
  const n = x.length
  const spread = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  const at = (rank: number) => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))]
  return { slope: at(slopes.length / 2), low: at((slopes.length - spread) / 2), high: at((slopes.length + spread) / 2) }
}

interface Sample {
  readonly hours: number
  readonly mib: Readonly<Record<string, number>>
}
const trendsOf = (samples: readonly Sample[]): Trend[] => {
  // All pairs of some hundred points are enough: the longest runs are thinned.
  const every = Math.ceil(samples.length / 400)
  const kept = samples.filter((_, i) => i % every === 0)
  const tenth = Math.max(1, Math.floor(kept.length / 10))
  const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[list.length >> 1]
  const round = (n: number) => Math.round(n * 10) / 10
  const hours = kept.map(s => s.hours)
  return SERVICES.map(service => {
    const mib = kept.map(s => s.mib[service])
    const { slope, low, high } = theilSen(hours, mib)
    return {
      service,
      fromMib: round(median(mib.slice(0, tenth))),
      toMib: round(median(mib.slice(-tenth))),
      slope: round(slope),
      low: round(low),
      high: round(high),
    }
  })
}

export const soak = async (options: {
  folder: string
  seed: number
  minutes: number
  /** Records a second, if not half of what was measured. */
  rate?: number
  say: (line: string) => void
}): Promise<SoakReport> => {
  const say = (text: string) => options.say(`[soak] ${text}`)
  const world = await World.start({ folder: path.join(options.folder, 'soak'), env: LIVE, say })
  try {
    const steps = Math.max(120, Math.round(options.minutes * 60))
    const warmUp = Math.round(steps / 3)
    const samples: Sample[] = []
    let rate = options.rate ?? FULL_RECORDS_PER_STEP
    let fullRate = 0
    let began = performance.now()
    let late = 0
    let sampled = 0
    let told = performance.now()
    const full = new ChaosInput({
      seed: options.seed,
      records: FULL_RECORDS_PER_STEP * (FULL_STEPS + steps),
      steps: FULL_STEPS + steps,
      stepUs: STEP_US,
    })
    let paced = full
    let lines = 0
    const input = {
      steps: full.steps,
      step: (n: number) => {
        const step = (n < FULL_STEPS ? full : paced).step(n)
        if (n < full.steps) lines += step.logs.length
        return step
      },
    } as ChaosInput
    const drive: Drive = new Drive(world.client, {
      onStep: async step => {
        const now = performance.now()
        if (step === FULL_STEPS) {
          fullRate = Math.round(drive.records / ((now - began) / 1000))
          rate = options.rate ?? Math.round(fullRate / 2)
          paced = new ChaosInput({ seed: options.seed, records: rate * full.steps, steps: full.steps, stepUs: STEP_US })
          say(`carries ${fullRate} records a second; now ${rate} for ${Math.round(steps / 60)} minutes`)
          began = now
        }
        if (step <= FULL_STEPS) return
        const due = began + (step - FULL_STEPS) * (STEP_US / 1000)
        if (now > due + STEP_US / 1000) late++
        else if (now < due) await sleep(due - now)
        if (step - FULL_STEPS < warmUp || now - sampled < SAMPLE_MS) return
        sampled = now
        samples.push({
          hours: (now - began) / 3_600_000,
          mib: Object.fromEntries(SERVICES.map(s => [s, world.fleet.of(s).rss() / 2 ** 20])),
        })
        if (now - told < TELL_MS || samples.length < 20) return
        told = now
        for (const t of trendsOf(samples)) say(`${t.service}: ${t.toMib} MiB, ${t.slope} MiB an hour (${t.low} to ${t.high})`)
      },
      tend: () => world.fleet.tend(),
      decode: records => world.decode(outcomes, records),
      say,
    })
    await drive.run(input)
    const trends = trendsOf(samples)
    let linesOut = 0
    await world.read(logsParsed.name, async records => {
      for (const event of (await world.decode(logsParsed, records)) as LogEvent[]) linesOut += event.lines ?? 1
    })
    const deadLetters = await countDeadLetters(world)
    return {
      minutes: Math.round(steps / 60),
      warmUpMinutes: Math.round(warmUp / 60),
      fullRate,
      rate,
      records: drive.records,
      lateSteps: late,
      lines,
      linesOut,
      deadLetters,
      trends,
      passed: trends.every(t => t.low <= 1) && world.fleet.crashes.length === 0 && deadLetters === 0 && linesOut === lines,
    }
  } finally {
    await world.stop()
  }
}

export const printSoak = (r: SoakReport): void => {
  console.log(
    `  ${r.records} records; ${r.rate} a second where ${r.fullRate} were carried at full speed; ${r.lateSteps} seconds of input came late; ${r.lines} lines in, ${r.linesOut} out, ${r.deadLetters} dead letters`,
  )
  printTable(
    ['service', 'after warm-up', 'at the end', 'slope (bar 1 MiB an hour)', '95 % interval'],
    r.trends.map(t => [t.service, `${t.fromMib} MiB`, `${t.toMib} MiB`, `${t.slope} MiB/h`, `${t.low} to ${t.high}`]),
  )
}
