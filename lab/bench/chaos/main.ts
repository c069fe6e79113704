/**
 * `npm run chaos`: the pipeline on real servers, killed, doubled, halted and cut off while it works, and held against a run that was left alone.
 * Everything is drawn from the seed. The last accepted figures stand in lab/bench/chaos.json.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type Difference, printDifferences, printTable } from './compare.ts'
import type { Comeback } from './harm.ts'
import { ChaosInput } from './input.ts'
import { BROKEN, type Broken } from './phases.ts'
import { plan } from './plan.ts'
import { poison, printPoison } from './poison.ts'
import { type Ran, run } from './run.ts'
import { printSlow, slow } from './slow.ts'
import { printSoak, soak } from './soak.ts'
import { judge, type Verdict } from './verdict.ts'

const ACCEPTED = path.resolve(import.meta.dirname, '../chaos.json')
const PARTS = ['kills', 'restarts', 'poison', 'slow', 'soak', 'prove'] as const
type Part = (typeof PARTS)[number]

const HELP = `usage: npm run chaos -- [options]

Runs the pipeline on real servers of its own, once left alone and once harmed, and compares what came out.

  --only <part>          ${PARTS.join(', ')}; all but soak and prove unless told
  --prove                fencing, transactions and snapshots switched off one at a time: the harness must fail each time
  --without <promise>    only this one: ${BROKEN.join(', ')}
  --short                small numbers, for a look (two to four minutes a part)
  --seed <n>             of input and plan; 1 unless told
  --records <n>          log lines, observations and spans together; 1000000, short 30000
  --steps <n>            steps of event time they are cut into; 200, short 40
  --kills <n>            SIGKILLs of random services; 200, short 20
  --broker-restarts <n>  SIGKILLs of the broker; 20, short 2
  --server-restarts <n>  SIGKILLs of each other server; 5, short 1
  --poison <n>           poison records; 100000, short 2000
  --lines <n>            lines for the slow consumer; 200000, short 20000
  --minutes <n>          of the soak; 60, short 3
  --rate <n>             records a second of the soak; half of what is carried at full speed unless told
  --folder <path>        where servers and services keep their data and logs; kept when given
  --accept               write the figures to lab/bench/chaos.json`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    prove: { type: 'boolean', default: false },
    without: { type: 'string' },
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    records: { type: 'string' },
    steps: { type: 'string' },
    kills: { type: 'string' },
    'broker-restarts': { type: 'string' },
    'server-restarts': { type: 'string' },
    poison: { type: 'string' },
    lines: { type: 'string' },
    minutes: { type: 'string' },
    rate: { type: 'string' },
    folder: { type: 'string' },
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
if (values.only && !PARTS.includes(values.only as Part)) {
  console.error(`--only ${values.only}: there are ${PARTS.join(', ')}\n\n${HELP}`)
  process.exit(1)
}
const size = (
  name: 'records' | 'steps' | 'kills' | 'broker-restarts' | 'server-restarts' | 'poison' | 'lines' | 'minutes',
  whole: number,
  short: number,
) => Number(values[name] ?? (values.short ? short : whole))
const seed = Number(values.seed)
const records = size('records', 1_000_000, 30_000)
const steps = size('steps', 200, 40)
const wanted: readonly Part[] = values.only
  ? [values.only as Part]
  : values.prove
    ? ['prove']
    : ['kills', 'restarts', 'poison', 'slow']

const folder = values.folder ? path.resolve(values.folder) : mkdtempSync(path.join(tmpdir(), 'aegis-chaos-'))
mkdirSync(folder, { recursive: true })
const say = (line: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`)
const results: Partial<Record<Part, unknown>> = {}
let failed = false

const show = (title: string, unharmed: Ran, ran: Ran, verdict: Verdict): void => {
  console.log(
    `\n${title} (seed ${seed}, ${ran.records} records in ${steps} steps; unharmed ${Math.round(unharmed.seconds)} s, harmed ${Math.round(ran.seconds)} s)`,
  )
  console.log(`  ${ran.harm!.report()}`)
  printDifferences(verdict.differences, unharmed.outputs, ran.outputs)
  console.log(verdict.faults.length === 0 ? '  PASSED' : `  FAILED: ${verdict.faults.join('; ')}`)
}
const figures = (unharmed: Ran, ran: Ran, { differences, faults }: Verdict) => ({
  seed,
  records: ran.records,
  steps,
  secondsUnharmed: Math.round(unharmed.seconds),
  secondsHarmed: Math.round(ran.seconds),
  kills: ran.harm!.kills,
  landed: ran.harm!.landed,
  rebalances: ran.harm!.rebalances,
  haltedHolders: ran.harm!.zombies,
  skewedClocks: ran.harm!.skewed,
  topics: Object.fromEntries(differences.map(({ topic, ...d }: Difference) => [topic, d])),
  faults,
})

let baseline: Ran | undefined
const unharmed = async (input: ChaosInput): Promise<Ran> =>
  (baseline ??= await run({ name: 'unharmed', folder, input, seed, say }))

const parts: Record<Part, () => Promise<void>> = {
  async kills() {
    const input = new ChaosInput({ seed, records, steps })
    const before = await unharmed(input)
    const kills = size('kills', 200, 20)
    const harms = plan({ seed, steps, kills, rebalances: Math.ceil(kills / 20), zombies: Math.ceil(kills / 40), restarts: {} })
    const ran = await run({ name: 'kills', folder, input, seed, plan: harms, say })
    const verdict = judge(before, ran, { landings: true })
    show('Services killed', before, ran, verdict)
    failed ||= verdict.faults.length > 0
    results.kills = figures(before, ran, verdict)
  },
  async restarts() {
    const input = new ChaosInput({ seed, records, steps })
    const before = await unharmed(input)
    const others = size('server-restarts', 5, 1)
    const restarts = { kafka: size('broker-restarts', 20, 2), registry: others, neo4j: others, redis: others }
    const ran = await run({
      name: 'restarts',
      folder,
      input,
      seed,
      plan: plan({ seed: seed + 1, steps, kills: 0, rebalances: 0, zombies: 0, restarts, disksFull: values.short ? 1 : 2 }),
      say,
    })
    const verdict = judge(before, ran, { restarts })
    show('Servers killed', before, ran, verdict)
    const by = Map.groupBy(ran.harm!.comebacks, (c: Comeback) => c.server)
    const rows = [...by].map(([server, list]) => {
      const seconds = list.map(c => c.workingAfterMs / 1000).sort((a, b) => a - b)
      return [server, String(list.length), `${seconds[seconds.length >> 1].toFixed(1)} s`, `${seconds.at(-1)!.toFixed(1)} s`]
    })
    printTable(['server', 'restarts', 'working again, median', 'worst (bar 30 s)'], rows)
    failed ||= verdict.faults.length > 0
    results.restarts = { ...figures(before, ran, verdict), comebacks: ran.harm!.comebacks }
  },
  async poison() {
    const report = await poison({ folder, seed, poison: size('poison', 100_000, 2000), say })
    console.log(`\nPoison (seed ${seed}, ${report.seconds} s)`)
    printPoison(report)
    console.log(report.passed ? '  PASSED' : '  FAILED')
    failed ||= !report.passed
    results.poison = { seed, ...report }
  },
  async slow() {
    const report = await slow({ folder, lines: size('lines', 200_000, 20_000), say })
    console.log('\nA consumer ten times too slow')
    printSlow(report)
    console.log(report.passed ? '  PASSED' : '  FAILED')
    failed ||= !report.passed
    results.slow = report
  },
  async soak() {
    const rate = values.rate === undefined ? undefined : Number(values.rate)
    const report = await soak({ folder, seed, minutes: size('minutes', 60, 3), rate, say })
    console.log(`\nSoak (seed ${seed}, ${report.minutes} minutes, the first ${report.warmUpMinutes} of them warm-up)`)
    printSoak(report)
    console.log(report.passed ? '  PASSED' : '  FAILED')
    failed ||= !report.passed
    results.soak = { seed, ...report }
  },
  async prove() {
    const own = { seed, records: Math.min(records, 12_000), steps: 26 }
    const input = new ChaosInput(own)
    const before = await run({ name: 'proof-unharmed', folder, input, seed, say })
    const harms = plan({ ...own, kills: 12, rebalances: 0, zombies: 2, restarts: {} })
    const rows: string[][] = []
    const noticed: Record<string, boolean> = {}
    for (const broken of (values.without ? [values.without] : [undefined, ...BROKEN]) as (Broken | undefined)[]) {
      const ran = await run({ name: `proof-without-${broken ?? 'nothing'}`, folder, input, seed, plan: harms, broken, say })
      const { differences, faults } = judge(before, ran, {})
      const sum = (of: (d: Difference) => number) => String(differences.reduce((total, d) => total + of(d), 0))
      say(`[prove] without ${broken ?? 'nothing'}: ${faults.join('; ') || 'no fault'}`)
      const right = broken ? faults.length > 0 : faults.length === 0
      noticed[broken ?? 'nothing'] = faults.length > 0
      failed ||= !right
      rows.push([
        broken ?? 'nothing',
        sum(d => d.lost),
        sum(d => d.duplicated),
        sum(d => d.different),
        sum(d => d.added),
        faults.length > 0 ? 'failure reported' : 'passed',
        right ? 'as it must' : 'WRONG',
      ])
    }
    console.log(`\nSelf-proof (seed ${seed}, ${input.steps} steps, 12 kills and 2 halted holders each)`)
    printTable(['switched off', 'lost', 'duplicated', 'different', 'added', 'harness says', ''], rows)
    if (!values.without) results.prove = { ...own, kills: 12, haltedHolders: 2, noticed }
  },
}

/** After each part: a long run that is cut short keeps what it has. */
const accept = (): void => {
  let accepted = {}
  try {
    accepted = JSON.parse(readFileSync(ACCEPTED, 'utf8'))
  } catch {
    // the first ones
  }
  writeFileSync(ACCEPTED, `${JSON.stringify({ ...accepted, ...results }, null, 2)}\n`)
}
for (const part of wanted) {
  await parts[part]()
  if (values.accept) accept()
}
if (!values.folder && !failed) rmSync(folder, { recursive: true, force: true })
else console.error(`data and logs: ${folder}`)
process.exit(failed ? 1 : 0)
