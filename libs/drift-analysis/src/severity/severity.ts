/** How bad a change is in four ways, 0 to 1, with what counted. Written down from what the words mean, for any provider: no table of types. */
import { isEmpty, type Json } from '../noise/same-value.ts'
import { quantity } from '../sources/kubernetes.ts'

export const DIMENSIONS = ['security', 'performance', 'cost', 'compliance'] as const
export type Dimension = (typeof DIMENSIONS)[number]
export interface Severity {
  readonly security: number
  readonly performance: number
  readonly cost: number
  readonly compliance: number
  /** What was counted, strongest first. */
  readonly counted: readonly { readonly sign: string; readonly dimension: Dimension; readonly weight: number }[]
}
export interface ChangedAttribute {
  readonly type: string
  /** '(resource)' where the resource came or went. */
  readonly attribute: string
  readonly before?: Json
  readonly after?: Json
}

const PUBLIC =
  /0\.0\.0\.0\/0|::\/0|"?\*"?$|"(?:AWS)?"?:?\s*"\*"|allusers|allauthenticatedusers|public|anonymous|everyone|any(?:one|\b)|\binternet\b|"all"|^all$/i
const ADMIN =
  /admin(?:istrator)?|poweruser|full_?access|\bowner\b|cluster-admin|\broot\b|"?\*:\*"?|"Action":\s*"\*"|foreign|system:masters/i
const text = (v: Json | undefined): string => (v === undefined || v === null ? '' : typeof v === 'string' ? v : JSON.stringify(v))
const truth = (v: Json | undefined): boolean | undefined =>
  v === true || /^(?:true|enabled|on|yes|active|enforced|required|present)$/i.test(text(v))
    ? true
    : v === false || isEmpty(v) || /^(?:false|disabled|off|no|none|suspended|inactive|optional|absent|0)$/i.test(text(v))
      ? false
      : undefined

/** Sizes of machines in order, as providers name them. */
const SIZES = ['nano', 'f1', 'micro', 'g1', 'b1', 'small', 'medium', 'standard', 'large', 'xlarge']
export const machineSize = (v: Json | undefined): number | undefined => {
  const s = text(v).toLowerCase()
  const many = /(\d+)xlarge/.exec(s)
  if (many) return SIZES.length + Math.log2(Number(many[1]))
  if (/metal/.test(s)) return SIZES.length + 6
  const named = SIZES.findLastIndex(w => new RegExp(`(?:^|[^a-z])${w}\\b`).test(s))
  if (named < 0) return undefined
  const count = /-(\d+)$/.exec(s)
  return named + (count ? Math.log2(Number(count[1])) / 2 : 0)
}
const numberIn = (v: Json | undefined): number | undefined =>
  quantity(v) ?? (/^(\d+(?:\.\d+)?)\b/.test(text(v)) ? Number.parseFloat(text(v)) : undefined)

export function severityOfChange({ type, attribute, before, after }: ChangedAttribute): Severity {
  const sum = { security: 0, performance: 0, cost: 0, compliance: 0 }
  const counted: { sign: string; dimension: Dimension; weight: number }[] = []
  const add = (sign: string, weights: Partial<Record<Dimension, number>>) => {
    for (const [dimension, weight] of Object.entries(weights) as [Dimension, number][]) {
      if (weight === 0) continue
      // Signs of one thing are heard together, and never add up beyond 1.
      sum[dimension] = 1 - (1 - sum[dimension]) * (1 - weight)
      counted.push({ sign, dimension, weight })
    }
  }
  const name = `${attribute}`.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase()
  const kind = type.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase()
  const all = `${kind} ${name}`
  const [b, a] = [text(before), text(after)]
  const [on, was] = [truth(after), truth(before)]
  if (/^(?:description|comment|display_name|name)$/.test(name) || (b !== '' && b.toLowerCase() === a.toLowerCase()))
    return { ...sum, counted }
  if (name === '(resource)') {
    const made = /present|created|true/i.test(a) || (isEmpty(before) && !isEmpty(after))
    if (/nat|gateway|cluster|instance|database|load_?balancer|node|warehouse|endpoint|vm|disk|volume/.test(kind))
      add('a resource that costs by the hour', { cost: made ? 0.6 : 0.3, performance: made ? 0.02 : 0.7 })
    if (/trail|log|detector|monitor|alarm|diagnostic|flow|audit|backup|vault|waf|policy|key/.test(kind))
      add(
        made ? 'watching or protection came' : 'watching or protection went',
        made ? { compliance: 0.1 } : { security: 0.7, compliance: 0.9 },
      )
    if (/user|role|key|token|secret|account|permission|binding/.test(kind))
      add('someone who may do something', { security: made ? 0.6 : 0.3, compliance: 0.4 })
    return { ...sum, counted }
  }
  // Who may reach it.
  if (
    /cidr|ingress|source_ranges?|source_address|firewall|security_group|acl|public|principal|exposure|launch_permission|network_rule|bucket_policy|^policy$|resource_policy|access_level|allow|visibility/.test(
      all,
    ) &&
    !/capacity|size|memory|timeout/.test(name)
  ) {
    const opened =
      (PUBLIC.test(a) && !PUBLIC.test(b)) ||
      (/public/.test(name) && !/block|restrict|ignore/.test(name) && on === true && was === false) ||
      (/block|restrict|ignore/.test(name) && /public/.test(name) && on === false && was === true)
    const closed = PUBLIC.test(b) && !PUBLIC.test(a)
    if (opened)
      add('open to everyone', {
        security: 0.95,
        compliance: /bucket|storage|db|database|ingress|acl|public/.test(all) ? 0.93 : 0.7,
        cost: /bucket|storage/.test(kind) ? 0.3 : 0,
      })
    else if (closed) add('closed to everyone', { security: 0.2, compliance: 0.1, performance: 0.2 })
    else if (!/description|tag/.test(name)) add('who may reach it', { security: 0.45, compliance: 0.4 })
  }
  // Who may do what.
  if (
    /assume_role|trust|polic(?:y|ies)|permission|\brole|binding|grant|member|iam_|admin|privilege_?d|run_as|capabilit|host_(?:network|pid|path|ipc)|allow_privilege|sudo|scopes?|audience/.test(
      name,
    ) &&
    !/retention|lifecycle|scal|backup|update|rotat/.test(name)
  ) {
    if (ADMIN.test(a) && !ADMIN.test(b)) add('rights of an administrator or of strangers', { security: 0.95, compliance: 0.93 })
    else if (/privileged|host_|allow_privilege|capabilit/.test(name))
      add('a container with rights on its host', on === false ? { security: 0.1 } : { security: 0.95, compliance: 0.92 })
    else if (ADMIN.test(b) && !ADMIN.test(a)) add('fewer rights', { security: 0.25, compliance: 0.15, performance: 0.1 })
    else add('rights', { security: 0.7, compliance: 0.7 })
  }
  // Secrets and what keeps them.
  if (/encrypt|kms|sse|\btls|ssl|cipher|https_only|secure_transport|certificate/.test(name)) {
    const weaker = on === false || /1_0|1\.0|1_1|1\.1|sslv|weak|none/i.test(a) || (was === true && on !== true)
    const version = /tls|ssl|cipher|certificate/.test(name)
    add(
      weaker ? 'encryption taken away or weaker' : 'encryption',
      weaker ? { security: version ? 0.66 : 0.93, compliance: 0.95 } : { security: 0.2, compliance: 0.25, performance: 0.05 },
    )
  }
  if (/rotation|rotate|password_policy|minimum_password|mfa/.test(name))
    add(
      on === false ? 'rotation or second factor off' : 'rotation or second factor',
      on === false ? { security: /mfa|password/.test(name) ? 0.85 : 0.35, compliance: 0.93 } : { security: 0.1, compliance: 0.2 },
    )
  if (/secret|password|credential|access_keys?|token|login_profile/.test(name))
    add('a secret', { security: 0.75, compliance: 0.5 })
  // What tells afterwards what happened, and what brings back what was lost.
  const retention = /retention|retain|expiration/.test(name) || /lifecycle/.test(name)
  if (
    /log(?:ging|s|_)?|trail|audit|monitor|insights|detector|flow|alarm|alert|trac(?:e|ing)|diagnostic/.test(all) &&
    !retention &&
    !/login/.test(name)
  ) {
    if (on === false && was !== false)
      add('nobody watches any more', { security: /trail|audit|log|detector|flow/.test(all) ? 0.9 : 0.4, compliance: 0.93 })
    else if (on === true) add('watching came', { compliance: 0.05, cost: 0.2 })
    else add('watching', { security: 0.2, compliance: 0.3 })
  }
  if (
    /backup|snapshot|versioning|deletion_protection|delet|point_in_time|replication|force_destroy|purge|lock|prevent_destroy/.test(
      name,
    ) ||
    retention
  ) {
    const [x, y] = [numberIn(before), numberIn(after)]
    const destructive = /force_destroy|skip_final/.test(name)
    const less = (destructive ? on === true : on === false && was !== false) || (x !== undefined && y !== undefined && y < x)
    if (/lifecycle/.test(name)) add('how long things are kept', { compliance: 0.35, cost: 0.6 })
    else if (less)
      add('less can be brought back', {
        security: 0.3,
        compliance: x !== undefined && y !== undefined ? 0.93 : 0.7,
        cost: x !== undefined && y !== undefined ? 0.3 : 0.02,
      })
    else add('more can be brought back', { cost: 0.35, compliance: 0.1 })
  }
  // How much it can do, and what it costs.
  if (/instance_(?:type|class)|machine_type|node_type|\btier|sku|vm_size|compute_type|flavor|plan$/.test(name)) {
    const [x, y] = [machineSize(before), machineSize(after)]
    const special =
      /^(?:p\d|g\d|trn|inf|x\d|u-)|gpu|a100|h100/i.test(a.replace(/^(?:db|cache|ml)\./, '')) && !/^(?:p\d|g\d|trn|inf)/i.test(b)
    const steps = x !== undefined && y !== undefined ? y - x : 0
    if (special || steps > 0)
      add('a greater machine', { cost: special ? 0.97 : Math.min(0.97, 0.45 + 0.17 * steps), performance: special ? 0 : 0.25 })
    else if (steps < 0) add('a smaller machine', { performance: Math.min(0.97, 0.6 + 0.12 * -steps), cost: 0.3 })
    else add('another machine', { performance: 0.5, cost: 0.5 })
  } else if (
    /replica|capacity|(?:min|max|desired)_?(?:size|count|instances|nodes|capacity)|node_count|num_|count$|shards|workers|concurren|throughput|iops|units|bandwidth/.test(
      name,
    )
  )
    scaled('number of copies', 0.3)
  else if (/memory|cpu|storage|disk|volume_size|heap|ram|size/.test(name) && !/encrypted/.test(name)) scaled('size', 0.25)
  else if (
    /multi_az|high_availability|availability_type|zone_redundant|failover|cross_zone|accelerat|cache|autoscal|health_check/.test(
      name,
    )
  )
    add(
      on === false ? 'no second one stands by' : 'a second one stands by',
      on === false
        ? {
            performance: 0.66,
            compliance: /az|zone|availab|failover/.test(name) ? 0.62 : 0.1,
            cost: /az|zone|availab/.test(name) ? 0.55 : 0.1,
          }
        : { cost: 0.6, performance: 0.1 },
    )
  else if (/timeout|ttl|interval|period|cooldown|retries|threshold|deadline|delay/.test(name) && !retention) {
    const [x, y] = [numberIn(before), numberIn(after)]
    const ratio = x && y ? Math.abs(Math.log2(y / x)) : 1
    add('how long it waits', {
      performance: Math.min(0.75, 0.2 + 0.17 * ratio * (y !== undefined && x !== undefined && y < x ? 1 : 0.7)),
    })
  }
  function scaled(what: string, up: number): void {
    const [x, y] = [numberIn(before), numberIn(after)]
    const ratio = x !== undefined && y !== undefined ? Math.log2((y + 0.01) / (x + 0.01)) : 0
    const strong = Math.min(1, Math.abs(ratio) / 3)
    if (ratio < 0) add(`less: ${what}`, { performance: Math.min(0.97, 0.6 + 0.4 * strong), cost: 0.25 + 0.1 * strong })
    else if (ratio > 0)
      add(`more: ${what}`, { cost: Math.min(0.97, 0.35 + (/memory|cpu/.test(name) ? 0.3 : 0.6) * strong), performance: up })
    else add(what, { performance: 0.3, cost: 0.3 })
  }
  // What runs.
  if (/^image|\.image|image_id|\bami\b|container_image/.test(name))
    add(/latest$|:main$|:master$/.test(a) ? 'an image that may be anything' : 'another image', {
      security: 0.35,
      performance: 0.3,
      compliance: /latest|main|master/.test(a) ? 0.6 : 0.3,
    })
  if (/runtime|engine_version|\bversion$|kubernetes_version|platform_version/.test(name) && !/tls|versioning/.test(name)) {
    const older = Number.parseFloat(/\d+(?:\.\d+)?/.exec(a)?.[0] ?? '0') < Number.parseFloat(/\d+(?:\.\d+)?/.exec(b)?.[0] ?? '0')
    add(
      older ? 'an older version' : 'another version',
      older ? { security: 0.65, compliance: 0.6, performance: 0.1 } : { security: 0.1, performance: 0.2 },
    )
  }
  if (/user_data|source_code|command|^code|layers|environment|startup|entrypoint|handler|script/.test(name))
    add('other code runs', { security: 0.6, performance: 0.35, compliance: 0.3 })
  if (/^type$|service_type/.test(name) && /loadbalancer|nodeport|external/i.test(a))
    add('reached from outside', { security: 0.65, cost: 0.35, compliance: 0.35 })
  if (/^tags|labels|tags_all/.test(name))
    add('labels', {
      compliance: isEmpty(after) || /none/i.test(a) ? 0.6 : 0.3,
      cost: /cost|owner|budget|team/i.test(b + a) ? 0.35 : 0.1,
    })
  if (counted.length === 0) add('a setting', { security: 0.05, performance: 0.1, compliance: 0.05, cost: 0.02 })
  return { ...sum, counted: counted.sort((x, y) => y.weight - x.weight) }
}

/** The worst of several changes in each way. */
export const severityOfAll = (changes: readonly ChangedAttribute[]): Severity => {
  const each = changes.map(severityOfChange)
  const most = (d: Dimension) => Math.max(0, ...each.map(s => s[d]))
  return {
    security: most('security'),
    performance: most('performance'),
    cost: most('cost'),
    compliance: most('compliance'),
    counted: each
      .flatMap(s => s.counted)
      .sort((x, y) => y.weight - x.weight)
      .slice(0, 8),
  }
}
