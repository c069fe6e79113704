/**
 * `npm run simulate-faults`: many seeds of the whole pipeline in this process, on the broker in memory and under simulated time. Each seed is struck by what
 * it draws and held against the same input left alone. The last accepted figures stand in lab/bench/simulation.json.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { printDifferences, printTable } from '../chaos/compare.ts'
import { BROKEN, type Broken } from '../chaos/phases.ts'
import { liveDays, printDays } from './days.ts'
import { inputOf, judgeSimulated, simulate } from './simulate.ts'
import { loadDefinitions } from './simulated-fleet.ts'
import type { SeedReport, SeedTask } from './worker.ts'

const ACCEPTED = path.resolve(import.meta.dirname, '../simulation.json')
const HELP = `usage: npm run simulate-faults -- [options]

Crashes, standstills, rebalances, lost answers, delays and outages at drawn points of the whole pipeline, in one process and simulated time.

  --seeds <n>          how many seeds; 1000 unless told
  --from <n>           the first of them; 1 unless told
  --seed <n>           this one alone, with what came out beside the run left alone
  --trace              with --seed: every request to the broker, in order, on standard output
  --without <promise>  with it switched off: ${BROKEN.join(', ')}; seeds must fail
  --prove              each of them in turn, 40 seeds each: some must fail, and none with nothing switched off
  --days <n>           instead: so many simulated days of one environment, a tick a minute; is the state bounded?
  --workers <n>        threads; one for each core unless told
  --accept             write the figures to lab/bench/simulation.json`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    without: { type: 'string' },
    prove: { type: 'boolean', default: false },
    days: { type: 'string' },
    workers: { type: 'string', default: String(Math.min(8, availableParallelism())) },
    accept: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
if (values.without && !BROKEN.includes(values.without as Broken)) {
  console.error(`--without ${values.without}: there are ${BROKEN.join(', ')}\n\n${HELP}`)
  process.exit(1)
}
const broken = values.without as Broken | undefined
const replay = (seed: number, off = broken) => `npm run simulate-faults -- --seed ${seed}${off ? ` --without ${off}` : ''}`

const accept = (figures: object): void => {
  let accepted = {}
  try {
    accepted = JSON.parse(readFileSync(ACCEPTED, 'utf8'))
  } catch {
    // the first ones
  }
  writeFileSync(ACCEPTED, `${JSON.stringify({ ...accepted, ...figures }, null, 2)}\n`)
}

/** Seeds [from, from + count), spread over threads by input, so that each input's unharmed run is made once. */
const runSeeds = async (from: number, count: number, off: Broken | undefined): Promise<SeedReport[]> => {
  const seeds = Array.from({ length: count }, (_, i) => from + i)
  const threads = Math.max(1, Math.min(Number(values.workers), count))
  const reports: SeedReport[] = []
  let told = performance.now()
  await Promise.all(
    Array.from({ length: threads }, (_, n) => {
      const mine = seeds.filter(seed => inputOf(seed) % threads === n)
      if (mine.length === 0) return undefined
      const worker = new Worker(path.join(import.meta.dirname, 'worker.ts'), {
        workerData: { seeds: mine, broken: off } satisfies SeedTask,
      })
      return new Promise<void>((resolve, reject) => {
        worker.on('message', (report: SeedReport) => {
          reports.push(report)
          if (report.faults.length > 0 && !off) console.error(`seed ${report.seed} FAILED: ${report.faults.join('; ')}`)
          if (performance.now() - told < 5000) return
          told = performance.now()
          console.error(`${reports.length} of ${count} seeds, ${reports.filter(r => r.faults.length > 0).length} failed`)
        })
        worker.once('error', reject)
        worker.once('exit', () => resolve())
      })
    }),
  )
  return reports.sort((a, b) => a.seed - b.seed)
}
const total = (reports: readonly SeedReport[], of: (r: SeedReport) => Readonly<Partial<Record<string, number>>>) => {
  const sums: Record<string, number> = {}
  for (const r of reports) for (const [name, n] of Object.entries(of(r))) sums[name] = (sums[name] ?? 0) + (n ?? 0)
  return sums
}
const told = (sums: Record<string, number>) =>
  Object.entries(sums)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ')

let failed = false
if (values.days) {
  const report = await liveDays({ days: Number(values.days), say: line => console.error(line) })
  printDays(report)
  failed = !report.bounded
  if (values.accept) accept({ days: report })
} else if (values.seed) {
  const seed = Number(values.seed)
  const definitions = await loadDefinitions()
  const unharmed = await simulate({ definitions, seed: inputOf(seed) })
  const trace = values.trace ? (line: string) => console.log(line) : undefined
  const ran = await simulate({ definitions, seed, struck: { broken }, trace })
  const { differences, faults } = judgeSimulated(unharmed, ran)
  console.log(
    `seed ${seed}, schedule ${ran.schedule}: ${told(ran.fate.struck)}; simulated ${(ran.simulatedMs / 1000).toFixed(1)} s`,
  )
  printDifferences(differences, unharmed.outputs, ran.outputs)
  console.log(faults.length === 0 ? '  PASSED' : `  FAILED: ${faults.join('; ')}`)
  failed = faults.length > 0
} else if (values.prove) {
  const rows: string[][] = []
  for (const off of [undefined, ...BROKEN]) {
    const reports = await runSeeds(Number(values.from), 40, off)
    const bad = reports.filter(r => r.faults.length > 0)
    const right = off ? bad.length > 0 : bad.length === 0
    failed ||= !right
    rows.push([
      off ?? 'nothing',
      `${bad.length} of ${reports.length}`,
      bad[0] ? replay(bad[0].seed, off) : '',
      right ? 'as it must' : 'WRONG',
    ])
  }
  printTable(['switched off', 'seeds that failed', 'the first of them again', ''], rows)
  if (values.accept) accept({ prove: Object.fromEntries(rows.map(([off, bad]) => [off, bad])) })
} else {
  const began = performance.now()
  const reports = await runSeeds(Number(values.from), Number(values.seeds), broken)
  const seconds = Math.round((performance.now() - began) / 1000)
  const bad = reports.filter(r => r.faults.length > 0)
  const struck = total(reports, r => r.struck)
  const landed = total(reports, r => r.landed)
  const records = reports.reduce((sum, r) => sum + r.records, 0)
  console.log(`${reports.length} seeds from ${values.from} in ${seconds} s on ${values.workers} threads, ${records} records`)
  console.log(`  struck by: ${told(struck)}`)
  console.log(`  crashes and standstills landed in: ${told(landed)}`)
  for (const { seed, faults } of bad.slice(0, 20))
    console.log(`  FAILED seed ${seed}: ${faults.join('; ')}\n    again: ${replay(seed)}`)
  console.log(
    bad.length === 0 ? '  PASSED: every output topic equal, 0 lost, 0 duplicated, 0 different' : `  FAILED: ${bad.length} seeds`,
  )
  failed = bad.length > 0
  if (values.accept)
    accept({
      seeds: {
        from: Number(values.from),
        count: reports.length,
        failed: bad.length,
        seconds,
        records,
        threads: Number(values.workers),
        struck,
        landed,
      },
    })
}
process.exit(failed ? 1 : 0)
