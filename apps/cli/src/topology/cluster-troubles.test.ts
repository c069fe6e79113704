import { describe, expect, it } from 'vitest'
import { stateOfCluster } from './cluster-state.ts'
import { lastDue } from './cron-schedule.ts'

const NOW = Date.parse('2026-03-04T12:00:00Z')
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()
const HOUR = 3600
const meta = (name: string, more: object = {}) => ({ name, namespace: 'bank', creationTimestamp: ago(HOUR), ...more })
const owner = (kind: string, name: string) => ({ ownerReferences: [{ kind, name, controller: true }] })
const workload = (kind: string, name: string, status: object = {}, spec: object = {}, more: object = {}) => ({
  kind,
  metadata: meta(name, more),
  spec: {
    replicas: 1,
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: `${name}:2` }] } },
    ...spec,
  },
  status,
})
const pod = (
  name: string,
  of: readonly [kind: string, name: string],
  status: object = {},
  more: object = {},
  spec: object = {},
) => ({
  kind: 'Pod',
  metadata: meta(name, { ...owner(...of), labels: { app: of[1] }, ...more }),
  spec: { containers: [{ name: 'main', image: 'x' }], ...spec },
  status,
})
const well = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True' }],
  containerStatuses: [{ name: 'main', ready: true, restartCount: 0, state: { running: { startedAt: ago(HOUR) } } }],
}
const container = (state: object, lastState: object = {}, restartCount = 0) => ({
  phase: 'Running',
  containerStatuses: [{ name: 'main', state, lastState, restartCount, ready: false }],
})
const warning = (kind: string, name: string, reason: string, message: string, more: object = {}) => ({
  kind: 'Event',
  type: 'Warning',
  reason,
  message,
  count: 9,
  lastTimestamp: ago(20),
  involvedObject: { kind, name, namespace: 'bank' },
  ...more,
})
const said = (...documents: object[]) => stateOfCluster(documents, NOW).troubles.map(t => `${t.entity} ${t.name}: ${t.summary}`)
const condition = (type: string, status: string, reason: string, message: string, seconds = HOUR) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: ago(seconds),
})

describe('pods, told of the workload whether its objects can be seen or not', () => {
  const of = ['ReplicaSet', 'till-7d9f8'] as const
  const died = (reason: string, exitCode: number, finished: number, life = 300) => ({
    terminated: { reason, exitCode, startedAt: ago(finished + life), finishedAt: ago(finished) },
  })
  const running = (since: number) => ({ running: { startedAt: ago(since) } })
  it.each([
    [
      'killed for memory a while ago, as every half hour',
      container(running(1500), died('OOMKilled', 137, 1500, 1800), 6),
      /OOMKilled: .*main: ended with OOMKilled \(137\) 25 min ago, 6 restarts/,
    ],
    ['dies again and again', container(running(30), died('Error', 1, 40, 60), 5), / Error: .*Error \(1\)/],
    ['between two deaths', container(died('OOMKilled', 137, 3), died('OOMKilled', 137, 60), 2), /OOMKilled/],
    [
      'cannot be configured',
      container({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "s" not found' } }),
      /CreateContainerConfigError.*secret "s" not found/,
    ],
    [
      'a reason that nobody knew before',
      container({ waiting: { reason: 'SpaceNotFound', message: 'no space' } }),
      /SpaceNotFound.*no space/,
    ],
    [
      'cannot be scheduled',
      {
        phase: 'Pending',
        conditions: [condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available: 3 Insufficient cpu.')],
      },
      /Unschedulable: .*Insufficient cpu/,
    ],
    [
      'evicted',
      { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
      /Evicted: .*low on resource: memory/,
    ],
    [
      'ended badly',
      { phase: 'Failed', containerStatuses: [{ name: 'main', state: died('Error', 2, 60) }] },
      /Error: .*ended with Error \(2\)/,
    ],
    [
      'being created for long',
      { ...container({ waiting: { reason: 'ContainerCreating' } }), phase: 'Pending' },
      /ContainerCreating since 60 min/,
    ],
    [
      'behind its init containers',
      {
        phase: 'Pending',
        conditions: [condition('Initialized', 'False', 'ContainersNotInitialized', 'containers with incomplete status: [wait]')],
      },
      /init containers: .*\[wait\]/,
    ],
    [
      'not ready for long',
      {
        ...container(running(HOUR)),
        conditions: [condition('Ready', 'False', 'ContainersNotReady', 'containers with unready status: [main]')],
      },
      /readiness: .*unready status: \[main\]/,
    ],
    ['its node is lost', { phase: 'Unknown', reason: 'NodeLost', message: 'the node was lost' }, /NodeLost: the node was lost/],
  ])('%s', (_, status, words) => {
    expect(said(pod('till-7d9f8-x', of, status))).toEqual([expect.stringMatching(/^service:till /)])
    expect(said(pod('till-7d9f8-x', of, status))[0]).toMatch(words)
    const set = { kind: 'ReplicaSet', metadata: meta('till-7d9f8', owner('Deployment', 'till')), spec: {} }
    expect(said(workload('Deployment', 'till'), set, pod('till-7d9f8-x', of, status))[0]).toMatch(/^service:till /)
  })
  it.each([
    [
      'killed for memory once, long ago',
      {
        ...well,
        containerStatuses: [
          {
            name: 'main',
            ready: true,
            restartCount: 1,
            state: running(3 * HOUR),
            lastState: died('OOMKilled', 137, 3 * HOUR, 600),
          },
        ],
      },
    ],
    ['restarted once', container(running(30), died('Error', 1, 40), 1)],
    ['being created', { ...container({ waiting: { reason: 'ContainerCreating' } }), phase: 'Pending', startTime: ago(20) }],
    [
      'not scheduled for a moment',
      { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable', 'no node', 10)] },
    ],
    [
      'evicted long ago',
      { phase: 'Failed', reason: 'Evicted', containerStatuses: [{ name: 'main', state: died('Error', 137, 3 * HOUR) }] },
    ],
    ['done', { phase: 'Succeeded' }],
    ['becoming ready', { ...container(running(40)), conditions: [condition('Ready', 'False', 'ContainersNotReady', '', 40)] }],
  ])('nothing is said of one %s', (_, status) => {
    expect(said(pod('till-7d9f8-x', of, status))).toEqual([])
  })
  it('warnings count while they go on, and while the pod is not well', () => {
    const waiting = { ...container({ waiting: { reason: 'ContainerCreating' } }), phase: 'Pending' }
    const mount = (more: object) => warning('Pod', 'till-7d9f8-x', 'FailedMount', 'volume "v" : secret "s" not found', more)
    expect(said(pod('till-7d9f8-x', of, waiting), mount({}))).toEqual([
      'service:till FailedMount: 1 of 1 pods: FailedMount: volume "v" : secret "s" not found',
    ])
    const newer = {
      count: undefined,
      lastTimestamp: undefined,
      series: { count: 4, lastObservedTime: ago(30) },
      involvedObject: undefined,
      regarding: { kind: 'Pod', name: 'till-7d9f8-x' },
      message: undefined,
      note: 'secret "s" not found',
    }
    expect(said(pod('till-7d9f8-x', of, waiting), mount(newer))[0]).toContain('FailedMount: secret "s" not found')
    expect(said(pod('till-7d9f8-x', of, well), mount({}))).toEqual([])
    expect(
      said(
        pod('till-7d9f8-x', of, well),
        warning('Pod', 'till-7d9f8-x', 'Unhealthy', 'Liveness probe failed: 500', { count: 1 }),
      ),
    ).toEqual([])
  })
  it('one that does not go away', () => {
    const leaving = { deletionTimestamp: ago(HOUR), finalizers: ['example.org/keep'] }
    expect(said(pod('till-7d9f8-x', of, well, leaving))[0]).toMatch(
      /^service:till Terminating: .*since 60 min, held by example.org\/keep/,
    )
  })
})

describe('workloads', () => {
  it('whose pods cannot be made, by the replica set that cannot make them', () => {
    const failing = condition('ReplicaFailure', 'True', 'FailedCreate', 'pods "till" is forbidden: exceeded quota: small')
    expect(said(workload('Deployment', 'till', { conditions: [failing] }))[0]).toMatch(
      /^service:till FailedCreate: .*exceeded quota: small/,
    )
    const set = { kind: 'ReplicaSet', metadata: meta('till-1', owner('Deployment', 'till')), spec: {}, status: {} }
    expect(
      said(workload('Deployment', 'till'), set, warning('ReplicaSet', 'till-1', 'FailedCreate', 'exceeded quota'))[0],
    ).toMatch(/^service:till FailedCreate: FailedCreate: exceeded quota/)
    expect(
      said(workload('StatefulSet', 'till-db'), warning('StatefulSet', 'till-db', 'FailedCreate', 'exceeded quota'))[0],
    ).toMatch(/^database:till-db FailedCreate/)
  })
  it.each([
    [
      'Deployment',
      {
        conditions: [
          condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'ReplicaSet "till-2" has timed out progressing.'),
        ],
      },
      /ProgressDeadlineExceeded: .*timed out progressing/,
    ],
    [
      'Deployment',
      {
        replicas: 1,
        unavailableReplicas: 1,
        conditions: [condition('Available', 'False', 'MinimumReplicasUnavailable', 'no minimum')],
      },
      /0 of 1 pods are available: MinimumReplicas/,
    ],
    ['StatefulSet', { replicas: 1, readyReplicas: 0 }, /0 of 1 pods are available/],
    [
      'DaemonSet',
      { desiredNumberScheduled: 3, numberReady: 2, numberAvailable: 2, numberUnavailable: 1 },
      /2 of 3 pods are available/,
    ],
    ['Rollout', { phase: 'Degraded', message: 'the analysis failed' }, /Degraded: the analysis failed/],
    [
      'Job',
      { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit')] },
      /BackoffLimitExceeded/,
    ],
  ])('%s that is stuck', (kind, status, words) => {
    expect(said(workload(kind, 'till', status))).toEqual([expect.stringMatching(/^service:till /)])
    expect(said(workload(kind, 'till', status))[0]).toMatch(words)
  })
  it('nothing is said of what is scaled to nothing, paused or well', () => {
    expect(
      said(
        workload('Deployment', 'till', { conditions: [condition('Available', 'True', '', '')] }, { replicas: 0 }),
        workload('DaemonSet', 'log', { desiredNumberScheduled: 2, numberReady: 2, numberAvailable: 2 }),
      ),
    ).toEqual([])
  })
  it('a schedule counts by its last run, and by the runs it missed', () => {
    const cron = (more: object, status: object) => ({
      kind: 'CronJob',
      metadata: meta('bill', { creationTimestamp: ago(90 * HOUR) }),
      spec: {
        schedule: '0 * * * *',
        jobTemplate: { spec: { template: { spec: { containers: [{ name: 'main', image: 'b' }] } } } },
        ...more,
      },
      status,
    })
    const job = (n: number, type: string) => ({
      kind: 'Job',
      metadata: meta(`bill-${n}`, { ...owner('CronJob', 'bill'), creationTimestamp: ago(600 - n) }),
      spec: {},
      status: { conditions: [condition(type, 'True', type === 'Failed' ? 'BackoffLimitExceeded' : '', '')] },
    })
    const ran = { lastScheduleTime: ago(0) }
    expect(said(cron({}, ran), job(1, 'Complete'), job(2, 'Failed'))[0]).toMatch(
      /^service:bill BackoffLimitExceeded: its job bill-2 failed/,
    )
    expect(said(cron({}, ran), job(1, 'Failed'), job(2, 'Complete'))).toEqual([])
    expect(said(cron({}, { lastScheduleTime: ago(5 * HOUR) }))[0]).toMatch(
      /^service:bill MissedSchedule: "0 \* \* \* \*" was due 60 min ago, it last ran 5 h ago/,
    )
    expect(said(cron({ suspend: true }, { lastScheduleTime: ago(5 * HOUR) }))).toEqual([])
    expect(said(cron({ schedule: '0 0 31 2 *' }, ran))[0]).toContain('InvalidSchedule')
  })
})

it.each([
  ['*/5 * * * *', '2026-03-04T12:00:00Z', 'UTC'],
  ['30 9-17/2 * * 1-5', '2026-03-04T11:30:00Z', 'UTC'],
  ['0 0 1,15 * mon', '2026-03-02T00:00:00Z', 'UTC'],
  ['0 6 * * *', '2026-03-04T05:00:00Z', 'Europe/Berlin'],
  ['@monthly', '2026-03-01T00:00:00Z', 'UTC'],
  ['0 12 29 2 *', undefined, 'UTC'],
  ['every day', undefined, 'UTC'],
])('%s was last due at %s', (schedule, due, zone) => {
  expect(lastDue(schedule, NOW, zone)).toBe(due && Date.parse(due))
})

describe('everything else', () => {
  const node = (conditions: object[], spec: object = {}) => ({
    kind: 'Node',
    metadata: { name: 'n1' },
    spec,
    status: { conditions },
  })
  const ready = condition('Ready', 'True', 'KubeletReady', '')
  it.each([
    [
      node([condition('Ready', 'Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.')]),
      /^host:n1 NotReady: .*stopped posting/,
    ],
    [
      node([ready, condition('DiskPressure', 'True', 'KubeletHasDiskPressure', 'low')]),
      /^host:n1 DiskPressure: DiskPressure: KubeletHasDiskPressure: low/,
    ],
    [node([ready, condition('ReadonlyFilesystem', 'True', 'FilesystemIsReadOnly', 'ro')]), /^host:n1 ReadonlyFilesystem/],
    [node([ready], { unschedulable: true }), /^host:n1 SchedulingDisabled: the node is cordoned/],
    [
      { kind: 'PersistentVolumeClaim', metadata: meta('data'), status: { phase: 'Lost' } },
      /^volume:data PersistentVolumeClaimLost/,
    ],
    [
      { kind: 'PersistentVolume', metadata: { name: 'pv' }, status: { phase: 'Failed', message: 'gone' } },
      /^volume:pv PersistentVolumeFailed: .*gone/,
    ],
    [
      {
        kind: 'Namespace',
        metadata: { name: 'old', deletionTimestamp: ago(HOUR) },
        status: {
          phase: 'Terminating',
          conditions: [condition('NamespaceContentRemaining', 'True', 'SomeResourcesRemain', 'has 1 thing')],
        },
      },
      /^namespace:old Terminating: .*has 1 thing/,
    ],
    [
      { kind: 'Service', metadata: meta('lost'), spec: { selector: { app: 'nobody' } } },
      /^service:lost NoEndpoints: .*app=nobody/,
    ],
    [
      warning('Certificate', 'tls', 'OrderFailed', 'the order failed'),
      /^certificate:tls OrderFailed: OrderFailed: the order failed \(9 times\)/,
    ],
    [warning('Ingress', 'front', 'Sync', 'no such class'), /^external:front Sync/],
  ])('%#', (d, words) => {
    expect(said(d)).toEqual([expect.stringMatching(words)])
  })
  it.each([
    [node([ready, condition('MemoryPressure', 'False', '', ''), condition('EtcdIsVoter', 'True', '', '')])],
    [node([condition('Ready', 'False', 'KubeletNotReady', 'starting', 10)])],
    [{ kind: 'PersistentVolumeClaim', metadata: meta('data'), status: { phase: 'Pending' } }],
    [{ kind: 'Service', metadata: meta('outside'), spec: {} }],
    [warning('Node', 'n1', 'CheckLimitsForResolvConf', 'limits')],
    [warning('Ingress', 'front', 'Sync', 'once', { count: 1 })],
  ])('nothing is said of %#', d => {
    expect(said(d)).toEqual([])
  })
  it('volumes are told of who waits for them, with what the provisioner says', () => {
    const claim = { kind: 'PersistentVolumeClaim', metadata: meta('data-till-db-0'), status: { phase: 'Pending' } }
    const set = workload('StatefulSet', 'till-db', {}, { volumeClaimTemplates: [{ metadata: { name: 'data' } }] })
    expect(
      said(claim, set, warning('PersistentVolumeClaim', 'data-till-db-0', 'ProvisioningFailed', 'storageclass "fast" not found')),
    ).toEqual([
      'database:till-db PersistentVolumeClaimPending: PersistentVolumeClaim data-till-db-0 is Pending: ProvisioningFailed: storageclass "fast" not found',
    ])
  })
  it('autoscalers speak of their target', () => {
    const scaler = (c: object, status: object = {}) => ({
      kind: 'HorizontalPodAutoscaler',
      metadata: meta('h'),
      spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'till' } },
      status: { conditions: [c], ...status },
    })
    expect(
      said(
        workload('Deployment', 'till'),
        scaler(condition('ScalingActive', 'False', 'FailedGetResourceMetric', 'no metrics')),
      )[0],
    ).toMatch(/^service:till FailedGetResourceMetric: autoscaler h cannot scale/)
    expect(said(scaler(condition('ScalingLimited', 'True', 'TooManyReplicas', 'the most'), { currentReplicas: 3 }))[0]).toMatch(
      /^service:till TooManyReplicas: .*at its most \(3\)/,
    )
    expect(said(scaler(condition('ScalingActive', 'False', 'ScalingDisabled', 'zero')))).toEqual([])
  })
  it('routes and webhooks that lead nowhere', () => {
    const service = { kind: 'Service', metadata: meta('till'), spec: { selector: { app: 'till' } } }
    const ingress = (name: string) => ({
      kind: 'Ingress',
      metadata: meta('front'),
      spec: { rules: [{ http: { paths: [{ backend: { service: { name } } }] } }] },
    })
    const living = [workload('Deployment', 'till'), pod('till-1', ['Deployment', 'till'], well), service]
    expect(said(...living, ingress('gone'))).toEqual([
      'external:front BackendMissing: Ingress front leads to Service gone, which is not there',
    ])
    expect(said(...living, ingress('till'))).toEqual([])
    const hook = (name: string) => ({
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'w' },
      webhooks: [{ name: 'check', clientConfig: { service: { name, namespace: 'bank' } } }],
    })
    expect(said(...living, hook('guard'))[0]).toMatch(
      /^service:guard WebhookUnavailable: webhook check asks Service guard, which is not there/,
    )
    expect(said(...living, hook('till'))).toEqual([])
  })
  it('a quota that is used up is told of who wants more', () => {
    const quota = {
      kind: 'ResourceQuota',
      metadata: meta('small'),
      status: { hard: { 'limits.memory': '2Gi', pods: '10' }, used: { 'limits.memory': '2048Mi', pods: '3' } },
    }
    expect(said(quota, workload('Deployment', 'till', {}, { replicas: 2 }))[0]).toMatch(
      /^service:till QuotaExceeded: quota small is used up: limits.memory 2048Mi of 2Gi; 0 of 2/,
    )
    expect(said(quota, workload('Deployment', 'till'), pod('till-1', ['Deployment', 'till'], well))).toEqual([])
  })
})

it('the release before a trouble stands in its words, and is a change that an hour of others lies behind', () => {
  const set = (revision: number, image: string, seconds: number) => ({
    kind: 'ReplicaSet',
    metadata: meta(`till-${revision}`, {
      ...owner('Deployment', 'till'),
      creationTimestamp: ago(seconds),
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    }),
    spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
  })
  const crashing = container({ waiting: { reason: 'CrashLoopBackOff' } }, {}, 4)
  const state = stateOfCluster(
    [
      workload('Deployment', 'till'),
      set(1, 'till:1', 9 * HOUR),
      set(2, 'till:2', 720),
      pod('till-2-x', ['ReplicaSet', 'till-2'], crashing),
    ],
    NOW,
  )
  expect(state.troubles[0].summary).toMatch(/; released 12 min ago: main till:1 → main till:2$/)
  expect(state.before).toEqual([
    { entity: 'service:till', kind: 'deploy', before: 'main till:1', after: 'main till:2', time: (NOW - 720_000) * 1000 },
  ])
})
