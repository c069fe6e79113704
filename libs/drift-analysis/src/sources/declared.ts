/** A resource as declared beside what runs, with what the provider says of its type: what read-backs through Cloud Control and the like give. */
import { realDifferences } from '../noise/gate.ts'
import { isObject, type Json, type JsonObject } from '../noise/same-value.ts'
import { changeOf, type DriftReading } from './finding.ts'

export const isDeclared = (d: JsonObject): boolean => isObject(d.declared) && isObject(d.live)

const strings = (v: Json | undefined): string[] => (Array.isArray(v) ? v.filter(x => typeof x === 'string') : []) as string[]
const textsIn = (v: Json | undefined): string[] =>
  typeof v === 'string'
    ? [v]
    : v && typeof v === 'object'
      ? Object.entries(v).flatMap(([k, x]) => [...(Array.isArray(v) ? [] : [k]), ...textsIn(x as Json)])
      : []
const object = (v: Json | undefined): JsonObject => (isObject(v) ? v : {})
const valueAt = (o: Json | undefined, keys: readonly string[]): Json | undefined =>
  keys.length === 0 ? o : isObject(o) ? valueAt(o[keys[0]], keys.slice(1)) : undefined

/** Fields: type, declared, live, schema {readOnlyPaths, writeOnlyPaths, createOnlyPaths, defaults}, context, physical_id, logical_id. */
export function readDeclared(d: JsonObject): DriftReading {
  const [schema, context] = [object(d.schema), object(d.context)]
  const both = (name: string) => [...strings(schema[`${name}Paths`]), ...strings(schema[name])]
  const [declared, live] = [object(d.declared), object(d.live)]
  const path = typeof d.construct_path === 'string' ? d.construct_path.split('/')[0] : undefined
  const found = realDifferences({
    type: String(d.type ?? ''),
    declared,
    live,
    schema: {
      readOnly: both('readOnly'),
      writeOnly: both('writeOnly'),
      createOnly: both('createOnly'),
      defaults: { ...object(schema.defaults), ...object(schema.defaultPaths) },
    },
    own: [d.physical_id, d.logical_id, path, context.accountId, context.region].filter(
      (x): x is string => typeof x === 'string' && x.length > 0,
    ),
    siblings: [...strings(d.sibling_policy_names), ...textsIn(context)],
    aliases: object(context.kmsAliasTargets) as Record<string, string>,
    // Left by synthesizers where a value is only known in the cloud.
    unresolved: v => typeof v === 'string' && /__\w*unresolved\w*__|\$\{Token\[/i.test(v),
  })
  const address = String(d.logical_id ?? d.physical_id ?? d.type ?? '')
  const changes = found.map(f => changeOf(f.path, valueAt(declared, f.path.split('.')), valueAt(live, f.path.split('.'))))
  return {
    format: 'declared',
    findings:
      found.length > 0
        ? [
            {
              address,
              type: String(d.type ?? ''),
              ...(typeof d.physical_id === 'string' ? { id: d.physical_id } : {}),
              attributes: [...new Set(found.map(f => f.attribute))],
              changes,
            },
          ]
        : [],
    noise: [],
  }
}
