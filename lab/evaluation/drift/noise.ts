import { realDifferences } from '@aegis/drift-analysis/noise/gate'
import type { Json, JsonObject } from '@aegis/drift-analysis/noise/same-value'
import { readRows } from './read-rows.ts'

export interface ResourceRow {
  readonly id: string
  readonly type: string
  readonly declared: JsonObject
  readonly live: JsonObject
  readonly schema?: {
    readonly readOnlyPaths?: readonly string[]
    readonly writeOnlyPaths?: readonly string[]
    readonly createOnlyPaths?: readonly string[]
    readonly readOnly?: readonly string[]
    readonly writeOnly?: readonly string[]
    readonly createOnly?: readonly string[]
    readonly defaults?: Readonly<Record<string, Json>>
    readonly defaultPaths?: Readonly<Record<string, Json>>
  }
  readonly context?: JsonObject
  readonly physical_id?: string | null
  readonly logical_id?: string | null
  readonly construct_path?: string | null
  readonly sibling_policy_names?: readonly string[]
}

const textsIn = (v: Json | undefined): string[] =>
  typeof v === 'string'
    ? [v]
    : v && typeof v === 'object'
      ? Object.entries(v).flatMap(([k, x]) => [...(Array.isArray(v) ? [] : [k]), ...textsIn(x)])
      : []

export function differencesOf(row: ResourceRow) {
  const s = row.schema ?? {}
  const c = row.context ?? {}
  const own = [row.physical_id, row.logical_id, row.construct_path?.split('/')[0], c.accountId, c.region].filter(
    (x): x is string => typeof x === 'string' && x.length > 0,
  )
  return realDifferences({
    type: row.type,
    declared: row.declared ?? {},
    live: row.live ?? {},
    schema: {
      readOnly: [...(s.readOnlyPaths ?? []), ...(s.readOnly ?? [])],
      writeOnly: [...(s.writeOnlyPaths ?? []), ...(s.writeOnly ?? [])],
      createOnly: [...(s.createOnlyPaths ?? []), ...(s.createOnly ?? [])],
      defaults: { ...s.defaults, ...s.defaultPaths },
    },
    own,
    aliases: (c.kmsAliasTargets ?? {}) as Record<string, string>,
    siblings: [...(row.sibling_policy_names ?? []), ...textsIn(c as Json)],
    unresolved: v => typeof v === 'string' && /__\w*unresolved\w*__/i.test(v),
  })
}

/** Whether each resource is as declared. */
export function evalNoise(data: string, progress: (done: number, total: number) => void): object[] | undefined {
  const rows = readRows<ResourceRow>(data, 'noise', 'resources')
  return rows?.map((row, i) => {
    const found = differencesOf(row)
    progress(i + 1, rows.length)
    return {
      id: row.id,
      drift: found.length > 0,
      attributes: [...new Set(found.map(f => f.attribute))],
      paths: found.map(f => `${f.kind} ${f.path}`),
    }
  })
}
