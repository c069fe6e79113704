/** The few calls to the Kubernetes API that actions are made of: each can be cancelled, be a dry run, and fails with what to do next. */
import {
  ApiException,
  AppsV1Api,
  type ConfigurationOptions,
  CoreV1Api,
  type KubeConfig,
  Observable,
  type ObservableMiddleware,
  PatchStrategy,
  type V1Deployment,
  type V1Node,
  type V1Pod,
  type V1ReplicaSet,
  type V1StatefulSet,
} from '@kubernetes/client-node'

export type Workload = (V1Deployment & { kind: 'Deployment' }) | (V1StatefulSet & { kind: 'StatefulSet' })
/** What a call is about, for its error message. */
interface Subject {
  readonly verb: string
  readonly resource: string
  readonly name: string
  readonly namespace?: string
  readonly group?: string
}

/** The API server's answer was an error; `status` is its HTTP status. */
export class KubernetesError extends Error {
  readonly status: number
  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options)
    this.name = 'KubernetesError'
    this.status = status
  }
}

const explain = (error: unknown, about: Subject): Error => {
  const what = `${about.verb} ${about.resource}${about.name ? ` "${about.name}"` : ''}${about.namespace ? ` in namespace "${about.namespace}"` : ''}`
  if (!(error instanceof ApiException)) {
    const reason = ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message
    return new Error(`${what}: the API server did not answer (${reason}); check the kubeconfig's server address`, {
      cause: error as Error,
    })
  }
  const body = typeof error.body === 'string' ? error.body : (JSON.stringify(error.body) ?? '')
  let said = body
  try {
    said = (JSON.parse(body) as { message?: string }).message ?? body
  } catch {
    // Not every proxy in between answers in JSON.
  }
  const next: Readonly<Record<number, string>> = {
    401: 'the credentials are not accepted; check the token or certificate in the kubeconfig',
    403: `the executor's account lacks the RBAC rule {apiGroups: ["${about.group ?? ''}"], resources: ["${about.resource}"], verbs: ["${about.verb}"]}; add it as in deploy/kubernetes/executor-rbac.yaml`,
    404: 'it does not exist; check the name of the entity and the namespace of the executor rule',
    409: 'somebody else changed it meanwhile',
    429: 'a pod disruption budget does not allow it now',
  }
  return new KubernetesError(
    `${what}: ${next[error.code] ?? `the API server answered ${error.code}`} (${said.slice(0, 300)})`,
    error.code,
    { cause: error },
  )
}

export const isGoing = (pod: V1Pod): boolean => pod.metadata?.deletionTimestamp !== undefined
export const isReady = (pod: V1Pod): boolean =>
  !isGoing(pod) && pod.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True') === true

export class Cluster {
  readonly namespace: string
  readonly dryRun: boolean
  readonly #apps: AppsV1Api
  readonly #core: CoreV1Api

  constructor(config: KubeConfig, namespace: string, dryRun: boolean) {
    this.namespace = namespace
    this.dryRun = dryRun
    this.#apps = config.makeApiClient(AppsV1Api)
    this.#core = config.makeApiClient(CoreV1Api)
  }

  get #dry(): 'All' | undefined {
    return this.dryRun ? 'All' : undefined
  }

  /** A Deployment or else a StatefulSet of that name. */
  async workload(name: string, signal: AbortSignal): Promise<Workload> {
    const at = { name, namespace: this.namespace }
    try {
      const deployment = await this.#call({ verb: 'get', resource: 'deployments', group: 'apps', ...at }, signal, options =>
        this.#apps.readNamespacedDeployment(at, options),
      )
      return { ...deployment, kind: 'Deployment' }
    } catch (error) {
      if (!(error instanceof KubernetesError && error.status === 404)) throw error
    }
    const set = await this.#call({ verb: 'get', resource: 'statefulsets', group: 'apps', ...at }, signal, options =>
      this.#apps.readNamespacedStatefulSet(at, options),
    )
    return { ...set, kind: 'StatefulSet' }
  }

  /** Strategic merge patch. A `metadata.resourceVersion` in it makes the server refuse (409) when the object has changed since. */
  async patchWorkload(w: Workload, body: object, signal: AbortSignal): Promise<void> {
    const request = { name: w.metadata!.name!, namespace: this.namespace, body, dryRun: this.#dry }
    const about = { verb: 'patch', group: 'apps', name: request.name, namespace: this.namespace }
    if (w.kind === 'Deployment')
      await this.#call(
        { ...about, resource: 'deployments' },
        signal,
        o => this.#apps.patchNamespacedDeployment(request, o),
        PatchStrategy.StrategicMergePatch,
      )
    else
      await this.#call(
        { ...about, resource: 'statefulsets' },
        signal,
        o => this.#apps.patchNamespacedStatefulSet(request, o),
        PatchStrategy.StrategicMergePatch,
      )
  }

  /** JSON patch of a Deployment, for replacing a whole template. */
  async replaceInDeployment(name: string, operations: readonly object[], signal: AbortSignal): Promise<void> {
    const at = { name, namespace: this.namespace }
    await this.#call(
      { verb: 'patch', resource: 'deployments', group: 'apps', ...at },
      signal,
      options => this.#apps.patchNamespacedDeployment({ ...at, body: operations, dryRun: this.#dry }, options),
      PatchStrategy.JsonPatch,
    )
  }

  async replicaSetsOf(deployment: V1Deployment, signal: AbortSignal): Promise<V1ReplicaSet[]> {
    const { items } = await this.#call(
      { verb: 'list', resource: 'replicasets', group: 'apps', name: '', namespace: this.namespace },
      signal,
      options =>
        this.#apps.listNamespacedReplicaSet(
          { namespace: this.namespace, labelSelector: selectorOf(deployment.spec!.selector) },
          options,
        ),
    )
    return items.filter(rs => rs.metadata?.ownerReferences?.some(o => o.uid === deployment.metadata!.uid))
  }

  async podsOf(w: Workload, signal: AbortSignal): Promise<V1Pod[]> {
    const { items } = await this.#call({ verb: 'list', resource: 'pods', name: '', namespace: this.namespace }, signal, options =>
      this.#core.listNamespacedPod({ namespace: this.namespace, labelSelector: selectorOf(w.spec!.selector) }, options),
    )
    return items
  }

  async podsOwnedBy(uid: string, signal: AbortSignal): Promise<V1Pod[]> {
    const { items } = await this.#call({ verb: 'list', resource: 'pods', name: '', namespace: this.namespace }, signal, options =>
      this.#core.listNamespacedPod({ namespace: this.namespace }, options),
    )
    return items.filter(p => p.metadata?.ownerReferences?.some(o => o.uid === uid))
  }

  async podsOn(node: string, signal: AbortSignal): Promise<V1Pod[]> {
    const { items } = await this.#call({ verb: 'list', resource: 'pods', name: '' }, signal, options =>
      this.#core.listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${node}` }, options),
    )
    return items
  }

  /** The pod, or nothing when there is none of that name. */
  async pod(name: string, signal: AbortSignal): Promise<V1Pod | undefined> {
    const at = { name, namespace: this.namespace }
    return this.#unlessGone(
      this.#call({ verb: 'get', resource: 'pods', ...at }, signal, options => this.#core.readNamespacedPod(at, options)),
    )
  }

  /** Where a deletion has a body, the server looks for the dry run there and nowhere else. */
  #justThis(pod: V1Pod) {
    return { preconditions: { uid: pod.metadata!.uid }, ...(this.dryRun ? { dryRun: ['All'] } : {}) }
  }

  /** Deletes this very pod: one that took its name meanwhile is left alone, and one that is gone is no error. */
  async deletePod(pod: V1Pod, signal: AbortSignal): Promise<void> {
    const at = { name: pod.metadata!.name!, namespace: pod.metadata!.namespace! }
    try {
      await this.#call({ verb: 'delete', resource: 'pods', ...at }, signal, options =>
        this.#core.deleteNamespacedPod({ ...at, body: this.#justThis(pod) }, options),
      )
    } catch (error) {
      if (!(error instanceof KubernetesError && (error.status === 404 || error.status === 409))) throw error
    }
  }

  /** Asks for the pod's eviction, which respects disruption budgets. False: the budget does not allow it now. */
  async evict(pod: V1Pod, signal: AbortSignal): Promise<boolean> {
    const at = { name: pod.metadata!.name!, namespace: pod.metadata!.namespace! }
    try {
      await this.#call({ verb: 'create', resource: 'pods/eviction', ...at }, signal, options =>
        this.#core.createNamespacedPodEviction(
          {
            ...at,
            body: { metadata: at, deleteOptions: this.#justThis(pod) },
            dryRun: this.#dry,
          },
          options,
        ),
      )
      return true
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error
      if (error.status === 404 || error.status === 409) return true
      if (error.status === 429) return false
      throw error
    }
  }

  async node(name: string, signal: AbortSignal): Promise<V1Node> {
    return this.#call({ verb: 'get', resource: 'nodes', name }, signal, options => this.#core.readNode({ name }, options))
  }

  async patchNode(name: string, body: object, signal: AbortSignal): Promise<void> {
    await this.#call(
      { verb: 'patch', resource: 'nodes', name },
      signal,
      options => this.#core.patchNode({ name, body, dryRun: this.#dry }, options),
      PatchStrategy.MergePatch,
    )
  }

  async #unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer
    } catch (error) {
      if (error instanceof KubernetesError && error.status === 404) return undefined
      throw error
    }
  }

  async #call<T>(
    about: Subject,
    signal: AbortSignal,
    ask: (options: ConfigurationOptions) => Promise<T>,
    contentType?: string,
  ): Promise<T> {
    const middleware: ObservableMiddleware = {
      pre: request => {
        request.setSignal(signal)
        if (contentType) request.setHeaderParam('Content-Type', contentType)
        return new Observable(Promise.resolve(request))
      },
      post: response => new Observable(Promise.resolve(response)),
    }
    try {
      return await ask({ middleware: [middleware], middlewareMergeStrategy: 'append' })
    } catch (error) {
      signal.throwIfAborted()
      throw explain(error, about)
    }
  }
}

const selectorOf = (selector: {
  matchLabels?: { [key: string]: string }
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}): string =>
  [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(selector.matchExpressions ?? []).map(({ key, operator, values = [] }) =>
      operator === 'Exists'
        ? key
        : operator === 'DoesNotExist'
          ? `!${key}`
          : `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`,
    ),
  ].join(',')
