/**
 * Whom an alert is about, by its labels. One order: workloads by the labels that only a workload has, then services that are named as such, then pods,
 * containers, nodes, volumes, namespaces. What an exporter of metrics says of itself (`job`, `service`, `instance`, its own pod) never stands before it.
 */
import { type EntityId, entityId, kindOfWorkload } from '@aegis/domain'

type Labels = Readonly<Record<string, string>>

/** Who measures others: targets of scrapes that are no subject of what they tell. */
const MEASURER =
  /kube-?state-?metrics|\bksm\b|exporter|cadvisor|^kubelet$|[-_]kubelet$|blackbox|pushgateway|push-gateway|telegraf|otel-?col|opentelemetry-collector|(^|[-_])prometheus([-_]|$)|alertmanager|metrics-server|^(node|nodes|kubernetes-(nodes|pods|cadvisor|service-endpoints|apiservers|services))$|^integrations\//i
/** Labels of whoever was scraped, where the subject has others. */
const OF_TARGET = ['pod', 'container', 'service', 'namespace', 'instance', 'job', 'node', 'endpoint'] as const
/** Containers that stand beside what matters. */
const BESIDE = /^(POD|istio-proxy|linkerd-proxy|envoy|.*-sidecar|sidecar|fluent-?bit|vault-agent|config-reloader|.*-exporter)$/i

const isName = (value: string | undefined): value is string =>
  value !== undefined &&
  !/^(|-+|<?none>?|<?unknown>?|<no value>|null|nil|n\/a|undefined|all|default|other)$/i.test(value.trim()) &&
  !/^[\d.:\s]+$/.test(value) &&
  !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{24,}$/i.test(value)
const isAddress = (value: string): boolean => /^\d+(\.\d+){3}$/.test(value) || /^\[?[0-9a-f]*(:[0-9a-f]*){2,}\]?$/i.test(value)

const workload = (name: string): EntityId => entityId(kindOfWorkload(name), name)
/** Of a pod's name what its workload is called: without the hashes of replica sets, daemon sets and jobs, and the time of a schedule. */
export const workloadOfPod = (pod: string): string | undefined => {
  const hash = '[bcdfghjklmnpqrstvwxz2456789]'
  const found =
    new RegExp(`^(.+)-${hash}{4,10}-${hash}{5}$`).exec(pod) ??
    /^(.+)-(?=[a-z0-9]*\d)[a-z0-9]{4,10}-[a-z0-9]{5}$/.exec(pod) ??
    /^(.+)-\d{8,11}(?:-[a-z0-9]{5})?$/.exec(pod) ??
    new RegExp(`^(.+)-(?=[a-z]*\\d)${hash}{5}$`).exec(pod)
  return found?.[1]
}
const ofPod = (pod: string): EntityId => {
  const name = workloadOfPod(pod)
  return name === undefined ? entityId('pod', pod) : workload(name)
}
const ofReplicaSet = (name: string): EntityId => workload(name.replace(/-[a-z0-9]{4,10}$/, ''))
const ofJobName = (name: string): EntityId => workload(name.replace(/-\d{8,11}$/, ''))
const ofService = (name: string): EntityId => workload(name)
/** `checkout.shop.svc.cluster.local` is checkout; what is called in full is outside. */
const ofHost = (host: string): EntityId => {
  const inside = /^([a-z0-9-]+)(?:\.[a-z0-9-]+)?\.svc(?:\..*)?$/i.exec(host)
  if (inside) return workload(inside[1])
  return entityId(
    /\.[a-z]{2,}$/i.test(host) && !/\.(local|internal|lan|compute\.amazonaws\.com)$/i.test(host) ? 'external' : 'host',
    host,
  )
}
const hostOf = (address: string): string =>
  address
    .replace(/^[a-z][\w+.-]*:\/\//i, '')
    .replace(/^[^@/]*@/, '')
    .replace(/[/?#].*$/, '')
    .replace(/:\d+$/, '')
/** What an exporter of a single store was asked about, or where something runs. */
const ofInstance = (instance: string, isProbe: boolean): EntityId | undefined => {
  const host = hostOf(instance)
  if (host === '' || /^(localhost|127\.0\.0\.1|\[?::1\]?)$/i.test(host)) return undefined
  // Who is probed or asked by address is meant; a bare name is a host.
  if (isProbe || /^[a-z][\w+.-]*:\/\//i.test(instance))
    return /^[\w-]+$/.test(host) && !isAddress(host) ? workload(host) : ofHost(host)
  return /\.svc(\.|$)/.test(host) ? ofHost(host) : entityId('host', host)
}

type Rule = readonly [label: string, of: (value: string) => EntityId | undefined]
const rules = (labels: string, of: Rule[1]): Rule[] => labels.split(/\s+/).map(label => [label, of])

const WORKLOADS: readonly Rule[] = [
  ...rules(
    'deployment statefulset daemonset rollout deploymentconfig cronjob replicationcontroller workload workload_name destination_workload kube_deployment kube_stateful_set kube_daemon_set kube_cronjob kube_job k8s_deployment_name k8s_statefulset_name k8s_daemonset_name k8s_cronjob_name k8s.deployment.name k8s.statefulset.name k8s.daemonset.name k8s.cronjob.name',
    workload,
  ),
  ...rules('job_name k8s_job_name k8s.job.name', ofJobName),
  ...rules('replicaset k8s_replicaset_name k8s.replicaset.name', ofReplicaSet),
  ...rules('horizontalpodautoscaler hpa scaledobject poddisruptionbudget', workload),
]
const SERVICES: readonly Rule[] = [
  ...rules(
    'service_name service.name service app_kubernetes_io_name app.kubernetes.io/name label_app app k8s_app application destination_service_name destination_app component',
    ofService,
  ),
  ...rules('destination_service backend host_service', value => (/\./.test(value) ? ofHost(value) : ofService(value))),
]
const PARTS: readonly Rule[] = [
  ...rules('pod pod_name kube_pod_name k8s_pod_name k8s.pod.name kubernetes_pod_name', ofPod),
  ...rules('container container_name container_label_com_docker_compose_service name', value =>
    BESIDE.test(value) ? undefined : workload(value),
  ),
]
const NODES: readonly Rule[] = rules(
  'node kubernetes_node node_name nodename k8s_node_name k8s.node.name kubernetes_io_hostname host hostname host_name host.name server machine vm',
  value => entityId('host', hostOf(value)),
)
const PLACES: readonly Rule[] = [
  ...rules('persistentvolumeclaim persistentvolume volumename volume', value => entityId('volume', value)),
  ...rules('dbinstance_identifier dimension_DBInstanceIdentifier DBInstanceIdentifier', value => entityId('database', value)),
  ...rules('ingress route virtualservice', value => entityId('external', value)),
  ...rules('consumergroup consumer_group', ofService),
  ...rules('queue topic', value => entityId('queue', value)),
]

const first = (labels: Labels, list: readonly Rule[]): EntityId | undefined => {
  for (const [label, of] of list) {
    const found = isName(labels[label]) ? of(labels[label]) : undefined
    if (found) return found
  }
  return undefined
}
/** `exported_pod` is what the exporter said, `pod` what the scrape put in its place. */
const withoutTarget = (given: Labels): { labels: Labels; measured: boolean } => {
  const exported = Object.keys(given).filter(k => /^exported_/.test(k))
  const measured = exported.length > 0 || ['job', 'service', 'exporter'].some(k => MEASURER.test(given[k] ?? ''))
  const labels: Record<string, string> = { ...given }
  if (exported.length > 0)
    for (const label of OF_TARGET) if (label !== 'node' || MEASURER.test(given.pod ?? '')) delete labels[label]
  for (const k of exported) labels[k.slice('exported_'.length)] = given[k]
  if (measured) {
    if (labels.service === given.service) delete labels.service
    if (labels.job === given.job) delete labels.job
    for (const label of ['pod', 'container', 'app', 'component', 'name'] as const)
      if (MEASURER.test(labels[label] ?? '')) delete labels[label]
  }
  return { labels, measured }
}

/** Alerts of targets that do not answer are about whoever was to be scraped, an exporter too. */
const OF_TARGETS = /Targets?(Down|Missing)|Scrap|InstanceDown|ExporterDown|JobMissing/i
/** Exporters that run where what they tell of is. */
const ON_HOST = /node|windows|snmp|ipmi|smart|process/i
/** Those that tell of a whole cluster: where they run is nobody's address. */
const OF_CLUSTER = /kube-?state-?metrics|ksm|kubelet|cadvisor/i

/**
 * @param name of the alert: whether it is one of nodes, volumes, probes or targets tells which of its labels is the subject
 * @returns undefined where no label names anybody
 */
export const subjectOf = (given: Labels, name = ''): EntityId | undefined => {
  const { labels, measured } = withoutTarget(given)
  const scraped = `${given.job ?? ''} ${given.service ?? ''}`
  const isProbe = /blackbox|probe/i.test(`${given.job ?? ''} ${name}`)
  const target = labels.target ?? labels.probe_target ?? labels.url
  const instance = isName(target)
    ? ofInstance(target, true)
    : labels.instance
      ? ofInstance(labels.instance, /blackbox/i.test(scraped))
      : undefined
  const job = !measured && isName(labels.job) ? ofService(lastPart(labels.job)) : undefined
  const self = [given.service, given.job].find(isName)
  return (
    first(labels, WORKLOADS) ??
    (/PersistentVolume|VolumeFilling|PVC/i.test(name) ? first(labels, PLACES) : undefined) ??
    (/^(Kube)?(Node|Host|Kubelet)(?!Port)/i.test(name) ? (first(labels, NODES) ?? instance) : undefined) ??
    first(labels, SERVICES) ??
    first(labels, PARTS) ??
    (isProbe ? instance : undefined) ??
    first(labels, PLACES) ??
    job ??
    (OF_CLUSTER.test(scraped) || isName(labels.node) ? undefined : ofStore(given)) ??
    first(labels, NODES) ??
    (!measured || (ON_HOST.test(scraped) && !OF_CLUSTER.test(scraped)) ? instance : undefined) ??
    (OF_TARGETS.test(name) && self ? ofService(lastPart(self)) : undefined) ??
    (isName(labels.namespace) && (measured || labels.resourcequota) ? entityId('namespace', labels.namespace) : undefined) ??
    // Nobody else is meant: then it is about whoever was scraped.
    (self ? ofService(lastPart(self)) : undefined)
  )
}
/** Prometheus operator's jobs are `namespace/name` or `kind/namespace/name`. */
const lastPart = (job: string): string => job.slice(job.lastIndexOf('/') + 1)
/** The exporter of one store, called after it (`orders-db-exporter`): the store is meant; where the name is only its kind, the address says which. */
const ofStore = (given: Labels): EntityId | undefined => {
  const name = [given.service, given.job, given.pod && workloadOfPod(given.pod)]
    .map(v => /^(.+?)[-_](?:prometheus[-_])?(?:exporter|metrics)$/i.exec(lastPart(v ?? ''))?.[1])
    .find(isName)
  if (name === undefined || /^(blackbox|black-box|statsd|json|push|kube|prometheus|graphite)$/i.test(name) || ON_HOST.test(name))
    return undefined
  const host = hostOf(given.instance ?? '')
  const isKind =
    /^(postgres(ql)?|mysqld?|mariadb|redis|mongodb|kafka|rabbitmq|elasticsearch|memcached|nginx|apache|haproxy)$/i.test(name)
  return workload(
    isKind && host !== '' && !isAddress(host) && !MEASURER.test(host) && host !== 'localhost' ? host.replace(/\..*$/, '') : name,
  )
}
