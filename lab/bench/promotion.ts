/**
 * `npm run bench -- promotion [--tries N]`: candidates of six kinds on their way into force, each a model that was really trained. What each is worth is known from 20,000 cases
 * that the trial never sees. Nothing bad may get in force; of those that are better by .03 and more 95 in 100 must, within their traffic.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ModelVersion } from '@aegis/domain'
import { normal, seededRandom } from '@aegis/learning/random'
import { Softmax } from '@aegis/learning/softmax'
import { objectionToModel, objectionToNumbers, type PairedCase, sealed, Trial } from '@aegis/model-registry'

const WIDTH = 8
const SLICES = 8
const HELD_OUT = 2000
/** Cases whose outcome becomes known while a candidate is on trial. */
const TRAFFIC = 25_000
const TRUTH = 20_000

interface Row {
  readonly x: readonly number[]
  readonly y: number
  readonly slice: number
  readonly id: number
}
type Model = (row: Row) => number
const KINDS = ['worse', 'poisoned', 'no numbers', 'overfitted', 'equal', 'better'] as const
type Kind = (typeof KINDS)[number]

function world(seed: number) {
  const random = seededRandom(seed)
  const truth = Array.from({ length: WIDTH }, () => 1.4 * normal(random))
  let id = 0
  const draw = (): Row => {
    const x = Array.from({ length: WIDTH }, () => normal(random))
    // Some kinds of cases are common, some are one in thirty.
    const slice = Math.min(SLICES - 1, Math.floor(SLICES * random() ** 1.6))
    const z = x.reduce((sum, v, j) => sum + v * (truth[j] as number), 0)
    return { x, slice, y: random() < 1 / (1 + Math.exp(-z)) ? 1 : 0, id: id++ }
  }
  const many = (n: number) => Array.from({ length: n }, draw)
  const train = (rows: readonly Row[]): Model => {
    const model = Softmax.train(
      [0, 1],
      rows.map(r => ({ vector: r.x, label: r.y })),
      { steps: 60 },
    )
    return row => {
      const [zero, one] = model.chances(row.x) as unknown as [number, number]
      return one > zero ? 1 : 0
    }
  }
  /** Labels that are wrong now and then. */
  const noisy = (rows: readonly Row[], share: number) => rows.map(r => (random() < share ? { ...r, y: 1 - r.y } : r))
  return { random, many, train, noisy }
}

interface Try {
  readonly kind: Kind
  readonly difference: number
  readonly worstSlice: number
  readonly end: string
  readonly step: string
  readonly cases: number
}
function attempt(seed: number, kind: Kind): Try {
  const { random, many, train, noisy } = world(seed)
  const between = (low: number, high: number) => low + (high - low) * random()
  const present = train(noisy(many(kind === 'better' ? Math.round(between(40, 200)) : 400), 0.1))
  const heldOut = many(HELD_OUT)
  const victim = Math.floor(random() * SLICES)
  const good = train(many(1500))
  const weak = train(noisy(many(Math.round(between(40, 300))), between(0.1, 0.25)))
  const remembers = between(0.3, 1)
  const known = new Map(heldOut.filter(() => random() < remembers).map(r => [r.id, r.y]))
  const inverted = between(0.3, 1)
  const models: Record<Kind, () => Model> = {
    worse: () => weak,
    poisoned: () => row => (row.slice === victim && row.id % 100 < 100 * inverted ? 1 - good(row) : good(row)),
    'no numbers': () => {
      const every = random() < 0.5 ? 1 : 0.02
      return row => (random() < every ? Number.NaN : good(row))
    },
    overfitted: () => row => known.get(row.id) ?? weak(row),
    equal: () => train(noisy(many(400), 0.1)),
    better: () => good,
  }
  const candidate = models[kind]()
  const paired = (row: Row): PairedCase => {
    const answer = candidate(row)
    return {
      present: present(row) === row.y ? 1 : 0,
      candidate: Number.isNaN(answer) ? Number.NaN : answer === row.y ? 1 : 0,
      slice: `kind ${row.slice}`,
    }
  }
  const judged = many(TRUTH).map(row => ({ row, c: paired(row) }))
  const meanOf = (list: typeof judged) => list.reduce((sum, { c }) => sum + (c.candidate - c.present), 0) / list.length
  const bySlice = Map.groupBy(judged, ({ row }) => row.slice)
  const known0 = {
    kind,
    difference: meanOf(judged),
    worstSlice: Math.min(...[...bySlice.values()].map(meanOf)),
  }
  if (kind === 'no numbers') {
    // Its weights are looked at before anything is asked of it.
    const weights = Buffer.from('{"w":[0.1,1e999]}')
    const version = sealed({ id: 'm', environment: '*', time: 1, version: 'v', state: 'registered', weights } as ModelVersion)
    if (random() < 0.5 && (objectionToModel(version) ?? objectionToNumbers(version, 'm')))
      return { ...known0, end: 'refused', step: 'registration', cases: 0 }
  }
  const trial = new Trial(`t${seed}`)
  let cases = 0
  let verdict = trial.holdOut(heldOut.map(paired))
  let step = 'hold-out'
  while (verdict.state === 'candidate' || verdict.state === 'canary') {
    if (cases >= TRAFFIC) return { ...known0, end: 'no verdict', step, cases }
    const [row] = many(1) as [Row]
    cases++
    if (trial.state === 'candidate') {
      step = 'shadow'
      verdict = trial.shadow(paired(row)) ?? verdict
    } else {
      step = 'canary'
      const by = trial.decidesFor(`entity ${row.id % 997}`) ? 'candidate' : 'present'
      verdict = trial.canary(by, paired(row)[by]) ?? verdict
    }
  }
  return { ...known0, end: verdict.state, step, cases }
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { tries: { type: 'string', default: '1000' } } })
  const tries = Number(values.tries)
  const all = Array.from({ length: tries }, (_, i) => attempt(10_000 + i, KINDS[i % KINDS.length] as Kind))
  const figures: Record<string, unknown> = {}
  console.log(`${tries} candidates; hold-out ${HELD_OUT}, traffic ${TRAFFIC} cases`)
  console.log(
    'kind          tried  in force (no better)  ended at registration / hold-out / shadow / canary   difference (mean)  cases (median, of those in force)',
  )
  for (const kind of KINDS) {
    const own = all.filter(t => t.kind === kind)
    const passed = own.filter(t => t.end === 'active')
    const ends = ['registration', 'hold-out', 'shadow', 'canary'].map(
      step => own.filter(t => t.end !== 'active' && t.step === step).length,
    )
    const mean = own.reduce((sum, t) => sum + t.difference, 0) / own.length
    const cases = passed.map(t => t.cases).sort((a, b) => a - b)[passed.length >> 1]
    figures[kind] = { tried: own.length, inForce: passed.length, ends, difference: mean, cases }
    console.log(
      `${kind.padEnd(12)} ${String(own.length).padStart(6)} ${String(passed.length).padStart(9)}  ${ends.join(' / ').padEnd(52)} ${Number.isNaN(mean) ? '–'.padStart(17) : mean.toFixed(3).padStart(17)}  ${cases ?? '–'}`,
    )
  }
  const bad = all.filter(t => t.end === 'active' && !(t.difference > 0))
  const poisoned = all.filter(t => t.kind === 'poisoned' && t.end === 'active')
  const better = all.filter(t => t.kind === 'better' && t.difference >= 0.03)
  const through = better.filter(t => t.end === 'active').length
  console.log(`\nin force although no better: ${bad.length}; poisoned in force: ${poisoned.length}`)
  console.log(`better by .03 and more: ${better.length}, in force ${through} (${((100 * through) / better.length).toFixed(1)} %)`)
  writeFileSync(
    join(import.meta.dirname, 'promotion.json'),
    `${JSON.stringify({ tries, ...figures, noBetterInForce: bad.length, poisonedInForce: poisoned.length, better: better.length, betterInForce: through }, null, 2)}\n`,
  )
}
