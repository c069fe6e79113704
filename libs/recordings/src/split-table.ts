/** Text of a table as rows of cells, with the line of each. */
import { parseCsv } from './log-tables.ts'

export interface Row {
  readonly cells: readonly string[]
  /** Where it begins, from 1. */
  readonly line: number
}
export interface Split {
  readonly rows: readonly Row[]
  readonly delimiter: string
}
const DELIMITERS = ['\t', ';', '|', ','] as const

/** Separator by which the most lines have the same number of cells. */
const delimiterOf = (text: string): string => {
  const lines = text
    .slice(0, 1 << 16)
    .split(/\r?\n/, 200)
    .filter(l => l.trim() !== '' && !l.startsWith('#'))
  let best = { delimiter: ',', score: 0 }
  for (const delimiter of DELIMITERS) {
    const counts = new Map<number, number>()
    for (const line of lines) {
      const cells = line.replace(/"(?:[^"]|"")*"/g, '').split(delimiter).length
      counts.set(cells, (counts.get(cells) ?? 0) + 1)
    }
    const [cells, lot] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [0, 0]
    if (cells > 1 && lot / lines.length > best.score) best = { delimiter, score: lot / lines.length }
  }
  return best.delimiter
}

/** Blank lines, comments (`#`) and `sep=` are no rows. Throws on a quoted cell that does not end. */
export const splitTable = (text: string): Split => {
  const told = /^\ufeff?"?sep=(.)"?\r?\n/i.exec(text)
  const body = told ? text.slice(told[0].length) : text.replace(/^\ufeff/, '')
  const delimiter = told?.[1] ?? delimiterOf(body)
  let line = told ? 2 : 1
  const rows: Row[] = []
  for (const cells of parseCsv(body, delimiter)) {
    const at = line
    line += 1 + cells.reduce((n, cell) => n + (cell.includes('\n') ? cell.split('\n').length - 1 : 0), 0)
    if (cells.every(c => c.trim() === '') || (cells[0].startsWith('#') && !cells[0].startsWith('#N/A'))) continue
    rows.push({ cells, line: at })
  }
  return { rows, delimiter }
}
