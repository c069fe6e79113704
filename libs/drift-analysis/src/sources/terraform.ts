/**
 * Plans and states of Terraform and OpenTofu. A plan tells of drift in `resource_drift`: what was in the state, and what refreshing found. What a provider
 * only writes differently, fills in, computes, moves, or repeats of a sibling resource is no change that someone made.
 */
import { isFilledIn, type Surroundings } from '../noise/filled-in.ts'
import { compare, isEmpty, isObject, type Json, type JsonObject } from '../noise/same-value.ts'
import { type Change, changeOf, type DriftFinding, type DriftReading } from './finding.ts'

interface ResourceChange {
  readonly address: string
  readonly previous_address?: string
  readonly type?: string
  readonly mode?: string
  readonly deposed?: string
  readonly change: {
    readonly actions: readonly string[]
    readonly before?: Json
    readonly after?: Json
    readonly before_sensitive?: Json
    readonly after_sensitive?: Json
  }
}
export const isPlan = (d: JsonObject): boolean =>
  'resource_drift' in d ||
  'resource_changes' in d ||
  'planned_values' in d ||
  ('format_version' in d && 'terraform_version' in d && !('values' in d)) ||
  'plan_format_version' in d
export const isState = (d: JsonObject): boolean =>
  (typeof d.version === 'number' && ('resources' in d || 'modules' in d || 'lineage' in d || 'serial' in d)) ||
  ('values' in d && 'format_version' in d) ||
  'encrypted_data' in d

/** What a provider works out by itself. */
const COMPUTED =
  /^(?:id|arn|.*_arn|etag|fingerprint|.*_fingerprint|self_link|unique_id|owner_id|uid|tags_all|.*_tags_all|terraform_labels|effective_labels|hosted_zone_id|resource_version|generation|metageneration|revision|latest.*|last_.*|.*_last_.*|.*(?:_at|_on|_date|_time|timestamp)|.*status|.*_hash|.*sha(?:1|256|512)|checksum|md5.*|qualified_.*|.*_version_id|endpoint|dns_name|cluster_members|num_.*|estimated_.*|size_bytes|.*_size_bytes)$/i

export function readPlan(plan: JsonObject): DriftReading {
  const findings: DriftFinding[] = []
  const noise: { address: string; path: string; why: string }[] = []
  const configured = configuredIn(plan)
  const others = otherValues(plan)
  for (const r of (Array.isArray(plan.resource_drift) ? plan.resource_drift : []) as unknown as ResourceChange[]) {
    if (!r?.change || r.mode === 'data' || r.deposed) continue
    const { actions = [], before, after } = r.change
    const type = r.type ?? r.address.replace(/\[.*$/, '').split('.').at(-2) ?? ''
    const id = identityOf(before) ?? identityOf(after)
    const said = { address: r.address, type, ...(id ? { id } : {}) }
    const gone =
      (actions.includes('delete') && !actions.includes('create')) ||
      (!isEmpty(before) && (after === null || after === undefined) && !actions.includes('no-op'))
    if (gone) {
      findings.push({ ...said, attributes: ['(resource)'], changes: [{ path: '(resource)' }] })
      continue
    }
    if (!isObject(before) || !isObject(after)) continue
    if (actions.length > 0 && actions.every(a => a === 'no-op' || a === 'read' || a === 'forget')) {
      if (r.previous_address) noise.push({ address: r.address, path: '(address)', why: 'moved in the code' })
      continue
    }
    const mine = configured.get(bare(r.address))
    const around: Surroundings = {
      own: [id ?? '', String(before.arn ?? '')].filter(Boolean),
      siblings: new Set(),
      schemaDefault: () => undefined,
      freeForm: path => /^(?:tags|labels|annotations|variables|metadata)$/.test(path.at(-1) ?? ''),
    }
    const changes: Change[] = []
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const [b, a] = [before[key], after[key]]
      const told = compare(b, a, {
        skip: () => false,
        // The state knew all there was: a new element was put there, a new key may be one that the provider learned of.
        filledIn: (path, live) =>
          path.at(-1) !== '*' && !around.freeForm([key, ...path].slice(0, -1)) && isFilledIn([key, ...path], live, around),
      })
      const why =
        told.length === 0
          ? JSON.stringify(b) === JSON.stringify(a)
            ? undefined
            : 'the same in other words'
          : mine && !mine.has(key) && COMPUTED.test(key)
            ? 'computed by the provider'
            : !mine && COMPUTED.test(key)
              ? 'computed by the provider'
              : (b === null || b === undefined) &&
                  !(mine?.has(key) ?? false) &&
                  !around.freeForm([key]) &&
                  isFilledIn([key], a ?? null, around)
                ? 'filled in by the provider'
                : isEchoOfSibling(r.address, type, id, b, a, others)
                  ? 'a sibling resource of the same code'
                  : undefined
      if (why) noise.push({ address: r.address, path: key, why })
      else if (told.length > 0)
        for (const d of told)
          changes.push(
            changeOf(
              [key, ...d.path.filter(p => p !== '*')].join('.'),
              d.declared,
              d.live,
              isMarked(r.change.before_sensitive, key) || isMarked(r.change.after_sensitive, key),
            ),
          )
    }
    if (changes.length > 0) findings.push({ ...said, attributes: [...new Set(changes.map(c => c.path.split('.')[0]))], changes })
  }
  return { format: 'terraform-plan', findings, noise }
}

/** One line a message, as `terraform plan -json` prints. */
export function readPlanLines(lines: readonly JsonObject[]): DriftReading {
  const findings = lines.flatMap(line => {
    const change = isObject(line.change) ? line.change : undefined
    const resource = isObject(change?.resource) ? change.resource : undefined
    if (line.type !== 'resource_drift' || !change || !resource || change.action === 'move' || change.action === 'no-op') return []
    const gone = change.action === 'delete'
    return [
      {
        address: String(resource.addr),
        type: String(resource.resource_type ?? ''),
        attributes: gone ? ['(resource)'] : [],
        changes: gone ? [{ path: '(resource)' }] : [],
      },
    ]
  })
  return { format: 'terraform-plan', findings, noise: [] }
}

export function readState(state: JsonObject): DriftReading {
  let resources = 0
  const list = (v: Json | undefined): readonly JsonObject[] => (Array.isArray(v) ? v.filter(isObject) : [])
  if (Array.isArray(state.resources)) {
    for (const r of list(state.resources))
      if (r.mode !== 'data') resources += list(r.instances).filter(i => i.deposed === undefined).length
  } else if (Array.isArray(state.modules)) {
    for (const m of list(state.modules))
      if (isObject(m.resources)) resources += Object.keys(m.resources).filter(name => !name.startsWith('data.')).length
  } else if (isObject(state.values)) {
    const count = (m: Json | undefined): number =>
      isObject(m)
        ? list(m.resources).filter(r => r.mode !== 'data').length + list(m.child_modules).reduce((sum, c) => sum + count(c), 0)
        : 0
    resources = count(state.values.root_module)
  }
  return { format: 'terraform-state', findings: [], noise: [], resources }
}

/** Attributes that states hold, by bare address: who to ask for when only a state is there. */
export function identitiesIn(state: JsonObject): Map<string, string> {
  const out = new Map<string, string>()
  for (const r of Array.isArray(state.resources) ? state.resources.filter(isObject) : [])
    for (const i of Array.isArray(r.instances) ? r.instances.filter(isObject) : []) {
      const id = identityOf(i.attributes)
      const key =
        i.index_key === undefined ? '' : typeof i.index_key === 'string' ? `["${i.index_key}"]` : `[${String(i.index_key)}]`
      if (id) out.set(`${r.module ? `${String(r.module)}.` : ''}${String(r.type)}.${String(r.name)}${key}`, id)
    }
  return out
}

const identityOf = (v: Json | undefined): string | undefined => {
  if (!isObject(v)) return undefined
  for (const key of ['id', 'identifier', 'name', 'bucket', 'function_name', 'arn'])
    if (typeof v[key] === 'string' && v[key] !== '') return v[key]
  return undefined
}
/** Without the keys of count and for_each, as configuration names it. */
const bare = (address: string): string => address.replace(/\[(?:"[^"]*"|\d+)\]/g, '')
const isMarked = (marks: Json | undefined, key: string): boolean => {
  if (marks === true) return true
  if (!isObject(marks)) return false
  const any = (v: Json | undefined): boolean => v === true || (typeof v === 'object' && v !== null && Object.values(v).some(any))
  return any(marks[key])
}

/** Attributes that the code sets, by bare address. */
function configuredIn(plan: JsonObject): Map<string, Set<string>> {
  const out = new Map<string, Set<string>>()
  const walk = (m: Json | undefined, prefix: string): void => {
    if (!isObject(m)) return
    for (const r of Array.isArray(m.resources) ? m.resources.filter(isObject) : [])
      if (isObject(r.expressions)) out.set(`${prefix}${String(r.address)}`, new Set(Object.keys(r.expressions)))
    if (isObject(m.module_calls))
      for (const [name, call] of Object.entries(m.module_calls)) if (isObject(call)) walk(call.module, `${prefix}module.${name}.`)
  }
  walk(isObject(plan.configuration) ? plan.configuration.root_module : undefined, '')
  return out
}

interface Other {
  readonly address: string
  readonly type: string
  readonly texts: ReadonlySet<string>
}
const leavesOf = (v: Json | undefined, out: Set<string> = new Set()): Set<string> => {
  if (typeof v === 'object' && v !== null) for (const x of Object.values(v)) leavesOf(x as Json, out)
  else if (v !== undefined && v !== null && v !== '') out.add(String(v))
  return out
}
function otherValues(plan: JsonObject): Other[] {
  const out: Other[] = []
  const walk = (m: Json | undefined): void => {
    if (!isObject(m)) return
    for (const r of Array.isArray(m.resources) ? m.resources.filter(isObject) : [])
      out.push({ address: String(r.address), type: String(r.type), texts: leavesOf(r.values) })
    for (const c of Array.isArray(m.child_modules) ? m.child_modules : []) walk(c)
  }
  const prior = isObject(plan.prior_state) && isObject(plan.prior_state.values) ? plan.prior_state.values.root_module : undefined
  walk(prior)
  walk(isObject(plan.planned_values) ? plan.planned_values.root_module : undefined)
  for (const r of Array.isArray(plan.resource_changes) ? plan.resource_changes.filter(isObject) : [])
    if (isObject(r.change))
      out.push({
        address: String(r.address),
        type: String(r.type),
        texts: leavesOf([r.change.before ?? null, r.change.after ?? null] as Json),
      })
  return out
}

/** New elements of a list that another resource of the same code puts there: all that they say is said by it, and it names this resource. */
function isEchoOfSibling(
  address: string,
  type: string,
  id: string | undefined,
  before: Json | undefined,
  after: Json | undefined,
  others: readonly Other[],
): boolean {
  const list = (v: Json | undefined): readonly Json[] | undefined =>
    v === null || v === undefined
      ? []
      : Array.isArray(v)
        ? v
        : isObject(v)
          ? Object.entries(v).map(([k, x]) => ({ [k]: x }))
          : undefined
  const [b, a] = [list(before), list(after)]
  if (!b || !a) return false
  const had = new Set(b.map(x => JSON.stringify(x)))
  const has = new Set(a.map(x => JSON.stringify(x)))
  const added = a.filter(x => !had.has(JSON.stringify(x)))
  if (added.length === 0 || b.some(x => !has.has(JSON.stringify(x)))) return false
  const family = type.split('_').slice(0, 2).join('_')
  return added.every(item => {
    const said = [...leavesOf(item)].filter(t => t !== 'false' && t !== '0' && t !== 'true')
    return others.some(
      o =>
        o.address !== address &&
        o.type !== type &&
        (o.type.startsWith(type) || o.type.startsWith(family) || type.startsWith(o.type)) &&
        (!id || o.texts.has(id) || [...o.texts].some(t => t.includes(id))) &&
        said.every(t => o.texts.has(t) || [...o.texts].some(x => x.length > t.length && x.includes(t) && t.length > 3)),
    )
  })
}
