/** A file of metrics, whatever wrote it. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { AegisError } from '@aegis/domain'
import { tableOfJson } from './metric-json.ts'
import { type MetricTable, readMetricTable } from './metric-table.ts'

const inflate = promisify(gunzip)
/** Files of other kinds by their first bytes, with what makes a table of them. */
const OTHERS: readonly (readonly [head: string, what: string])[] = [
  ['PK\x03\x04', 'a spreadsheet or archive (.xlsx, .ods, .zip); save the sheet as CSV'],
  ['\xd0\xcf\x11\xe0', 'an old spreadsheet (.xls); save the sheet as CSV'],
  ['PAR1', 'a Parquet file; write it as CSV first (for example with DuckDB: COPY (SELECT * FROM file) TO file.csv)'],
  ['\x89HDF', 'an HDF5 file; write it as CSV first'],
  ['SQLite format 3', 'a SQLite database; export the table as CSV'],
]

const decoded = (bytes: Buffer): string => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  // Without a mark every second byte of a table in UTF-16 is zero.
  if (bytes.length > 3 && bytes[1] === 0 && bytes[3] === 0) return new TextDecoder('utf-16le').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

export const readMetrics = async (path: string): Promise<MetricTable> => {
  let bytes: Buffer = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'EISDIR') throw error
    throw new AegisError(
      'INPUT_INVALID',
      `cannot read ${path}: ${error.code === 'ENOENT' ? 'there is no such file' : 'it is a folder'}`,
    )
  })
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    bytes = await inflate(bytes).catch(error => {
      throw new AegisError('INPUT_INVALID', `${path} is no readable gzip file: ${(error as Error).message}`)
    })
  const head = bytes.subarray(0, 16).toString('latin1')
  const other = OTHERS.find(([mark]) => head.startsWith(mark))
  if (other) throw new AegisError('INPUT_INVALID', `${path} is ${other[1]}`)
  const text = decoded(bytes)
  if (/^\ufeff?\s*[[{]/.test(text)) {
    let document: unknown
    try {
      document = JSON.parse(text.replace(/^\ufeff/, ''))
    } catch (error) {
      throw new AegisError('INPUT_INVALID', `${path} begins like JSON and is none: ${(error as Error).message}`)
    }
    return readMetricTable(tableOfJson(document, path), path)
  }
  return readMetricTable(text, path)
}
