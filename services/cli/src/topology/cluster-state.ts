/** What a running Kubernetes says is wrong with its workloads, and what their releases and settings are. Pure: documents in, words out. */
import { createHash } from 'node:crypto'
import { entityId, type Severity } from '@aegis/domain'
import { type KubernetesWorkload, workloadsOfKubernetes } from '@aegis/root-cause'
import type { CoreV1Event, V1ConfigMap, V1Container, V1ContainerStatus, V1Pod } from '@kubernetes/client-node'

/** Something wrong with a pod, or with a workload when at least half of its pods have it. */
export interface Trouble {
  readonly entity: string
  readonly kind: 'probe' | 'crash_loop' | 'event'
  readonly name: string
  readonly severity: Severity
  readonly summary: string
}
/** What a workload runs: images and settings by name. Values of settings are hashes, since they may be secrets. */
export interface Release {
  readonly deploy: ReadonlyMap<string, string>
  readonly config: ReadonlyMap<string, string>
}
export interface ClusterState {
  readonly troubles: readonly Trouble[]
  readonly releases: ReadonlyMap<string, Release>
}
export interface ReleaseChange {
  readonly entity: string
  readonly kind: 'deploy' | 'config'
  readonly before: string
  readonly after: string
}

type Found = Pick<Trouble, 'kind' | 'name' | 'severity'> & { readonly text: string }
/** Reasons for which a container waits that do not pass by themselves. */
const STUCK: Readonly<Record<string, Pick<Trouble, 'kind' | 'severity'>>> = {
  CrashLoopBackOff: { kind: 'crash_loop', severity: 'high' },
  OOMKilled: { kind: 'crash_loop', severity: 'high' },
  ImagePullBackOff: { kind: 'event', severity: 'high' },
  ErrImagePull: { kind: 'event', severity: 'high' },
  InvalidImageName: { kind: 'event', severity: 'high' },
  CreateContainerConfigError: { kind: 'event', severity: 'high' },
  CreateContainerError: { kind: 'event', severity: 'high' },
}
/** Events older than this say nothing of now. */
const RECENT_MS = 60_000

const troubleOf = (c: V1ContainerStatus): Found | undefined => {
  const { waiting } = c.state ?? {}
  const stuck = STUCK[waiting?.reason ?? '']
  if (!waiting || !stuck) return undefined
  const last = c.lastState?.terminated
  const died = last ? ` after it ended with ${last.reason ?? 'exit'} (${last.exitCode})` : ''
  const message = waiting.message ? `: ${waiting.message}` : ''
  return { ...stuck, name: waiting.reason!, text: `${c.name}: ${waiting.reason}${died}, ${c.restartCount} restarts${message}` }
}

const troublesOfPod = (pod: V1Pod, unhealthy: ReadonlyMap<string, CoreV1Event>): Found[] => {
  if (pod.status?.phase === 'Succeeded') return []
  const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const found = all.flatMap(c => troubleOf(c) ?? [])
  const event = unhealthy.get(pod.metadata?.name ?? '')
  // A container that waits is not asked by its probes: what they said before that is history.
  if (event && found.length === 0) {
    const which = /^(\w+) probe/i.exec(event.message ?? '')?.[1].toLowerCase() ?? 'probe'
    found.push({
      kind: 'probe',
      name: which,
      severity: which === 'readiness' ? 'medium' : 'high',
      text: event.message ?? 'a probe fails',
    })
  }
  return found
}

/** The same trouble of at least half the pods is the workload's own; of fewer, each pod's. */
const troublesOfWorkload = (w: KubernetesWorkload, unhealthy: ReadonlyMap<string, CoreV1Event>): Trouble[] => {
  const pods = (w.pods as readonly V1Pod[]).filter(p => p.metadata?.deletionTimestamp === undefined)
  const by = new Map<string, { found: Found; pods: string[] }>()
  for (const pod of pods)
    for (const found of troublesOfPod(pod, unhealthy)) {
      const key = `${found.kind} ${found.name}`
      const known = by.get(key) ?? { found, pods: [] }
      if (!known.pods.includes(pod.metadata!.name!)) known.pods.push(pod.metadata!.name!)
      by.set(key, known)
    }
  return [...by.values()].flatMap(({ found: { text, ...found }, pods: hit }): Trouble[] =>
    2 * hit.length >= pods.length
      ? [{ ...found, entity: w.entity, summary: `${hit.length} of ${pods.length} pods: ${text}` }]
      : hit.map(name => ({ ...found, entity: entityId('pod', name), summary: text })),
  )
}

const hashOf = (value: unknown): string =>
  `#${createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, 8)}`

const releaseOf = (w: KubernetesWorkload, maps: ReadonlyMap<string, V1ConfigMap>): Release => {
  const deploy = new Map<string, string>()
  const config = new Map<string, string>()
  const data = (name: string | undefined) => maps.get(`${w.namespace} ${name}`)?.data
  for (const c of w.containers as V1Container[]) {
    deploy.set(c.name, c.image ?? '')
    for (const v of c.env ?? []) {
      const ref = v.valueFrom?.configMapKeyRef
      config.set(`${c.name} ${v.name}`, hashOf(ref ? data(ref.name)?.[ref.key] : (v.value ?? v.valueFrom)))
    }
    for (const from of c.envFrom ?? []) {
      const name = from.configMapRef?.name
      for (const [key, value] of Object.entries(data(name) ?? {})) config.set(`${c.name} ${name}/${key}`, hashOf(value))
    }
    if (c.command || c.args) config.set(`${c.name} arguments`, hashOf([c.command, c.args]))
    if (c.resources) config.set(`${c.name} resources`, hashOf(c.resources))
  }
  return { deploy, config }
}

/** @param now milliseconds since the epoch */
export const stateOfCluster = (documents: readonly unknown[], now: number): ClusterState => {
  const all = documents as readonly { readonly kind?: string }[]
  const workloads = workloadsOfKubernetes(documents)
  const unhealthy = new Map<string, CoreV1Event>()
  for (const e of all.filter(d => d.kind === 'Event') as CoreV1Event[]) {
    const at = e.series?.lastObservedTime ?? e.lastTimestamp ?? e.eventTime ?? e.metadata?.creationTimestamp
    if (e.reason !== 'Unhealthy' || e.involvedObject?.kind !== 'Pod' || !at) continue
    if (now - new Date(at).getTime() <= RECENT_MS) unhealthy.set(e.involvedObject.name ?? '', e)
  }
  const maps = new Map(
    (all.filter(d => d.kind === 'ConfigMap') as V1ConfigMap[]).map(m => [`${m.metadata?.namespace} ${m.metadata?.name}`, m]),
  )
  return {
    troubles: workloads.flatMap(w => troublesOfWorkload(w, unhealthy)),
    releases: new Map(workloads.map(w => [w.entity, releaseOf(w, maps)])),
  }
}

/** What differs of workloads that are in both. How many replicas there are is no change here: autoscalers turn it all day. */
export const changesBetween = (
  before: ReadonlyMap<string, Release>,
  after: ReadonlyMap<string, Release>,
): readonly ReleaseChange[] =>
  [...after].flatMap(([entity, release]) => {
    const was = before.get(entity)
    if (!was) return []
    return (['deploy', 'config'] as const).flatMap((kind): ReleaseChange[] => {
      const names = [...new Set([...was[kind].keys(), ...release[kind].keys()])].filter(
        n => was[kind].get(n) !== release[kind].get(n),
      )
      if (names.length === 0) return []
      const words = (of: ReadonlyMap<string, string>) => names.map(n => `${n} ${of.get(n) ?? 'not set'}`).join(', ')
      return [{ entity, kind, before: words(was[kind]), after: words(release[kind]) }]
    })
  })
