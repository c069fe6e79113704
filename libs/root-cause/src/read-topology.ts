/**
 * Edges from what people already wrote down: Kubernetes manifests, docker-compose files (both as parsed documents) and lists of edges. What a
 * file says outright (depends_on, links, a selector) is taken as known; what only follows from an address in a variable is marked as inferred.
 */
import { AegisError, type Edge, entityId } from '@aegis/domain'

type Doc = Record<string, unknown>
const isDoc = (value: unknown): value is Doc => typeof value === 'object' && value !== null && !Array.isArray(value)
const get = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((at, key) => (isDoc(at) || Array.isArray(at) ? (at as Doc)[key as string] : undefined), value)
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const textOf = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

/** One edge of each kind between two entities; known beats inferred. */
const unique = (edges: readonly Edge[]): Edge[] => {
  const found = new Map<string, Edge>()
  for (const e of edges) {
    const key = `${e.from} ${e.to} ${e.kind}`
    if (e.from !== e.to && (!found.has(key) || !e.inferred)) found.set(key, e)
  }
  return [...found.values()].sort((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1))
}

const STORES =
  /postgres|mysql|mariadb|mongo|redis|memcache|cassandra|couch|elastic|opensearch|sqlite|(^|[-_/])(db|sql|database)([-_:]|$)/i
const QUEUES = /kafka|rabbit|nats|(^|[-_/])(queue|mq|amqp|pulsar)([-_:]|$)/i
/** What kind of thing a workload is, from its name and image. */
const kindFor = (name: string, image = ''): string => {
  const said = `${name} ${image.split('/').at(-1) ?? ''}`
  return said.split(' ').some(w => QUEUES.test(w)) ? 'queue' : said.split(' ').some(w => STORES.test(w)) ? 'database' : 'service'
}
/** Names of known workloads that stand as host in an address or alone: `http://payment:8080`, `payment:8080`, `payment.shop.svc`. */
const mentioned = (text: string, known: ReadonlyMap<string, string>): string[] => {
  const found: string[] = []
  for (const part of text.split(/[\s,;]+/)) {
    const host = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^@/]*@)?([a-z0-9][a-z0-9-]*)(?:\.[a-z0-9.-]+)?(?::\d+)?(?:[/?].*)?$/i.exec(
      part,
    )?.[1]
    if (host && known.has(host)) found.push(host)
  }
  return found
}

export const edgesOfCompose = (document: unknown): Edge[] => {
  const services = get(document, 'services')
  if (!isDoc(services)) throw new AegisError('INPUT_INVALID', 'no "services" in it: is this a docker-compose file?')
  const known = new Map(
    Object.entries(services).map(([name, s]) => [name, entityId(kindFor(name, textOf(get(s, 'image'))), name)]),
  )
  const edges: Edge[] = []
  for (const [name, service] of Object.entries(services)) {
    const from = known.get(name)!
    const add = (to: string, inferred: boolean) =>
      known.has(to) && edges.push({ from, to: known.get(to)!, kind: 'calls', ...(inferred ? { inferred: true } : {}) })
    const needs = get(service, 'depends_on')
    for (const to of isDoc(needs) ? Object.keys(needs) : listOf(needs).map(textOf)) add(to, false)
    for (const link of listOf(get(service, 'links'))) add(textOf(link).split(':')[0], false)
    const environment = get(service, 'environment')
    const values = isDoc(environment)
      ? Object.values(environment).map(textOf)
      : listOf(environment).map(v => textOf(v).slice(textOf(v).indexOf('=') + 1))
    const words = [...values, ...listOf(get(service, 'command')).map(textOf), textOf(get(service, 'command'))]
    for (const to of words.flatMap(text => mentioned(text, known))) add(to, true)
  }
  return unique(edges)
}

/** A workload that nobody else owns, and its pods where the documents are of a running cluster. */
export interface KubernetesWorkload {
  readonly entity: string
  readonly name: string
  readonly namespace: string
  readonly labels: unknown
  /** Its pod template, or the pod itself. */
  readonly template: unknown
  readonly containers: readonly unknown[]
  readonly pods: readonly Doc[]
}
const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob', 'Pod'])
const flat = (documents: readonly unknown[]): Doc[] =>
  documents.flatMap(d => (textOf(get(d, 'kind')) === 'List' ? listOf(get(d, 'items')) : [d])).filter(isDoc)

export const workloadsOfKubernetes = (documents: readonly unknown[]): KubernetesWorkload[] => {
  const all = flat(documents)
  // In a running cluster pods and replica sets belong to what people wrote down.
  const key = (kind: unknown, name: unknown, d: Doc) =>
    `${textOf(kind)} ${textOf(get(d, 'metadata', 'namespace'))} ${textOf(name)}`
  const byKey = new Map(all.map(d => [key(d.kind, get(d, 'metadata', 'name'), d), d]))
  const ownerOf = (d: Doc): Doc | undefined => {
    const by = listOf(get(d, 'metadata', 'ownerReferences')).find(o => get(o, 'controller') === true)
    const owner = by === undefined ? undefined : byKey.get(key(get(by, 'kind'), get(by, 'name'), d))
    return owner && (ownerOf(owner) ?? owner)
  }
  const pods = new Map<Doc, Doc[]>()
  for (const pod of all.filter(d => d.kind === 'Pod')) {
    const owner = ownerOf(pod)
    if (owner) pods.set(owner, [...(pods.get(owner) ?? []), pod])
  }
  return all
    .filter(d => WORKLOADS.has(textOf(d.kind)) && !ownerOf(d))
    .map(d => {
      const template = d.kind === 'Pod' ? d : (get(d, 'spec', 'jobTemplate', 'spec', 'template') ?? get(d, 'spec', 'template'))
      const containers = [...listOf(get(template, 'spec', 'containers')), ...listOf(get(template, 'spec', 'initContainers'))]
      const name = textOf(get(d, 'metadata', 'name'))
      return {
        namespace: textOf(get(d, 'metadata', 'namespace')),
        entity: entityId(kindFor(name, textOf(get(containers[0], 'image'))), name),
        name,
        labels: get(template, 'metadata', 'labels'),
        template,
        containers,
        pods: pods.get(d) ?? [],
      }
    })
}

export const edgesOfKubernetes = (documents: readonly unknown[]): Edge[] => {
  const all = flat(documents)
  const workloads = workloadsOfKubernetes(documents)
  if (workloads.length === 0)
    throw new AegisError('INPUT_INVALID', 'no workload (Deployment, StatefulSet, Pod, …) in it: are these Kubernetes manifests?')
  // Names that others call it by: its own, and those of the Services that select it.
  const known = new Map(workloads.map(w => [w.name, w.entity]))
  for (const d of all.filter(x => x.kind === 'Service')) {
    const selector = get(d, 'spec', 'selector')
    const chosen = isDoc(selector)
      ? workloads.find(
          w =>
            Object.entries(selector).every(([k, v]) => get(w.labels, k) === v) &&
            w.namespace === textOf(get(d, 'metadata', 'namespace')),
        )
      : undefined
    const name = textOf(get(d, 'metadata', 'name'))
    const external = textOf(get(d, 'spec', 'externalName'))
    if (chosen) known.set(name, chosen.entity)
    else if (external) known.set(name, entityId('external', external))
  }
  const maps = new Map(all.filter(d => d.kind === 'ConfigMap').map(d => [textOf(get(d, 'metadata', 'name')), get(d, 'data')]))
  const edges: Edge[] = []
  for (const w of workloads) {
    const values: string[] = []
    for (const c of w.containers) {
      for (const v of listOf(get(c, 'env'))) {
        values.push(textOf(get(v, 'value')))
        const map = maps.get(textOf(get(v, 'valueFrom', 'configMapKeyRef', 'name')))
        values.push(textOf(get(map, textOf(get(v, 'valueFrom', 'configMapKeyRef', 'key')))))
      }
      for (const from of listOf(get(c, 'envFrom'))) {
        const map = maps.get(textOf(get(from, 'configMapRef', 'name')))
        if (isDoc(map)) values.push(...Object.values(map).map(textOf))
      }
      values.push(...[...listOf(get(c, 'args')), ...listOf(get(c, 'command'))].map(a => textOf(a).replace(/^--?[\w-]+=/, '')))
    }
    for (const to of values.flatMap(text => mentioned(text, known)))
      edges.push({ from: w.entity, to: known.get(to)!, kind: 'calls', inferred: true })
    const host = textOf(get(w.template, 'spec', 'nodeName'))
    if (host) edges.push({ from: w.entity, to: entityId('host', host), kind: 'runs_on' })
    for (const pod of w.pods) {
      const entity = entityId('pod', textOf(get(pod, 'metadata', 'name')))
      edges.push({ from: w.entity, to: entity, kind: 'runs_on' })
      const on = textOf(get(pod, 'spec', 'nodeName'))
      if (on) edges.push({ from: entity, to: entityId('host', on), kind: 'runs_on' })
    }
  }
  // An Ingress is where requests come in.
  for (const d of all.filter(x => x.kind === 'Ingress'))
    for (const rule of listOf(get(d, 'spec', 'rules')))
      for (const path of listOf(get(rule, 'http', 'paths'))) {
        const to = known.get(textOf(get(path, 'backend', 'service', 'name')))
        if (to) edges.push({ from: entityId('external', textOf(get(d, 'metadata', 'name'))), to, kind: 'calls' })
      }
  return unique(edges)
}

const KINDS = new Set(['calls', 'runs_on', 'reads', 'writes'])
/** A line an edge: `from to [kind]`, separated by commas, tabs, blanks or an arrow; `#` begins a comment; names without a kind are services. */
export const edgesOfList = (text: string): Edge[] => {
  const edges: Edge[] = []
  text.split(/\r?\n/).forEach((line, i) => {
    const words = line
      .replace(/(^|\s)#.*$/, '')
      .split(/\s*(?:->|→|,|\s)\s*/)
      .filter(Boolean)
    if (words.length === 0 || (i === 0 && /^(from|source|caller)$/i.test(words[0]))) return
    const [from, to, kind = 'calls'] = words
    if (!to || words.length > 3 || !KINDS.has(kind))
      throw new AegisError(
        'INPUT_INVALID',
        `line ${i + 1}: "${line.trim()}" is no edge; needed is: from to [calls|runs_on|reads|writes]`,
      )
    const whole = (name: string) => (name.includes(':') ? name : entityId('service', name))
    edges.push({ from: whole(from), to: whole(to), kind: kind as Edge['kind'] })
  })
  return unique(edges)
}
