import { expect, test } from 'vitest'
import { changesBetween } from './cluster-releases.ts'
import { stateOfCluster } from './cluster-state.ts'

const NOW = Date.parse('2026-01-31T12:00:00Z')
const owned = (kind: string, name: string) => ({ ownerReferences: [{ kind, name, controller: true }] })
const deployment = (name: string, container: object = {}) => [
  {
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: { template: { spec: { containers: [{ name: 'main', image: 'shop:1', ...container }] } } },
  },
  { kind: 'ReplicaSet', metadata: { name: `${name}-1`, namespace: 'shop', ...owned('Deployment', name) } },
]
const pod = (workload: string, n: number, status: object = { state: { running: {} }, ready: true }, more: object = {}) => ({
  kind: 'Pod',
  metadata: { name: `${workload}-1-${n}`, namespace: 'shop', ...owned('ReplicaSet', `${workload}-1`), ...more },
  status: { phase: 'Running', containerStatuses: [{ name: 'main', restartCount: 4, ...status }] },
})
const crashing = {
  state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
  lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
}
const event = (name: string, message: string, at: number) => ({
  kind: 'Event',
  reason: 'Unhealthy',
  message,
  involvedObject: { kind: 'Pod', name },
  lastTimestamp: new Date(at),
  count: 3,
})
const troubles = (documents: readonly unknown[]) => stateOfCluster(documents, NOW).troubles

test('a crash loop of one pod in three is the pod’s, of two in three the workload’s', () => {
  const one = [...deployment('cart'), pod('cart', 1, crashing), pod('cart', 2), pod('cart', 3)]
  expect(troubles(one)).toEqual([
    {
      entity: 'pod:cart-1-1',
      kind: 'crash_loop',
      name: 'CrashLoopBackOff',
      severity: 'high',
      summary: 'main: CrashLoopBackOff after it ended with OOMKilled (137), 4 restarts: back-off 40s',
    },
  ])
  const two = [...deployment('cart'), pod('cart', 1, crashing), pod('cart', 2, crashing), pod('cart', 3)]
  expect(troubles(two)).toMatchObject([{ entity: 'service:cart', summary: expect.stringMatching(/^2 of 3 pods: main: Crash/) }])
})

test('says nothing of what starts, ends or has been well for a minute', () => {
  const starting = { state: { waiting: { reason: 'ContainerCreating' } } }
  const documents = [
    ...deployment('cart'),
    pod('cart', 1, starting),
    pod('cart', 2, crashing, { deletionTimestamp: new Date(NOW) }),
    pod('cart', 3),
    event('cart-1-3', 'Readiness probe failed: 503', NOW - 61_000),
  ]
  expect(troubles(documents)).toEqual([])
})

test('failed probes come from recent events; images that cannot be pulled are told too', () => {
  const documents = [
    ...deployment('cart'),
    ...deployment('till'),
    pod('cart', 1),
    pod('cart', 2),
    pod('cart', 3),
    event('cart-1-2', 'Liveness probe failed: connection refused', NOW - 5000),
    pod('till', 1, { state: { waiting: { reason: 'ErrImagePull', message: 'not found' } } }),
  ]
  expect(troubles(documents)).toMatchObject([
    {
      entity: 'pod:cart-1-2',
      kind: 'probe',
      name: 'liveness',
      severity: 'high',
      summary: 'Liveness probe failed: connection refused',
    },
    { entity: 'service:till', kind: 'event', name: 'ErrImagePull' },
  ])
})

test('an image is a deploy, a setting a change of configuration that never shows its value; a new workload is neither', () => {
  const at = (documents: readonly unknown[]) => stateOfCluster(documents, NOW).releases
  const map = (value: string) => ({ kind: 'ConfigMap', metadata: { name: 'limits', namespace: 'shop' }, data: { rate: value } })
  const from = { env: [{ name: 'TOKEN', value: 'hunter2' }], envFrom: [{ configMapRef: { name: 'limits' } }] }
  const before = at([...deployment('cart', from), map('10')])
  const after = at([
    ...deployment('cart', { ...from, image: 'shop:2', env: [{ name: 'TOKEN', value: 'hunter3' }] }),
    map('10'),
    ...deployment('till'),
  ])
  const found = changesBetween(before, after)
  expect(found).toMatchObject([
    { entity: 'service:cart', kind: 'deploy', before: 'main shop:1', after: 'main shop:2' },
    { entity: 'service:cart', kind: 'config', before: expect.stringMatching(/^main TOKEN #[0-9a-f]{8}$/) },
  ])
  expect(JSON.stringify(found)).not.toContain('hunter')
  const limits = changesBetween(before, at([...deployment('cart', from), map('20')]))
  expect(limits).toMatchObject([{ kind: 'config', before: expect.stringMatching(/^main limits\/rate #/) }])
  expect(changesBetween(before, before)).toEqual([])
})
