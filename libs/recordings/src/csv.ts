import { createInterface } from 'node:readline'
import { AegisError } from '@aegis/domain'

/** Cells of one line of RFC 4180 CSV; a quoted cell may hold delimiters and doubled quotes. */
export const cellsOf = (line: string, delimiter = ','): string[] => {
  if (!line.includes('"')) return line.split(delimiter)
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (line[at] === '"') {
      let text = ''
      let end = line.indexOf('"', at + 1)
      while (end >= 0 && line[end + 1] === '"') {
        text += line.slice(at + 1, end + 1)
        at = end + 1
        end = line.indexOf('"', at + 1)
      }
      if (end < 0) end = line.length
      cells.push(text + line.slice(at + 1, end))
      at = end + 2
      if (end + 1 >= line.length) return cells
    } else {
      const comma = line.indexOf(delimiter, at)
      cells.push(line.slice(at, comma < 0 ? undefined : comma))
      if (comma < 0) return cells
      at = comma + 1
    }
  }
}

/** Logical rows as maps; a cell may run over several lines while its quote is open. */
export async function* csvRecords(input: NodeJS.ReadableStream, file: string): AsyncGenerator<Record<string, string>> {
  let header: string[] | undefined
  let held = ''
  for await (const part of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = held ? `${held}\n${part}` : part
    if ((line.split('"').length - 1) % 2 === 1) {
      held = line
      continue
    }
    held = ''
    if (line === '') continue
    const cells = cellsOf(line)
    if (!header) {
      header = cells.map((c, i) => (i === 0 ? c.replace(/^\ufeff/, '') : c))
      continue
    }
    const row: Record<string, string> = {}
    for (let i = 0; i < header.length; i++) row[header[i]] = cells[i] ?? ''
    yield row
  }
  if (!header) throw new AegisError('INPUT_INVALID', `${file} is empty: a header line is needed`)
}

const timeOf = (text: string): number => {
  const n = Number(text)
  if (text !== '' && Number.isFinite(n)) return Math.round(n > 1e14 ? n : n > 1e11 ? n * 1e3 : n * 1e6)
  const parsed = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(parsed) ? Number.NaN : parsed * 1000
}

/** Rows of a table of numbers: microseconds, and the cells that hold one. Empty cells are missing samples. */
export async function* csvRows(
  input: NodeJS.ReadableStream,
  file: string,
): AsyncGenerator<{ time: number; cells: [string, number][] }> {
  let n = 1
  for await (const row of csvRecords(input, file)) {
    n++
    const [first, ...rest] = Object.entries(row)
    const time = timeOf(first[1])
    if (Number.isNaN(time))
      throw new AegisError(
        'INPUT_INVALID',
        `${file}, row ${n}: the first column must be a time (seconds since 1970, or ISO 8601), not "${first[1]}"`,
      )
    const cells: [string, number][] = []
    for (const [column, text] of rest) {
      if (text === '') continue
      const value = Number(text)
      if (Number.isFinite(value)) cells.push([column, value])
    }
    yield { time, cells }
  }
}
