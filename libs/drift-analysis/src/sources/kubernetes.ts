/**
 * Live objects of a cluster against what the code wants. `managedFields` and the last applied configuration tell what is left over from code that has gone,
 * what a person put there, and what belongs to a controller (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
 */
import { compare, isEmpty, isObject, isOff, type Json, type JsonObject, type Path } from '../noise/same-value.ts'
import { type Change, changeOf, type DriftFinding, type DriftReading } from './finding.ts'

export const isKubernetes = (d: Json): boolean => isObject(d) && typeof d.kind === 'string' && typeof d.apiVersion === 'string'

/** Documents, lists taken apart. */
export const objectsIn = (documents: readonly Json[]): JsonObject[] =>
  documents.flatMap(d =>
    isObject(d)
      ? Array.isArray(d.items) && String(d.kind ?? 'List').endsWith('List')
        ? objectsIn(d.items)
        : isKubernetes(d)
          ? [d]
          : []
      : Array.isArray(d)
        ? objectsIn(d)
        : [],
  )

const meta = (o: JsonObject): JsonObject => (isObject(o.metadata) ? o.metadata : {})
const addressOf = (o: JsonObject): string => `${String(o.kind)}/${String(meta(o).name ?? '')}`

/** Managers of each field under spec, data and the labels and annotations, sorted. */
export function ownersOf(object: JsonObject): Record<string, string[]> {
  const out = new Map<string, Set<string>>()
  for (const { manager, fields } of entriesOf(object))
    for (const [top, inner] of Object.entries(fields)) {
      if (!top.startsWith('f:') || !isObject(inner) || top === 'f:status') continue
      for (const f of Object.keys(inner))
        if (f.startsWith('f:')) {
          const path = `${top.slice(2)}.${f.slice(2)}`
          out.set(path, (out.get(path) ?? new Set()).add(manager))
        }
    }
  return Object.fromEntries([...out].map(([path, managers]) => [path, [...managers].sort()]))
}
interface Entry {
  readonly manager: string
  readonly operation: string
  readonly subresource: string
  readonly fields: JsonObject
}
const entriesOf = (object: JsonObject): Entry[] => {
  const list = meta(object).managedFields
  return (Array.isArray(list) ? list.filter(isObject) : []).map(e => ({
    manager: String(e.manager ?? ''),
    operation: String(e.operation ?? ''),
    subresource: String(e.subresource ?? ''),
    fields: isObject(e.fieldsV1) ? e.fieldsV1 : {},
  }))
}
/** Whether a manager's fields hold a path; an element of a list by any of its keys. */
const holds = (fields: Json | undefined, path: Path): boolean => {
  if (path.length === 0) return true
  if (!isObject(fields)) return false
  const [first, ...rest] = path
  if (first !== '*') return `f:${first}` in fields && holds(fields[`f:${first}`], rest)
  const items = Object.entries(fields).filter(([k]) => k.startsWith('k:') || k.startsWith('v:'))
  // A list that is owned as a whole has no elements of its own.
  return items.length === 0 ? Object.keys(fields).length === 0 : items.some(([, v]) => holds(v, rest))
}
export const ownersAt = (object: JsonObject, path: Path): Entry[] =>
  entriesOf(object).filter(e => e.subresource !== 'status' && holds(e.fields, path))

/** People, by what they call with: everything of kubectl except applying files, and the tools with buttons. */
const BY_HAND =
  /^kubectl-(?!client-side-apply|create$|apply)|^(?:k9s|lens|openlens|headlamp|dashboard|kubernetes-dashboard|mozilla|rancher|octant|node-fetch|unknown|okteto|curl)/i
/** Those that keep a field as it ought to be by themselves. */
const CONTROLLER =
  /controller-manager|autoscaler|^hpa|keda|^vpa|cluster-autoscaler|operator|scheduler|kubelet|istio|linkerd|cert-manager|webhook|sidecar-injector|metacontroller|^rollouts?-controller/i
export const isController = (e: { readonly manager: string; readonly subresource: string }): boolean =>
  CONTROLLER.test(e.manager) || (e.subresource === 'scale' && !BY_HAND.test(e.manager))

/** Quantities in one unit: 500m is 0.5, 1Gi is 1073741824. */
const UNITS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}
export const quantity = (v: Json | undefined): number | undefined => {
  const m = /^(\d+(?:\.\d+)?)(n|u|m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(v))
  return m ? Number(m[1]) * UNITS[m[2] ?? ''] : undefined
}
const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

/** Kept by the machinery, never by code. */
const MACHINERY =
  /^(?:kubectl\.kubernetes\.io|deployment\.kubernetes\.io|argocd\.argoproj\.io\/tracking-id|autoscaling\.alpha|pv\.kubernetes\.io|volume\.(?:beta\.)?kubernetes\.io|control-plane\.alpha|meta\.helm\.sh|kustomize\.toolkit|helm\.toolkit|field\.cattle\.io|objectset\.rio)/

/** Containers that admission puts beside those of the code. */
const INJECTED = /^(?:istio|linkerd|envoy|vault-agent|cloud-?sql-proxy|dapr|datadog|consul|aws-)/

interface Compared {
  readonly changes: Change[]
  readonly noise: { address: string; path: string; why: string }[]
}

export function compareObjects(wanted: JsonObject, live: JsonObject): Compared {
  const address = addressOf(wanted)
  const noise: Compared['noise'] = []
  const changes: Change[] = []
  const secret = wanted.kind === 'Secret'
  const last = lastApplied(live)
  const view = (o: JsonObject): JsonObject => {
    const { status: _, metadata, ...rest } = o
    const m = isObject(metadata) ? metadata : {}
    const kept: Record<string, Json> = {}
    for (const key of ['labels', 'annotations']) if (isObject(m[key])) kept[key] = m[key]
    if (secret && isObject(rest.stringData)) {
      const { stringData, ...others } = rest
      return {
        ...others,
        metadata: kept,
        data: {
          ...(isObject(rest.data) ? rest.data : {}),
          ...Object.fromEntries(Object.entries(stringData as JsonObject).map(([k, v]) => [k, base64(String(v))])),
        },
      }
    }
    return { ...rest, metadata: kept }
  }
  const [want, have] = [view(wanted), view(live)]
  /** What is in the cluster and not in the code: left over, put there by hand, or somebody's business. */
  const filledIn = (path: Path, value: Json): boolean => {
    if (isEmpty(value) || path.at(-1) === 'creationTimestamp' || path[0] === 'status') return true
    if (path.length === 3 && path[0] === 'metadata' && MACHINERY.test(path[2])) return true
    // A map that the code does not have is judged key by key.
    if (isObject(value) && path.length === 2 && path[0] === 'metadata')
      return Object.entries(value).every(([k, v]) => filledIn([...path, k], v))
    const owners = ownersAt(live, path)
    if (owners.some(e => BY_HAND.test(e.manager))) return false
    if (owners.length > 0 && owners.every(isController)) return true
    if (typeof value !== 'object' && isOff(value)) return true
    if (last && within(last, path, value)) return false
    if (owners.some(e => e.operation === 'Apply')) return false
    // Nobody but people and code puts these there.
    if (path.length === 2 && /^(?:data|binaryData)$/.test(path[0])) return false
    if (path.at(-1) === '*' && /^(?:env|envFrom|rules|subjects|args|command|capabilities)$/.test(path.at(-2) ?? '')) return false
    if (path.at(-1) === '*' && path.at(-2) === 'containers') return isObject(value) && INJECTED.test(String(value.name))
    return true
  }
  const skip = (path: Path): boolean =>
    path[0] === 'apiVersion' ||
    path[0] === 'kind' ||
    path.at(-1) === 'creationTimestamp' ||
    (path.length === 3 && path[0] === 'metadata' && MACHINERY.test(path[2]))
  for (const d of compare(want, have, { skip, filledIn, exact: true })) {
    const text = d.path.filter(p => p !== '*').join('.')
    const [a, b] = [quantity(d.declared), quantity(d.live)]
    if (a !== undefined && b !== undefined && Math.abs(a - b) <= 1e-12 * Math.max(a, b)) {
      noise.push({ address, path: text, why: 'the same quantity' })
      continue
    }
    const owners = ownersAt(live, d.path.slice(0, 2))
    const exact = ownersAt(live, d.path)
    if (d.declared !== undefined && exact.length > 0 && exact.every(isController)) {
      noise.push({ address, path: text, why: `kept by ${exact.map(e => e.manager).join(', ')}` })
      continue
    }
    const names = [...new Set((exact.length > 0 ? exact : owners).map(e => e.manager))].sort()
    changes.push({
      ...changeOf(text, d.declared, d.live, secret && /^data\b/.test(text)),
      ...(names.length > 0 ? { owners: names } : {}),
    })
  }
  return { changes, noise }
}

/** Whether a document holds a value at a path; of a list any element may, and then it must be the same value. */
const within = (at: Json | undefined, path: Path, value: Json): boolean => {
  if (path.length === 0) return at !== undefined
  const [first, ...rest] = path
  if (first !== '*') return isObject(at) && first in at && within(at[first], rest, value)
  return Array.isArray(at) && at.some(item => sameAt(item, rest, value))
}
const sameAt = (at: Json | undefined, path: Path, value: Json): boolean => {
  if (path.length === 0) return compare(at, value, { skip: () => false, filledIn: () => true }).length === 0
  const [first, ...rest] = path
  return first === '*'
    ? Array.isArray(at) && at.some(item => sameAt(item, rest, value))
    : isObject(at) && sameAt(at[first], rest, value)
}
const lastApplied = (live: JsonObject): JsonObject | undefined => {
  const annotations = meta(live).annotations
  const text = isObject(annotations) ? annotations['kubectl.kubernetes.io/last-applied-configuration'] : undefined
  try {
    const d = typeof text === 'string' ? (JSON.parse(text) as Json) : undefined
    return isObject(d) ? d : undefined
  } catch {
    return undefined
  }
}

/** `[` first two parts `]` of each path; the whole of what configuration maps hold counts as one. */
export const attributeOf = (path: string): string =>
  /^(?:data|binaryData|stringData)\b/.test(path) ? 'data' : path.split('.').slice(0, 2).join('.')

export function readKubernetes(live: readonly Json[], wanted: readonly Json[]): DriftReading {
  const [have, want] = [objectsIn(live), objectsIn(wanted)]
  const findings: DriftFinding[] = []
  const noise: Compared['noise'] = []
  for (const w of want) {
    const found = have.find(
      h =>
        h.kind === w.kind &&
        meta(h).name === meta(w).name &&
        (!meta(h).namespace || !meta(w).namespace || meta(h).namespace === meta(w).namespace),
    )
    const said = { address: addressOf(w), type: String(w.kind), id: String(meta(w).name ?? '') }
    if (!found) {
      findings.push({ ...said, attributes: ['(resource)'], changes: [{ path: '(resource)' }] })
      continue
    }
    const compared = compareObjects(w, found)
    noise.push(...compared.noise)
    if (compared.changes.length > 0)
      findings.push({
        ...said,
        attributes: [...new Set(compared.changes.map(c => attributeOf(c.path)))],
        changes: compared.changes,
      })
  }
  const owners = have.length > 0 ? ownersOf(have[0]) : {}
  return { format: 'kubernetes', findings, noise, ...(Object.keys(owners).length > 0 ? { owners } : {}) }
}
