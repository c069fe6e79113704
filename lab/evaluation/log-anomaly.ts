/**
 * `aegis eval log-anomaly`: scores for the units of each `anomaly_*` set, without labels.
 *
 * A set is told apart by what it holds: a raw log with a table of units (ids found in its lines, or its line numbers), or a table of event
 * sequences. A raw log is read as a stream: no score uses what comes after it. Of the tables only UnitId, the Split columns and Events are read. Writes
 * `<set>.csv` (UnitId, Score, Alert) for the column Split, and `<set>.<column>.csv` for each further one. Where the table has a column Label (0 or 1), it
 * is held against what was written, and the figures over the units that were not learned from are told: for a log of lines, of single lines.
 */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '@aegis/anomaly-detection/logs/log-anomaly'
import { AegisError } from '@aegis/domain'
import { csvLine, readLines, readTable } from '@aegis/recordings/log-tables'
import { evaluateLines, evaluateSessionLog, evaluateSessions, type UnitScore } from './log-anomaly-streams.ts'
import { anomalyFigures, tableText } from './log-figures.ts'

export interface LogAnomalyOptions {
  /** Folder that holds the `anomaly_*` sets. */
  readonly data: string
  readonly out: string
  readonly progress?: (done: number, total: number, what: string) => void
}

interface Units {
  readonly ids: readonly string[]
  /** Per split column, the units to learn from. */
  readonly training: ReadonlyMap<string, ReadonlySet<string>>
  readonly sequences?: ReadonlyMap<string, Session>
  /** Units labelled as anomalous, where there are labels. */
  readonly anomalous?: ReadonlySet<string>
}
const FIGURES = ['F1', 'precision', 'recall', 'AP'] as const

/** @returns a row per file written: units, those learned from, those found in the log, alerts, and the figures where there are labels */
export async function evalLogAnomaly({ data, out, progress = () => {} }: LogAnomalyOptions): Promise<string> {
  const sets = (await readdir(data).catch(() => [])).filter(entry => entry.startsWith('anomaly_')).sort()
  if (sets.length === 0)
    throw new AegisError('INPUT_INVALID', `${data} holds no log anomaly sets: expected folders or files named anomaly_* in it`)
  await mkdir(out, { recursive: true })
  const rows: (string | number)[][] = []
  for (const entry of sets) {
    const name = entry.replace(/(?:\.csv|\.log)?(?:\.gz)?$/, '')
    const { units, log } = await readSet(join(data, entry))
    const ids = new Set(units.ids)
    const numbered = units.sequences === undefined && units.ids.every(id => /^\d+$/.test(id))
    const lines = log === undefined ? [] : await readLines(log)
    for (const [column, training] of units.training) {
      const inTraining = (unit: string) => training.has(unit)
      const file = column === 'Split' ? `${name}.csv` : `${name}.${column}.csv`
      const onLine = (count: number) => {
        if (count % 1000 === 0) progress(count, lines.length, file)
      }
      const scored = units.sequences
        ? evaluateSessions([...units.sequences], inTraining)
        : numbered
          ? evaluateLines(lines, inTraining, onLine)
          : await evaluateSessionLog(lines, ids, onLine)
      const kept = scored.filter(({ unit }) => ids.has(unit))
      await writeFile(join(out, file), `UnitId,Score,Alert\n${kept.map(line).join('')}`)
      const what = units.sequences ? 'sequences' : numbered ? 'lines' : 'units in a log'
      const alerts = kept.filter(({ alert }) => alert).length
      const row: (string | number)[] = [file, what, ...[ids.size, training.size, kept.length, alerts].map(String)]
      if (units.anomalous) row.push(...figuresOf(units.ids, training, units.anomalous, kept))
      rows.push(row)
    }
  }
  const labelled = rows.some(row => row.length > 6)
  const heads = ['file', 'kind', 'units', 'learned from', 'found', 'alerts', ...(labelled ? ['anomalous', ...FIGURES] : [])]
  return tableText(heads, rows)
}

/** Over the units that were not learned from; one that was not found ranks below all others. */
function figuresOf(
  ids: readonly string[],
  training: ReadonlySet<string>,
  anomalous: ReadonlySet<string>,
  scored: readonly UnitScore[],
): (string | number)[] {
  const by = new Map(scored.map(one => [one.unit, one]))
  const judged = ids
    .filter(unit => training.size === ids.length || !training.has(unit))
    .map(unit => ({
      anomalous: anomalous.has(unit),
      score: by.get(unit)?.score ?? Number.NEGATIVE_INFINITY,
      alert: by.get(unit)?.alert ?? false,
    }))
  const figures = anomalyFigures(judged)
  return [`${figures.anomalies} of ${figures.units}`, ...FIGURES.map(figure => figures[figure])]
}

const line = ({ unit, score, alert }: UnitScore): string => csvLine([unit, score.toFixed(6), alert ? 1 : 0])

/** The table of units is the one with a UnitId column; the log is the file that is no table. */
async function readSet(path: string): Promise<{ units: Units; log: string | undefined }> {
  const paths = (await stat(path)).isDirectory() ? (await readdir(path)).sort().map(file => join(path, file)) : [path]
  let units: Units | undefined
  for (const file of paths.filter(file => /\.csv(\.gz)?$/.test(file))) units ??= readUnits(await readTable(file))
  const log = paths.find(file => /\.(?:log|txt)(\.gz)?$/.test(file))
  if (units === undefined) throw new AegisError('INPUT_INVALID', `${path}: no table with a UnitId column`)
  if (units.sequences === undefined && log === undefined)
    throw new AegisError('INPUT_INVALID', `${path}: neither a raw log nor a column Events`)
  return { units, log }
}

function readUnits(rows: string[][]): Units | undefined {
  const head = rows[0]
  const at = head?.indexOf('UnitId') ?? -1
  if (head === undefined || at < 0) return undefined
  const body = rows.slice(1).filter(row => row[at] !== undefined && row[at] !== '')
  const training = new Map<string, ReadonlySet<string>>()
  head.forEach((column, i) => {
    if (column.startsWith('Split'))
      training.set(column, new Set(body.filter(row => row[i] === 'train').map(row => row[at] as string)))
  })
  if (training.size === 0) training.set('Split', new Set())
  const [events, label] = [head.indexOf('Events'), head.indexOf('Label')]
  const anomalous = label < 0 ? undefined : new Set(body.filter(row => row[label] === '1').map(row => row[at] as string))
  const units: Units = { ids: body.map(row => row[at] as string), training, anomalous }
  if (events < 0) return units
  return {
    ...units,
    sequences: new Map(body.map(row => [row[at] as string, { events: (row[events] ?? '').split(' ').filter(Boolean) }])),
  }
}
