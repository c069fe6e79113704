/** What is wrong with everything of a cluster but pods, by conditions and statuses: one reader a kind. */
import { entityId } from '@aegis/domain'
import { type Doc, get, isDoc, listOf, textOf } from '@aegis/domain/document'
import type { KubernetesWorkload } from '@aegis/root-cause'
import { lastDue } from './cron-schedule.ts'
import {
  ageOf,
  ageOfObject,
  conditionOf,
  conditionsOf,
  GRACE_MS,
  lasted,
  nameIn,
  namespaceIn,
  SLOW_MS,
  type Trouble,
  timeOf,
  type Warning,
  wordsOf,
} from './trouble.ts'

export interface Cluster {
  readonly all: readonly Doc[]
  readonly workloads: readonly KubernetesWorkload[]
  readonly warnings: ReadonlyMap<string, readonly Warning[]>
  readonly now: number
  /** The workload of that kind and name, or who owns it. */
  readonly ownerOf: (kind: string, namespace: string, name: string) => KubernetesWorkload | undefined
  /** Entities that something was already found of: what follows from that is not told beside it. */
  readonly troubled: ReadonlySet<string>
  /** Whether somebody has quoted these words of the cluster already. */
  readonly isQuoted: (words: string) => boolean
}
type Reader = (d: Doc, cluster: Cluster) => Trouble[]
const trouble = (
  entity: string,
  name: string,
  severity: Trouble['severity'],
  summary: string,
  kind: Trouble['kind'] = 'event',
): Trouble => ({ entity, kind, name, severity, summary })
const told = (words: string): string => (words ? `: ${words}` : '')
const lastsFor = (c: unknown, ms: number, now: number): boolean => ageOf(get(c, 'lastTransitionTime'), now) >= ms
const warned = ({ warnings }: Cluster, d: Doc): string => {
  const w = warnings.get(`${textOf(d.kind)} ${nameIn(d)}`)?.[0]
  return w ? `${w.reason}: ${w.message}` : ''
}

// ---- workloads

const wanted = (d: unknown): number => Number(get(d, 'spec', 'replicas') ?? 1)
const ready = (w: KubernetesWorkload): boolean =>
  w.pods.some(
    p =>
      conditionOf(p, 'Ready')?.status === 'True' ||
      (conditionOf(p, 'Ready') === undefined && get(p, 'status', 'phase') === 'Running'),
  )

const ofReplicas = (w: KubernetesWorkload, cluster: Cluster): Trouble[] => {
  const { now, troubled } = cluster
  const d = w.document
  const out: Trouble[] = []
  const failure = [d, ...w.owned.filter(o => o.kind === 'ReplicaSet')]
    .map(o => conditionOf(o, 'ReplicaFailure'))
    .find(c => c?.status === 'True')
  if (failure && lastsFor(failure, GRACE_MS, now))
    out.push(trouble(w.entity, textOf(failure.reason) || 'ReplicaFailure', 'high', `pods cannot be made: ${wordsOf(failure)}`))
  const progressing = conditionOf(d, 'Progressing')
  if (progressing?.status === 'False' && wanted(d) > 0)
    out.push(
      trouble(
        w.entity,
        textOf(progressing.reason) || 'ProgressDeadlineExceeded',
        'high',
        `the rollout does not go on: ${wordsOf(progressing)}`,
      ),
    )
  const phase = textOf(get(d, 'status', 'phase'))
  if (w.kind === 'Rollout' && /^(Degraded|InvalidSpec)$/.test(phase))
    out.push(trouble(w.entity, phase, 'high', `${phase}${told(textOf(get(d, 'status', 'message')))}`))
  if (out.length > 0 || troubled.has(w.entity)) return out
  const status = get(d, 'status')
  const [has, of] =
    w.kind === 'DaemonSet'
      ? [get(status, 'numberAvailable') ?? get(status, 'numberReady'), get(status, 'desiredNumberScheduled')]
      : [
          get(status, 'availableReplicas') ??
            get(status, 'readyReplicas') ??
            (get(status, 'replicas') === undefined ? undefined : 0),
          wanted(d),
        ]
  const short =
    w.kind === 'DaemonSet'
      ? Math.max(Number(get(status, 'numberUnavailable') ?? 0), of === undefined ? 0 : Number(of) - Number(has ?? 0))
      : has === undefined
        ? 0
        : Number(of) - Number(has)
  const available = conditionOf(d, 'Available')
  const since = available?.status === 'False' ? available.lastTransitionTime : youngest(w)
  if (short > 0 && ageOf(since, now) >= SLOW_MS) {
    const words =
      wordsOf(available?.status === 'False' ? available : conditionsOf(d).find(c => c.status === 'False')) || warned(cluster, d)
    out.push(
      trouble(
        w.entity,
        'Unavailable',
        2 * short >= Number(of) ? 'high' : 'medium',
        `${Number(of) - short} of ${of} pods are available${told(words)}`,
      ),
    )
  }
  return out
}
/** When the youngest of its pods was made: a workload that is being changed is not stuck yet. */
const youngest = (w: KubernetesWorkload): unknown => {
  const times = [w.document, ...w.pods].map(d => timeOf(get(d, 'metadata', 'creationTimestamp'))).filter(t => t !== undefined)
  return times.length === 0 ? undefined : new Date(Math.max(...times))
}

const jobFailure = (job: unknown): Doc | undefined =>
  conditionsOf(job).find(c => (c.type === 'Failed' || c.type === 'FailureTarget') && c.status === 'True')
/** How the last of a job's containers ended, where its pods are still there. */
const endOf = (w: KubernetesWorkload, job: unknown): string => {
  const pods = w.pods.filter(p => listOf(get(p, 'metadata', 'ownerReferences')).some(o => get(o, 'name') === nameIn(job)))
  const ends = (pods.length > 0 ? pods : w.pods).flatMap(p =>
    [...listOf(get(p, 'status', 'containerStatuses')), ...listOf(get(p, 'status', 'initContainerStatuses'))].flatMap(c => {
      const t = get(c, 'state', 'terminated') ?? get(c, 'lastState', 'terminated')
      return t !== undefined && get(t, 'exitCode') !== 0
        ? [`${textOf(get(c, 'name'))} ended with ${textOf(get(t, 'reason')) || 'exit'} (${textOf(get(t, 'exitCode'))})`]
        : []
    }),
  )
  return ends.length > 0 ? `; ${ends.at(-1)}` : ''
}
const ofJob = (w: KubernetesWorkload): Trouble[] => {
  const failed = jobFailure(w.document)
  return failed
    ? [
        trouble(
          w.entity,
          textOf(failed.reason) || 'JobFailed',
          'high',
          `the job failed: ${wordsOf(failed)}${endOf(w, w.document)}`,
        ),
      ]
    : []
}
const ofCronJob = (w: KubernetesWorkload, { now }: Cluster): Trouble[] => {
  const d = w.document
  const out: Trouble[] = []
  const startOf = (j: unknown) => timeOf(get(j, 'status', 'startTime')) ?? timeOf(get(j, 'metadata', 'creationTimestamp')) ?? 0
  const jobs = w.owned.filter(o => o.kind === 'Job').sort((a, b) => startOf(a) - startOf(b))
  // Only the last run that ended counts: what failed before it was made good.
  const last = jobs
    .filter(
      j =>
        jobFailure(j) || conditionOf(j, 'Complete')?.status === 'True' || conditionOf(j, 'SuccessCriteriaMet')?.status === 'True',
    )
    .at(-1)
  const failed = last && jobFailure(last)
  if (failed)
    out.push(
      trouble(
        w.entity,
        textOf(failed.reason) || 'JobFailed',
        'high',
        `its job ${nameIn(last)} failed: ${wordsOf(failed)}${endOf(w, last)}`,
      ),
    )
  const schedule = textOf(get(d, 'spec', 'schedule'))
  if (get(d, 'spec', 'suspend') === true || !schedule) return out
  const zone = textOf(get(d, 'spec', 'timeZone')) || 'UTC'
  const due = lastDue(schedule, now - SLOW_MS, zone)
  if (due === undefined)
    return [...out, trouble(w.entity, 'InvalidSchedule', 'high', `its schedule "${schedule}" (${zone}) is never due`)]
  const before = lastDue(schedule, due - 1, zone)
  const ran = timeOf(get(d, 'status', 'lastScheduleTime'))
  const made = timeOf(get(d, 'metadata', 'creationTimestamp'))
  // One run may be late, or its zone another than it seems; two in a row are missed.
  const known = ran ?? made
  if (before !== undefined && known !== undefined && known < before && now - known > 2 * SLOW_MS) {
    const running = jobs.find(j => Number(get(j, 'status', 'active') ?? 0) > 0)
    const why =
      running && get(d, 'spec', 'concurrencyPolicy') === 'Forbid' ? `; ${nameIn(running)} still runs and no second may` : ''
    out.push(
      trouble(
        w.entity,
        'MissedSchedule',
        'high',
        `"${schedule}" was due ${lasted(now - due)} ago, ${ran === undefined ? 'it never ran' : `it last ran ${lasted(now - ran)} ago`}${why}`,
      ),
    )
  }
  return out
}
export const troublesOfWorkloadObject = (w: KubernetesWorkload, cluster: Cluster): Trouble[] =>
  w.kind === 'Job' ? ofJob(w) : w.kind === 'CronJob' ? ofCronJob(w, cluster) : w.kind === 'Pod' ? [] : ofReplicas(w, cluster)

// ---- everything else

/** Conditions of a node that are well when they are true. */
const GOOD = /^(Ready|EtcdIsVoter)$|(Ready|Healthy|Available)$/
const ofNode: Reader = (d, { now }) => {
  const entity = entityId('host', nameIn(d))
  const out = conditionsOf(d).flatMap((c): Trouble[] => {
    const type = textOf(c.type)
    const bad = GOOD.test(type) ? c.status === 'False' || (c.status === 'Unknown' && type === 'Ready') : c.status === 'True'
    if (!bad || !lastsFor(c, GRACE_MS, now)) return []
    return type === 'Ready'
      ? [trouble(entity, 'NotReady', 'critical', `the node is not ready: ${wordsOf(c) || textOf(c.status)}`)]
      : [trouble(entity, type, 'high', `${type}${told(wordsOf(c))}`)]
  })
  const taint = listOf(get(d, 'spec', 'taints')).find(t => get(t, 'key') === 'node.kubernetes.io/unschedulable')
  if (get(d, 'spec', 'unschedulable') === true && ageOf(get(taint, 'timeAdded'), now) >= SLOW_MS)
    out.push(trouble(entity, 'SchedulingDisabled', 'low', 'the node is cordoned: no pod is scheduled there (SchedulingDisabled)'))
  return out
}
const ofClaim: Reader = (d, cluster) => {
  const { workloads, now } = cluster
  const name = nameIn(d)
  const users = workloads.filter(
    w =>
      w.namespace === namespaceIn(d) &&
      ([w.template, ...w.pods].some(t =>
        listOf(get(t, 'spec', 'volumes')).some(v => get(v, 'persistentVolumeClaim', 'claimName') === name),
      ) ||
        listOf(get(w.document, 'spec', 'volumeClaimTemplates')).some(c =>
          new RegExp(`^${nameIn(c)}-${w.name}-\\d+$`).test(name),
        )),
  )
  const phase = textOf(get(d, 'status', 'phase'))
  const words = warned(cluster, d)
  const leaving = get(d, 'metadata', 'deletionTimestamp')
  const summary =
    phase === 'Lost'
      ? `its volume is lost: PersistentVolumeClaim ${name} is Lost${told(words)}`
      : // One that waits for its first consumer is well without one.
        phase === 'Pending' && ageOfObject(d, now) >= GRACE_MS && (users.length > 0 || words !== '')
        ? `PersistentVolumeClaim ${name} is Pending${told(words || (textOf(get(d, 'spec', 'storageClassName')) ? `storage class ${textOf(get(d, 'spec', 'storageClassName'))}` : 'no storage class'))}`
        : leaving !== undefined && users.length === 0 && ageOf(leaving, now) >= SLOW_MS
          ? `PersistentVolumeClaim ${name} should be gone since ${lasted(ageOf(leaving, now))}`
          : undefined
  if (summary === undefined) return []
  const entities = users.length > 0 ? [...new Set(users.map(w => w.entity))] : [entityId('volume', name)]
  return entities.map(e => trouble(e, `PersistentVolumeClaim${phase || 'Terminating'}`, 'high', summary))
}
const ofVolume: Reader = (d, cluster) =>
  get(d, 'status', 'phase') === 'Failed'
    ? [
        trouble(
          entityId('volume', nameIn(d)),
          'PersistentVolumeFailed',
          'high',
          `the volume failed: ${wordsOf(d.status) || warned(cluster, d)}`,
        ),
      ]
    : []
const ofScaler: Reader = (d, cluster) => {
  const { now, ownerOf } = cluster
  const ref = get(d, 'spec', 'scaleTargetRef')
  const target = ownerOf(textOf(get(ref, 'kind')), namespaceIn(d), textOf(get(ref, 'name')))
  const entity = target?.entity ?? entityId('service', textOf(get(ref, 'name')) || nameIn(d))
  const out = conditionsOf(d).flatMap((c): Trouble[] => {
    if (!lastsFor(c, GRACE_MS, now)) return []
    if ((c.type === 'ScalingActive' || c.type === 'AbleToScale') && c.status === 'False' && c.reason !== 'ScalingDisabled')
      return [trouble(entity, textOf(c.reason) || textOf(c.type), 'high', `autoscaler ${nameIn(d)} cannot scale: ${wordsOf(c)}`)]
    const [current, most] = [get(d, 'status', 'currentReplicas'), get(d, 'spec', 'maxReplicas')].map(Number)
    if (
      c.type === 'ScalingLimited' &&
      c.status === 'True' &&
      c.reason === 'TooManyReplicas' &&
      !(current < most) &&
      lastsFor(c, SLOW_MS, now)
    )
      return [
        trouble(
          entity,
          'TooManyReplicas',
          'medium',
          `autoscaler ${nameIn(d)} is at its most (${most}) and would go further: ${wordsOf(c)}`,
        ),
      ]
    return []
  })
  return out
}
const matches = (selector: unknown, labels: unknown): boolean =>
  isDoc(selector) && Object.keys(selector).length > 0 && Object.entries(selector).every(([k, v]) => get(labels, k) === v)
const chosenBy = (d: Doc, workloads: readonly KubernetesWorkload[]): KubernetesWorkload[] =>
  workloads.filter(
    w =>
      w.namespace === namespaceIn(d) &&
      (matches(get(d, 'spec', 'selector'), w.labels) ||
        w.pods.some(p => matches(get(d, 'spec', 'selector'), get(p, 'metadata', 'labels')))),
  )
const ofService: Reader = (d, cluster) => {
  const { workloads, troubled, now } = cluster
  const selector = get(d, 'spec', 'selector')
  if (
    !isDoc(selector) ||
    Object.keys(selector).length === 0 ||
    get(d, 'spec', 'type') === 'ExternalName' ||
    ageOfObject(d, now) < SLOW_MS
  )
    return []
  const chosen = chosenBy(d, workloads)
  const asked = Object.entries(selector)
    .map(([k, v]) => `${k}=${textOf(v)}`)
    .join(',')
  const out: Trouble[] = []
  if (chosen.length === 0)
    out.push(
      trouble(
        entityId('service', nameIn(d)),
        'NoEndpoints',
        'high',
        `Service ${nameIn(d)} has no endpoints: no pod has the labels ${asked}`,
      ),
    )
  // What is scaled to nothing is meant to answer nobody; what is in trouble was told of.
  else if (chosen.every(w => wanted(w.document) > 0 && !troubled.has(w.entity)) && !chosen.some(ready))
    out.push(
      trouble(
        chosen[0].entity,
        'NoEndpoints',
        'high',
        `Service ${nameIn(d)} has no endpoints: none of the pods with ${asked} is ready`,
      ),
    )
  const ports = chosen.flatMap(w => w.containers.flatMap(c => listOf(get(c, 'ports'))))
  const unnamed = listOf(get(d, 'spec', 'ports'))
    .map(p => get(p, 'targetPort'))
    .find(t => typeof t === 'string' && !/^\d+$/.test(t) && ports.length > 0 && !ports.some(p => get(p, 'name') === t))
  if (unnamed)
    out.push(
      trouble(
        chosen[0].entity,
        'NoEndpoints',
        'high',
        `Service ${nameIn(d)} sends to the port "${textOf(unnamed)}", which no container has`,
      ),
    )
  if (
    get(d, 'spec', 'type') === 'LoadBalancer' &&
    get(d, 'status', 'loadBalancer') !== undefined &&
    listOf(get(d, 'status', 'loadBalancer', 'ingress')).length === 0
  )
    out.push(
      trouble(
        chosen[0]?.entity ?? entityId('service', nameIn(d)),
        'LoadBalancerPending',
        'medium',
        `Service ${nameIn(d)} has no address outside the cluster yet${told(warned(cluster, d))}`,
      ),
    )
  return out
}
const serviceNames = ({ all }: Cluster): Set<string> =>
  new Set(all.filter(x => x.kind === 'Service').map(x => `${namespaceIn(x)}/${nameIn(x)}`))
const ofIngress: Reader = (d, cluster) => {
  const { all, now } = cluster
  // Where Services cannot be seen, none is missing.
  if (!all.some(x => x.kind === 'Service') || ageOfObject(d, now) < GRACE_MS) return []
  const known = serviceNames(cluster)
  const paths = listOf(get(d, 'spec', 'rules')).flatMap(r => listOf(get(r, 'http', 'paths')).map(p => get(p, 'backend')))
  const missing = [get(d, 'spec', 'defaultBackend'), get(d, 'spec', 'backend'), ...paths]
    .map(b => textOf(get(b, 'service', 'name')) || textOf(get(b, 'serviceName')))
    .filter(name => name !== '' && !known.has(`${namespaceIn(d)}/${name}`))
  return missing.length > 0
    ? [
        trouble(
          entityId('external', nameIn(d)),
          'BackendMissing',
          'high',
          `Ingress ${nameIn(d)} leads to Service ${[...new Set(missing)].join(', ')}, which is not there`,
        ),
      ]
    : []
}
const ofWebhooks: Reader = (d, cluster) =>
  listOf(d.webhooks).flatMap((hook): Trouble[] => {
    const service = get(hook, 'clientConfig', 'service')
    const [namespace, name] = [textOf(get(service, 'namespace')), textOf(get(service, 'name'))]
    if (!name || get(hook, 'failurePolicy') === 'Ignore' || !cluster.all.some(x => namespaceIn(x) === namespace)) return []
    const found = cluster.all.find(x => x.kind === 'Service' && namespaceIn(x) === namespace && nameIn(x) === name)
    const chosen = found ? chosenBy(found, cluster.workloads) : []
    if (found && (chosen.some(ready) || !isDoc(get(found, 'spec', 'selector')))) return []
    const why = found ? 'has no pod that is ready' : 'is not there'
    return [
      trouble(
        chosen[0]?.entity ?? entityId('service', name),
        'WebhookUnavailable',
        'high',
        `webhook ${textOf(get(hook, 'name'))} asks Service ${name}, which ${why}: what it must allow is refused`,
      ),
    ]
  })
const ofNamespace: Reader = (d, { now }) => {
  const leaving = get(d, 'metadata', 'deletionTimestamp')
  if (get(d, 'status', 'phase') !== 'Terminating' || ageOf(leaving, now) < SLOW_MS) return []
  const words = conditionsOf(d)
    .filter(c => c.status === 'True')
    .map(wordsOf)
    .join('; ')
  return [
    trouble(
      entityId('namespace', nameIn(d)),
      'Terminating',
      'medium',
      `the namespace should be gone${leaving === undefined ? '' : ` since ${lasted(ageOf(leaving, now))}`}${told(words)}`,
    ),
  ]
}
/** Amounts as Kubernetes writes them: `500m`, `2Gi`, `1e3`. */
const amount = (text: unknown): number => {
  const [, number = 'NaN', unit = ''] = /^([\d.]+(?:e\d+)?)([a-zA-Z]*)$/.exec(textOf(text)) ?? []
  const units: Readonly<Record<string, number>> = {
    m: 1e-3,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    P: 1e15,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
    Pi: 2 ** 50,
    '': 1,
  }
  return Number(number) * (units[unit] ?? Number.NaN)
}
const ofQuota: Reader = (d, { workloads, troubled }) => {
  const hard = get(d, 'status', 'hard') ?? get(d, 'spec', 'hard')
  const full = Object.entries(isDoc(hard) ? hard : {}).filter(
    ([k, most]) => amount(get(d, 'status', 'used', k)) >= amount(most) && amount(most) > 0,
  )
  // A quota that is used up hurts only where somebody wants more.
  const short = workloads.filter(
    w =>
      w.namespace === namespaceIn(d) &&
      w.pods.length < wanted(w.document) &&
      /^(Deployment|StatefulSet|ReplicaSet|Rollout)$/.test(w.kind),
  )
  if (full.length === 0 || short.length === 0 || short.every(w => troubled.has(w.entity))) return []
  const words = full.map(([k, most]) => `${k} ${textOf(get(d, 'status', 'used', k))} of ${textOf(most)}`).join(', ')
  return short.map(w =>
    trouble(
      w.entity,
      'QuotaExceeded',
      'high',
      `quota ${nameIn(d)} is used up: ${words}; ${w.pods.length} of ${wanted(w.document)} pods are there`,
    ),
  )
}

const READERS: Readonly<Record<string, Reader>> = {
  Node: ofNode,
  PersistentVolumeClaim: ofClaim,
  PersistentVolume: ofVolume,
  HorizontalPodAutoscaler: ofScaler,
  Service: ofService,
  Ingress: ofIngress,
  ValidatingWebhookConfiguration: ofWebhooks,
  MutatingWebhookConfiguration: ofWebhooks,
  Namespace: ofNamespace,
  ResourceQuota: ofQuota,
}
export const troublesOfObject: Reader = (d, cluster) => READERS[textOf(d.kind)]?.(d, cluster) ?? []
