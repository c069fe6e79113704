/** The tables and logs that log evaluations read and write: CSV after RFC 4180, lines that end at \n alone; gzipped or not. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { AegisError } from '@aegis/domain'
import { openFile } from './open-file.ts'

const inflate = promisify(gunzip)

export async function readText(path: string): Promise<string> {
  const bytes = await readFile(path)
  try {
    return new TextDecoder().decode(path.endsWith('.gz') ? await inflate(bytes) : bytes)
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `${path} is no readable gzip file: ${(error as Error).message}`)
  }
}

/** The lines of a log of any size (a single string ends at half a gigabyte), bad UTF-8 replaced. */
export async function readLines(path: string): Promise<string[]> {
  const lines: string[] = []
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const bytes of openFile(path, 'expected a log')) {
      const text = typeof bytes === 'string' ? bytes : decoder.decode(bytes, { stream: true })
      const parts = (rest + text).split('\n')
      rest = parts.pop() as string
      for (const part of parts) lines.push(part)
    }
  } catch (error) {
    if (error instanceof AegisError) throw error
    throw new AegisError('INPUT_INVALID', `${path} cannot be read to its end: ${(error as Error).message}`)
  }
  rest += decoder.decode()
  if (rest !== '') lines.push(rest)
  return lines
}

/** All rows of a table, its head first. */
export async function readTable(path: string): Promise<string[][]> {
  const text = await readText(path)
  try {
    return parseCsv(text)
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `${path} is no table: ${(error as Error).message}`)
  }
}

/** The named columns of a table, row by row. A column that is missing is an error that names the ones there are. */
export function columnsOf(path: string, [head, ...rows]: readonly string[][], names: readonly string[]): string[][] {
  if (head === undefined) throw new AegisError('INPUT_INVALID', `${path} is empty: expected the columns ${names.join(', ')}`)
  const at = names.map(name => {
    const index = head.indexOf(name)
    if (index < 0) throw new AegisError('INPUT_INVALID', `${path} has no column ${name}: found ${head.join(', ')}`)
    return index
  })
  return rows.map(row => at.map(index => row[index] ?? ''))
}

export function parseCsv(text: string, delimiter = ','): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let i = text.charCodeAt(0) === 0xfeff ? 1 : 0
  while (i < text.length) {
    let field = ''
    if (text[i] === '"') {
      i++
      for (;;) {
        const quote = text.indexOf('"', i)
        if (quote < 0) throw new Error('a quoted field is not closed')
        field += text.slice(i, quote)
        i = quote + 1
        if (text[i] !== '"') break
        field += '"'
        i++
      }
      // what follows a closing quote belongs to the field, as in Python's reader
      const start = i
      while (i < text.length && text[i] !== delimiter && text[i] !== '\n' && text[i] !== '\r') i++
      field += text.slice(start, i)
    } else {
      const start = i
      while (i < text.length && text[i] !== delimiter && text[i] !== '\n') i++
      field = text.slice(start, i)
      if (text[i] !== delimiter && field.endsWith('\r')) field = field.slice(0, -1)
    }
    row.push(field)
    if (text[i] === '\r') i++
    if (text[i] === delimiter) {
      i++
      if (i >= text.length) row.push('')
      continue
    }
    i++
    rows.push(row)
    row = []
  }
  if (row.length > 0) rows.push(row)
  return rows
}

export function csvLine(fields: readonly (string | number)[]): string {
  return `${fields.map(field => (/[",\n\r]/.test(String(field)) ? `"${String(field).replaceAll('"', '""')}"` : field)).join(',')}\n`
}
