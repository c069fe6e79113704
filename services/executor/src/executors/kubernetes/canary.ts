/**
 * One replica first, for rollouts of Deployments: the change is written together with limits that let the controller make exactly one pod of the new template
 * (one more than wanted, none fewer, and none counts as available for long), and the limits are taken away once that pod is ready.
 *
 * StatefulSets need none of this: their controller replaces one pod at a time and goes on only when it is ready. What the limits were stands in the
 * ledger, so that whoever takes over, or takes the change back, puts them back in the same write.
 */
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'
import type { Cluster, Workload } from './cluster.ts'
import { type Entry, entriesOf, LEDGER, type Released } from './ledger.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const LONGEST_SECONDS = 3600

/** Fields of `spec` that hold a rollout at one pod, and those that let it go again. Undefined where the controller goes one by one by itself. */
export function holdOf(w: Workload): { readonly held: Released; readonly released: Released } | undefined {
  if (w.kind !== 'Deployment') return undefined
  const { strategy, minReadySeconds, progressDeadlineSeconds } = (w as V1Deployment).spec!
  const name = w.metadata!.name
  if (strategy?.type === 'Recreate')
    throw new Error(
      `deployment "${name}" replaces all replicas at once (strategy Recreate), so there is no canary; allow it to act, or give it the strategy RollingUpdate`,
    )
  return {
    held: {
      // The server wants less than the deadline for progress, 600 s unless told.
      minReadySeconds: Math.min(LONGEST_SECONDS, (progressDeadlineSeconds ?? 600) - 1),
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    },
    released: {
      minReadySeconds: minReadySeconds ?? 0,
      strategy: {
        rollingUpdate: {
          maxSurge: strategy?.rollingUpdate?.maxSurge ?? '25%',
          maxUnavailable: strategy?.rollingUpdate?.maxUnavailable ?? '25%',
        },
      },
    },
  }
}

/** What lets go a rollout that an earlier decision still holds, or nothing. */
export const releaseOf = (w: Workload): Released | undefined => entriesOf(w.metadata).findLast(e => e.hold)?.hold

/** What is lacking before one pod of the new template is ready, or nothing. */
export async function lacksCanary(cluster: Cluster, w: Workload, signal: AbortSignal): Promise<string | undefined> {
  const name = w.metadata!.name
  if ((w.status?.observedGeneration ?? 0) < (w.metadata!.generation ?? 0))
    return `deployment "${name}" has not been looked at by its controller`
  const revision = w.metadata?.annotations?.[REVISION]
  const newest = (await cluster.replicaSetsOf(w as V1Deployment, signal)).find(
    rs => rs.metadata?.annotations?.[REVISION] === revision,
  )
  const hash = newest?.metadata?.labels?.['pod-template-hash']
  const mine = (await cluster.podsOf(w, signal)).filter(p => p.metadata?.labels?.['pod-template-hash'] === hash)
  return mine.some(isReady) ? undefined : `the first new replica of deployment "${name}" is not ready`
}
const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True') === true && !pod.metadata?.deletionTimestamp

/** Lets the rest follow. */
export async function release(cluster: Cluster, w: Workload, entry: Entry, signal: AbortSignal): Promise<void> {
  const { resourceVersion } = w.metadata!
  const ledger = JSON.stringify(entriesOf(w.metadata).map(e => (e.id === entry.id ? { ...e, hold: undefined } : e)))
  await cluster.patchWorkload(w, { spec: entry.hold, metadata: { resourceVersion, annotations: { [LEDGER]: ledger } } }, signal)
}
