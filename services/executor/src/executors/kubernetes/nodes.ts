/** Cordon, uncordon and drain. */
import type { Action } from '@aegis/domain'
import type { V1Node, V1Pod } from '@kubernetes/client-node'
import { untilStatus } from '../until-status.ts'
import { type Cluster, isGoing } from './cluster.ts'
import { type Entry, entryOf, LEDGER, receiptOf, withEntry } from './ledger.ts'

export const NODE_ACTIONS = ['cordon', 'uncordon', 'drain']

const isReady = (node: V1Node): boolean => node.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True') ?? false
/** Pods a drain moves elsewhere: not those bound to the node (DaemonSets, static pods), nor those that have ended. */
const mustGo = (pod: V1Pod): boolean =>
  !pod.metadata?.ownerReferences?.some(o => o.kind === 'DaemonSet') &&
  pod.metadata?.annotations?.['kubernetes.io/config.mirror'] === undefined &&
  pod.status?.phase !== 'Succeeded' &&
  pod.status?.phase !== 'Failed'

/** Pods that are still to be moved off the node. On a lost node nobody confirms a deletion: one that was asked for counts. */
const remaining = async (cluster: Cluster, node: V1Node, signal: AbortSignal): Promise<V1Pod[]> => {
  const pods = (await cluster.podsOn(node.metadata!.name!, signal)).filter(mustGo)
  return isReady(node) ? pods : pods.filter(p => !isGoing(p))
}

export const changeNode = async (
  cluster: Cluster,
  name: string,
  action: Action,
  id: string,
  signal: AbortSignal,
): Promise<Entry> => {
  const node = await cluster.node(name, signal)
  const known = entryOf(node.metadata, id)
  if (known) return known
  const unschedulable = action.action !== 'uncordon'
  const was = node.spec?.unschedulable ?? false
  const back = was === unschedulable ? undefined : unschedulable ? 'uncordon' : 'cordon'
  if (action.action === 'drain') {
    const orphan = (await remaining(cluster, node, signal)).find(p => !p.metadata?.ownerReferences?.length)
    if (orphan)
      throw new Error(
        `drain node "${name}": pod "${orphan.metadata!.name}" in namespace "${orphan.metadata!.namespace}" has no controller and would be lost; move it by hand first`,
      )
  }
  const entry: Entry = {
    id,
    text: { cordon: `cordoned node "${name}"`, uncordon: `uncordoned node "${name}"` }[action.action] ?? `drained node "${name}"`,
    undo: back && { action: back, target: action.target, environment: action.environment, parameters: {} },
  }
  const { resourceVersion } = node.metadata!
  await cluster.patchNode(
    name,
    { metadata: { resourceVersion, annotations: { [LEDGER]: withEntry(node.metadata, entry) } }, spec: { unschedulable } },
    signal,
  )
  return entry
}

/** Evicts what must go, again and again where a disruption budget holds it back, until the node is as decided. */
export const finishNode = async (
  cluster: Cluster,
  name: string,
  action: Action,
  entry: Entry,
  signal: AbortSignal,
): Promise<void> => {
  if (cluster.dryRun) {
    if (action.action === 'drain')
      for (const pod of await remaining(cluster, await cluster.node(name, signal), signal)) await cluster.evict(pod, signal)
    return
  }
  await untilStatus(receiptOf(entry), signal, async () => {
    const node = await cluster.node(name, signal)
    const unschedulable = node.spec?.unschedulable ?? false
    if (unschedulable !== (action.action !== 'uncordon')) {
      // Somebody took it back after us: that is theirs to decide.
      return undefined
    }
    if (action.action !== 'drain') return undefined
    const pods = await remaining(cluster, node, signal)
    let held: string | undefined
    for (const pod of pods) if (!isGoing(pod) && !(await cluster.evict(pod, signal))) held = pod.metadata!.name
    if (held) return `a disruption budget holds pod "${held}"`
    return pods.length > 0 ? `${pods.length} pods are still on it` : undefined
  })
}
