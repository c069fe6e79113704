import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { evaluateMetrics } from '@aegis/anomaly-detection/evaluate-metrics'
import { DETECTOR_NAMES, needsTensorFlow } from '@aegis/anomaly-detection/make-detector'
import { loadTensorFlow } from '@aegis/anomaly-detection/tensorflow'
import { AegisError } from '@aegis/domain'
import { stepOf } from '@aegis/lab/evaluation/metric-anomaly'
import { readMetrics } from '@aegis/recordings/read-metrics'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Picture, pictureSvg, pictureText } from './metrics-picture.ts'

interface Options {
  train?: string
  detector: string
  alarmsPerDay: number
  svg: string
  metrics: number
  from?: number
  to?: number
}
/** A number of at least so much, or what is wrong with the one given. */
const atLeast =
  (least: number, whole = true) =>
  (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || value < least || (whole && !Number.isInteger(value)))
      throw new InvalidArgumentError(`Give a ${whole ? 'whole ' : ''}number of at least ${least}.`)
    return value
  }

export const metricsCommand = (): Command =>
  new Command('metrics')
    .argument(
      '<file>',
      'a table with a column of times and one column per metric, or a row per point (CSV, also packed; JSON of Prometheus, CloudWatch, Grafana)',
    )
    .option('--train <file>', 'learn from this table first; else from the first rows')
    .addOption(new Option('--detector <name>', 'which detector').choices([...DETECTOR_NAMES]).default('ensemble'))
    .option('--alarms-per-day <number>', 'how many alarms a day you are ready to look at', atLeast(0.001, false), 0.5)
    .option('--metrics <number>', 'how many of the guilty metrics to draw', atLeast(1), 5)
    .option('--from <row>', 'first row to draw', atLeast(0))
    .option('--to <row>', 'row to stop before', atLeast(1))
    .option('--svg <file>', 'where the picture goes', 'metrics.svg')
    .action(run)

async function run(file: string, options: Options): Promise<void> {
  const table = await readMetrics(file)
  const from = options.from ?? 0
  const to = Math.min(table.count, options.to ?? table.count)
  if (from >= to) throw new AegisError('INPUT_INVALID', `${file} has ${table.count} rows: none of them from ${from} to ${to}`)
  const history = options.train === undefined ? undefined : await readMetrics(options.train)
  for (const note of [...(history?.notes ?? []), ...table.notes]) console.error(note)
  if (history && history.metrics !== table.metrics)
    throw new AegisError('INPUT_INVALID', `${options.train} has ${history.metrics} metrics, ${file} has ${table.metrics}`)
  const tensors = needsTensorFlow(options.detector) ? await loadTensorFlow({ log: line => console.log(line) }) : undefined
  const found = evaluateMetrics(history, table, {
    detector: options.detector,
    alarmsPerDay: options.alarmsPerDay,
    stepSeconds: stepOf(table.times),
    // Who looks at a picture would rather see one too many.
    youngThreshold: 8,
    expected: true,
    tensors,
  })
  const strange = anomaliesOf(found.decisions, 0, table.count)
  const anomalies = anomaliesOf(found.decisions, from, to).map(([start, end]) => {
    const blame = new Map<number, number>()
    // The first metrics named while it lasted, the early namings counting most.
    for (const { index, metrics } of found.explanations)
      if (index >= start && index <= end)
        metrics.slice(0, 5).forEach((m, rank) => {
          blame.set(m, (blame.get(m) ?? 0) + 1 / (1 + rank) / (1 + index - start))
        })
    const guilty = [...blame].sort((a, b) => b[1] - a[1]).map(([m]) => m)
    return { start, end, guilty, score: Math.max(...found.scores.subarray(start, end + 1)) }
  })
  const worst = new Map<number, number>()
  for (const { guilty, score } of anomalies)
    guilty.slice(0, 3).forEach((m, rank) => {
      worst.set(m, (worst.get(m) ?? 0) + score / (1 + rank))
    })
  const shown = [...worst].sort((a, b) => b[1] - a[1]).map(([m]) => m)
  for (let m = 0; shown.length < Math.min(options.metrics, table.metrics); m++) if (!shown.includes(m)) shown.push(m)
  const picture: Picture = {
    title: `${path.basename(path.dirname(path.resolve(file)))}/${path.basename(file)}: ${to - from} rows, ${table.metrics} metrics, ${anomalies.length} ${anomalies.length === 1 ? 'anomaly' : 'anomalies'} found by ${options.detector}`,
    stamps: table.stamps.slice(from, to),
    score: found.scores.subarray(from, to),
    threshold: found.thresholds.subarray(from, to),
    anomalies: anomalies.map(a => ({
      ...a,
      start: a.start - from,
      end: a.end - from,
      guilty: a.guilty.map(m => table.names[m]),
    })),
    lines: shown.slice(0, options.metrics).map(m => {
      const pick = (values: Float64Array) =>
        Float64Array.from({ length: to - from }, (_, i) => values[(from + i) * table.metrics + m])
      const values = pick(table.values)
      const expected = pick(found.expected)
      const usual = usualErrors(table.values, found.expected, strange, table, m)
      const width = usual[Math.floor(0.98 * (usual.length - 1))] ?? 0
      return { name: table.names[m], values, low: expected.map(v => v - width), high: expected.map(v => v + width) }
    }),
  }
  console.log(pictureText(picture, Math.min(160, process.stdout.columns ?? 100)))
  await mkdir(path.dirname(path.resolve(options.svg)), { recursive: true })
  await writeFile(options.svg, pictureSvg(picture))
  console.log(`picture: ${options.svg}`)
}

/** Runs of flagged rows; up to five quiet ones do not end a run. */
function anomaliesOf(decisions: Uint8Array, from: number, to: number): [number, number][] {
  const out: [number, number][] = []
  for (let i = from; i < to; i++) {
    if (decisions[i] === 0) continue
    const last = out[out.length - 1]
    if (last && i - last[1] <= 6) last[1] = i
    else out.push([i, i])
  }
  return out
}

/** How far a metric lies from what is expected when nothing is strange, sorted: an incident must not widen the band it is held against. */
function usualErrors(
  values: Float64Array,
  expected: Float64Array,
  strange: readonly (readonly [number, number])[],
  { count, metrics }: { readonly count: number; readonly metrics: number },
  metric: number,
): Float64Array {
  const errors: number[] = []
  let next = 0
  for (let i = 0; i < count; i++) {
    while (next < strange.length && strange[next][1] < i) next++
    if (next < strange.length && strange[next][0] <= i) continue
    const error = Math.abs(values[i * metrics + metric] - expected[i * metrics + metric])
    if (Number.isFinite(error)) errors.push(error)
  }
  return Float64Array.from(errors).sort()
}
