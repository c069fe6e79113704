import type { JsonObject } from '@aegis/drift-analysis/noise/same-value'
import { readDeclared } from '@aegis/drift-analysis/sources/declared'
import { readRows } from './read-rows.ts'

/** Whether each resource is as declared. */
export function evalNoise(data: string, progress: (done: number, total: number) => void): object[] | undefined {
  const rows = readRows<{ readonly id: string } & JsonObject>(data, 'noise', 'resources')
  return rows?.map((row, i) => {
    const { findings } = readDeclared(row)
    progress(i + 1, rows.length)
    return { id: row.id, drift: findings.length > 0, attributes: findings.flatMap(f => f.attributes) }
  })
}
