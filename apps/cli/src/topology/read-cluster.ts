import { AegisError } from '@aegis/domain'
import { KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node'

type Kinds = readonly (readonly [apiVersion: string, kind: string])[]
/** What tells how things hang together; what owns what is in the objects themselves. */
const KINDS: Kinds = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'ReplicaSet'],
  ['batch/v1', 'CronJob'],
  ['batch/v1', 'Job'],
  ['v1', 'Pod'],
  ['v1', 'Service'],
  ['v1', 'ConfigMap'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['argoproj.io/v1alpha1', 'Rollout'],
]
/** What tells how everything is, and what was changed about it. */
export const STATE_KINDS: Kinds = [
  ...KINDS,
  ['apps/v1', 'ControllerRevision'],
  ['v1', 'Node'],
  ['v1', 'PersistentVolumeClaim'],
  ['v1', 'PersistentVolume'],
  ['v1', 'ResourceQuota'],
  ['v1', 'Namespace'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
  ['v1', 'Event'],
]
const FORBIDDEN = 403
const NOT_FOUND = 404

/** The kubeconfig that kubectl would use (KUBECONFIG, `~/.kube/config`, a pod's service account). */
export const clusterOf = (context?: string): KubeConfig => {
  const config = new KubeConfig()
  try {
    config.loadFromDefault()
  } catch (error) {
    throw new AegisError('INPUT_INVALID', `the kubeconfig cannot be read: ${(error as Error).message.split('\n')[0]}`)
  }
  if (context !== undefined) {
    if (!config.getContextObject(context))
      throw new AegisError(
        'INPUT_INVALID',
        `--context ${context}: the kubeconfig has ${config.contexts.map(c => c.name).join(', ') || 'none'}`,
      )
    config.setCurrentContext(context)
  }
  return config
}

/**
 * Workloads, pods, services and what they are told, of a namespace or of all, as documents like those of manifests.
 * @param namespace `*` for all
 * @param say told of each kind that may not be listed; it is left out
 */
export const readCluster = async (
  config: KubeConfig,
  namespace: string,
  say: (line: string) => void,
  kinds: Kinds = KINDS,
): Promise<unknown[]> => {
  const api = KubernetesObjectApi.makeApiClient(config)
  const found: unknown[] = []
  for (const [apiVersion, kind] of kinds) {
    try {
      const { items } = await api.list(apiVersion, kind, namespace === '*' ? undefined : namespace)
      // Lists name the kind once, not with each object.
      // Namespaces are no part of one; of the others only the watched one matters.
      for (const item of items)
        if (kind !== 'Namespace' || namespace === '*' || item.metadata?.name === namespace)
          found.push({ ...item, apiVersion, kind })
    } catch (error) {
      const { code, message } = error as Error & { code?: number }
      // A cluster without that kind has none of it.
      if (code === NOT_FOUND || /^Unrecognized API version and kind/.test(message)) continue
      if (code !== FORBIDDEN)
        throw new AegisError(
          'INPUT_INVALID',
          `${config.getCurrentCluster()?.server}: ${kind} cannot be listed: ${(error as Error).message.split('\n')[0]}`,
        )
      say(`${kind} may not be listed: left out`)
    }
  }
  return found
}
