/**
 * Who calls whom by Kubernetes objects, of manifests or of a running cluster: each address that a workload is given is resolved as the cluster's DNS
 * would, by namespace, through the Services that select. Whatever has a pod template is a workload, of whatever kind it is.
 */
import { AegisError, type Edge, entityId, kindOfWorkload } from '@aegis/domain'
import { type Doc, get, isDoc, listOf, textOf } from '@aegis/domain/document'
import { type DescribedSystem, described } from './described-system.ts'
import { filledIn, hostsInCommand, hostsInText, hostsInValue } from './named-hosts.ts'

/** A workload that nobody else owns, and its pods where the documents are of a running cluster. */
export interface KubernetesWorkload {
  readonly entity: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly labels: unknown
  /** What was written down. */
  readonly document: Doc
  /** Its pod template, or the pod itself. */
  readonly template: unknown
  readonly containers: readonly unknown[]
  readonly pods: readonly Doc[]
  /** Everything that it made, itself or through another: replica sets, jobs, revisions, pods. */
  readonly owned: readonly Doc[]
}
/** What Kubernetes itself makes or keeps, and what says nothing of who calls whom. */
const KNOWN_OTHERS =
  /^(Namespace|ServiceAccount|Role|RoleBinding|ClusterRole|ClusterRoleBinding|NetworkPolicy|PodDisruptionBudget|HorizontalPodAutoscaler|VerticalPodAutoscaler|PersistentVolume|PersistentVolumeClaim|StorageClass|VolumeAttachment|CSIDriver|LimitRange|ResourceQuota|CustomResourceDefinition|Endpoints|EndpointSlice|PriorityClass|RuntimeClass|IngressClass|Gateway|GatewayClass|ReferenceGrant|Lease|ControllerRevision|Event|Node|Secret|ConfigMap|Service|APIService|PodSecurityPolicy|PodTemplate|\w*WebhookConfiguration|\w*AdmissionPolicy\w*|Kustomization|Component|Template|ImageStream|BuildConfig|DestinationRule|PeerAuthentication|AuthorizationPolicy|Middleware|Project)$/
const ROUTES =
  /^(Ingress|(HTTP|GRPC|TCP|TLS|UDP)Route|IngressRoute(TCP|UDP)?|VirtualService|Route|HTTPProxy|Mapping|VirtualServer|ApisixRoute)$/

const nameIn = (d: unknown): string => textOf(get(d, 'metadata', 'name'))
const namespaceIn = (d: unknown): string => textOf(get(d, 'metadata', 'namespace'))

/** The values of an OpenShift template's parameters put into its objects. */
const ofTemplate = (template: Doc): unknown[] => {
  const values = new Map(listOf(template.parameters).map(p => [textOf(get(p, 'name')), get(p, 'value')]))
  const fill = (v: unknown): unknown => {
    if (typeof v === 'string')
      return v.replace(/\$\{\{?(\w+)\}?\}/g, (all, name) => (values.get(name) === undefined ? all : textOf(values.get(name))))
    if (Array.isArray(v)) return v.map(fill)
    return isDoc(v) ? Object.fromEntries(Object.entries(v).map(([k, inner]) => [k, fill(inner)])) : v
  }
  return listOf(template.objects).map(fill)
}
/** Objects one by one: lists of any kind opened, templates of OpenShift filled in. */
export const kubernetesObjects = (documents: readonly unknown[]): Doc[] =>
  documents.flatMap((d): Doc[] => {
    if (Array.isArray(d)) return kubernetesObjects(d)
    if (!isDoc(d)) return []
    if (Array.isArray(d.items) && /List$/.test(textOf(d.kind))) {
      // A typed list (`DeploymentList`) names the kind once, for all its items.
      const kind = textOf(d.kind).slice(0, -4)
      return kubernetesObjects(d.items.map(item => (isDoc(item) && kind ? { kind, apiVersion: d.apiVersion, ...item } : item)))
    }
    if (d.kind === 'Template' && Array.isArray(d.objects)) return kubernetesObjects(ofTemplate(d))
    return typeof d.kind === 'string' ? [d] : []
  })

const templateOf = (d: Doc): unknown => {
  if (d.kind === 'Pod') return d
  const spec = d.spec
  return [
    get(spec, 'jobTemplate', 'spec', 'template'),
    get(spec, 'jobTargetRef', 'template'),
    get(spec, 'template'),
    get(spec, 'workload', 'template'),
  ].find(t => Array.isArray(get(t, 'spec', 'containers')))
}
/** Knative's Service has a pod template as well; the plain one selects pods. */
const isService = (d: Doc): boolean => d.kind === 'Service' && templateOf(d) === undefined

const controllerOf = (d: Doc): unknown => {
  const owners = listOf(get(d, 'metadata', 'ownerReferences'))
  return owners.find(o => get(o, 'controller') === true) ?? (owners.length === 1 ? owners[0] : undefined)
}
/** In a running cluster pods and replica sets belong to what people wrote down; here it may stand or not, as its reader may see it or not. */
class Owners {
  readonly all: readonly Doc[]
  readonly #byKey = new Map<string, Doc>()

  constructor(documents: readonly unknown[]) {
    const all = kubernetesObjects(documents)
    for (const d of all) this.#byKey.set(this.#key(d.kind, nameIn(d), d), d)
    const made: Doc[] = []
    for (const d of all) {
      const by = d.kind === 'Pod' || d.kind === 'ReplicaSet' ? controllerOf(d) : undefined
      if (by === undefined || this.#byKey.has(this.#key(get(by, 'kind'), get(by, 'name'), d))) continue
      // A node keeps its static pods under its own name; they are workloads by themselves.
      if (textOf(get(by, 'kind')) === 'Node') continue
      const name = textOf(get(by, 'name'))
      const template =
        d.kind === 'Pod' ? { metadata: { labels: get(d, 'metadata', 'labels') }, spec: d.spec } : get(d, 'spec', 'template')
      const owner = {
        kind: textOf(get(by, 'kind')),
        metadata: {
          name: get(by, 'kind') === 'ReplicaSet' ? name.replace(/-[a-z0-9]{4,10}$/, '') : name,
          namespace: namespaceIn(d),
        },
        spec: { template },
      }
      this.#byKey.set(this.#key(get(by, 'kind'), name, d), owner)
      made.push(owner)
    }
    this.all = [...all, ...made]
  }
  of(d: Doc): Doc | undefined {
    const by = controllerOf(d)
    const owner = by === undefined ? undefined : this.#byKey.get(this.#key(get(by, 'kind'), get(by, 'name'), d))
    return owner && owner !== d ? (this.of(owner) ?? owner) : undefined
  }
  #key(kind: unknown, name: unknown, d: Doc): string {
    return `${textOf(kind)} ${namespaceIn(d)} ${textOf(name)}`
  }
}

export const workloadsOfKubernetes = (documents: readonly unknown[]): KubernetesWorkload[] => {
  const owners = new Owners(documents)
  const owned = new Map<Doc, Doc[]>()
  for (const d of owners.all) {
    const owner = owners.of(d)
    if (owner) owned.set(owner, [...(owned.get(owner) ?? []), d])
  }
  return owners.all.flatMap((d): KubernetesWorkload[] => {
    const template = d.kind === 'PodTemplate' || d.kind === 'ControllerRevision' ? undefined : templateOf(d)
    const name = nameIn(d)
    if (template === undefined || !name || owners.of(d)) return []
    const containers = [...listOf(get(template, 'spec', 'containers')), ...listOf(get(template, 'spec', 'initContainers'))]
    const all = owned.get(d) ?? []
    return [
      {
        namespace: namespaceIn(d),
        entity: entityId(kindOfWorkload(name, textOf(get(containers[0], 'image'))), name),
        kind: textOf(d.kind),
        name,
        labels: get(template, 'metadata', 'labels'),
        document: d,
        template,
        containers,
        pods: d.kind === 'Pod' ? [d] : all.filter(o => o.kind === 'Pod'),
        owned: all,
      },
    ]
  })
}

/** Texts of a ConfigMap or Secret by key; what a Secret holds is used to find hosts in, and told to nobody. */
const dataOf = (d: Doc): Map<string, string> => {
  const plain = Object.entries({ ...(get(d, 'data') as object), ...(get(d, 'stringData') as object) })
  const hidden = d.kind === 'Secret' ? new Set(Object.keys((get(d, 'data') as object) ?? {})) : new Set<string>()
  for (const k of Object.keys((get(d, 'stringData') as object) ?? {})) hidden.delete(k)
  return new Map(plain.map(([k, v]) => [k, hidden.has(k) ? Buffer.from(textOf(v), 'base64').toString('utf8') : textOf(v)]))
}
type DataOf = (kind: 'ConfigMap' | 'Secret', name: unknown) => ReadonlyMap<string, string>

/** Variables of a container as its process sees them, in the order of the kubelet: sources first, then single ones that may use those before. */
const variablesOf = (
  container: unknown,
  data: DataOf,
  hostOfService: (variable: string) => string | undefined,
): Map<string, string> => {
  const found = new Map<string, string>()
  for (const from of listOf(get(container, 'envFrom')))
    for (const [kind, ref] of [
      ['ConfigMap', 'configMapRef'],
      ['Secret', 'secretRef'],
    ] as const)
      for (const [k, v] of data(kind, get(from, ref, 'name'))) found.set(textOf(get(from, 'prefix')) + k, v)
  const lookUp = (name: string) => found.get(name) ?? hostOfService(name)
  for (const v of listOf(get(container, 'env'))) {
    const map = get(v, 'valueFrom', 'configMapKeyRef')
    const secret = get(v, 'valueFrom', 'secretKeyRef')
    const value = map
      ? data('ConfigMap', get(map, 'name')).get(textOf(get(map, 'key')))
      : secret
        ? data('Secret', get(secret, 'name')).get(textOf(get(secret, 'key')))
        : textOf(get(v, 'value')).replace(/(\$?)\$\((\w+)\)/g, (all, escaped, name) => (escaped ? all : (lookUp(name) ?? all)))
    if (value !== undefined) found.set(textOf(get(v, 'name')), value)
  }
  return found
}
/** Files that come from ConfigMaps and Secrets. */
const filesOf = (template: unknown, data: DataOf): string[] => {
  const of = (kind: 'ConfigMap' | 'Secret', source: unknown) => {
    const all = data(kind, get(source, 'name') ?? get(source, 'secretName'))
    const items = listOf(get(source, 'items')).map(i => textOf(get(i, 'key')))
    return [...all].filter(([k]) => items.length === 0 || items.includes(k)).map(([, text]) => text)
  }
  return listOf(get(template, 'spec', 'volumes')).flatMap(v =>
    [v, ...listOf(get(v, 'projected', 'sources'))].flatMap(s => [
      ...of('ConfigMap', get(s, 'configMap')),
      ...of('Secret', get(s, 'secret')),
    ]),
  )
}

interface Targets {
  readonly resolve: (host: string, namespace: string) => readonly string[]
  readonly services: readonly Doc[]
}
/** What the names of the cluster lead to. */
const targetsOf = (all: readonly Doc[], workloads: readonly KubernetesWorkload[]): Targets => {
  const services = all.filter(isService)
  const aliases = new Map<string, string>()
  const byName = new Map<string, string[]>()
  const add = (namespace: string, name: string, entity: string) => {
    const key = `${namespace}/${name}`
    const known = byName.get(key) ?? []
    if (!known.includes(entity)) byName.set(key, [...known, entity])
  }
  for (const d of services) {
    const selector = get(d, 'spec', 'selector')
    const external = textOf(get(d, 'spec', 'externalName'))
    if (external) aliases.set(`${namespaceIn(d)}/${nameIn(d)}`, external)
    else if (isDoc(selector) && Object.keys(selector).length > 0)
      for (const w of workloads)
        if (w.namespace === namespaceIn(d) && Object.entries(selector).every(([k, v]) => get(w.labels, k) === v))
          add(w.namespace, nameIn(d), w.entity)
  }
  // Only then by their own names: many are called like the Service before them, and some manifests leave the Service out.
  for (const w of workloads)
    if (!byName.has(`${w.namespace}/${w.name}`) && !aliases.has(`${w.namespace}/${w.name}`)) add(w.namespace, w.name, w.entity)
  const at = (namespace: string, name: string, depth: number): readonly string[] => {
    // What names no namespace is applied to whichever the address means.
    for (const key of [`${namespace}/${name}`, `/${name}`]) {
      const found = byName.get(key)
      if (found) return found
      const alias = aliases.get(key)
      if (alias) {
        const inside = depth < 3 ? resolve(alias, namespace, depth + 1) : []
        return inside.length > 0 ? inside : [entityId('external', alias)]
      }
    }
    if (namespace !== '') return []
    const anywhere = [...byName].filter(([key]) => key.slice(key.indexOf('/') + 1) === name)
    return anywhere.length === 1 ? anywhere[0][1] : []
  }
  const resolve = (host: string, namespace: string, depth = 0): readonly string[] => {
    const [, inner, full] = /^(.*?)(\.svc(?:\..*)?)?\.?$/.exec(host.toLowerCase())!
    const labels = inner.split('.')
    if (labels.length === 1) return at(namespace, labels[0], depth)
    const last = at(labels.at(-1)!, labels.at(-2)!, depth)
    if (full !== undefined) return last
    // `pod-0.service` within its own namespace
    return labels.length === 2 && /-\d+$/.test(labels[0]) && !last.length
      ? at(namespace, labels[1], depth)
      : labels.length <= 3
        ? last
        : []
  }
  return { resolve, services }
}

/** Services that a route leads to, wherever its kind keeps them. */
const backendsOf = (spec: unknown): string[] => {
  const found: string[] = []
  const walk = (value: unknown, under: string): void => {
    if (Array.isArray(value)) for (const v of value) walk(v, under)
    if (!isDoc(value)) return
    const named = textOf(value.serviceName) || textOf(value.service) || textOf(get(value, 'service', 'name'))
    if (named) found.push(named.replace(/^\w+:\/\//, '').replace(/:\d+$/, ''))
    const name = textOf(value.name)
    const kind = textOf(value.kind)
    if (name && (kind === '' || kind === 'Service') && /^(backendRefs?|services|to|alternateBackends)$/.test(under)) {
      const namespace = textOf(value.namespace)
      found.push(namespace ? `${name}.${namespace}.svc` : name)
    }
    if (under === 'destination' && textOf(value.host)) found.push(textOf(value.host))
    for (const [k, v] of Object.entries(value)) walk(v, k)
  }
  walk(spec, '')
  return found
}

export const systemOfKubernetes = (documents: readonly unknown[]): DescribedSystem => {
  const all = kubernetesObjects(documents)
  const workloads = workloadsOfKubernetes(documents)
  if (workloads.length === 0)
    throw new AegisError('INPUT_INVALID', 'no workload (Deployment, StatefulSet, Pod, …) in it: are these Kubernetes manifests?')
  const { resolve, services } = targetsOf(all, workloads)
  const stored = new Map(
    all
      .filter(d => d.kind === 'ConfigMap' || d.kind === 'Secret')
      .map(d => [`${d.kind} ${namespaceIn(d)} ${nameIn(d)}`, dataOf(d)]),
  )
  const edges: Edge[] = []
  for (const w of workloads) {
    const data: DataOf = (kind, name) =>
      stored.get(`${kind} ${w.namespace} ${textOf(name)}`) ?? stored.get(`${kind}  ${textOf(name)}`) ?? new Map()
    // The kubelet tells each container where the Services of its namespace are.
    const hostOfService = (variable: string) => {
      const wanted = /^(\w+)_SERVICE_HOST$/.exec(variable)?.[1]
      const found = services.find(s => namespaceIn(s) === w.namespace && nameIn(s).toUpperCase().replaceAll('-', '_') === wanted)
      return found && nameIn(found)
    }
    const seen = new Map<string, string>()
    const hosts = w.containers.flatMap(c => {
      const variables = variablesOf(c, data, hostOfService)
      for (const [k, v] of variables) seen.set(k, v)
      const words = [...listOf(get(c, 'command')), ...listOf(get(c, 'args'))].map(a =>
        filledIn(textOf(a), name => variables.get(name) ?? hostOfService(name)),
      )
      return [...[...variables].flatMap(([k, v]) => hostsInValue(k, v)), ...hostsInCommand(words)]
    })
    const files = filesOf(w.template, data).flatMap(text =>
      hostsInText(filledIn(text, name => seen.get(name) ?? hostOfService(name))),
    )
    for (const to of [...hosts, ...files].flatMap(host => resolve(host, w.namespace)))
      edges.push({ from: w.entity, to, kind: 'calls', inferred: true })
    const host = textOf(get(w.template, 'spec', 'nodeName'))
    if (host) edges.push({ from: w.entity, to: entityId('host', host), kind: 'runs_on' })
    for (const pod of w.pods.filter(p => p !== w.document)) {
      const entity = entityId('pod', nameIn(pod))
      edges.push({ from: w.entity, to: entity, kind: 'runs_on' })
      const on = textOf(get(pod, 'spec', 'nodeName'))
      if (on) edges.push({ from: entity, to: entityId('host', on), kind: 'runs_on' })
    }
  }
  // A route is where requests come in.
  for (const d of all.filter(x => ROUTES.test(textOf(x.kind)))) {
    const gateways = listOf(get(d, 'spec', 'gateways')).map(textOf)
    if (d.kind === 'VirtualService' && gateways.every(g => g === 'mesh')) continue
    for (const to of backendsOf(d.spec).flatMap(name => resolve(name, namespaceIn(d))))
      edges.push({ from: entityId('external', nameIn(d)), to, kind: 'calls' })
  }
  return described(
    workloads.map(w => w.entity),
    edges,
    [...notTaken(all), ...takenForOne(workloads)],
  )
}

const notTaken = (all: readonly Doc[]): string[] => {
  const found = new Map<string, string[]>()
  for (const d of all) {
    const kind = textOf(d.kind)
    if (templateOf(d) === undefined && !KNOWN_OTHERS.test(kind) && !ROUTES.test(kind))
      found.set(kind, [...(found.get(kind) ?? []), nameIn(d)])
  }
  return [...found].map(
    ([kind, names]) =>
      `left out, since only its operator knows what it stands for: ${kind} ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`,
  )
}
/** Telemetry names no namespaces, so neither do entities: two workloads of one name are one here, and whoever reads it is told. */
const takenForOne = (workloads: readonly KubernetesWorkload[]): string[] => {
  const namespaces = new Map<string, Set<string>>()
  for (const w of workloads) namespaces.set(w.entity, (namespaces.get(w.entity) ?? new Set()).add(w.namespace || 'no namespace'))
  return [...namespaces].flatMap(([entity, of]) =>
    of.size > 1
      ? [
          `${entity} stands in ${[...of].sort().join(' and ')} and is taken for one; import each namespace into an --environment of its own to keep them apart`,
        ]
      : [],
  )
}
