/**
 * `aegis eval log-parsing`: templates for labelled logs, found by the library the log-parser service runs, as one stream per file.
 *
 * Reads `parsing/<System>_2k.log_structured_corrected.csv.gz` and `parsing_mixed/*` under the data folder (columns LineId and Content; labels are
 * not read), writes `parsing/<System>.csv` and `parsing_mixed/Mixed.csv`: LineId, EventTemplate, ClusterId, and FirstTemplate, the one the line
 * had when it was read.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { evaluateParsing } from '@aegis/log-mining'
import { csvLine, readColumns } from './log-tables.ts'

export interface LogParsingOptions {
  /** Folder that holds `parsing` and, where there is one, `parsing_mixed`. */
  readonly data: string
  /** Folder to write to; made when missing. */
  readonly out: string
  readonly progress?: (message: string) => void
}

export interface LogParsingResult {
  readonly files: readonly {
    readonly name: string
    readonly lines: number
    readonly templates: number
    readonly revised: number
  }[]
}

const STRUCTURED = /^(.+?)_2k\.log_structured_corrected\.csv(?:\.gz)?$/

export async function evalLogParsing({ data, out, progress = () => {} }: LogParsingOptions): Promise<LogParsingResult> {
  const found = [
    ...(await tablesIn(join(data, 'parsing'), 'parsing')),
    ...(await tablesIn(join(data, 'parsing_mixed'), 'parsing_mixed')),
  ]
  if (found.length === 0) {
    throw new Error(
      `${data} holds no log tables: expected parsing/<System>_2k.log_structured_corrected.csv.gz or parsing_mixed/*.csv.gz in it`,
    )
  }
  const files = []
  for (const { path, folder, name } of found) {
    const rows = await readColumns(path, ['LineId', 'Content'])
    const report = evaluateParsing(rows.map(row => row[1] as string))
    const text = report.lines.map((line, i) =>
      csvLine([rows[i]?.[0] as string, line.template, line.clusterId, line.firstTemplate]),
    )
    await mkdir(join(out, folder), { recursive: true })
    await writeFile(join(out, folder, `${name}.csv`), `LineId,EventTemplate,ClusterId,FirstTemplate\n${text.join('')}`)
    progress(
      `${folder}/${name}: ${rows.length} lines, ${report.templates} templates, ${report.revised} lines revised after they were read`,
    )
    files.push({ name: `${folder}/${name}`, lines: rows.length, templates: report.templates, revised: report.revised })
  }
  return { files }
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
