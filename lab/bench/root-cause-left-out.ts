/**
 * What is learned, on systems it has not seen: for each data set of labelled cases the weights and the curve of confidence are learned on all the others, judged on it, and thrown away;
 * beside them those that are shipped, learned on simulated incidents. `--data FOLDER` of cases with their labels (or AEGIS_EVAL_DATA).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import {
  type Calibration,
  confidenceOf,
  featuresOf,
  findEvidence,
  fusedWeights,
  fuseEvidence,
  recalibrate,
} from '@aegis/root-cause'
import { CaseReader } from '../evaluation/read-cause-case.ts'
import { type TrainingCase, trainRanker } from '../root-cause/train-ranker.ts'
import { printTable } from './chaos/compare.ts'

type Weights = Readonly<Record<string, number>>
interface Known extends TrainingCase {
  readonly dataset: string
  readonly evidence: Parameters<typeof fuseEvidence>[0]
  readonly findings: ReturnType<typeof findEvidence>
  readonly alert?: { readonly entity: string; readonly metric: string }
}
interface Judged {
  readonly place: number
  readonly margin: number
  readonly confidence: number
}
const BINS = 10

/** Expected calibration error in ten equal bins (Naeini et al., AAAI 2015). */
const calibrationError = (judged: readonly Judged[]): number => {
  const bins = Array.from({ length: BINS }, () => ({ said: 0, right: 0 }))
  for (const { confidence, place } of judged) {
    const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))]
    bin.said += confidence
    bin.right += Number(place === 1)
  }
  return bins.reduce((sum, b) => sum + Math.abs(b.said - b.right), 0) / judged.length
}
const figuresOf = (judged: readonly Judged[]): string[] => {
  const share = (k: number) => judged.filter(r => r.place <= k).length / judged.length
  return [share(1), share(3), [1, 2, 3, 4, 5].reduce((sum, k) => sum + share(k), 0) / 5, calibrationError(judged)].map(n =>
    n.toFixed(3),
  )
}
const rank = (known: Known, weights: Weights, curve: Calibration = fusedWeights.calibration): Judged => {
  const { margin, suspects } = fuseEvidence(known.evidence, { weights, findings: known.findings, alert: known.alert })
  const at = suspects.findIndex(s => s.entity === known.cause)
  return { margin, place: at < 0 ? Number.POSITIVE_INFINITY : at + 1, confidence: confidenceOf(margin, curve) }
}
/** The curve that fits these cases, under these weights. */
const curveOf = (cases: readonly Known[], weights: Weights): Calibration =>
  recalibrate(
    cases.map(c => rank(c, weights)).map(({ margin, place }) => ({ margin, right: place === 1 })),
    { bias: 0, slope: 1 },
    { prior: 1e-6 },
  )

const casesOf = (data: string): Known[] => {
  const reader = new CaseReader(data)
  const names = readdirSync(data).filter(name => existsSync(path.join(data, name, 'case.json')))
  return names.flatMap((name, i): Known[] => {
    if (i % 10 === 0) console.error(`read ${i} of ${names.length} cases`)
    const { dataset, root_cause_service: cause } = JSON.parse(readFileSync(path.join(data, name, 'case.json'), 'utf8'))
    if (!cause) return []
    const { evidence, file } = reader.read(name)
    const findings = findEvidence(evidence)
    const alert = file.alert && { entity: file.alert.service, metric: file.alert.metric }
    return [{ dataset, cause, evidence, findings, alert, features: featuresOf(evidence, findings, alert) }]
  })
}

export const run = async (args: readonly string[]): Promise<void> => {
  const at = args.indexOf('--data')
  const data = at < 0 ? process.env.AEGIS_EVAL_DATA : args[at + 1]
  if (!data) throw new Error('name a folder of labelled cases with --data, or in AEGIS_EVAL_DATA')
  const known = casesOf(data)
  if (known.length === 0) throw new Error(`${data} holds no labelled case`)
  const all = new Map<string, Judged[]>()
  const rows: string[][] = []
  for (const dataset of [...new Set(known.map(c => c.dataset))].sort()) {
    const others = known.filter(c => c.dataset !== dataset)
    const own = known.filter(c => c.dataset === dataset)
    if (others.length === 0) throw new Error(`${data} holds one data set: there is nothing to learn from`)
    console.error(`learning without ${dataset}`)
    const shipped = fusedWeights.weights
    const learned = trainRanker(others, { l2: 0.03 })
    const carried = trainRanker(others, { l2: 0.03, start: shipped })
    const ways: [string, Weights, Calibration][] = [
      ['as shipped: simulated incidents', shipped, fusedWeights.calibration],
      ['shipped weights, curve of the others', shipped, curveOf(others, shipped)],
      ['learned on the others', learned, curveOf(others, learned)],
      ['the same, from the shipped ones on', carried, curveOf(others, carried)],
    ]
    for (const [name, weights, curve] of ways) {
      const judged = own.map(c => rank(c, weights, curve))
      all.set(name, [...(all.get(name) ?? []), ...judged])
      rows.push([dataset, String(own.length), name, ...figuresOf(judged)])
    }
  }
  for (const [name, judged] of all) rows.push(['all', String(judged.length), name, ...figuresOf(judged)])
  printTable(['left out', 'cases', 'weights and curve', 'AC@1', 'AC@3', 'Avg@5', 'ECE'], rows)
}
