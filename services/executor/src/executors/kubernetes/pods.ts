/** Deleting one pod. Its name may come back (StatefulSets), so the decision is written on the set that brings it back. */
import type { V1Pod } from '@kubernetes/client-node'
import { untilStatus } from '../until-status.ts'
import { type Cluster, isGoing, isReady } from './cluster.ts'
import { type Entry, entryOf, LEDGER, receiptOf, withEntry } from './ledger.ts'

export const POD_ACTIONS = ['restart', 'delete_pod']

const ownerOf = (pod: V1Pod) => pod.metadata?.ownerReferences?.find(o => o.controller)

export const deletePod = async (cluster: Cluster, name: string, id: string, signal: AbortSignal): Promise<Entry> => {
  const pod = await cluster.pod(name, signal)
  // Names of other pods do not come back: gone is what was wanted.
  if (!pod) return { id, text: `pod "${name}" is gone` }
  const owner = ownerOf(pod)
  if (!owner)
    throw new Error(`delete pod "${name}" in namespace "${cluster.namespace}": it has no controller and would not come back`)
  const wanted = (await cluster.podsOwnedBy(owner.uid, signal)).filter(p => !isGoing(p)).length
  let entry: Entry = { id, text: `deleted pod "${name}"`, pods: [pod.metadata!.uid!] }
  if (owner.kind === 'StatefulSet') {
    const set = await cluster.workload(owner.name, signal)
    const known = entryOf(set.metadata, id)
    if (known) entry = known
    else {
      const { resourceVersion } = set.metadata!
      await cluster.patchWorkload(
        set,
        { metadata: { resourceVersion, annotations: { [LEDGER]: withEntry(set.metadata, entry) } } },
        signal,
      )
    }
  }
  if (entry.pods?.includes(pod.metadata!.uid!)) await cluster.deletePod(pod, signal)
  if (cluster.dryRun) return entry
  await untilStatus(receiptOf(entry), signal, async () => {
    const siblings = await cluster.podsOwnedBy(owner.uid, signal)
    if (siblings.some(p => entry.pods?.includes(p.metadata!.uid!))) return `pod "${name}" is still there`
    // Its controller may not have made the one in its place yet: the others being ready shows nothing.
    if (siblings.length < wanted) return `${owner.kind} "${owner.name}" has ${siblings.length} of ${wanted} pods`
    const waiting = siblings.find(p => !isReady(p))
    return waiting && `pod "${waiting.metadata!.name}" is not ready`
  })
  return entry
}
