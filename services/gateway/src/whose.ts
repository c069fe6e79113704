import { type EntityId, entityId, workloadOf } from '@aegis/domain'

type Words = Readonly<Record<string, string>>
type Row = readonly [name: string, kind: 'service' | 'host', clean?: (value: string) => string]

/** Values that name nobody: placeholders, templates nobody filled in, numbers, addresses, and ids of containers. */
const NOBODY =
  /^(?:unknown(?:[_-]service)?(?::.*)?|undefined|none|null|nil|n\/?a|default|-+|localhost|<.*>|\$\{.*\}|\{\{.*|[\d.:]+|(?=.*\d)[0-9a-f-]{12,})$/i
const isSomebody = (value: string | undefined): value is string =>
  value !== undefined && value.trim() !== '' && !NOBODY.test(value.trim())
const isHost = (value: string | undefined): value is string =>
  value !== undefined &&
  value.trim() !== '' &&
  !/^(?:unknown|undefined|none|null|nil|n\/?a|-+|<.*>|\$\{.*\}|\{\{.*|\d+)$/i.test(value.trim())

const lastPart = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
const ofJob = (name: string): string => name.replace(/-\d{8,}$/, '')
const ofReplicaSet = (name: string): string => workloadOf(`${name}-00000`)
/** Docker's own name, and Compose's `project-service-1` where the project is not known. */
const ofContainer = (name: string): string => name.replace(/^\//, '')
const ofUnit = (name: string): string => name.replace(/\.(?:service|scope|slice)$/, '')
const ofImage = (image: string): string => lastPart(image.replace(/@.*$/, '')).replace(/:.*$/, '')
/** What follows `unknown_service:` is the name of the program. */
const ofUnknown = (name: string): string =>
  /^unknown_service:/.test(name) ? lastPart(name.slice('unknown_service:'.length)) : ''
const ofHost = (address: string): string => hostOf(address) ?? address

/**
 * Whom attributes are about, the most telling first: the name its owner gave, its workload, its pod, its container, its program, at last its machine.
 * @see https://opentelemetry.io/docs/specs/semconv/resource/k8s/ and the order of the operator's `service.name`
 */
const ATTRIBUTES: readonly Row[] = [
  ['service.name', 'service'],
  ['k8s.deployment.name', 'service'],
  ['k8s.statefulset.name', 'service'],
  ['k8s.daemonset.name', 'service'],
  ['k8s.cronjob.name', 'service'],
  ['k8s.job.name', 'service', ofJob],
  ['k8s.replicaset.name', 'service', ofReplicaSet],
  ['k8s.pod.label.app.kubernetes.io/name', 'service'],
  ['k8s.pod.labels.app.kubernetes.io/name', 'service'],
  ['com.docker.compose.service', 'service'],
  ['container.label.com.docker.compose.service', 'service'],
  ['k8s.pod.name', 'service', workloadOf],
  ['k8s.container.name', 'service'],
  ['container.name', 'service', ofContainer],
  ['aws.ecs.task.family', 'service'],
  ['faas.name', 'service'],
  ['process.executable.name', 'service', lastPart],
  ['process.executable.path', 'service', lastPart],
  ['process.command', 'service', lastPart],
  ['systemd.unit', 'service', ofUnit],
  ['container.image.name', 'service', ofImage],
  ['service.name', 'service', ofUnknown],
  ['k8s.node.name', 'host'],
  ['host.name', 'host'],
  ['host.id', 'host'],
]

/** Labels of Prometheus that say what is meant. Behind `exported_` stands what the target said of itself, so that comes first. */
const LABELS: readonly Row[] = [
  ['service_name', 'service'],
  ['service', 'service'],
  ['app_kubernetes_io_name', 'service'],
  ['app', 'service'],
  ['application', 'service'],
  ['kubernetes_name', 'service'],
  ['deployment', 'service'],
  ['statefulset', 'service'],
  ['daemonset', 'service'],
  ['cronjob', 'service'],
  ['job_name', 'service', ofJob],
  ['replicaset', 'service', ofReplicaSet],
  ['container_label_com_docker_compose_service', 'service'],
  ['pod', 'service', workloadOf],
  ['pod_name', 'service', workloadOf],
  ['kubernetes_pod_name', 'service', workloadOf],
  ['container', 'service'],
  ['container_name', 'service'],
]
const row = (name: string): Row => LABELS.find(([label]) => label === name) ?? [name, 'service']
const CONTAINERS = [
  'container_label_com_docker_compose_service',
  'pod',
  'pod_name',
  'kubernetes_pod_name',
  'container',
  'container_name',
]
const OF_A_NODE: readonly Row[] = ['node', 'nodename', 'exported_instance', 'instance'].map(name => [name, 'host', ofHost])

/** Exporters that are known by what they measure: their metrics by the beginnings of their names, and the labels that hold whom they measured. */
const EXPORTERS: readonly (readonly [RegExp, readonly Row[]])[] = [
  // Of kube-state-metrics: the object its name tells. Pod, container and service may be its own.
  [/^kube_(?:pod|container)_/, ['pod'].map(row)],
  [/^kube_node_/, [['node', 'host']]],
  [/^kube_(?:job|cronjob)_/, [row('cronjob'), row('job_name')]],
  [
    /^kube_(?:horizontalpodautoscaler|hpa)_/,
    [
      ['horizontalpodautoscaler', 'service'],
      ['hpa', 'service'],
      ['scaletargetref_name', 'service'],
    ],
  ],
  [/^kube_(?!state_metrics)/, ['deployment', 'statefulset', 'daemonset', 'replicaset', 'service', 'pod'].map(row)],
  [/^container_/, [...CONTAINERS.map(row), ['name', 'service', ofContainer], ...OF_A_NODE]],
  [/^(?:node|windows|ipmi|smartctl|dcgm)_/i, OF_A_NODE],
  [
    /^probe_/,
    [
      ['target', 'service', target],
      ['instance', 'service', target],
    ],
  ],
  [/^namedprocess_/, [['groupname', 'service', lastPart]]],
]
/** What is about the scraped process itself, whoever it is. */
const OF_ITSELF = /^(?:up|scrape_.*|(?:go|process|python|jvm|nodejs|promhttp|prometheus|kube_state_metrics)_.*)$/
/** Names of those who measure others. */
const MEASURES =
  /(?:^|[-_/])(?:exporter|kube-state-metrics|ksm|cadvisor|kubelet|push-?gateway|blackbox|probes?|federate|statsd|telegraf|collectd|snmp|node-exporter|metrics-server|(?:otel|opentelemetry)-?collector|otelcol|alloy|vmagent|prometheus)(?:$|[-_/\d])/i

/** Host of `host:port`, `[v6]:port` or a URL; undefined where there is none. */
export const hostOf = (address: string): string | undefined => {
  const bare = /^[a-z][\w+.-]*:\/\/(?:[^@/]*@)?/i.exec(address)
  const rest = address.slice(bare?.[0].length ?? 0).split(/[/?#]/)[0]
  return /^\[([^\]]+)\]/.exec(rest)?.[1] ?? (/^[^:]+:[^:]+:/.test(rest) ? rest : rest.replace(/:\d+$/, '')) ?? undefined
}
/** The service behind an address: a name of Kubernetes' DNS without its namespace, any other host as it is. */
function target(address: string): string {
  const host = hostOf(address) ?? address
  return /^([^.]+)\.[^.]+(?:\.svc(?:\..*)?)$/.exec(host)?.[1] ?? host
}

const pick = (rows: readonly Row[], words: Words, isGood: (name: string) => boolean = () => true): EntityId | undefined => {
  for (const [key, kind, clean] of rows) {
    const value = words[key]
    // A replica set's or unknown service's value is judged once it is clean.
    const name = value === undefined ? undefined : clean ? clean(value.trim()) : value.trim()
    if (name !== undefined && (kind === 'host' ? isHost(name) : isSomebody(name)) && name !== 'POD' && isGood(name))
      return entityId(kind, name)
  }
  return undefined
}

/** Whom a resource of OpenTelemetry is; undefined where it does not say. */
export const whose = (attributes: Words): EntityId | undefined => pick(ATTRIBUTES, attributes)

/** What shippers of containers' logs add to a record, by the name OpenTelemetry has for it: of Fluent Bit and Vector, and of Beats. */
const KUBERNETES: readonly (readonly [name: string, attribute: string])[] = [
  ['pod_name', 'k8s.pod.name'],
  ['pod.name', 'k8s.pod.name'],
  ['container_name', 'k8s.container.name'],
  ['container.name', 'k8s.container.name'],
  ['namespace_name', 'k8s.namespace.name'],
  ['pod_namespace', 'k8s.namespace.name'],
  ['namespace', 'k8s.namespace.name'],
  ['deployment.name', 'k8s.deployment.name'],
  ['statefulset.name', 'k8s.statefulset.name'],
  ['daemonset.name', 'k8s.daemonset.name'],
  ['labels.app.kubernetes.io/name', 'k8s.pod.label.app.kubernetes.io/name'],
  ['pod_labels.app.kubernetes.io/name', 'k8s.pod.label.app.kubernetes.io/name'],
  ['host', 'k8s.node.name'],
  ['node.name', 'k8s.node.name'],
  ['pod_node_name', 'k8s.node.name'],
]
/** Where the kubelet and container runtimes keep the logs of containers, and whose they are by that. */
const LOG_FILES =
  /\/pods\/(?<namespace>[^_/]+)_(?<pod>[^_/]+)_[^/]+\/(?<container>[^/]+)\/|\/containers\/(?<pod2>[^_/]+)_(?<namespace2>[^_/]+)_(?<container2>.+)-[0-9a-f]{12,64}\.log/
/** A `kubernetes` object, attributes whose names begin so, or else the path of the file, in OpenTelemetry's names; empty where there is none. */
export const kubernetesOf = (object: unknown, attributes: Words = {}): Record<string, string> => {
  const out: Record<string, string> = {}
  const member = (of: unknown, name: string): unknown => {
    if (of === null || typeof of !== 'object') return undefined
    const known = of as Record<string, unknown>
    if (name in known) return known[name]
    const dot = name.indexOf('.')
    return dot < 0 ? undefined : member(known[name.slice(0, dot)], name.slice(dot + 1))
  }
  for (const [name, attribute] of KUBERNETES) {
    const value = member(object, name) ?? attributes[`kubernetes.${name}`]
    if (typeof value === 'string' && value !== '') out[attribute] ??= value
  }
  const file = LOG_FILES.exec(attributes['log.file.path'] ?? attributes.filename ?? '')?.groups
  if (file) {
    out['k8s.namespace.name'] ??= file.namespace ?? file.namespace2
    out['k8s.pod.name'] ??= file.pod ?? file.pod2
    out['k8s.container.name'] ??= file.container ?? file.container2
  }
  return out
}

/** Whether a name is that of somebody who measures others, so that labels of the sample may say better whom it is about. */
export const measures = (entity: EntityId | undefined): boolean =>
  entity === undefined || MEASURES.test(entity.slice(entity.indexOf(':') + 1))

/** Whether a metric is known to be about what its labels name and not about who sends it. */
export const isOfExporter = (metric: string): boolean => EXPORTERS.some(([name]) => name.test(metric))

/**
 * Whom a sample of Prometheus is about. What is meant comes before who measured: what known exporters measured, then what the target said of itself
 * (`exported_*`), then labels of services, workloads, pods and containers, then the job; an exporter names itself only where nobody else is named.
 */
export const whoseSample = (metric: string, labels: Words): EntityId => {
  // A monitor of the operator writes `namespace/name`.
  const job: Row = ['job', 'service', lastPart]
  const own = (name: string): boolean => !MEASURES.test(name)
  if (!OF_ITSELF.test(metric)) {
    const known = EXPORTERS.find(([name]) => name.test(metric))?.[1] ?? []
    const exported = (rows: readonly Row[]): Row[] => rows.map(([name, ...rest]) => [`exported_${name}`, ...rest])
    const found =
      pick(exported(known), labels) ??
      pick(known, labels, own) ??
      pick(exported([...LABELS, job]), labels) ??
      pick(LABELS, labels, own) ??
      pick([job], labels, own) ??
      // An exporter of several targets puts the target in the place of the instance.
      pick(
        [
          ['server', 'service', target],
          ['target', 'service', target],
          ['instance', 'service', target],
        ],
        labels,
        own,
      )
    if (found) return found
  }
  const named = pick([...LABELS, job], labels)
  if (named && OF_ITSELF.test(metric)) return named
  // `postgres-exporter` measured Postgres.
  return named?.replace(/[-_](?:prometheus[-_])?exporter$/, '') ?? pick(OF_A_NODE, labels) ?? 'service:unknown'
}

/** Tags of StatsD, Graphite and InfluxDB, where the agent of Datadog has names of its own. */
const TAGS: readonly Row[] = [
  ['service.name', 'service'],
  ...LABELS.slice(0, 5),
  ['kube_deployment', 'service'],
  ['kube_stateful_set', 'service'],
  ['kube_daemon_set', 'service'],
  ['kube_cronjob', 'service'],
  ['kube_job', 'service', ofJob],
  ['kube_service', 'service'],
  ...LABELS.slice(6),
  ['job', 'service'],
  // An agent that looks at others says whom: Telegraf's `server` of Redis, `url` of Nginx.
  ...['server', 'target', 'url', 'db_host'].map((name): Row => [name, 'service', target]),
]
const TAGGED_HOSTS: readonly Row[] = ['host', 'hostname', 'node'].map(name => [name, 'host'])
/** Whom tags name as a service, or else as a machine; undefined where they name neither. */
export const whoseTags = (tags: Words): { readonly service?: EntityId; readonly host?: EntityId } => ({
  service: pick(TAGS, tags),
  host: pick(TAGGED_HOSTS, tags),
})
