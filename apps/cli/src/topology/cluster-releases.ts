/** What workloads run, how that differs between two looks, and what the cluster itself still knows of the release before. */
import { createHash } from 'node:crypto'
import { get, listOf, textOf } from '@aegis/domain/document'
import type { KubernetesWorkload } from '@aegis/root-cause'
import type { V1ConfigMap, V1Container } from '@kubernetes/client-node'
import { timeOf } from './trouble.ts'

/** What a workload runs: images and settings by name. Values of settings are hashes, since they may be secrets. */
export interface Release {
  readonly deploy: ReadonlyMap<string, string>
  readonly config: ReadonlyMap<string, string>
}
export interface ReleaseChange {
  readonly entity: string
  readonly kind: 'deploy' | 'config'
  readonly before: string
  readonly after: string
  /** When it was made, microseconds; now unless the cluster tells. */
  readonly time?: number
}

const hashOf = (value: unknown): string =>
  `#${createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, 8)}`

export const releaseOf = (
  { containers, namespace }: Pick<KubernetesWorkload, 'containers' | 'namespace'>,
  maps: ReadonlyMap<string, V1ConfigMap>,
): Release => {
  const deploy = new Map<string, string>()
  const config = new Map<string, string>()
  const data = (name: string | undefined) => maps.get(`${namespace} ${name}`)?.data
  for (const c of containers as V1Container[]) {
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

const differences = (entity: string, was: Release, is: Release): ReleaseChange[] =>
  (['deploy', 'config'] as const).flatMap((kind): ReleaseChange[] => {
    const names = [...new Set([...was[kind].keys(), ...is[kind].keys()])].filter(n => was[kind].get(n) !== is[kind].get(n))
    if (names.length === 0) return []
    const words = (of: ReadonlyMap<string, string>) => names.map(n => `${n} ${of.get(n) ?? 'not set'}`).join(', ')
    return [{ entity, kind, before: words(was[kind]), after: words(is[kind]) }]
  })

/** What differs of workloads that are in both. How many replicas there are is no change here: autoscalers turn it all day. */
export const changesBetween = (
  before: ReadonlyMap<string, Release>,
  after: ReadonlyMap<string, Release>,
): readonly ReleaseChange[] =>
  [...after].flatMap(([entity, release]) => {
    const was = before.get(entity)
    return was ? differences(entity, was, release) : []
  })

/** The last release of a workload, as the replica sets or revisions that it keeps for a rollback tell it. */
export const lastReleaseOf = (w: KubernetesWorkload): readonly ReleaseChange[] => {
  const kept = w.owned
    .filter(d => d.kind === 'ReplicaSet' || d.kind === 'ControllerRevision')
    .map(d => ({
      template: get(d, 'spec', 'template') ?? get(d, 'data', 'spec', 'template'),
      at: timeOf(get(d, 'metadata', 'creationTimestamp')) ?? Number.NaN,
      revision: Number(
        textOf(get(d, 'revision')) || textOf(get(d, 'metadata', 'annotations', 'deployment.kubernetes.io/revision')),
      ),
    }))
    .filter(r => Array.isArray(get(r.template, 'spec', 'containers')) && Number.isFinite(r.at))
    .sort((a, b) => a.revision - b.revision || a.at - b.at)
  const [was, is] = kept.slice(-2)
  if (!is) return []
  const release = (template: unknown) =>
    releaseOf(
      {
        containers: [...listOf(get(template, 'spec', 'containers')), ...listOf(get(template, 'spec', 'initContainers'))],
        namespace: w.namespace,
      },
      new Map(),
    )
  return differences(w.entity, release(was.template), release(is.template)).map(c => ({ ...c, time: is.at * 1000 }))
}
