/** The Kubernetes executor, with the rights its manifest gives and no others, against a real API server with its controllers and scheduler. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { changesBetween } from '@aegis/cli/topology/cluster-releases'
import { stateOfCluster } from '@aegis/cli/topology/cluster-state'
import { readCluster, STATE_KINDS } from '@aegis/cli/topology/read-cluster'
import { type Action, Unverified } from '@aegis/domain'
import { Cluster, isReady } from '@aegis/executor/executors/kubernetes/cluster'
import { KubernetesExecutor } from '@aegis/executor/executors/kubernetes/executor'
import { systemOfKubernetes } from '@aegis/root-cause'
import {
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  loadAllYaml,
  PatchStrategy,
  RbacAuthorizationV1Api,
  setHeaderOptions,
  type V1ClusterRole,
  type V1ClusterRoleBinding,
  type V1Deployment,
  type V1Pod,
  type V1Role,
  type V1RoleBinding,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from './kubernetes-cluster.ts'

const root = path.resolve(import.meta.dirname, '../..')
const { controlPlane } = (await import(path.join(root, 'tools/setup/kubernetes.mjs'))) as {
  controlPlane: () => Promise<string | undefined>
}
const home = await controlPlane()
const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
const ACCOUNT = 'system:serviceaccount:aegis:aegis-executor'
const namespace = 'shop'
const WITHIN_MS = 60_000

describe.skipIf(!home)('Kubernetes executor on a real API server', () => {
  let cluster: TestCluster
  let apps: AppsV1Api
  let core: CoreV1Api
  let rbac: RbacAuthorizationV1Api
  let token: string
  let executor: KubernetesExecutor
  let role: V1Role
  let nodeRole: V1ClusterRole
  let ids = 0

  const id = () => `decision-${++ids}`
  const ever = () => AbortSignal.timeout(WITHIN_MS)
  const action = (name: string, target: string, parameters: Record<string, string> = {}): Action => ({
    action: name,
    target,
    environment: 'test',
    parameters,
  })
  const act = (name: string, target: string, parameters: Record<string, string> = {}, as = id()) =>
    executor.execute(action(name, target, parameters), as, ever())
  const until = async (what: string, holds: () => Promise<boolean>) => {
    for (const end = performance.now() + WITHIN_MS; !(await holds()); await sleep(100))
      if (performance.now() > end) throw new Error(`${what}: not within ${WITHIN_MS / 1000} s`)
  }
  const read = (name: string) => apps.readNamespacedDeployment({ name, namespace })
  const pods = async (name: string): Promise<V1Pod[]> =>
    (await core.listNamespacedPod({ namespace, labelSelector: `app=${name}` })).items.filter(p => !p.metadata!.deletionTimestamp)
  const uids = async (name: string) => (await pods(name)).map(p => p.metadata!.uid!).sort()
  const isWell = async (name: string, replicas: number) => {
    const { metadata, spec, status } = await read(name)
    return (
      status?.observedGeneration === metadata!.generation &&
      spec!.replicas === replicas &&
      status?.updatedReplicas === replicas &&
      status?.readyReplicas === replicas &&
      status?.replicas === replicas
    )
  }
  const containerOf = async (name: string) => (await read(name)).spec!.template.spec!.containers[0]
  const template = (name: string, container: object = {}) => ({
    metadata: { labels: { app: name } },
    spec: { containers: [{ name: 'main', image: 'shop:1', ...container }] },
  })
  const deploy = async (name: string, replicas: number, container: object = {}, well = true) => {
    const body: V1Deployment = {
      metadata: { name },
      spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name, container) },
    }
    await apps.createNamespacedDeployment({ namespace, body })
    if (well) await until(`${name} is well`, () => isWell(name, replicas))
  }
  const release = async (name: string, container: object) => {
    const body = { spec: { template: { spec: { containers: [{ ...(await containerOf(name)), ...container }] } } } }
    await apps.patchNamespacedDeployment({ name, namespace, body }, MERGE)
  }
  const makeNode = (name: string, machine = 'fake') =>
    core.createNode({
      body: {
        metadata: { name, annotations: { 'kwok.x-k8s.io/node': machine }, labels: { 'kubernetes.io/hostname': name } },
        status: {
          allocatable: { cpu: '32', memory: '64Gi', pods: '110' },
          capacity: { cpu: '32', memory: '64Gi', pods: '110' },
        },
      },
    })
  /** The accounts and rights as shipped, and no others. */
  const allow = async (who: string) => {
    for (const body of loadAllYaml(readFileSync(path.join(root, `deploy/kubernetes/${who}-rbac.yaml`), 'utf8'))) {
      if (body.kind === 'ServiceAccount') await core.createNamespacedServiceAccount({ namespace: 'aegis', body })
      else if (body.kind === 'Role') {
        const made = await rbac.createNamespacedRole({ namespace, body: body as V1Role })
        if (who === 'executor') role = made
      } else if (body.kind === 'RoleBinding') await rbac.createNamespacedRoleBinding({ namespace, body: body as V1RoleBinding })
      else if (body.kind === 'ClusterRole') {
        const made = await rbac.createClusterRole({ body: body as V1ClusterRole })
        if (who === 'executor') nodeRole = made
      } else await rbac.createClusterRoleBinding({ body: body as V1ClusterRoleBinding })
    }
  }
  const tokenOf = async (name: string): Promise<string> => {
    const body = { spec: { audiences: [], expirationSeconds: 3600 } } as never
    const { status } = await core.createNamespacedServiceAccountToken({ name, namespace: 'aegis', body })
    return status!.token!
  }
  const nodeIs = async (name: string, status: string) =>
    (await core.readNode({ name })).status?.conditions?.find(c => c.type === 'Ready')?.status === status

  beforeAll(async () => {
    cluster = await startCluster(home!)
    const admin = cluster.as(cluster.adminToken)
    apps = admin.makeApiClient(AppsV1Api)
    core = admin.makeApiClient(CoreV1Api)
    rbac = admin.makeApiClient(RbacAuthorizationV1Api)
    for (const name of ['aegis', namespace]) await core.createNamespace({ body: { metadata: { name } } })
    await allow('executor')
    token = await tokenOf('aegis-executor')
    executor = new KubernetesExecutor(new Cluster(cluster.as(token), namespace, false))
    for (const name of ['node-1', 'node-2']) {
      await makeNode(name)
      await until(`${name} is ready`, () => nodeIs(name, 'True'))
    }
  }, 120_000)
  afterAll(() => cluster?.stop())

  it('gives the service graph of what runs: who calls whom, in which pods, on which nodes', async () => {
    await deploy('bank', 1)
    await deploy('till', 2, { env: [{ name: 'BANK', value: 'http://bank:8080' }] })
    await until('the pods have nodes', async () => {
      const list = [...(await pods('till')), ...(await pods('bank'))]
      return list.length === 3 && list.every(p => p.spec?.nodeName)
    })
    const { edges } = systemOfKubernetes(await readCluster(cluster.as(cluster.adminToken), namespace, () => undefined))
    const of = (from: string) => edges.filter(e => e.from === from).map(e => `${e.kind} ${e.to}`)
    const running = await pods('till')
    expect(of('service:till').sort()).toEqual(
      ['calls service:bank', ...running.map(p => `runs_on pod:${p.metadata!.name}`)].sort(),
    )
    for (const p of running) expect(of(`pod:${p.metadata!.name}`)).toEqual([`runs_on host:${p.spec!.nodeName}`])
    const left: string[] = []
    await expect(readCluster(cluster.as('nonsense'), namespace, line => left.push(line))).rejects.toThrow(
      /Deployment cannot be listed/,
    )
    const seen = await readCluster(cluster.as(token), namespace, line => left.push(line))
    expect(left).toContain('Ingress may not be listed: left out')
    expect(seen.length).toBeGreaterThan(0)
    for (const name of ['bank', 'till']) await apps.deleteNamespacedDeployment({ name, namespace })
  })

  it('is watched: a bad release is a change and a crash loop of its service, and both are over when it is', async () => {
    await allow('watch')
    const config = cluster.as(await tokenOf('aegis-watch'))
    const look = async () => {
      const left: string[] = []
      const state = stateOfCluster(await readCluster(config, namespace, line => left.push(line), STATE_KINDS), Date.now())
      expect(left).toEqual([])
      return state
    }
    await deploy('courier', 2)
    const before = await look()
    expect(before.troubles).toEqual([])
    await apps.patchNamespacedDeployment(
      { name: 'courier', namespace, body: { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } } },
      MERGE,
    )
    await release('courier', { image: 'shop:bad', env: [{ name: 'MODE', value: 'fast' }] })
    await until('it crashes', async () => (await look()).troubles.length > 0)
    const during = await look()
    expect(during.troubles).toMatchObject([
      {
        entity: 'service:courier',
        kind: 'crash_loop',
        name: 'CrashLoopBackOff',
        summary: expect.stringContaining('of 2 pods: main'),
      },
    ])
    expect(changesBetween(before.releases, during.releases)).toMatchObject([
      { entity: 'service:courier', kind: 'deploy', before: 'main shop:1', after: 'main shop:bad' },
      { entity: 'service:courier', kind: 'config', before: 'main MODE not set' },
    ])
    await act('rollback_deploy', 'service:courier')
    await until('nothing is wrong', async () => (await look()).troubles.length === 0)
    expect(changesBetween(before.releases, (await look()).releases)).toEqual([])
    await apps.deleteNamespacedDeployment({ name: 'courier', namespace })
  })

  it('rollback_deploy heals a bad release, and can be taken back', async () => {
    await deploy('catalog', 3)
    await release('catalog', { image: 'shop:bad' })
    await until('the bad release crashes', async () =>
      (await pods('catalog')).some(p => p.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff'),
    )
    const receipt = await act('rollback_deploy', 'service:catalog')
    expect(receipt.text).toBe('rolled deployment "catalog" back from revision 2 to 1')
    expect(await isWell('catalog', 3)).toBe(true)
    expect((await containerOf('catalog')).image).toBe('shop:1')
    expect(receipt.undo).toMatchObject({ action: 'rollback_deploy', parameters: { revision: '2' } })
  })
  it('revert_config goes back to the setting before under the same image', async () => {
    await deploy('checkout', 2, { image: 'shop:1', env: [{ name: 'MODE', value: 'old' }] })
    await release('checkout', { image: 'shop:2' })
    await until('the second release is well', () => isWell('checkout', 2))
    await release('checkout', { env: [{ name: 'MODE', value: 'broken' }] })
    await until('it crashes', async () => !(await isWell('checkout', 2)))
    await act('revert_config', 'service:checkout')
    expect(await isWell('checkout', 2)).toBe(true)
    expect(await containerOf('checkout')).toMatchObject({ image: 'shop:2', env: [{ name: 'MODE', value: 'old' }] })
    await deploy('fresh', 1)
    await expect(act('revert_config', 'service:fresh')).rejects.toThrow(
      'deployment "fresh" in namespace "shop" has no earlier revision with the same images to go back to; page a person',
    )
  })
  it('restart heals a crash-looping pod by replacing all, delete_pod by replacing just it', async () => {
    await deploy('cart', 3)
    for (const [name, whom] of [
      ['restart', () => 'service:cart'],
      ['delete_pod', (pod: V1Pod) => `pod:${pod.metadata!.name}`],
    ] as const) {
      const before = await pods('cart')
      const [unlucky] = before
      await core.patchNamespacedPod(
        { name: unlucky.metadata!.name!, namespace, body: { metadata: { labels: { unlucky: 'yes' } } } },
        MERGE,
      )
      await until('it crashes', async () => !(await isWell('cart', 3)))
      await act(name, whom(unlucky))
      const after = await pods('cart')
      expect(after.map(isReady)).toEqual([true, true, true])
      const kept = new Set(after.map(p => p.metadata!.uid!))
      expect(before.filter(p => kept.has(p.metadata!.uid!))).toHaveLength(name === 'restart' ? 0 : 2)
      // Pods are what the executor looks at: the controller's count of them follows.
      await until('its controller says so too', () => isWell('cart', 3))
    }
  })
  it('delete_pod is not done while nothing is in the place of the pod', async () => {
    await deploy('parcel', 3)
    const [pod] = await pods('parcel')
    const full = { metadata: { name: 'full' }, spec: { hard: { pods: '0' } } }
    await core.createNamespacedResourceQuota({ namespace, body: full })
    try {
      const attempt = executor.execute(action('delete_pod', `pod:${pod.metadata!.name}`), id(), AbortSignal.timeout(7000))
      await expect(attempt).rejects.toThrow(/deleted pod "parcel-.*", but ReplicaSet "parcel-.*" has 2 of 3 pods/)
    } finally {
      await core.deleteNamespacedResourceQuota({ name: 'full', namespace })
    }
    await apps.deleteNamespacedDeployment({ name: 'parcel', namespace })
  })
  it('rollout_restart replaces every pod and ends when the last is ready', async () => {
    await deploy('search', 3)
    const before = await uids('search')
    await act('rollout_restart', 'service:search')
    const after = await uids('search')
    expect(after).toHaveLength(3)
    expect(after.filter(u => before.includes(u))).toEqual([])
    expect(await isWell('search', 3)).toBe(true)
  })
  it('raise_limit heals what runs out of memory', async () => {
    await deploy('recommend', 2, { resources: { limits: { memory: '64Mi', cpu: '250m' } } }, false)
    await until('it runs out of memory', async () =>
      (await pods('recommend')).some(p => p.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'OOMKilled'),
    )
    const { text, undo } = await act('raise_limit', 'service:recommend')
    expect(text).toContain('main memory 96Mi')
    expect(await isWell('recommend', 2)).toBe(true)
    expect((await containerOf('recommend')).resources!.limits).toEqual({ memory: '96Mi', cpu: '375m' })
    expect(undo!.parameters).toEqual({ 'limits.main.memory': '64Mi', 'limits.main.cpu': '250m' })
  })
  it('scale_out adds a replica and is taken back; start brings up what is down; scale sets a number', async () => {
    await deploy('payment', 2)
    const { undo } = await act('scale_out', 'service:payment')
    expect(await isWell('payment', 3)).toBe(true)
    await executor.execute(undo!, id(), ever())
    expect(await isWell('payment', 2)).toBe(true)
    await act('scale', 'service:payment', { replicas: '0' })
    expect(await pods('payment')).toEqual([])
    await act('start', 'service:payment', { replicas: '2' })
    expect(await isWell('payment', 2)).toBe(true)
    await expect(act('scale', 'service:payment', { replicas: '-1' })).rejects.toThrow(/whole number/)
  })
  it('cordon, uncordon and drain are seen in the node and where its pods run', async () => {
    await deploy('orders', 4)
    const on = async (node: string) => (await pods('orders')).filter(p => p.spec!.nodeName === node).length
    const unschedulable = async () => (await core.readNode({ name: 'node-2' })).spec!.unschedulable ?? false
    await act('cordon', 'host:node-2')
    expect(await unschedulable()).toBe(true)
    await act('uncordon', 'host:node-2')
    expect(await unschedulable()).toBe(false)
    await until('pods run on node-2', async () => (await on('node-2')) > 0)
    const { undo } = await act('drain', 'host:node-2')
    expect(await unschedulable()).toBe(true)
    await until('all run elsewhere', async () => (await on('node-1')) === 4 && (await isWell('orders', 4)))
    expect(undo!.action).toBe('uncordon')
    await executor.execute(undo!, id(), ever())
    expect(await unschedulable()).toBe(false)
  })
  it('drain moves the work off a node that is lost', async () => {
    await makeNode('node-3', 'doomed')
    await until('node-3 is ready', () => nodeIs('node-3', 'True'))
    for (const name of ['node-1', 'node-2']) await act('cordon', `host:${name}`)
    await deploy('ledger', 3)
    for (const name of ['node-1', 'node-2']) await act('uncordon', `host:${name}`)
    cluster.loseDoomed()
    await until('node-3 is lost', () => nodeIs('node-3', 'Unknown'))
    await until('its work is known to be unwell', async () => !(await isWell('ledger', 3)))
    await act('drain', 'node:node-3')
    await until('its work is well elsewhere', async () => (await read('ledger')).status?.readyReplicas === 3)
    expect(new Set((await pods('ledger')).map(p => p.spec!.nodeName)).has('node-3')).toBe(false)
  })
  it('acts once on one decision, however often and from wherever it is asked', async () => {
    await deploy('profile', 2)
    const other = new KubernetesExecutor(new Cluster(cluster.as(token), namespace, false))
    const once = id()
    const scale = action('scale_out', 'service:profile')
    expect(await executor.find(scale, once, ever())).toBe('not-done')
    const receipts = await Promise.all([executor, other, executor].map(e => e.execute(scale, once, ever())))
    expect((await read('profile')).spec!.replicas).toBe(3)
    expect(new Set(receipts.map(r => r.text))).toEqual(new Set(['scaled deployment "profile" from 2 to 3 replicas']))
    expect(await other.find(scale, once, ever())).toMatchObject(receipts[0])
    const restart = id()
    await act('restart', 'service:profile', {}, restart)
    const after = await uids('profile')
    await act('restart', 'service:profile', {}, restart)
    expect(await uids('profile')).toEqual(after)
    const rolled = id()
    await act('rollout_restart', 'service:profile', {}, rolled)
    await release('profile', { image: 'shop:3' })
    const { generation } = (await read('profile')).metadata!
    await act('rollout_restart', 'service:profile', {}, rolled)
    expect((await read('profile')).metadata!.generation).toBe(generation)
  })
  it('deletes a pod whose name comes back once only', async () => {
    const name = 'store'
    await apps.createNamespacedStatefulSet({
      namespace,
      body: {
        metadata: { name },
        spec: { serviceName: name, replicas: 2, selector: { matchLabels: { app: name } }, template: template(name) },
      },
    })
    const ready = async () =>
      (await apps.readNamespacedStatefulSet({ name, namespace })).status?.readyReplicas === 2 && (await pods(name)).length === 2
    await until('the set is well', ready)
    const before = await uids(name)
    const once = id()
    await act('delete_pod', 'pod:store-0', {}, once)
    await until('the set is well again', ready)
    const after = await uids(name)
    expect(after.filter(u => before.includes(u))).toHaveLength(1)
    await act('delete_pod', 'pod:store-0', {}, once)
    expect(await uids(name)).toEqual(after)
    await act('rollout_restart', 'statefulset:store')
    expect((await uids(name)).filter(u => after.includes(u))).toEqual([])
  })
  it('a canary touches one replica, and the others only once that one is well', async () => {
    await deploy('gateway', 3)
    const before = await uids('gateway')
    await act('restart', 'service:gateway', { canary: 'first' })
    expect((await uids('gateway')).filter(u => before.includes(u))).toEqual([])
    // With nowhere to run, the first one's successor never becomes ready.
    const again = await uids('gateway')
    for (const name of ['node-1', 'node-2']) await act('cordon', `host:${name}`)
    const attempt = executor.execute(action('restart', 'service:gateway', { canary: 'first' }), id(), AbortSignal.timeout(8000))
    try {
      await expect(attempt).rejects.toThrow(
        /deleted the 3 pods of deployment "gateway", but deployment "gateway" has 2 of 3 replicas/,
      )
      expect((await uids('gateway')).filter(u => again.includes(u))).toHaveLength(2)
    } finally {
      for (const name of ['node-1', 'node-2']) await act('uncordon', `host:${name}`)
    }
  })
  it('a canary of a rollout makes one new replica, and the others only once that one is ready', async () => {
    await deploy('advice', 3)
    const before = await uids('advice')
    const limits = async () => {
      const { minReadySeconds, strategy } = (await read('advice')).spec!
      return [minReadySeconds ?? 0, strategy!.rollingUpdate!.maxSurge, strategy!.rollingUpdate!.maxUnavailable]
    }
    const shipped = await limits()
    await act('rollout_restart', 'service:advice', { canary: 'first' })
    expect((await uids('advice')).filter(u => before.includes(u))).toEqual([])
    expect(await limits()).toEqual(shipped)
    // With nowhere to run, the first one never becomes ready: the old ones stay, and the way back lets go.
    const again = await uids('advice')
    for (const node of ['node-1', 'node-2']) await act('cordon', `host:${node}`)
    const once = id()
    try {
      const error = await executor
        .execute(action('rollout_restart', 'service:advice', { canary: 'first' }), once, AbortSignal.timeout(8000))
        .catch((e: unknown) => e as Unverified)
      expect(error).toBeInstanceOf(Unverified)
      expect((error as Unverified).message).toMatch(/the first new replica of deployment "advice" is not ready/)
      const now = await uids('advice')
      expect(now.filter(u => again.includes(u))).toHaveLength(3)
      expect(now).toHaveLength(4)
      expect(await executor.find(action('rollout_restart', 'service:advice'), once, ever())).toBe('ask-again')
      const { undo } = (error as Unverified).receipt
      expect(undo).toMatchObject({ action: 'rollback_deploy' })
      await executor.execute(undo!, `${once}-undo`, ever())
    } finally {
      for (const node of ['node-1', 'node-2']) await act('uncordon', `host:${node}`)
    }
    expect(await uids('advice')).toEqual(again)
    expect(await limits()).toEqual(shipped)
  })
  it('tells what was changed but does not work, with the way back', async () => {
    await deploy('email', 1)
    await release('email', { image: 'shop:bad' })
    await until('it crashes', async () => !(await isWell('email', 1)))
    const once = id()
    const error = await executor
      .execute(action('rollout_restart', 'service:email'), once, AbortSignal.timeout(7000))
      .catch((e: unknown) => e as Error)
    expect(error).toBeInstanceOf(Unverified)
    expect((error as Error).message).toMatch(/restarted deployment "email" by a rolling update, but .*CrashLoopBackOff/)
    expect(await executor.find(action('rollout_restart', 'service:email'), once, ever())).toMatchObject({
      text: expect.stringContaining('restarted'),
    })
  })
  it('a dry run asks the API server and changes nothing', async () => {
    await deploy('ads', 2)
    await deploy('quota', 2)
    await release('quota', { image: 'shop:2' })
    await until('it is well', () => isWell('quota', 2))
    const state = async () => [
      (await read('ads')).metadata!.generation,
      (await read('ads')).metadata!.annotations,
      (await read('quota')).metadata!.generation,
      await uids('ads'),
      await core.readNode({ name: 'node-1' }).then(n => [n.spec!.unschedulable, n.metadata!.annotations]),
    ]
    const before = await state()
    const dry = new KubernetesExecutor(new Cluster(cluster.as(token), namespace, true))
    const one = (await pods('ads'))[0].metadata!.name
    for (const [name, target] of [
      ['restart', 'service:ads'],
      ['rollout_restart', 'service:ads'],
      ['scale_out', 'service:ads'],
      ['rollback_deploy', 'service:quota'],
      ['delete_pod', `pod:${one}`],
      ['cordon', 'host:node-1'],
      ['drain', 'host:node-1'],
    ])
      expect((await dry.execute(action(name, target), id(), ever())).text).not.toBe('')
    expect(await state()).toEqual(before)
    await expect(dry.execute(action('restart', 'service:nobody'), id(), ever())).rejects.toThrow(
      'get statefulsets "nobody" in namespace "shop": it does not exist; check the name of the entity and the namespace',
    )
  })

  describe('rights', () => {
    const review = async (verb: string, group: string, resource: string, inNamespace: boolean) => {
      const [name, subresource] = resource.split('/')
      const answer = await cluster
        .as(cluster.adminToken)
        .makeApiClient(AuthorizationV1Api)
        .createSubjectAccessReview({
          body: {
            spec: {
              user: ACCOUNT,
              resourceAttributes: { verb, group, resource: name, subresource, namespace: inNamespace ? namespace : undefined },
            },
          },
        })
      return answer.status!.allowed
    }
    /** What each right is for: an action that cannot do without it. */
    const NEEDED: readonly (readonly [verb: string, group: string, resource: string, action: string, target: string])[] = [
      ['get', 'apps', 'deployments', 'scale_out', 'service:rights'],
      ['patch', 'apps', 'deployments', 'scale_out', 'service:rights'],
      ['get', 'apps', 'statefulsets', 'rollout_restart', 'service:rights-set'],
      ['patch', 'apps', 'statefulsets', 'rollout_restart', 'service:rights-set'],
      ['list', 'apps', 'replicasets', 'rollback_deploy', 'service:rights'],
      ['get', '', 'pods', 'delete_pod', 'pod:rights'],
      ['list', '', 'pods', 'restart', 'service:rights'],
      ['delete', '', 'pods', 'restart', 'service:rights'],
      ['get', '', 'nodes', 'cordon', 'host:node-1'],
      ['patch', '', 'nodes', 'cordon', 'host:node-1'],
      ['list', '', 'pods', 'drain', 'host:node-1'],
      ['create', '', 'pods/eviction', 'drain', 'host:node-1'],
    ]
    const without = (rules: V1Role['rules'], verb: string, group: string, resource: string) =>
      (rules ?? [])
        .flatMap(rule =>
          rule.resources!.map(r => ({
            apiGroups: rule.apiGroups,
            resources: [r],
            verbs: rule.verbs.filter(v => !(v === verb && r === resource && rule.apiGroups!.includes(group))),
          })),
        )
        .filter(rule => rule.verbs.length > 0)

    it('the manifest grants nothing that no action needs', () => {
      const granted = (r: V1Role | V1ClusterRole) =>
        r.rules!.flatMap(rule =>
          rule.apiGroups!.flatMap(g => rule.resources!.flatMap(res => rule.verbs.map(v => `${r.kind ?? ''} ${v} ${g} ${res}`))),
        )
      const isNodes = (target: string) => target.startsWith('host')
      const wanted = NEEDED.map(([v, g, r, , target]) => ` ${v} ${g} ${r}${isNodes(target) ? ' *' : ''}`)
      const all = [...granted({ ...role, kind: '' }), ...granted({ ...nodeRole, kind: '' }).map(text => `${text} *`)]
      expect(all.sort()).toEqual([...new Set(wanted)].sort())
    })
    it.each(NEEDED)('without "%s %s/%s" %s of %s is refused, naming the rule', async (verb, group, resource, name, target) => {
      const isNodes = target.startsWith('host')
      if (!(await apps.listNamespacedDeployment({ namespace, fieldSelector: 'metadata.name=rights' })).items.length) {
        await deploy('rights', 1)
        await release('rights', { image: 'shop:2' })
        await until('it is well', () => isWell('rights', 1))
        await apps.createNamespacedStatefulSet({
          namespace,
          body: {
            metadata: { name: 'rights-set' },
            spec: {
              serviceName: 'x',
              replicas: 1,
              selector: { matchLabels: { app: 'rights-set' } },
              template: template('rights-set'),
            },
          },
        })
        await until('the set is well', async () => (await pods('rights-set'))[0]?.status?.phase === 'Running')
      }
      const change = async (rules: V1Role['rules']) => {
        if (isNodes) await rbac.patchClusterRole({ name: nodeRole.metadata!.name!, body: { rules } }, MERGE)
        else await rbac.patchNamespacedRole({ name: role.metadata!.name!, namespace, body: { rules } }, MERGE)
      }
      // Listing pods everywhere includes those of one namespace: that right is looked at with the wider one away.
      const hidden = !isNodes && verb === 'list' && resource === 'pods'
      const all = (isNodes ? nodeRole : role).rules
      try {
        if (hidden)
          await rbac.patchClusterRole(
            { name: nodeRole.metadata!.name!, body: { rules: without(nodeRole.rules, verb, group, resource) } },
            MERGE,
          )
        await change(without(all, verb, group, resource))
        await until('the right is gone', async () => !(await review(verb, group, resource, !isNodes)))
        const pod = target.startsWith('pod:') ? `pod:${(await pods('rights'))[0].metadata!.name}` : target
        await expect(act(name, pod)).rejects.toThrow(
          `the executor's account lacks the RBAC rule {apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]}; add it as in deploy/kubernetes/executor-rbac.yaml`,
        )
      } finally {
        await change(all)
        if (hidden) await rbac.patchClusterRole({ name: nodeRole.metadata!.name!, body: { rules: nodeRole.rules } }, MERGE)
        await until('the right is back', () => review(verb, group, resource, !isNodes))
        if (isNodes) await core.patchNode({ name: 'node-1', body: { spec: { unschedulable: false } } }, MERGE)
      }
    })
    it('may not read secrets, nor act in other namespaces', async () => {
      expect(await review('get', '', 'secrets', true)).toBe(false)
      const elsewhere = new KubernetesExecutor(new Cluster(cluster.as(token), 'default', false))
      await expect(elsewhere.execute(action('restart', 'service:rights'), id(), ever())).rejects.toThrow(
        /get deployments "rights" in namespace "default": the executor's account lacks the RBAC rule/,
      )
      const stranger = new KubernetesExecutor(new Cluster(cluster.as('nonsense'), namespace, false))
      await expect(stranger.execute(action('restart', 'service:rights'), id(), ever())).rejects.toThrow(
        /credentials are not accepted/,
      )
    })
  })
})

if (!home)
  it.skip('Kubernetes executor: NOT TESTED, because Go is missing and the control plane is not in the cache', () => undefined)
