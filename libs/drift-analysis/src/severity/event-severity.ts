/** How bad an entry of an audit log is for security, 0 to 1, and for the other three as far as words tell: any provider, by what was done to what. */
import { mentionsIn } from '../who/audit-event.ts'
import type { Dimension, Severity } from './severity.ts'

type Weights = Partial<Record<Dimension, number>>
/** What is done, in the last words of an action. */
const UNDOES =
  /delet|remov|disabl|stop|destroy|purg|terminat|deregister|detach|revoke|suspend|cancel|deactivat|unprotect|drop|uninstall|archive|transfer|schedul/i
const MAKES =
  /creat|add|put|attach|insert|grant|authoriz|allow|enable|register|invite|promote|set|updat|modif|write|patch|assign|generate|import|replace|change|elevate|activate|associate|share|upload|publish|issue|send|action/i
const LOOKS =
  /^(?:get|list|describe|head|lookup|search|batchget|download|read|watch|view|query)|\/read$|\.(?:get|list)$|\bget\b|\blist\b|\bread\b/i

/** What it is done to: [words, weight when it is taken away, weight when it is made or changed, sign]. */
const TARGETS: readonly (readonly [RegExp, Weights, Weights, string])[] = [
  [
    /backup|snapshot|recovery|replication|versioning|retention|immutab|lock|protection|pointintime|softdelete/i,
    { security: 0.78, compliance: 0.8 },
    { security: 0.5, compliance: 0.3 },
    'what brings back',
  ],
  [
    /trail|log(?:ging|group|stream|sink|profile|s\b)|flow_?log|auditlog|diagnostic|detector|guardduty|securityhub|insights|recorder|sink|alert|alarm|monitor|watcher|waf|webacl|threat|defender|scanning|finding|activitystream|operationalinsights/i,
    { security: 0.66, compliance: 0.9 },
    { security: 0.4, compliance: 0.3 },
    'what watches',
  ],
  [
    /mfa|2fa|two_?factor|sso|saml|oidc|federat|identityprovider|authentication|passwordpolicy|conditionalaccess/i,
    { security: 0.85, compliance: 0.8 },
    { security: 0.7, compliance: 0.6 },
    'proof of who one is',
  ],
  [
    /exec\b|portforward|privileged|hostpath|hostpid|hostnetwork|mutating|admissionreg/i,
    { security: 0.4 },
    { security: 0.72, compliance: 0.3 },
    'ways into what runs',
  ],
  [
    /setiampolicy|iampermission|clusterrole|rolebinding|accessadministrator|elevate|ownership|admin|transfer|trust|assumerolepolicy|visibility|attribute\b.*(?:image|snapshot)|(?:image|snapshot)attribute|repo\.access/i,
    { security: 0.4, compliance: 0.4 },
    { security: 0.62, compliance: 0.6 },
    'rights over all of it',
  ],
  [
    /functioncode|functionconfiguration|userdata|instanceattribute|layer|build\b|createbuild|template/i,
    { security: 0.3 },
    { security: 0.55 },
    'code that runs',
  ],
  [
    /kms|key(?:vault|s\b|ring|pair)?|encrypt|secret|certificate|credential|token|password|loginprofile|accesskey|apikey|serviceaccountkey|jwt/i,
    { security: 0.35, compliance: 0.6 },
    { security: 0.4, compliance: 0.4 },
    'keys',
  ],
  [
    /role|polic|permission|principal|collaborat|rbac|binding|iam|grant|maintainer/i,
    { security: 0.2, compliance: 0.4 },
    { security: 0.4, compliance: 0.5 },
    'who may do what',
  ],
  [
    /securitygroup|firewall|nsg|acl|allow_?list|mirror|publicip|ingress|egress/i,
    { security: 0.45, performance: 0.4 },
    { security: 0.45, compliance: 0.3 },
    'who may reach it',
  ],
  [
    /database|dbinstance|dbcluster|bucket|storage|blob|object|repo|share|table|queue|topic|registry/i,
    { security: 0.5, performance: 0.6, compliance: 0.3 },
    { security: 0.38, cost: 0.3 },
    'what keeps data',
  ],
  [/user|member|group|account|invite/i, { security: 0.15, compliance: 0.3 }, { security: 0.3, compliance: 0.3 }, 'who is there'],
  [
    /network|route|gateway|peering|vpn|subnet|vpc|dns|domain|loadbalancer|listener/i,
    { security: 0.25, performance: 0.4 },
    { security: 0.25, compliance: 0.3 },
    'ways through the network',
  ],
  [
    /disk|volume|cluster|instance|virtualmachine|server|function|container|pod|image|namespace|deployment|project|organization|job|webhook|runbook|automation|daemonset|runcommand|sendcommand|ssh|serial/i,
    { security: 0.2, performance: 0.6 },
    { security: 0.22, cost: 0.3 },
    'what runs',
  ],
]
const OPEN =
  /"(?:AWS|principal)"\s*:\s*"\*"|"Principal"\s*:\s*\{?\s*"?\*|0\.0\.0\.0\/0|::\/0|allusers|allauthenticatedusers|"group"\s*:\s*"all"|public-read|publicaccess|"public"|"visibility"\s*:\s*"public"|system:anonymous|system:unauthenticated|publiclyaccessible"?\s*:\s*true/i
const ADMIN =
  /administratoraccess|cluster-admin|system:masters|roles\/(?:owner|editor|iam)|"action"\s*:\s*"\*"|"\*:\*"|global administrator|privileged role|company administrator|:root|fullaccess/i
const HOST =
  /"privileged"\s*:\s*true|hostpath|"hostnetwork"\s*:\s*true|"hostpid"\s*:\s*true|"hostipc"\s*:\s*true|sys_admin|docker\.sock|\/var\/run|\/etc\/kubernetes/i
const GOOD = /"status"\s*:\s*"enabled"|"enabled?"\s*:\s*true|"multiregion|enablemfa|"effect"\s*:\s*"deny"/i
const FAILED =
  /"errorcode"\s*:\s*"[^"]|"errormessage"\s*:\s*"[^"]|"resulttype"\s*:\s*"(?:fail|0x|5\d)|"status"\s*:\s*"(?:fail|failure|failed)"|"statusvalue"\s*:\s*"fail|"granted"\s*:\s*false|"code"\s*:\s*(?:7|16|4\d\d)\b|"result"\s*:\s*"fail|accessdenied|"outcome"\s*:\s*"fail/i

/** The words an entry says it did. */
export function actionOf(event: Readonly<Record<string, unknown>>): string {
  const inner = (v: unknown): Record<string, unknown> =>
    typeof v === 'object' && v !== null ? (v as Record<string, unknown>) : {}
  const ref = inner(event.objectRef)
  const proto = inner(event.protoPayload)
  const log = inner(event.properties).log
  if (typeof log === 'string' && log.startsWith('{')) {
    try {
      return actionOf(JSON.parse(log) as Record<string, unknown>)
    } catch {
      // The log inside is cut: what is around it will do.
    }
  }
  const text = (v: unknown) => (typeof v === 'string' ? v : typeof inner(v).value === 'string' ? String(inner(v).value) : '')
  return [
    text(event.verb),
    text(ref.resource),
    text(ref.subresource),
    text(event.eventName),
    text(proto.methodName),
    text(event.operationName),
    text(event.action),
    text(event.activityDisplayName),
    text(event.eventType),
  ]
    .filter(Boolean)
    .join(' ')
}

export function severityOfEvent(event: Readonly<Record<string, unknown>>): Severity {
  const sum = { security: 0, performance: 0, cost: 0, compliance: 0 }
  const counted: { sign: string; dimension: Dimension; weight: number }[] = []
  const add = (sign: string, weights: Weights) => {
    for (const [d, w] of Object.entries(weights) as [Dimension, number][]) {
      sum[d] = 1 - (1 - sum[d]) * (1 - w)
      counted.push({ sign, dimension: d, weight: w })
    }
  }
  const action = actionOf(event)
  const said = JSON.stringify(event)
  const flat = action.replace(/[\s_-]/g, '')
  const looks = (LOOKS.test(action) && !/exec|attach|portforward/.test(action)) || event.readOnly === true
  const undoes = UNDOES.test(action)
  let strongest: { sign: string; weights: Weights } | undefined
  for (const [words, gone, made, sign] of TARGETS) {
    if (!words.test(flat) && !words.test(action)) continue
    const weights = undoes ? gone : MAKES.test(action) ? made : { security: (made.security ?? 0) * 0.6 }
    if ((weights.security ?? 0) > (strongest?.weights.security ?? 0))
      strongest = { sign: `${undoes ? 'takes away' : 'changes'} ${sign}`, weights }
  }
  if (strongest) add(strongest.sign, looks ? { security: 0.08 + (strongest.weights.security ?? 0) * 0.15 } : strongest.weights)
  else add('an entry of a log', { security: looks ? 0.06 : 0.15 })
  if (!looks && OPEN.test(said) && !undoes) add('open to everyone', { security: 0.55, compliance: 0.6 })
  if (!looks && ADMIN.test(said) && !undoes) add('rights of an administrator', { security: 0.3, compliance: 0.4 })
  if (HOST.test(said) && !looks) add('rights on the host', { security: 0.45 })
  if (/suspended|"disabled"/i.test(said) && /versioning|logging|protection|encryption/i.test(flat))
    add('protection switched off', { security: 0.6, compliance: 0.7 })
  if (/consolelogin|sign-?in|login\b/i.test(action)) {
    add('a login', { security: 0.2 })
    if (/"mfaused"\s*:\s*"no"/i.test(said)) add('a login without second factor', { security: 0.45 })
    if (/"type"\s*:\s*"root"/i.test(said)) add('a login as root', { security: 0.5 })
  } else if (/"type"\s*:\s*"root"/i.test(said)) add('done as root', { security: 0.3 })
  let scale = 1
  if (FAILED.test(said)) scale *= 0.2
  if (!undoes && GOOD.test(said) && !OPEN.test(said)) scale *= 0.55
  if (
    /"(?:username|user)"\s*:\s*(?:\{[^{}]*)?"?(?:system:serviceaccount:kube-system|system:node|system:kube|eks:|aks)|awsservice|"invokedby"\s*:\s*"[^"]+\.com"|cloudformation\.amazonaws|-controller"/i.test(
      said,
    )
  )
    scale *= 0.45
  if (mentionsIn(event).length < 3) scale *= 0.8
  const round = (x: number) => Math.round(Math.min(1, x * scale) * 1000) / 1000
  return {
    security: round(sum.security),
    performance: round(sum.performance),
    cost: round(sum.cost),
    compliance: round(sum.compliance),
    counted: counted.sort((a, b) => b.weight - a.weight),
  }
}
