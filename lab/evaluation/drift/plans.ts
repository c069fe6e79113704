import type { DriftReading } from '@aegis/drift-analysis/sources/finding'
import { documentsOf, readDrift } from '@aegis/drift-analysis/sources/read-drift'
import { parseAllDocuments } from 'yaml'
import { readRows } from './read-rows.ts'

export interface FileRow {
  readonly id: string
  readonly format?: string
  readonly input: string
  readonly desired?: string
}
const yaml = (text: string): unknown[] =>
  parseAllDocuments(text, { merge: true }).flatMap(d => {
    if (d.errors.length > 0) throw d.errors[0]
    return [d.toJS() as unknown]
  })
export const readFile = (row: FileRow): DriftReading =>
  readDrift(documentsOf(row.input, yaml), row.desired ? documentsOf(row.desired, yaml) : [])

export function answerFile(row: FileRow): Record<string, unknown> & { id: string } {
  try {
    const { findings, resources, owners, noise } = readFile(row)
    return {
      id: row.id,
      parsed: true,
      findings: findings.map(({ address, attributes }) => ({ address, attributes })),
      ...(resources === undefined ? {} : { resources }),
      ...(owners ? { owners } : {}),
      noise,
    }
  } catch (error) {
    return { id: row.id, parsed: false, findings: [], error: (error as Error).message }
  }
}

/** What files of the tools tell of drift. */
export function evalPlans(data: string, progress: (done: number, total: number) => void): object[] | undefined {
  const rows = readRows<FileRow>(data, 'plans', 'files')
  return rows?.map((row, i) => {
    progress(i + 1, rows.length)
    return answerFile(row)
  })
}
