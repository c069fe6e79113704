/**
 * `npm run bench -- model-drift [--months N] [--only estimate]`: how soon a change of what a model is given is found, how often there is an alarm where nothing changed, and how well accuracy
 * is known where nobody says what was right. All streams are made here: independent values of three shapes, and values that follow one another.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { detectFailure, FAILURE_NAMES, shippedFailureModel } from '@aegis/inference'
import { normal, seededRandom } from '@aegis/learning/random'
import { Softmax } from '@aegis/learning/softmax'
import { PerformanceEstimate } from '@aegis/learning/watch/estimate-performance'
import { FeatureDrift } from '@aegis/learning/watch/feature-drift'
import { RollingAccuracy } from '@aegis/learning/watch/rolling-accuracy'
import { simulateWindow } from '../inference/simulate-windows.ts'

const FEATURES = Array.from({ length: 8 }, (_, i) => `f${i}`)
const MONTH = 2_592_000
type Shape = (random: () => number) => () => number
/** Each of mean 0 and standard deviation 1. */
const follows =
  (r: number): Shape =>
  random => {
    let last = normal(random)
    return () => (last = r * last + Math.sqrt(1 - r * r) * normal(random))
  }
const SHAPES: Readonly<Record<string, Shape>> = {
  'normal values': random => () => normal(random),
  'long-tailed values': random => () => (Math.exp(normal(random)) - Math.exp(0.5)) / Math.sqrt((Math.E - 1) * Math.E),
  'whole numbers': random => () => Math.round(2 * normal(random)) / 2,
  'each like the one before, .5': follows(0.5),
  'each like the one before, .8': follows(0.8),
}

function delays(shape: Shape, shift: number, tries: number) {
  const found: number[] = []
  let early = 0
  for (let t = 0; t < tries; t++) {
    const random = seededRandom(7000 + t)
    const next = FEATURES.map(() => shape(random))
    const drift = new FeatureDrift({ features: FEATURES })
    const at = 1000 + Math.floor(3000 * random())
    let delay = Number.POSITIVE_INFINITY
    for (let i = 0; i < at + 4000; i++) {
      const report = drift.add(next.map((draw, f) => draw() + (f === 3 && i >= at ? shift : 0)))
      if (!report?.alarm) continue
      if (i < at) early++
      else {
        delay = i - at + 1
        break
      }
    }
    found.push(delay)
  }
  found.sort((a, b) => a - b)
  const within = (n: number) => found.filter(d => d <= n).length / tries
  return { within500: within(500), p50: found[tries >> 1], p95: found[Math.floor(0.95 * tries)], early }
}
function falseAlarms(shape: Shape, months: number): { alarms: number; said: number } {
  let [alarms, reports, said] = [0, 0, 0]
  for (let m = 0; m < months; m++) {
    const random = seededRandom(90 + m)
    const next = FEATURES.map(() => shape(random))
    const drift = new FeatureDrift({ features: FEATURES })
    for (let i = 0; i < MONTH; i++) {
      const report = drift.add(next.map(draw => draw()))
      if (!report) continue
      reports++
      if (report.alarm) alarms++
      if (report.drifted.length > 0) said++
    }
  }
  return { alarms: alarms / months, said: said / Math.max(1, reports) }
}

/** A month of outcomes, a hundred an hour, of a model that is as good as ever; and one that loses a tenth. */
function accuracyAlarms(months: number) {
  const run = (m: number, loss: number) => {
    const random = seededRandom(500 + m)
    const rolling = new RollingAccuracy()
    const all = 72_000
    const at = loss > 0 ? all / 2 : all
    let alarms = 0
    for (let i = 0; i < all; i++) {
      const report = rolling.add(random() < 0.85 - (i >= at ? loss : 0))
      if (report?.degraded && loss > 0 && i >= at) return i - at + 1
      if (report?.degraded) alarms++
    }
    return loss > 0 ? Number.POSITIVE_INFINITY : alarms
  }
  const many = (loss: number) => Array.from({ length: months }, (_, m) => run(m, loss)).sort((a, b) => a - b)
  const none = many(0)
  return { alarmsAMonth: none.reduce((a, b) => a + b, 0) / months, lostATenth: many(0.1)[months >> 1] }
}

interface Answer {
  readonly confidence: number
  readonly right: boolean
}
const MODEL = shippedFailureModel()
const CHUNK = 1000
function errors(reference: readonly Answer[], chunks: readonly (readonly Answer[])[]) {
  const estimate = new PerformanceEstimate()
  estimate.fit(
    reference.map(a => a.confidence),
    reference.map(a => Number(a.right)),
  )
  return chunks.map(chunk => {
    for (const { confidence } of chunk) estimate.add(confidence)
    const truth = chunk.filter(a => a.right).length / chunk.length
    return { truth, off: (estimate.close() as number) - truth, stays: estimate.reference - truth }
  })
}
/** A classifier of six columns, and columns that move towards where it is unsure, wider, narrower, and come from a part of the whole only. */
function movedColumns() {
  const random = seededRandom(31)
  const truthOf = (x: readonly number[]) =>
    1 / (1 + Math.exp(-(1.5 * x[0] - x[1] + 0.8 * x[2] * (x[3] > 0 ? 1 : 0.4) + 0.5 * x[4])))
  const draw = (move: (x: number[]) => number[]) => {
    const x = move(Array.from({ length: 6 }, () => normal(random)))
    return { x, y: random() < truthOf(x) ? 1 : 0 }
  }
  const many = (n: number, move: (x: number[]) => number[] = x => x) => Array.from({ length: n }, () => draw(move))
  const model = Softmax.train(
    [0, 1],
    many(4000).map(({ x, y }) => ({ vector: x, label: y })),
    { penalty: 0.001 },
  )
  const answers = (rows: ReturnType<typeof many>): Answer[] =>
    rows.map(({ x, y }) => {
      const [zero, one] = model.chances(x)
      return { confidence: Math.max(zero, one), right: (one > zero ? 1 : 0) === y }
    })
  const moves: ((k: number) => (x: number[]) => number[])[] = [
    k => x => x.map((v, j) => (j === 0 ? v + 2 * k : v)),
    k => x => x.map((v, j) => (j < 3 ? v * (1 - 0.8 * k) : v)),
    k => x => x.map(v => v * (1 + 0.8 * k)),
    k => x => x.map((v, j) => (j === 3 ? v + 2 * k : v)),
    k => x => (random() < k ? x.map((v, j) => (j === 0 ? 0.2 * v + 0.6 : v)) : x),
  ]
  const chunks = moves.flatMap(move => [0, 0.25, 0.5, 0.75, 1].map(k => answers(many(CHUNK, move(k)))))
  return errors(answers(many(4000)), chunks)
}
/** The shipped model of failures on windows whose kinds come in other shares than before. */
function movedFailures() {
  const random = seededRandom(32)
  const kinds = ['none', ...FAILURE_NAMES] as const
  const answers = (n: number, shareOf: (kind: number) => number): Answer[] => {
    const shares = kinds.map((_, k) => shareOf(k))
    const all = shares.reduce((a, b) => a + b, 0)
    return Array.from({ length: n }, () => {
      let at = random() * all
      const k = shares.findIndex(share => (at -= share) < 0)
      const w = simulateWindow(random, 'judge', kinds[Math.max(0, k)])
      const answer = detectFailure(w.metrics, w.logs, MODEL, Number.POSITIVE_INFINITY)
      const said = answer.failure_type ?? 'none'
      return { confidence: answer.confidence, right: said === w.type }
    })
  }
  const even = () => 1
  const chunks = [0, 0.3, 0.6, 0.9].flatMap(k => [
    answers(CHUNK, kind => (kind === 0 ? 1 + 20 * k : 1)),
    answers(CHUNK, kind => (kind % 2 ? 1 : 1 - k)),
    answers(CHUNK, kind => (kind < 8 ? 1 - k : 1)),
  ])
  return errors(answers(3000, even), chunks)
}
const summary = (list: ReturnType<typeof errors>) => {
  const offs = list.map(e => Math.abs(e.off)).sort((a, b) => a - b)
  return {
    chunks: list.length,
    truthFrom: Math.min(...list.map(e => e.truth)),
    truthTo: Math.max(...list.map(e => e.truth)),
    meanError: offs.reduce((a, b) => a + b, 0) / offs.length,
    worst: offs.at(-1) as number,
    /** What is wrong by saying that nothing changed. */
    meanErrorOfStaying: list.reduce((sum, e) => sum + Math.abs(e.stays), 0) / list.length,
  }
}

function streams(figures: Record<string, unknown>, months: number, tries: number): void {
  console.log(
    `one of eight features moves by one standard deviation, ${tries} tries; ${months} months of a sample a second in which nothing moves`,
  )
  console.log(
    'values                        found within 500  median   95 %   too early  alarms a month  windows with a feature said to drift',
  )
  for (const [name, shape] of Object.entries(SHAPES)) {
    const d = delays(shape, 1, tries)
    const f = falseAlarms(shape, months)
    figures[name] = { ...d, ...f }
    console.log(
      `${name.padEnd(29)} ${d.within500.toFixed(3).padStart(16)}  ${String(d.p50).padStart(6)} ${String(d.p95).padStart(6)}  ${String(d.early).padStart(9)}  ${f.alarms.toFixed(2).padStart(14)}  ${f.said.toFixed(3)}`,
    )
  }
  const half = delays(SHAPES['normal values'], 0.5, tries)
  console.log(`half a standard deviation, normal values: within 500 ${half.within500.toFixed(3)}, median ${half.p50}`)
  const acc = accuracyAlarms(40)
  Object.assign(figures, { half, accuracy: acc })
  console.log(
    `\naccuracy, windows of 100: ${acc.alarmsAMonth} alarms a month at 72,000 outcomes; a loss of .10 is found after ${acc.lostATenth}`,
  )
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      months: { type: 'string', default: '2' },
      tries: { type: 'string', default: '200' },
      only: { type: 'string', default: '' },
    },
  })
  const [months, tries] = [Number(values.months), Number(values.tries)]
  const file = join(import.meta.dirname, 'model-drift.json')
  const figures: Record<string, unknown> = {}
  if (values.only !== 'estimate') streams(figures, months, tries)
  else Object.assign(figures, JSON.parse(readFileSync(file, 'utf8')))
  console.log('\naccuracy without labels, windows of 1,000')
  for (const [name, list] of [
    ['columns that move', movedColumns()],
    ['failures in other shares', movedFailures()],
  ] as const) {
    const s = summary(list)
    figures[name] = s
    console.log(
      `${name.padEnd(26)} truth ${s.truthFrom.toFixed(3)} to ${s.truthTo.toFixed(3)}: off by ${s.meanError.toFixed(3)}, worst ${s.worst.toFixed(3)} (by saying that nothing changed ${s.meanErrorOfStaying.toFixed(3)})`,
    )
  }
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`)
}
