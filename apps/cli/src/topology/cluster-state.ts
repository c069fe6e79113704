/** What a running Kubernetes says is wrong with its objects, and what their releases and settings are. Pure: documents in, words out. */
import { entityId } from '@aegis/domain'
import { type Doc, get, textOf } from '@aegis/domain/document'
import { type KubernetesWorkload, kubernetesObjects, workloadsOfKubernetes } from '@aegis/root-cause'
import type { V1ConfigMap } from '@kubernetes/client-node'
import { lastReleaseOf, type Release, type ReleaseChange, releaseOf } from './cluster-releases.ts'
import { type Cluster, troublesOfObject, troublesOfWorkloadObject } from './object-troubles.ts'
import { troublesOfPod } from './pod-troubles.ts'
import {
  conditionOf,
  type Found,
  goesOn,
  HARMLESS,
  lasted,
  nameIn,
  namespaceIn,
  type Trouble,
  type Warning,
  warningsOf,
} from './trouble.ts'

export interface ClusterState {
  readonly troubles: readonly Trouble[]
  readonly releases: ReadonlyMap<string, Release>
  /** Releases of the last hour of workloads that are in trouble. */
  readonly before: readonly ReleaseChange[]
}
/** A release this long before a trouble may be why, milliseconds. */
const RELEASE_MS = 60 * 60_000

/** The same trouble of at least half the pods is the workload's own; of fewer, each pod's. */
const troublesOfPods = (w: KubernetesWorkload, warnings: ReadonlyMap<string, readonly Warning[]>, now: number): Trouble[] => {
  const ofJob = w.kind === 'Job' || w.kind === 'CronJob'
  const living = w.pods.filter(
    p => get(p, 'metadata', 'deletionTimestamp') === undefined && get(p, 'status', 'phase') !== 'Failed',
  )
  const by = new Map<string, { found: Found; pods: string[] }>()
  for (const pod of w.pods)
    for (const found of troublesOfPod(pod, ofJob, warnings.get(`Pod ${nameIn(pod)}`) ?? [], now)) {
      const key = `${found.kind} ${found.name}`
      const known = by.get(key) ?? { found, pods: [] }
      if (!known.pods.includes(nameIn(pod))) known.pods.push(nameIn(pod))
      by.set(key, known)
    }
  return [...by.values()].flatMap(({ found, pods: hit }): Trouble[] => {
    const of = Math.max(living.length, hit.length)
    return 2 * hit.length >= of
      ? [{ ...found, entity: w.entity, summary: `${hit.length} of ${of} pods: ${found.summary}` }]
      : hit.map(name => ({ ...found, entity: entityId('pod', name) }))
  })
}

/** Entities of the kinds that are called otherwise here. */
const ENTITY_KINDS: Readonly<Record<string, string>> = {
  Node: 'host',
  Ingress: 'external',
  PersistentVolumeClaim: 'volume',
  PersistentVolume: 'volume',
}
const isWhole = (w: KubernetesWorkload): boolean =>
  w.pods.length > 0 &&
  w.pods.length >= Number(get(w.document, 'spec', 'replicas') ?? 1) &&
  w.pods.every(p => conditionOf(p, 'Ready')?.status === 'True')
/** Warnings that go on, of whatever object: those that no reader of states has told of. What a pod says is said with its state. */
const troublesOfWarnings = ({ warnings, ownerOf, troubled, isQuoted }: Cluster): Trouble[] =>
  [...warnings.values()].flatMap((list): Trouble[] => {
    const w = list.find(x => goesOn(x) && !HARMLESS.test(x.reason))
    if (!w || w.kind === 'Pod') return []
    const owner = ownerOf(w.kind, w.namespace, w.name)
    const kind = ENTITY_KINDS[w.kind] ?? (w.kind.toLowerCase().replace(/[^a-z]/g, '') || 'object')
    const entity = owner?.entity ?? entityId(kind, w.name)
    // A workload with all its pods has got over it.
    if (troubled.has(entity) || isQuoted(w.message) || (owner && isWhole(owner))) return []
    const times = w.count > 1 ? ` (${w.count} times)` : ''
    return [
      {
        entity,
        kind: 'event',
        name: w.reason,
        severity: owner ? 'high' : 'medium',
        summary: `${w.reason}: ${w.message}${times}`,
      },
    ]
  })

/** @param now milliseconds since the epoch */
export const stateOfCluster = (documents: readonly unknown[], now: number): ClusterState => {
  const all = kubernetesObjects(documents)
  const workloads = workloadsOfKubernetes(documents)
  const owners = new Map<string, KubernetesWorkload>()
  for (const w of workloads)
    for (const d of [w.document, ...w.owned]) owners.set(`${textOf(d.kind)} ${namespaceIn(d)} ${nameIn(d)}`, w)
  const maps = new Map(
    (all.filter(d => d.kind === 'ConfigMap') as unknown as V1ConfigMap[]).map(m => [
      `${m.metadata?.namespace} ${m.metadata?.name}`,
      m,
    ]),
  )
  const warnings = warningsOf(all, now)
  const found: Trouble[] = workloads.flatMap(w => troublesOfPods(w, warnings, now))
  const cluster = (): Cluster => ({
    all,
    workloads,
    warnings,
    now,
    ownerOf: (kind, namespace, name) => owners.get(`${kind} ${namespace} ${name}`) ?? owners.get(`${kind}  ${name}`),
    troubled: new Set(found.map(t => t.entity)),
    isQuoted: words => words !== '' && found.some(t => t.summary.includes(words)),
  })
  // In this order what follows from another is told once, by whoever knows why.
  found.push(...workloads.flatMap(w => troublesOfWorkloadObject(w, cluster())))
  const late = (d: Doc) => d.kind === 'Service' || d.kind === 'ResourceQuota'
  found.push(...all.filter(d => !late(d)).flatMap(d => troublesOfObject(d, cluster())))
  found.push(...troublesOfWarnings(cluster()))
  found.push(...all.filter(late).flatMap(d => troublesOfObject(d, cluster())))
  const byKey = new Map<string, Trouble>()
  for (const t of found) if (!byKey.has(`${t.entity} ${t.kind} ${t.name}`)) byKey.set(`${t.entity} ${t.kind} ${t.name}`, t)
  const troubled = new Set([...byKey.values()].map(t => t.entity))
  const before = workloads
    .filter(w => troubled.has(w.entity) || w.pods.some(p => troubled.has(entityId('pod', nameIn(p)))))
    .flatMap(lastReleaseOf)
    .filter(c => c.time !== undefined && now - c.time / 1000 <= RELEASE_MS)
  return {
    troubles: [...byKey.values()].map(t => ({ ...t, summary: t.summary + releasedBefore(t, before, now) })),
    releases: new Map(workloads.map(w => [w.entity, releaseOf(w, maps)])),
    before,
  }
}
const releasedBefore = (t: Trouble, before: readonly ReleaseChange[], now: number): string => {
  const change = before.find(c => c.entity === t.entity && c.kind === 'deploy')
  return change ? `; released ${lasted(now - change.time! / 1000)} ago: ${change.before} → ${change.after}` : ''
}
