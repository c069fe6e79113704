/**
 * `aegis eval metric-anomaly`: scores, decisions and guilty metrics for recorded series, without labels.
 *
 * A series is a folder with `test.csv[.gz]` (t, then one column per metric); with `train.csv[.gz]` beside it the detector learns from that first, without
 * it streams from the first row. Writes `<folder>/scores.csv` (t, score, decision) and `<folder>/explain.json` ([{ t, metrics }], guiltiest first).
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { evaluateMetrics } from '@aegis/anomaly-detection/evaluate-metrics'
import { DETECTOR_NAMES, isDetector, needsTensorFlow } from '@aegis/anomaly-detection/make-detector'
import { loadTensorFlow } from '@aegis/anomaly-detection/tensorflow'
import { AegisError } from '@aegis/domain'
import { readMetrics } from '@aegis/recordings/read-metrics'

export interface MetricAnomalyOptions {
  readonly data: string
  readonly out: string
  readonly detector?: string
  /** Alarms per entity and day one is ready to look at, as a number or its text. Default 0.5. */
  readonly alarmsPerDay?: number | string
  readonly progress?: (done: number, total: number, what: string) => void
}
export interface MetricAnomalyResult {
  readonly series: readonly {
    readonly name: string
    readonly rows: number
    readonly flagged: number
    readonly seconds: number
  }[]
}

export async function evalMetricAnomaly(options: MetricAnomalyOptions): Promise<MetricAnomalyResult> {
  const { data, out, detector = 'ensemble', progress = () => {} } = options
  const alarmsPerDay = Number(options.alarmsPerDay ?? 0.5)
  if (!(alarmsPerDay >= 0.001 && Number.isFinite(alarmsPerDay)))
    throw new AegisError('INPUT_INVALID', `--alarms-per-day ${options.alarmsPerDay}: give a number of at least 0.001`)
  if (!isDetector(detector))
    throw new AegisError(
      'INPUT_INVALID',
      `no detector is called ${detector}: there are ${DETECTOR_NAMES.join(', ')}, and several joined by plus signs`,
    )
  const folders = await seriesUnder(data)
  if (folders.length === 0)
    throw new AegisError(
      'INPUT_INVALID',
      `${data} holds no series: expected folders with test.csv or test.csv.gz somewhere in it`,
    )
  const tensors = needsTensorFlow(detector) ? await loadTensorFlow() : undefined
  const series = []
  for (const [i, { folder, test, train }] of folders.entries()) {
    const started = performance.now()
    const name = relative(data, folder)
    const rows = await readMetrics(join(folder, test))
    const history = train === undefined ? undefined : await readMetrics(join(folder, train))
    for (const note of [...(history?.notes ?? []), ...rows.notes]) console.error(note)
    if (history && history.metrics !== rows.metrics)
      throw new AegisError('INPUT_INVALID', `${name}: ${train} has ${history.metrics} metrics, ${test} has ${rows.metrics}`)
    const { scores, decisions, explanations } = evaluateMetrics(history, rows, {
      detector,
      alarmsPerDay,
      stepSeconds: stepOf(rows.times),
      tensors,
      onProgress: p => progress(p.step, p.steps, `${name}, training steps`),
    })
    await mkdir(join(out, name), { recursive: true })
    const lines = ['t,score,decision']
    for (let r = 0; r < rows.count; r++) lines.push(`${rows.stamps[r]},${scores[r].toFixed(6)},${decisions[r]}`)
    await writeFile(join(out, name, 'scores.csv'), `${lines.join('\n')}\n`)
    const told = explanations.map(({ index, metrics }) => ({
      t: stampOf(rows.stamps[index]),
      metrics: metrics.map(m => rows.names[m]),
    }))
    await writeFile(join(out, name, 'explain.json'), JSON.stringify(told))
    const flagged = decisions.reduce((a, b) => a + b, 0)
    const seconds = (performance.now() - started) / 1000
    progress(i + 1, folders.length, 'series')
    series.push({ name, rows: rows.count, flagged, seconds })
  }
  return { series }
}

export interface SeriesFolder {
  readonly folder: string
  readonly test: string
  readonly train?: string
}

/** Every folder at or under this one that holds a series, in order of their names. Throws where the folder cannot be read. */
export async function seriesUnder(folder: string): Promise<SeriesFolder[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new AegisError(
      'INPUT_INVALID',
      `cannot read ${folder}: ${error.code === 'ENOENT' ? 'there is no such folder' : error.message}`,
    )
  })
  const file = (stem: string) => entries.find(e => e.isFile() && (e.name === `${stem}.csv` || e.name === `${stem}.csv.gz`))?.name
  const test = file('test')
  const found: SeriesFolder[] = test === undefined ? [] : [{ folder, test, train: file('train') }]
  for (const entry of entries.filter(e => e.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1)))
    found.push(...(await seriesUnder(join(folder, entry.name))))
  return found
}

const stampOf = (stamp: string): string | number => (Number.isNaN(Number(stamp)) ? stamp : Number(stamp))

/** The usual distance of two rows: gaps and repeated stamps do not matter. */
export function stepOf(times: Float64Array): number {
  const steps = times
    .slice(1)
    .map((t, i) => t - times[i])
    .filter(d => d > 0)
    .sort()
  return steps[steps.length >> 1] ?? 60
}
