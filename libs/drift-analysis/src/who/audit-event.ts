/** An entry of an audit log, whoever wrote it. */
export const CHANNELS = ['iac', 'console', 'cli', 'script', 'service', 'controller'] as const
export type Channel = (typeof CHANNELS)[number]

export interface Mention {
  /** Key under which the text stands, as in requestParameters.roleName; list numbers left out. */
  readonly path: string
  readonly text: string
}
export interface AuditEvent {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** As the log says it: `ModifyDBInstance`, `patch deployments`. */
  readonly action: string
  readonly service: string
  /** Best name first: user or role, then other ways to call the same one. */
  readonly actors: readonly string[]
  readonly channel: Channel
  /** Refused or failed: it changed nothing. */
  readonly denied: boolean
  /** Only looked. */
  readonly readOnly: boolean
  readonly request: readonly Mention[]
  readonly response: readonly Mention[]
  /** As it came, to be quoted. */
  readonly raw: unknown
}

type Fields = { readonly [key: string]: unknown }
const object = (v: unknown): Fields => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Fields) : {})
const text = (v: unknown): string => (typeof v === 'string' ? v : '')
/** Everything that is said in a value, leaf by leaf. */
export function mentionsIn(v: unknown, path = '', out: Mention[] = []): Mention[] {
  if (out.length > 400) return out
  if (Array.isArray(v)) for (const x of v) mentionsIn(x, path, out)
  else if (typeof v === 'object' && v !== null) {
    for (const [k, x] of Object.entries(v)) mentionsIn(x, path ? `${path}.${k}` : k, out)
    if (Object.keys(v).length === 0) out.push({ path, text: '' })
  } else if (v !== null && v !== undefined) out.push({ path, text: String(v) })
  return out
}
const time = (v: unknown): number => {
  const t = typeof v === 'number' ? v : Date.parse(text(v))
  return Number.isFinite(t) ? t : 0
}
const LOOKS =
  /^(?:get|list|describe|head|lookup|search|batchget|scan|query|select|view|test|simulate|validate|preview|decrypt|encrypt|assumerole|consolelogin|estimate|watch|check|download)/i

/** CloudTrail, GCP audit logs, Azure activity logs and Kubernetes audit events; undefined for what is none of them. */
export function readAuditEvent(raw: unknown): AuditEvent | undefined {
  const e = object(raw)
  if (e.eventName !== undefined && e.eventTime !== undefined) return cloudTrail(e)
  if (e.protoPayload !== undefined) return googleCloud(e)
  if (e.auditID !== undefined && e.verb !== undefined) return kubernetes(e)
  if (e.operationName !== undefined && (e.caller !== undefined || e.resourceId !== undefined || e.correlationId !== undefined))
    return azure(e)
  return undefined
}

function cloudTrail(e: Fields): AuditEvent {
  const who = object(e.userIdentity)
  const issuer = object(object(who.sessionContext).sessionIssuer)
  const arn = text(who.arn)
  const session = /:assumed-role\/([^/]+)\/(.+)$/.exec(arn)
  // Of a role that someone took on, the session says who.
  const actors = [
    text(who.userName),
    session?.[2],
    text(issuer.userName),
    session?.[1],
    arn.split('/').at(-1),
    text(who.invokedBy),
    arn,
    text(issuer.arn),
    text(who.principalId).split(':').at(-1),
    text(e.sourceIPAddress).endsWith('.com') ? text(e.sourceIPAddress) : '',
    text(who.type),
  ]
  const name = text(e.eventName)
  return {
    id: text(e.eventID),
    time: time(e.eventTime),
    action: name.replace(/\d{8}(?:v\d+)?$/, ''),
    service: text(e.eventSource).split('.')[0],
    actors: [...new Set(actors.filter((a): a is string => Boolean(a)))],
    channel: channelOf({
      agent: text(e.userAgent),
      invokedBy: text(who.invokedBy) || (/\.amazonaws\.com$/.test(text(e.sourceIPAddress)) ? text(e.sourceIPAddress) : ''),
      console: text(e.sessionCredentialFromConsole) === 'true',
      kind: text(who.type),
      actor: session?.[1] ?? '',
    }),
    denied: Boolean(e.errorCode || e.errorMessage),
    readOnly: e.readOnly === true || e.readOnly === 'true' || LOOKS.test(name),
    request: [...mentionsIn(e.requestParameters), ...(Array.isArray(e.resources) ? mentionsIn(e.resources, 'resources') : [])],
    response: mentionsIn(e.responseElements),
    raw: e,
  }
}
function googleCloud(e: Fields): AuditEvent {
  const p = object(e.protoPayload)
  const meta = object(p.requestMetadata)
  const method = text(p.methodName)
  const email = text(object(p.authenticationInfo).principalEmail)
  return {
    id: text(e.insertId),
    time: time(e.timestamp),
    action: method.split('.').slice(-2).reverse().join(' '),
    service: text(p.serviceName).split('.')[0],
    actors: [email, email.split('@')[0], text(object(p.authenticationInfo).principalSubject)].filter(Boolean),
    channel: channelOf({
      agent: text(meta.callerSuppliedUserAgent),
      invokedBy: '',
      console: false,
      kind: /gserviceaccount\.com$/.test(email) && /^service-|@cloudservices|@system/.test(email) ? 'AWSService' : '',
      actor: email,
    }),
    denied: Boolean(Number(object(p.status).code ?? 0)) || text(e.severity) === 'ERROR',
    readOnly: LOOKS.test(method.split('.').at(-1) ?? ''),
    request: [{ path: 'resourceName', text: text(p.resourceName) }, ...mentionsIn(p.request, 'request')],
    response: mentionsIn(p.response, 'response'),
    raw: e,
  }
}
function azure(e: Fields): AuditEvent {
  const value = (v: unknown) => text(v) || text(object(v).value)
  const operation = value(e.operationName)
  const status = `${value(e.status)} ${value(e.resultType)} ${value(e.subStatus)}`
  const claims = object(e.claims)
  const caller = text(e.caller) || text(object(object(e.identity).claims).name)
  return {
    id: text(e.eventDataId) || text(e.correlationId),
    time: time(e.eventTimestamp ?? e.time),
    action: operation.split('/').slice(-2).reverse().join(' '),
    service: operation
      .split('/')[0]
      .replace(/^Microsoft\./i, '')
      .toLowerCase(),
    actors: [caller, caller.split('@')[0], text(claims.name), text(claims.appid)].filter(Boolean),
    channel: channelOf({
      agent: text(object(e.httpRequest).userAgent) || text(e.userAgent),
      invokedBy: '',
      console: text(claims.appid) === 'c44b4083-3bb0-49c1-b47d-974e53cbdf3c',
      kind: '',
      actor: caller,
    }),
    denied: /fail|denied|forbidden|unauthorized/i.test(status),
    readOnly: /\/read$/i.test(operation),
    request: [{ path: 'resourceId', text: text(e.resourceId) || value(e.resourceId) }, ...mentionsIn(e.properties, 'properties')],
    response: [],
    raw: e,
  }
}
function kubernetes(e: Fields): AuditEvent {
  const ref = object(e.objectRef)
  const user = text(object(e.impersonatedUser).username) || text(object(e.user).username)
  const code = Number(object(e.responseStatus).code ?? 0)
  return {
    id: text(e.auditID),
    time: time(e.stageTimestamp ?? e.requestReceivedTimestamp),
    action: `${text(e.verb)} ${text(ref.resource)}${ref.subresource ? ` ${text(ref.subresource)}` : ''}`,
    service: 'kubernetes',
    actors: [user, user.split(':').at(-1) ?? ''].filter(Boolean),
    channel: channelOf({
      agent: text(e.userAgent),
      invokedBy: '',
      console: false,
      kind: /^system:/.test(user) ? 'controller' : '',
      actor: user,
    }),
    denied: code >= 400,
    readOnly: /^(?:get|list|watch)$/.test(text(e.verb)),
    request: [
      { path: 'name', text: text(ref.name) },
      { path: 'namespace', text: text(ref.namespace) },
      ...mentionsIn(e.requestObject, 'requestObject'),
    ],
    response: [],
    raw: e,
  }
}

/** The way a change came. Tools of code first: they call the same interfaces as scripts do. */
export function channelOf(from: {
  readonly agent: string
  readonly invokedBy: string
  readonly console: boolean
  readonly kind: string
  readonly actor: string
}): Channel {
  const agent = from.agent.replace(/^\[|\]$/g, '')
  const by = from.invokedBy || (/^[\w.-]+\.(?:amazonaws|googleapis|azure)\.com$/.test(agent) ? agent : '')
  if (
    /cloudformation|terraform|opentofu|pulumi|crossplane|cdk|config-?connector|infra-?manager|deploymentmanager|azure-resource-manager-template/i.test(
      `${agent} ${by}`,
    )
  )
    return 'iac'
  if (/argocd|argo-cd|flux|helm|kustomize|spinnaker/i.test(agent)) return 'iac'
  if (from.kind === 'controller') return /kubectl/i.test(agent) ? 'cli' : 'controller'
  if (/^(?:console|signin|s3-console|.*console.*)\b/i.test(agent) || /^(?:console|signin)/i.test(by)) return 'console'
  if (from.console && !/cli|sdk|boto/i.test(agent)) return 'console'
  if (/aws-cli|gcloud|google-cloud-sdk command|azurecli|az-cli|\baz\/|kubectl|aws-shell|eksctl|awscli/i.test(agent)) return 'cli'
  if (from.kind === 'AWSService' || by || /^AWSServiceRoleFor/.test(from.actor)) return 'service'
  if (/mozilla|chrome|safari|applewebkit|^aws internal|firefox|edge\//i.test(agent)) return 'console'
  return 'script'
}
