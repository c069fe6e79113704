/**
 * `aegis eval log-anomaly`: scores for the units of each `anomaly_*` set, without labels.
 *
 * A set is told apart by what it holds: a raw log with a table of units (ids found in its lines, or its line numbers), or a table of event
 * sequences. A raw log is read as a stream: no score uses what comes after it. Of the tables only UnitId, the Split columns and Events are read. Writes `<set>.csv` (UnitId, Score, Alert) for the column Split,
 * and `<set>.<column>.csv` for each further one.
 */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { evaluateLines, evaluateSessionLog, evaluateSessions, type Session, type UnitScore } from '@aegis/log-mining'
import { csvLine, parseCsv, readText } from './log-tables.ts'

export interface LogAnomalyOptions {
  /** Folder that holds the `anomaly_*` sets. */
  readonly data: string
  readonly out: string
  readonly progress?: (message: string) => void
}

export interface LogAnomalyResult {
  readonly files: readonly { readonly name: string; readonly units: number; readonly alerts: number }[]
}

interface Units {
  readonly ids: readonly string[]
  /** Per split column, the units to learn from. */
  readonly training: ReadonlyMap<string, ReadonlySet<string>>
  readonly sequences?: ReadonlyMap<string, Session>
}

export async function evalLogAnomaly({ data, out, progress = () => {} }: LogAnomalyOptions): Promise<LogAnomalyResult> {
  const sets = (await readdir(data).catch(() => [])).filter(entry => entry.startsWith('anomaly_')).sort()
  if (sets.length === 0) throw new Error(`${data} holds no log anomaly sets: expected folders or files named anomaly_* in it`)
  await mkdir(out, { recursive: true })
  const files = []
  for (const entry of sets) {
    const name = entry.replace(/(?:\.csv|\.log)?(?:\.gz)?$/, '')
    const { units, log } = await readSet(join(data, entry))
    const numbered = units.sequences === undefined && units.ids.every(id => /^\d+$/.test(id))
    const lines = log === undefined ? [] : (await readText(log)).split('\n')
    if (lines[lines.length - 1] === '') lines.pop()
    const ids = new Set(units.ids)
    for (const [column, training] of units.training) {
      const inTraining = (unit: string) => training.has(unit)
      const scored = units.sequences
        ? evaluateSessions([...units.sequences], inTraining)
        : numbered
          ? evaluateLines(lines, inTraining)
          : evaluateSessionLog(lines, ids, inTraining)
      const file = column === 'Split' ? `${name}.csv` : `${name}.${column}.csv`
      const kept = scored.filter(({ unit }) => ids.has(unit))
      await writeFile(join(out, file), `UnitId,Score,Alert\n${kept.map(line).join('')}`)
      const alerts = kept.filter(({ alert }) => alert).length
      progress(`${file}: ${kept.length} units, ${training.size} learned from, ${alerts} alerts`)
      files.push({ name: file, units: kept.length, alerts })
    }
  }
  return { files }
}

const line = ({ unit, score, alert }: UnitScore): string => csvLine([unit, score.toFixed(6), alert ? 1 : 0])

/** The table of units is the one with a UnitId column; the log is the file that is no table. */
async function readSet(path: string): Promise<{ units: Units; log: string | undefined }> {
  const paths = (await stat(path)).isDirectory() ? (await readdir(path)).sort().map(file => join(path, file)) : [path]
  let units: Units | undefined
  for (const file of paths.filter(file => /\.csv(\.gz)?$/.test(file))) units ??= readUnits(parseCsv(await readText(file)))
  const log = paths.find(file => /\.(?:log|txt)(\.gz)?$/.test(file))
  if (units === undefined) throw new Error(`${path}: no table with a UnitId column`)
  if (units.sequences === undefined && log === undefined) throw new Error(`${path}: neither a raw log nor a column Events`)
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
  const events = head.indexOf('Events')
  const ids = body.map(row => row[at] as string)
  if (events < 0) return { ids, training }
  return {
    ids,
    training,
    sequences: new Map(body.map(row => [row[at] as string, { events: (row[events] ?? '').split(' ').filter(Boolean) }])),
  }
}
