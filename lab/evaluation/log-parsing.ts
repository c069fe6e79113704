/**
 * `aegis eval log-parsing`: templates for labelled logs, found by the library the log-parser service runs, as one stream per file.
 *
 * Reads `parsing/<System>_2k.log_structured_corrected.csv.gz` and `parsing_mixed/*` under the data folder (columns LineId and Content), writes
 * `parsing/<System>.csv` and `parsing_mixed/Mixed.csv`: LineId, EventTemplate, ClusterId, and FirstTemplate, the one the line had when it was
 * read. Where the table has a column EventTemplate, it is held against what was written, and the figures are told.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AegisError } from '@aegis/domain'
import { columnsOf, csvLine, readTable } from '@aegis/recordings/log-tables'
import { type ParsingFigures, parsingFigures, tableText } from './log-figures.ts'
import { evaluateParsing } from './parse-stream.ts'

export interface LogParsingOptions {
  /** Folder that holds `parsing` and, where there is one, `parsing_mixed`. */
  readonly data: string
  /** Folder to write to; made when missing. */
  readonly out: string
  readonly progress?: (done: number, total: number, what: string) => void
}

const STRUCTURED = /^(.+?)_2k\.log_structured_corrected\.csv(?:\.gz)?$/
const FIGURES = ['GA', 'FGA', 'PA', 'FTA', 'firstPA'] as const

/** @returns a row per file: lines, templates, lines revised after they were read, and the figures where there are labels */
export async function evalLogParsing({ data, out, progress = () => {} }: LogParsingOptions): Promise<string> {
  const found = [
    ...(await tablesIn(join(data, 'parsing'), 'parsing')),
    ...(await tablesIn(join(data, 'parsing_mixed'), 'parsing_mixed')),
  ]
  if (found.length === 0) {
    throw new AegisError(
      'INPUT_INVALID',
      `${data} holds no log tables: expected parsing/<System>_2k.log_structured_corrected.csv.gz or parsing_mixed/*.csv.gz in it`,
    )
  }
  const rows: (string | number)[][] = []
  const means: ParsingFigures[] = []
  for (const { path, folder, name } of found) {
    const table = await readTable(path)
    const read = columnsOf(path, table, ['LineId', 'Content'])
    const bodies = read.map(row => row[1] as string)
    const report = evaluateParsing(bodies, {}, count => {
      if (count % 1000 === 0) progress(count, bodies.length, name)
    })
    const text = report.lines.map((line, i) =>
      csvLine([read[i]?.[0] as string, line.template, line.clusterId, line.firstTemplate]),
    )
    await mkdir(join(out, folder), { recursive: true })
    await writeFile(join(out, folder, `${name}.csv`), `LineId,EventTemplate,ClusterId,FirstTemplate\n${text.join('')}`)
    const row: (string | number)[] = [`${folder}/${name}`, String(read.length), String(report.templates), String(report.revised)]
    if (table[0]?.includes('EventTemplate')) {
      const truth = columnsOf(path, table, ['EventTemplate']).map(([template]) => template as string)
      const figures = parsingFigures(truth, report.lines)
      row.push(...FIGURES.map(figure => figures[figure]))
      if (folder === 'parsing') means.push(figures)
    }
    rows.push(row)
  }
  if (means.length > 1)
    rows.push([
      'mean of parsing/*',
      '',
      '',
      '',
      ...FIGURES.map(figure => means.reduce((sum, one) => sum + one[figure], 0) / means.length),
    ])
  const labelled = rows.some(row => row.length > 4)
  return tableText(['file', 'lines', 'templates', 'revised', ...(labelled ? FIGURES : [])], rows)
}

async function tablesIn(path: string, folder: string): Promise<{ path: string; folder: string; name: string }[]> {
  let entries: string[]
  try {
    entries = await readdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const tables = entries.flatMap(entry => {
    const name =
      STRUCTURED.exec(entry)?.[1] ?? (folder === 'parsing_mixed' ? /^(.+?)(?:_2k.*)?\.csv(?:\.gz)?$/.exec(entry)?.[1] : undefined)
    return name === undefined ? [] : [{ path: join(path, entry), folder, name }]
  })
  // one mixed stream has one name, whatever its file is called
  if (folder === 'parsing_mixed' && tables.length === 1) return tables.map(table => ({ ...table, name: 'Mixed' }))
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1))
}
