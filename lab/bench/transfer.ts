/**
 * `npm run bench -- transfer`: how much data of its own a new system needs when it starts from weights that were learned on others. Each system in turn is left out: it has a
 * mix of failures of its own, half of them write lines in words that the other half never use, and levels of its numbers are its own. Weights of the others are gone on from,
 * with a pull towards them that is chosen on its own data: how far they are trusted.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeWindow, FAILURE_NAMES } from '@aegis/inference'
import { normal, seededRandom } from '@aegis/learning/random'
import { accuracyOf, type Case, localUpdate, widthOf } from '../federated/softmax-site.ts'
import { simulateWindow } from '../inference/simulate-windows.ts'

const NAMES = ['none', ...FAILURE_NAMES] as const
const CLASSES = NAMES.length
const OWN = 600
const JUDGED = 1000
const SHARES = [0, 0.05, 0.1, 0.2, 0.3, 0.5, 1]
/** Pulls towards the weights of others; none is to begin anew but for the start. */
const PULLS = [0, 0.003, 0.03, 0.3]
const OPTIONS = { classes: CLASSES, rate: 4 }
const EPOCHS = 200

interface System {
  readonly own: readonly Case[]
  readonly judged: readonly Case[]
}
function systemsOf(count: number, seed: number): System[] {
  const random = seededRandom(seed)
  const raw = Array.from({ length: count }, (_, s) => {
    const weights = NAMES.map(() => normal(random) ** 2)
    const all = weights.reduce((a, b) => a + b, 0)
    const habits: number[] = []
    const draw = () => {
      let at = random() * all
      const kind = Math.max(
        0,
        weights.findIndex(w => (at -= w) < 0),
      )
      const w = simulateWindow(random, s % 2 ? 'judge' : 'learn', NAMES[kind])
      const x = describeWindow(w.metrics, w.logs).features.map((v, j) => {
        habits[j] ??= 0.4 * normal(random)
        return v === 0 || !Number.isFinite(v) ? 0 : Math.asinh(v) + habits[j]
      })
      return { x, label: kind }
    }
    return { own: Array.from({ length: OWN }, draw), judged: Array.from({ length: JUDGED }, draw) }
  })
  const everything = raw.flatMap(s => s.own)
  const features = everything[0]?.x.length ?? 0
  const mean = Float64Array.from({ length: features }, (_, j) => everything.reduce((a, r) => a + r.x[j], 0) / everything.length)
  const spread = mean.map((m, j) =>
    Math.sqrt(Math.max(everything.reduce((a, r) => a + (r.x[j] - m) ** 2, 0) / everything.length, 1e-4)),
  )
  const standard = ({ x, label }: { x: ArrayLike<number>; label: number }): Case => ({
    label,
    x: Float64Array.from(x, (v, j) => Math.max(-4, Math.min(4, (v - mean[j]) / spread[j])) / Math.sqrt(features)),
  })
  return raw.map(s => ({ own: s.own.map(standard), judged: s.judged.map(standard) }))
}

/** From these weights on, as far as they are trusted. */
function goOn(cases: readonly Case[], from: Float64Array, proximal: number): Float64Array {
  if (cases.length === 0) return from
  const update = localUpdate(cases, from, { ...OPTIONS, epochs: EPOCHS, proximal })
  return from.map((w, i) => w + update[i])
}
/** The pull with which half of its own data does best on the other half, both ways. */
function trusted(cases: readonly Case[], from: Float64Array): number {
  if (cases.length < 20) return PULLS.at(-1) as number
  const halves = [cases.filter((_, i) => i % 2 === 0), cases.filter((_, i) => i % 2 === 1)] as const
  const score = (pull: number) =>
    accuracyOf(goOn(halves[0], from, pull), halves[1], CLASSES) + accuracyOf(goOn(halves[1], from, pull), halves[0], CLASSES)
  return PULLS.map(pull => [score(pull), pull] as const).sort((a, b) => b[0] - a[0] || b[1] - a[1])[0][1]
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { systems: { type: 'string', default: '6' } } })
  const systems = systemsOf(Number(values.systems), 61)
  const nothing = new Float64Array(widthOf(systems[0].own[0].x.length, CLASSES))
  const table = systems.map((left, s) => {
    const others = systems.filter((_, i) => i !== s).flatMap(o => o.own)
    const given = goOn(others, nothing, 0)
    return SHARES.map(share => {
      const own = left.own.slice(0, Math.round(share * OWN))
      const pull = trusted(own, given)
      return {
        anew: own.length === 0 ? 0 : accuracyOf(goOn(own, nothing, 0), left.judged, CLASSES),
        from: accuracyOf(goOn(own, given, pull), left.judged, CLASSES),
        pull,
      }
    })
  })
  const mean = (of: (t: (typeof table)[number]) => number) => table.reduce((sum, t) => sum + of(t), 0) / table.length
  console.log(`${systems.length} systems, each left out in turn; ${OWN} windows of its own, judged on ${JUDGED} of its own`)
  console.log('own windows   learned anew   from the others   pull towards them (mean)')
  for (const [i, share] of SHARES.entries())
    console.log(
      `${String(Math.round(share * OWN)).padStart(11)}   ${
        share === 0
          ? '–'.padStart(12)
          : mean(t => t[i].anew)
              .toFixed(3)
              .padStart(12)
      }   ${mean(t => t[i].from)
        .toFixed(3)
        .padStart(15)}   ${mean(t => t[i].pull).toFixed(3)}`,
    )
  const full = SHARES.length - 1
  const reached = table.map(t => SHARES[t.findIndex(row => row.from >= t[full].anew)] ?? Number.POSITIVE_INFINITY)
  console.log(
    `\neach system left out: own figure ${table.map(t => t[full].anew.toFixed(3)).join(' ')}\n            reached with  ${reached.map(share => (Number.isFinite(share) ? `${Math.round(100 * share)} %` : 'never').padStart(5)).join(' ')} of its data`,
  )
  writeFileSync(
    join(import.meta.dirname, 'transfer.json'),
    `${JSON.stringify({ shares: SHARES, anew: SHARES.map((_, i) => mean(t => t[i].anew)), from: SHARES.map((_, i) => mean(t => t[i].from)), reached }, null, 2)}\n`,
  )
}
