/**
 * `node lab/inference/train-failures.ts [--write]`: grows the forest of detect-failure from simulated windows and judges it, beside the rules alone, on windows whose
 * lines it has never seen, and on the pipeline's own simulator with other seeds. What is written down says all of that.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { seededRandom } from '@aegis/domain'
import {
  describeWindow,
  detectFailure,
  FAILURE_FEATURES,
  FAILURE_NAMES,
  type FailureModel,
  forestModel,
  type SavedFailureModel,
} from '@aegis/inference'
import { RandomForest } from '@aegis/learning/random-forest'
import { type LabelledWindow, RECORDED_FAULTS, recordedWindow, simulateWindow } from './simulate-windows.ts'

const CLASSES = ['none', ...FAILURE_NAMES] as const
const WINDOWS = 9000
const RECORDED = 40
const many = (n: number, make: (i: number) => LabelledWindow) => Array.from({ length: n }, (_, i) => make(i))

const random = seededRandom(20_260)
const learned = [
  ...many(WINDOWS, () => simulateWindow(random, 'learn')),
  ...RECORDED_FAULTS.flatMap(fault => many(RECORDED, i => recordedWindow(1000 + i, fault))),
]
const rows = learned.map(w => describeWindow(w.metrics, w.logs).features)
const forest = new RandomForest({ trees: 40, depth: 14, minRows: 4, classes: CLASSES.length, seed: 1 })
forest.fit(
  rows,
  learned.map(w => CLASSES.indexOf(w.type)),
)
const short = (list: readonly number[]) => list.map(x => Number(x.toPrecision(4)))
const grown = forest.save()
/** Four digits are as good, and half the file. */
const saved = { ...grown, threshold: short(grown.threshold), cover: short(grown.cover), value: short(grown.value) }

const judge = (windows: readonly LabelledWindow[], model: FailureModel | undefined) => {
  let right = 0
  let falsely = 0
  let missed = 0
  let failures = 0
  const per = new Map<string, [right: number, of: number]>()
  for (const w of windows) {
    const answer = detectFailure(w.metrics, w.logs, model, Number.POSITIVE_INFINITY)
    const said = answer.failure_type ?? 'none'
    const [r, n] = per.get(w.type) ?? [0, 0]
    per.set(w.type, [r + Number(said === w.type), n + 1])
    if (said === w.type) right++
    if (w.type === 'none' && said !== 'none') falsely++
    if (w.type !== 'none') {
      failures++
      if (said === 'none') missed++
    }
  }
  const quiet = windows.length - failures
  return {
    accuracy: right / windows.length,
    missed: failures ? missed / failures : 0,
    false_alarms: quiet ? falsely / quiet : 0,
    per,
  }
}
const other = seededRandom(77)
const unseen = many(3000, () => simulateWindow(other, 'judge'))
const recorded = RECORDED_FAULTS.flatMap(fault => many(20, i => recordedWindow(50_000 + i, fault)))
const figures: Record<string, number> = {}
const body = { classes: CLASSES, features: FAILURE_FEATURES, trees: saved } as const
const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex')
const model: SavedFailureModel = {
  name: 'failure-forest',
  version: digest.slice(0, 12),
  trained_on: `${WINDOWS} windows of made-up lines and numbers for ${FAILURE_NAMES.length} types and none (lab/inference/simulate-windows.ts), and ${RECORDED_FAULTS.length * RECORDED} of the pipeline's own simulator (lab/root-cause/simulate-recording.ts); no window of a real system`,
  digest,
  figures,
  ...body,
}
const made = forestModel(model)
for (const [name, windows] of [
  ['unseen_lines', unseen],
  ['simulator', recorded],
] as const)
  for (const [who, m] of [
    ['model', made],
    ['rules', undefined],
  ] as const) {
    const { accuracy, missed, false_alarms, per } = judge(windows, m)
    console.log(
      `${name.padEnd(14)} ${who.padEnd(6)} right ${(100 * accuracy).toFixed(1)} %, failures missed ${(100 * missed).toFixed(1)} %, false alarms ${(100 * false_alarms).toFixed(1)} %`,
    )
    if (process.argv.includes('--types')) console.log([...per].map(([t, [r, n]]) => `  ${t}: ${r}/${n}`).join('\n'))
    figures[`${name}_${who}_accuracy`] = Math.round(accuracy * 1000) / 1000
    figures[`${name}_${who}_false_alarms`] = Math.round(false_alarms * 1000) / 1000
  }
if (process.argv.includes('--write')) {
  const file = path.resolve(import.meta.dirname, '../../libs/inference/models/failure-forest.json')
  writeFileSync(file, `${JSON.stringify({ ...model, figures })}\n`)
  console.log(`wrote ${file}: ${digest}`)
}
