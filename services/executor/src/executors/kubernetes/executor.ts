import { type Action, type Executor, type Found, kindOf, nameOf, type Receipt } from '@aegis/domain'
import { KubeConfig } from '@kubernetes/client-node'
import { Cluster, KubernetesError } from './cluster.ts'
import { type Entry, entryOf, receiptOf } from './ledger.ts'
import { changeNode, finishNode, NODE_ACTIONS } from './nodes.ts'
import { deletePod, POD_ACTIONS } from './pods.ts'
import { changeWorkload, finishWorkload, WORKLOAD_ACTIONS } from './workloads.ts'

export interface KubernetesOptions {
  readonly namespace: string
  /** Context of the kubeconfig; the current one by default. */
  readonly context?: string
  /** Asks the API server for a dry run: permissions, admission and validation are the real ones, nothing is kept. */
  readonly dryRun?: boolean
}
/** Times a change is tried again after somebody else changed the object between our reading and our writing. */
const CONFLICTS = 6

/**
 * Acts on workloads (entities of kind `service`, `deployment`, `statefulset`), on pods (`pod`) and nodes (`host`, `node`) of one namespace.
 * Every change carries the decision's id in an annotation of what it changes, so that a second call with the id only looks whether it worked.
 * Credentials as for kubectl: the pod's service account inside a cluster, else KUBECONFIG.
 */
export class KubernetesExecutor implements Executor {
  readonly name: string
  readonly actions = [...new Set([...WORKLOAD_ACTIONS, ...POD_ACTIONS, ...NODE_ACTIONS])]
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.name = cluster.dryRun ? 'kubernetes dry run' : 'kubernetes'
  }

  static from({ namespace, context, dryRun = false }: KubernetesOptions): KubernetesExecutor {
    const config = new KubeConfig()
    config.loadFromDefault()
    if (context !== undefined) config.setCurrentContext(context)
    return new KubernetesExecutor(new Cluster(config, namespace, dryRun))
  }

  async execute(action: Action, id: string, signal: AbortSignal): Promise<Receipt> {
    const entry = await this.#again(() => this.#change(action, id, signal))
    const kind = kindOf(action.target)
    if (isNode(kind)) await finishNode(this.#cluster, nameOf(action.target), action, entry, signal)
    else if (kind !== 'pod' && !(this.#cluster.dryRun && entry.pods === undefined))
      await finishWorkload(this.#cluster, nameOf(action.target), entry, action.parameters.canary === 'first', signal)
    return receiptOf(entry)
  }

  async #change(action: Action, id: string, signal: AbortSignal): Promise<Entry> {
    const name = nameOf(action.target)
    const kind = kindOf(action.target)
    const can = isNode(kind) ? NODE_ACTIONS : kind === 'pod' ? POD_ACTIONS : WORKLOAD_ACTIONS
    if (!can.includes(action.action))
      throw new Error(`Kubernetes has no ${action.action} for ${action.target}; a ${kind} can have ${can.join(', ')}`)
    if (isNode(kind)) return changeNode(this.#cluster, name, action, id, signal)
    if (kind === 'pod') return deletePod(this.#cluster, name, id, signal)
    return changeWorkload(this.#cluster, name, action, id, signal)
  }

  /** A conflict means that what we decided on has changed: read it anew. */
  async #again(change: () => Promise<Entry>): Promise<Entry> {
    for (let left = CONFLICTS; ; left--) {
      try {
        return await change()
      } catch (error) {
        if (!(error instanceof KubernetesError && error.status === 409) || left === 0) throw error
      }
    }
  }

  /** The ledger knows. What was begun and not finished (pods still to go) is finished by calling again. */
  async find(action: Action, id: string, signal: AbortSignal): Promise<Found> {
    const name = nameOf(action.target)
    const kind = kindOf(action.target)
    // Deleting a pod twice is deleting it once: calling again finds it gone, or its decision on its set.
    if (kind === 'pod') return 'ask-again'
    const { metadata } = isNode(kind) ? await this.#cluster.node(name, signal) : await this.#cluster.workload(name, signal)
    const entry = entryOf(metadata, id)
    if (!entry) return 'not-done'
    if (action.action === 'drain') return 'ask-again'
    if (entry.hold) return 'ask-again'
    if (entry.pods === undefined) return receiptOf(entry)
    const pods = await this.#cluster.podsOf(await this.#cluster.workload(name, signal), signal)
    return pods.some(p => entry.pods?.includes(p.metadata!.uid!)) ? 'ask-again' : receiptOf(entry)
  }
}
const isNode = (kind: string): boolean => kind === 'host' || kind === 'node'
