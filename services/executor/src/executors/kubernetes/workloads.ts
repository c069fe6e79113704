/** Actions on Deployments and StatefulSets: what each changes, and when its status shows that it worked. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Action, Unverified } from '@aegis/domain'
import type { V1Deployment, V1Pod, V1PodTemplateSpec } from '@kubernetes/client-node'
import { untilStatus } from '../until-status.ts'
import { holdOf, lacksCanary, release, releaseOf } from './canary.ts'
import { type Cluster, isGoing, isReady, KubernetesError, type Workload } from './cluster.ts'
import { type Entry, entryOf, LEDGER, receiptOf, withEntry } from './ledger.ts'
import { timesQuantity } from './quantity.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const LIMIT_FACTOR = 1.5
const LIMIT_PARAMETER = /^limits\.([a-z0-9-]+)\.(cpu|memory)$/

interface Change {
  readonly text: string
  /** Fields to change besides the ledger. */
  readonly patch?: object
  /** A template to put in place of the present one. */
  readonly template?: V1PodTemplateSpec
  readonly undo?: Pick<Action, 'action' | 'parameters'>
  readonly pods?: readonly string[]
}
type Plan = (w: Workload, action: Action, cluster: Cluster, id: string, signal: AbortSignal) => Promise<Change>

const named = (w: Workload): string => `${w.kind.toLowerCase()} "${w.metadata!.name}"`
const replicasOf = (w: Workload): number => w.spec!.replicas ?? 1
const revisionOf = (object: { metadata?: { annotations?: { [key: string]: string } } }): number =>
  Number(object.metadata?.annotations?.[REVISION] ?? 0)
const isSeen = (w: Workload): boolean => (w.status?.observedGeneration ?? 0) >= (w.metadata?.generation ?? 0)
const SEEN_POLL_MS = 100

const scaleTo = (w: Workload, replicas: number): Change => ({
  text: `scaled ${named(w)} from ${replicasOf(w)} to ${replicas} replicas`,
  patch: { spec: { replicas } },
  undo: { action: 'scale', parameters: { replicas: String(replicasOf(w)) } },
})

const rollTo = async (
  w: Workload,
  cluster: Cluster,
  signal: AbortSignal,
  wanted: number | undefined,
  configOnly: boolean,
): Promise<Change> => {
  if (w.kind !== 'Deployment')
    throw new Error(`${named(w)}: only Deployments keep revisions to roll back to here; use "kubectl rollout undo" by hand`)
  const now = revisionOf(w)
  const images = (template: V1PodTemplateSpec | undefined) => template?.spec?.containers.map(c => c.image).join()
  const earlier = (await cluster.replicaSetsOf(w, signal))
    .filter(rs => revisionOf(rs) !== now && (wanted === undefined ? revisionOf(rs) < now : revisionOf(rs) === wanted))
    .filter(rs => !configOnly || images(rs.spec?.template) === images(w.spec!.template))
    .sort((a, b) => revisionOf(b) - revisionOf(a))
  if (earlier.length === 0)
    throw new Error(
      `${named(w)} in namespace "${cluster.namespace}" has no ${wanted === undefined ? 'earlier revision' : `revision ${wanted}`}${configOnly ? ' with the same images' : ''} to go back to; page a person`,
    )
  const template = structuredClone(earlier[0].spec!.template!)
  delete template.metadata?.labels?.['pod-template-hash']
  return {
    text: `rolled ${named(w)} back from revision ${now} to ${revisionOf(earlier[0])}`,
    template,
    undo: { action: 'rollback_deploy', parameters: { revision: String(now) } },
  }
}

const wholeNumber = (action: Action, name: string): number | undefined => {
  const text = action.parameters[name]
  if (text === undefined) return undefined
  if (!/^\d{1,4}$/.test(text)) throw new Error(`${action.action}: the parameter ${name} must be a whole number, not "${text}"`)
  return Number(text)
}

const PLANS: Readonly<Record<string, Plan>> = {
  async restart(w, _action, cluster, _id, signal) {
    const pods = (await cluster.podsOf(w, signal)).filter(p => !isGoing(p))
    return { text: `deleted the ${pods.length} pods of ${named(w)}`, pods: pods.map(p => p.metadata!.uid!) }
  },
  async rollout_restart(w, _action, _cluster, id) {
    return {
      text: `restarted ${named(w)} by a rolling update`,
      patch: { spec: { template: { metadata: { annotations: { 'aegis.dev/restarted-by': id } } } } },
    }
  },
  async scale_out(w) {
    return scaleTo(w, replicasOf(w) + 1)
  },
  async scale(w, action) {
    const replicas = wholeNumber(action, 'replicas')
    if (replicas === undefined) throw new Error(`scale ${action.target}: the parameter replicas is missing`)
    return scaleTo(w, replicas)
  },
  async start(w, action) {
    if (replicasOf(w) > 0) return { text: `${named(w)} is not stopped: it asks for ${replicasOf(w)} replicas` }
    return scaleTo(w, wholeNumber(action, 'replicas') ?? 1)
  },
  rollback_deploy: (w, action, cluster, _id, signal) => rollTo(w, cluster, signal, wholeNumber(action, 'revision'), false),
  revert_config: (w, _action, cluster, _id, signal) => rollTo(w, cluster, signal, undefined, true),
  async raise_limit(w, action) {
    const asked = Object.entries(action.parameters).flatMap(([key, value]) => {
      const m = LIMIT_PARAMETER.exec(key)
      return m ? [{ container: m[1], resource: m[2], value }] : []
    })
    const present = w.spec!.template.spec!.containers.flatMap(c =>
      Object.entries(c.resources?.limits ?? {})
        .filter(([resource]) => resource === 'cpu' || resource === 'memory')
        .map(([resource, value]) => ({ container: c.name, resource, value })),
    )
    const wanted = asked.length > 0 ? asked : present.map(l => ({ ...l, value: timesQuantity(l.value, LIMIT_FACTOR) }))
    if (wanted.length === 0) throw new Error(`${named(w)} has no cpu or memory limit to raise; page a person`)
    const before = present.filter(p => wanted.some(l => l.container === p.container && l.resource === p.resource))
    return {
      text: `set limits of ${named(w)}: ${wanted.map(l => `${l.container} ${l.resource} ${l.value}`).join(', ')}`,
      patch: {
        spec: {
          template: {
            spec: {
              containers: [...new Set(wanted.map(l => l.container))].map(name => ({
                name,
                resources: {
                  limits: Object.fromEntries(wanted.filter(l => l.container === name).map(l => [l.resource, l.value])),
                },
              })),
            },
          },
        },
      },
      undo: {
        action: 'raise_limit',
        parameters: Object.fromEntries(before.map(l => [`limits.${l.container}.${l.resource}`, l.value])),
      },
    }
  },
}
export const WORKLOAD_ACTIONS = Object.keys(PLANS)

/** What the status still lacks before every replica runs the present template, or nothing. A rollout past its deadline will not come. */
export const lacksRollout = (w: Workload, entry: Entry): string | undefined => {
  const { status } = w
  const wanted = replicasOf(w)
  if ((status?.observedGeneration ?? 0) < (w.metadata!.generation ?? 0))
    return `${named(w)} has not been looked at by its controller`
  const stuck = (status as V1Deployment['status'])?.conditions?.find(
    c => c.type === 'Progressing' && c.reason === 'ProgressDeadlineExceeded',
  )
  if (stuck) throw new Unverified(`${entry.text}, but the rollout is stuck: ${stuck.message}`, receiptOf(entry))
  const ready = status?.readyReplicas ?? 0
  const updated = status?.updatedReplicas ?? 0
  if (updated < wanted && !(w.kind === 'StatefulSet' && updated === 0 && w.status?.currentRevision === w.status?.updateRevision))
    return `${named(w)} has ${updated} of ${wanted} replicas updated`
  if ((status?.replicas ?? 0) > wanted) return `${named(w)} still has ${status?.replicas} replicas instead of ${wanted}`
  return ready < wanted ? `${named(w)} has ${ready} of ${wanted} replicas ready` : undefined
}

/** Names why pods wait, such as CrashLoopBackOff, so that the person paged need not look it up. */
const troubles = (pods: readonly V1Pod[]): string => {
  const reasons = pods.flatMap(p =>
    (p.status?.containerStatuses ?? []).flatMap(c =>
      c.state?.waiting?.reason ? [`${p.metadata!.name}: ${c.state.waiting.reason}`] : [],
    ),
  )
  return reasons.length > 0 ? `; ${reasons.slice(0, 3).join(', ')}` : ''
}

/** Writes the change and its ledger entry in one patch, refused by the server when the object changed since it was read. */
export const changeWorkload = async (
  cluster: Cluster,
  name: string,
  action: Action,
  id: string,
  signal: AbortSignal,
): Promise<Entry> => {
  let w = await cluster.workload(name, signal)
  const known = entryOf(w.metadata, id)
  if (known) return known
  // A change that its controller has not seen yet has no revision of its own: going back would go back one too far, or nowhere.
  while (!isSeen(w)) {
    await sleep(SEEN_POLL_MS, undefined, { signal }).catch(() => {
      throw new Error(`${named(w)}: its controller has not seen its last change; is the controller manager running?`)
    })
    w = await cluster.workload(name, signal)
  }
  const plan = PLANS[action.action]
  if (!plan) throw new Error(`Kubernetes has no ${action.action} for ${named(w)}; it can be ${WORKLOAD_ACTIONS.join(', ')}`)
  const { text, patch = {}, template, undo, pods } = await plan(w, action, cluster, id, signal)
  const rolls = template !== undefined || (patch as { spec?: { template?: object } }).spec?.template !== undefined
  const hold = rolls && action.parameters.canary === 'first' ? holdOf(w) : undefined
  // A held rollout of which nothing came must not stay held: where there is no other way back, to the revision before.
  const back = undo ?? (hold && { action: 'rollback_deploy', parameters: { revision: String(revisionOf(w)) } })
  const entry: Entry = {
    id,
    text,
    undo: back && { ...back, target: action.target, environment: action.environment },
    pods,
    hold: hold?.released,
  }
  // What an earlier canary holds is let go by whatever comes after it.
  const limits = hold?.held ?? releaseOf(w)
  const { resourceVersion } = w.metadata!
  const ledger = withEntry(w.metadata, entry)
  if (template)
    await cluster.replaceInDeployment(
      name,
      [
        { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'replace', path: '/spec/template', value: template },
        ...Object.entries(limits ?? {}).map(([field, value]) => ({
          op: 'add',
          path: `/spec/${field}`,
          value: field === 'strategy' ? { type: 'RollingUpdate', ...value } : value,
        })),
        { op: 'add', path: `/metadata/annotations/${LEDGER.replace('/', '~1')}`, value: ledger },
      ],
      signal,
    )
  else {
    const spec = { ...(patch as { spec?: object }).spec, ...limits }
    await cluster.patchWorkload(w, { ...patch, spec, metadata: { resourceVersion, annotations: { [LEDGER]: ledger } } }, signal)
  }
  return entry
}

/**
 * Deletes the pods the entry names, one first and the rest once its successor is ready when `canary`; lets a held rollout go once its first replica is
 * ready; and waits for the rollout.
 */
export const finishWorkload = async (
  cluster: Cluster,
  name: string,
  entry: Entry,
  canary: boolean,
  signal: AbortSignal,
): Promise<void> => {
  const pods = async () => cluster.podsOf(await cluster.workload(name, signal), signal)
  const left = async () => (await pods()).filter(p => entry.pods?.includes(p.metadata!.uid!))
  const settled = (gone: ReadonlySet<string>) =>
    untilStatus(receiptOf(entry), signal, async () => {
      const w = await cluster.workload(name, signal)
      const all = await cluster.podsOf(w, signal)
      const staying = all.filter(p => gone.has(p.metadata!.uid!))
      if (staying.length > 0) return `pod "${staying[0].metadata!.name}" is still there`
      // The controller's count may be from before the deletion: the pods themselves are looked at.
      const ready = all.filter(p => isReady(p) && !gone.has(p.metadata!.uid!)).length
      const lacking =
        lacksRollout(w, entry) ??
        (ready < replicasOf(w) ? `${named(w)} has ${ready} of ${replicasOf(w)} replicas ready` : undefined)
      return lacking && lacking + troubles(all)
    })
  if (entry.hold && !cluster.dryRun) {
    await untilStatus(receiptOf(entry), signal, async () => {
      const w = await cluster.workload(name, signal)
      const lacking = await lacksCanary(cluster, w, signal)
      if (lacking) return lacking + troubles(await cluster.podsOf(w, signal))
      // The controller writes its status often: a conflict is met by looking again.
      return release(cluster, w, entry, signal).then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof KubernetesError && error.status === 409) return 'it changed while it was let go'
          throw error
        },
      )
    })
  }
  const going = await left()
  const first = canary ? going.slice(0, 1) : going
  for (const batch of [first, going.slice(first.length)]) {
    if (batch.length === 0) continue
    for (const pod of batch) if (!isGoing(pod)) await cluster.deletePod(pod, signal)
    if (cluster.dryRun) continue
    await settled(new Set(batch.map(p => p.metadata!.uid!)))
  }
  if (!cluster.dryRun && going.length === 0) await settled(new Set())
}
