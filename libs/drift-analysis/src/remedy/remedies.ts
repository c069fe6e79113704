/** The deed itself: what to send to a cluster to take a change back, and what to write into code to keep it. */
import { isObject, type Json, type JsonObject, type Path } from '../noise/same-value.ts'
import type { DriftFinding } from '../sources/finding.ts'
import { compareObjects, isController, ownersAt } from '../sources/kubernetes.ts'
import type { Advice } from './recommend.ts'

/**
 * The wanted object, without what a controller owns in the live one: applied from the server's side it sets what the code says and touches nothing else
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/). Undefined where nothing is left to set.
 */
export function revertManifest(wanted: JsonObject, live: JsonObject): JsonObject | undefined {
  if (compareObjects(wanted, live).changes.length === 0) return undefined
  const prune = (value: Json, path: Path): Json | undefined => {
    if (path.length >= 2 && path[0] !== 'metadata') {
      const owners = ownersAt(live, path)
      if (owners.length > 0 && owners.every(isController)) return undefined
    }
    if (!isObject(value) || path.length > 3) return value
    const out: Record<string, Json> = {}
    for (const [k, v] of Object.entries(value)) {
      const kept = path.length === 0 && ['apiVersion', 'kind', 'metadata'].includes(k) ? v : prune(v, [...path, k])
      if (kept !== undefined) out[k] = kept
    }
    return out
  }
  const { status: _, ...plain } = wanted
  const out = prune(plain, [])
  return isObject(out) ? out : undefined
}

/**
 * What is in the cluster and not in the code any more, to be taken away by a JSON merge patch (RFC 7386): a key by null, what lies in a list by the list
 * as the code has it.
 */
export function leftovers(wanted: JsonObject, live: JsonObject): JsonObject | undefined {
  const patch: Record<string, Json> = {}
  for (const c of compareObjects(wanted, live).changes) {
    if (c.before !== undefined) continue
    const keys = c.path.split('.')
    let depth = 0
    while (depth < keys.length - 1 && isObject(valueAt(live, keys.slice(0, depth + 1)))) depth++
    const taken = keys.slice(0, depth + 1)
    let into: Record<string, Json> = patch
    for (const k of taken.slice(0, -1)) into = (into[k] ??= {}) as Record<string, Json>
    into[taken.at(-1)!] = valueAt(wanted, taken) ?? null
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}
const valueAt = (o: Json, keys: readonly string[]): Json | undefined => {
  let at: Json | undefined = o
  for (const k of keys) {
    if (!isObject(at)) return undefined
    at = at[k]
  }
  return at
}

/** The manifest with the live values of the paths that are to be kept; lists are taken as a whole. */
export function codifyManifest(wanted: JsonObject, live: JsonObject, paths: readonly string[]): JsonObject {
  const out = structuredClone(wanted) as Record<string, Json>
  for (const path of paths) {
    const keys = path.split('.')
    // As far as there are objects on both sides; what lies in a list is taken with its list.
    let depth = 0
    while (depth < keys.length - 1 && isObject(valueAt(live, keys.slice(0, depth + 1)))) depth++
    const taken = keys.slice(0, depth + 1)
    const value = valueAt(live, taken)
    let into: Record<string, Json> = out
    for (const k of taken.slice(0, -1)) into = (isObject(into[k]) ? into[k] : (into[k] = {})) as Record<string, Json>
    if (value === undefined) delete into[taken.at(-1)!]
    else into[taken.at(-1)!] = structuredClone(value)
  }
  return out
}

const hcl = (v: Json, indent = '  '): string => {
  if (typeof v === 'string') return JSON.stringify(v).replace(/\$\{/g, '$$${')
  if (typeof v !== 'object' || v === null) return String(v)
  if (Array.isArray(v))
    return v.length === 0 ? '[]' : `[\n${v.map(x => `${indent}  ${hcl(x, `${indent}  `)},`).join('\n')}\n${indent}]`
  return `{\n${Object.entries(v)
    .map(([k, x]) => `${indent}  ${/^[\w-]+$/.test(k) ? k : JSON.stringify(k)} = ${hcl(x, `${indent}  `)}`)
    .join('\n')}\n${indent}}`
}
/** Terraform to write into the block of the resource: values to keep, and fields to leave alone. Hidden values are named, never written. */
export function codifyTerraform(finding: DriftFinding, advice: readonly Advice[]): string | undefined {
  const [type, name] = finding.address
    .replace(/^(?:module\.[\w-]+(?:\[[^\]]*\])?\.)*/, '')
    .replace(/\[[^\]]*\]$/, '')
    .split('.')
  const keep = advice.filter(a => a.action === 'codify_iac')
  const leave = advice.filter(a => a.action === 'accept_exception').map(a => a.path.split('.')[0])
  if (keep.length + leave.length === 0 || !type || !name) return undefined
  const lines = keep.flatMap(a => {
    const c = finding.changes.find(x => x.path === a.path)
    if (!c || c.path.includes('.')) return [`  # ${a.path}: set it as it is now`]
    return c.hidden || c.after === undefined
      ? [`  # ${a.path} changed; its value is secret and stays out of the code`]
      : [`  ${c.path} = ${hcl(c.after)}`]
  })
  const left = [...new Set(leave)]
  return [
    `resource "${type}" "${name}" {`,
    ...lines,
    ...(left.length > 0 ? ['  lifecycle {', `    ignore_changes = [${left.join(', ')}]`, '  }'] : []),
    '}',
  ].join('\n')
}
