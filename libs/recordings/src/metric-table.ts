/**
 * Tables of metrics as dashboards, notebooks, spreadsheets and databases write them: one column a series, one row a point (long form), or one row a
 * series; under a header that may stand below a title. What could not be read is named with its line and column, and the rest is read.
 */
import { AegisError } from '@aegis/domain'
import { isMissing, isUnit, NumberColumn, TimeColumn } from './cells.ts'
import { type Row, splitTable } from './split-table.ts'

export interface MetricTable {
  readonly names: readonly string[]
  /** Rows, and columns of values. */
  readonly count: number
  readonly metrics: number
  /** Row by row; NaN where nothing stands. */
  readonly values: Float64Array
  /** Seconds. */
  readonly times: Float64Array
  /** The times as they stand in the file. */
  readonly stamps: readonly string[]
  /** What was not read and what was taken for something: sentences. */
  readonly notes: readonly string[]
}
const TIME_NAME =
  /^(t|ts|x|time|times|timestamp|date|date.?time|zeit|zeitpunkt|datum|heure|fecha|hora|tijd|epoch|@timestamp|_time|ds|start|period|when|.*(_at|_time|_ts|timestamp)|(time|date)\b.*)$/i
const VALUE_NAME = /^(_?value|val|v|wert|valeur|valor|reading|average|mean)$/i
/** Columns of InfluxDB's annotated CSV that are neither series nor labels. */
const INFLUX_OWN = new Set(['result', 'table', '_start', '_stop', ''])
/** Cells that are named one by one before they are only counted. */
const MOST_NAMED = 5

class Problems {
  readonly #named: string[] = []
  #more = 0
  readonly notes: string[] = []
  readonly path: string
  constructor(path: string) {
    this.path = path
  }
  cell(line: number, column: string, text: string, what: string): void {
    if (this.#named.length < MOST_NAMED) this.#named.push(`${this.path}, line ${line}, column ${column}: "${text}" is ${what}`)
    else this.#more++
  }
  row(line: number, what: string): void {
    if (this.#named.length < MOST_NAMED) this.#named.push(`${this.path}, line ${line}: ${what}`)
    else this.#more++
  }
  get first(): string | undefined {
    return this.#named[0]
  }
  get all(): string[] {
    const cells = this.#more > 0 ? [...this.#named, `${this.path}: and ${this.#more} more like these`] : this.#named
    return [...cells, ...this.notes]
  }
}

/** @param path only named in what is said */
export const readMetricTable = (text: string, path: string): MetricTable => {
  const bad = (what: string) => new AegisError('INPUT_INVALID', `${path}${what}`)
  let split: ReturnType<typeof splitTable>
  try {
    split = splitTable(text)
  } catch (error) {
    throw bad(`: ${(error as Error).message}`)
  }
  const { rows, delimiter } = split
  if (rows.length < 2) throw bad(': expected a header "t,<metric>,…" and rows below it')
  const across = transposed(rows)
  if (across) return readMetricTable(across, path)
  const problems = new Problems(path)
  const { header, data } = headerOf(rows, problems)
  if (data.length === 0) throw bad(': expected a header "t,<metric>,…" and rows below it')
  const names = uniqueNames(header.cells.map(c => c.trim()))
  const columns = names.map((_, j) => data.map(r => r.cells[j] ?? ''))
  const time = timeColumnOf(names, columns, data, problems)
  const semicolons = delimiter !== ','
  const numbers = columns.map(c => new NumberColumn(c, semicolons))
  const kinds = columns.map((cells, j) => (time.used.has(j) ? 'time' : kindOf(cells, numbers[j])))
  const isInflux = names.includes('_time') && names.includes('_value')
  const isOwn = (j: number) => isInflux && INFLUX_OWN.has(names[j].replace(/^column \d+$/, ''))
  const texts = names.flatMap((_, j) => (kinds[j] === 'text' && !isOwn(j) ? [j] : []))
  const values = names.flatMap((_, j) => (kinds[j] === 'number' && !isOwn(j) ? [j] : []))
  if (values.length === 0) {
    const j = texts[0]
    const i = j === undefined ? -1 : columns[j].findIndex(c => !isMissing(c))
    throw i < 0
      ? bad(': no column of numbers in it')
      : bad(`, line ${data[i].line}, column ${names[j]}: "${columns[j][i]}" is not a number, and no other column has any`)
  }
  const read = (i: number, j: number): number => {
    const value = numbers[j].read(columns[j][i])
    if (value === undefined) problems.cell(data[i].line, names[j], columns[j][i], 'not a number')
    return value ?? Number.NaN
  }
  const repeated = new Set(time.seconds).size < 0.9 * time.seconds.length
  const long = texts.length > 0 && (repeated || (values.length === 1 && VALUE_NAME.test(names[values[0]])))
  if (!long)
    for (const j of texts) {
      const i = columns[j].findIndex(c => !isMissing(c))
      if (i >= 0)
        problems.notes.push(
          `${path}: column ${names[j]} is left out: no cell of it is a number ("${columns[j][i]}" in line ${data[i].line})`,
        )
    }
  const kept = data.map((_, i) => i).filter(i => time.isRead[i])
  const table = long ? longTable(names, columns, texts, values, time, kept, read) : wideTable(names, values, time, kept, read)
  return { ...table, notes: problems.all }
}

const uniqueNames = (cells: readonly string[]): string[] => {
  const seen = new Map<string, number>()
  return cells.map((cell, j) => {
    const name = cell.replace(/^"(.*)"$/, '$1') || `column ${j + 1}`
    const n = (seen.get(name) ?? 0) + 1
    seen.set(name, n)
    return n === 1 ? name : `${name} (${n})`
  })
}
const kindOf = (cells: readonly string[], numbers: NumberColumn): 'number' | 'text' | 'empty' => {
  let good = 0
  let any = 0
  for (const cell of cells) {
    if (isMissing(cell)) continue
    any++
    if (numbers.read(cell) !== undefined) good++
  }
  return any === 0 ? 'number' : good >= any / 2 ? 'number' : 'text'
}

/** The names, and the rows below them: titles, rows of units and headers that come again are neither. */
const headerOf = (rows: readonly Row[], problems: Problems): { header: Row; data: readonly Row[] } => {
  const widths = new Map<number, number>()
  for (const r of rows) widths.set(r.cells.length, (widths.get(r.cells.length) ?? 0) + 1)
  const width = [...widths].filter(([w]) => w > 1).sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]?.[0] ?? 1
  const isWide = (r: Row) => r.cells.length > 1 && r.cells.length >= width - 1
  const times = new TimeColumn(rows.slice(0, 200).flatMap(r => r.cells))
  const looksLikeData = (r: Row) => {
    const at = r.cells.findIndex(c => /\d/.test(c) && !Number.isNaN(times.read(c)))
    const isNumber = (c: string, j: number) => j !== at && (/^[\s"]*[-+.,\d]/.test(c) || isMissing(c)) && c.trim() !== ''
    return at >= 0 && r.cells.some(isNumber)
  }
  const found = rows.findIndex(r => isWide(r) && looksLikeData(r) && !r.cells.some(c => TIME_NAME.test(c.trim())))
  // No row holds numbers: then the first with all its cells has the names, and what is wrong is said below.
  const first = found < 0 ? rows.findIndex(r => r.cells.length === width) + 1 : found
  const rest = (r: Row) => r.cells.slice(1).filter(c => c.trim() !== '')
  const isBelow = (r: Row) => rest(r).every(c => isUnit(c) || /^\d/.test(c))
  let at = rows.slice(0, first).findLastIndex(r => isWide(r) && r.cells.some(c => TIME_NAME.test(c.trim())) && !isBelow(r))
  if (at < 0) {
    at = first - 1
    while (at > 0 && rows[at - 1].cells.length === rows[at].cells.length && isBelow(rows[at]) && !isBelow(rows[at - 1])) at--
  }
  if (at < 0) {
    problems.notes.push(`${problems.path}: no header; columns are called by their places`)
    return { header: { line: 0, cells: rows[0].cells.map((_, j) => (j === 0 ? 't' : `column ${j + 1}`)) }, data: rows }
  }
  // A header that leaves the name of the index out has one cell less.
  const header = rows[at].cells.length === width - 1 ? { ...rows[at], cells: ['t', ...rows[at].cells] } : rows[at]
  const same = header.cells.join('\0')
  const data: Row[] = []
  for (const [i, r] of rows.slice(at + 1).entries()) {
    if (r.cells.join('\0') === same || (at + 1 + i < first && isBelow(r) && r.cells.some(isUnit))) continue
    const more = r.cells.slice(header.cells.length)
    const cells = more.length > 0 && more.every(c => c.trim() === '') ? r.cells.slice(0, header.cells.length) : r.cells
    if (cells.length === header.cells.length) data.push({ ...r, cells })
    else problems.row(r.line, `${cells.length} columns where the header has ${header.cells.length}; left out`)
  }
  return { header, data }
}

/** A row a series, a column a time: turned round. */
const transposed = (rows: readonly Row[]): string | undefined => {
  const [header, ...data] = rows.filter(r => r.cells.length > 2)
  if (!header || data.length === 0) return undefined
  const times = new TimeColumn(header.cells)
  const isTime = (c: string) => /\d{4}.\d{1,2}.\d{1,2}|^\d{10,19}$|\d:\d{2}/.test(c) && !Number.isNaN(times.read(c))
  const at = header.cells.map((c, j) => (j > 0 && isTime(c) ? j : -1)).filter(j => j >= 0)
  // A row with a time or two is a row of data; one of nothing else is none.
  if (at.length < 2 || isTime(header.cells[0]) || at.length < header.cells.length / 2 || data.some(r => isTime(r.cells[0])))
    return undefined
  const labels = header.cells.map((_, j) => j).filter(j => !at.includes(j))
  const quoted = (c: string) => `"${c.replaceAll('"', '""')}"`
  const names = data.map(r =>
    labels
      .map(j => (r.cells[j] ?? '').trim())
      .filter(Boolean)
      .join(' '),
  )
  const turned = [['t', ...names], ...at.map(j => [header.cells[j], ...data.map(r => r.cells[j] ?? '')])]
  return turned.map(r => r.map(quoted).join(',')).join('\n')
}

interface Times {
  readonly seconds: Float64Array
  readonly stamps: readonly string[]
  readonly isRead: readonly boolean[]
  /** Columns that are no series: the time itself, and others of times. */
  readonly used: ReadonlySet<number>
}
const timeColumnOf = (
  names: readonly string[],
  columns: readonly (readonly string[])[],
  data: readonly Row[],
  problems: Problems,
): Times => {
  const readers = columns.map(c => new TimeColumn(c))
  const filled = (j: number) => columns[j].filter(c => !isMissing(c))
  const share = (j: number) => {
    const cells = filled(j)
    return cells.length === 0 ? 0 : cells.filter(c => !Number.isNaN(readers[j].read(c))).length / columns[j].length
  }
  const isPlain = (c: string) => !Number.isNaN(Number(c))
  const shares = names.map((_, j) => share(j))
  const good = names.map((_, j) => j).filter(j => shares[j] > 0.5)
  // Numbers may be times as well; what has marks of a time is nothing else.
  const marked = good.filter(
    j => filled(j).filter(c => !isPlain(c) && !Number.isNaN(readers[j].read(c))).length > columns[j].length / 2,
  )
  const written = marked.filter(j => !filled(j).every(c => /^\d{1,2}:\d{2}/.test(c)))
  const byName = names.map((_, j) => j).filter(j => TIME_NAME.test(names[j]))
  const own = names.indexOf('_time')
  const candidates = [
    own,
    ...byName.filter(j => written.includes(j)),
    ...byName.filter(j => good.includes(j)),
    ...written,
    good.includes(0) ? 0 : -1,
  ]
  const at = candidates.find(j => j >= 0) ?? -1
  if (at < 0) {
    const j = byName[0] ?? 0
    const i = columns[j].findIndex(c => Number.isNaN(readers[j].read(c)))
    throw new AegisError(
      'INPUT_INVALID',
      `${problems.path}, line ${data[Math.max(0, i)].line}, column ${names[j]}: "${columns[j][Math.max(0, i)]}" is no time`,
    )
  }
  // A date of its own, and the hour beside it.
  const isDate = filled(at).every(c => !/[T ]\d{1,2}[:.]\d{2}/.test(c)) && marked.includes(at)
  const clock = isDate ? good.find(j => j !== at && filled(j).every(c => /^\d{1,2}:\d{2}/.test(c.trim()))) : undefined
  const stamps = columns[at].map((c, i) => (clock === undefined ? c : `${c.trim()} ${columns[clock][i].trim()}`))
  const reader = clock === undefined ? readers[at] : new TimeColumn(stamps)
  const seconds = Float64Array.from(stamps, s => reader.read(s))
  const isRead = stamps.map((s, i) => {
    if (Number.isNaN(seconds[i])) problems.cell(data[i].line, names[at], s, 'no time; the row is left out')
    return !Number.isNaN(seconds[i])
  })
  // An index that only counts the rows is no series.
  const index =
    at !== 0 &&
    (names[0] === 'column 1' || /^(unnamed|index|row|#|id|nr)\b/i.test(names[0])) &&
    columns[0].every((c, i) => Number(c) === Number(columns[0][0]) + i)
  const others = marked.filter(j => j !== clock)
  return {
    seconds,
    stamps,
    isRead,
    used: new Set([at, ...(clock === undefined ? [] : [clock]), ...others, ...(index ? [0] : [])]),
  }
}

type Read = (i: number, j: number) => number
type Plain = Omit<MetricTable, 'notes'>
/** Rows in the order of their times: some tools write the newest first. */
const inOrder = (kept: readonly number[], { seconds }: Times): readonly number[] =>
  kept.every((i, n) => n === 0 || seconds[i] >= seconds[kept[n - 1]]) ? kept : [...kept].sort((a, b) => seconds[a] - seconds[b])
const wideTable = (
  names: readonly string[],
  columns: readonly number[],
  time: Times,
  kept: readonly number[],
  read: Read,
): Plain => {
  const rows = inOrder(kept, time)
  const values = new Float64Array(rows.length * columns.length)
  for (const [r, i] of rows.entries()) for (const [c, j] of columns.entries()) values[r * columns.length + c] = read(i, j)
  return {
    names: columns.map(j => names[j]),
    count: rows.length,
    metrics: columns.length,
    values,
    times: Float64Array.from(rows, i => time.seconds[i]),
    stamps: rows.map(i => time.stamps[i]),
  }
}
/** A row a point: what is written beside a value names its series. */
const longTable = (
  names: readonly string[],
  columns: readonly (readonly string[])[],
  texts: readonly number[],
  valueColumns: readonly number[],
  time: Times,
  kept: readonly number[],
  read: Read,
): Plain => {
  // What is the same in all rows tells nothing, unless nothing else would name the series.
  const varying = texts.filter(j => new Set(columns[j]).size > 1)
  const labels = varying.length > 0 ? varying : texts.slice(0, 1)
  const alone = valueColumns.length === 1
  const seriesOf = (i: number, j: number) => {
    const words = labels.map(k => columns[k][i].trim()).filter(Boolean)
    return [...words, ...(alone ? [] : [names[j]])].join(' ') || names[j]
  }
  const at = new Map<number, number>()
  for (const i of inOrder(kept, time)) if (!at.has(time.seconds[i])) at.set(time.seconds[i], i)
  const place = new Map([...at.keys()].map((seconds, r) => [seconds, r]))
  const series = new Map<string, number>()
  for (const i of kept) for (const j of valueColumns) if (!series.has(seriesOf(i, j))) series.set(seriesOf(i, j), series.size)
  const values = new Float64Array(place.size * series.size).fill(Number.NaN)
  for (const i of kept)
    for (const j of valueColumns) values[place.get(time.seconds[i])! * series.size + series.get(seriesOf(i, j))!] = read(i, j)
  return {
    names: [...series.keys()],
    count: place.size,
    metrics: series.size,
    values,
    times: Float64Array.from(at.keys()),
    stamps: [...at.values()].map(i => time.stamps[i]),
  }
}
