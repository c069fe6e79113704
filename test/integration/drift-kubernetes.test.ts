/** Drift on a real API server: found by who owns which field, taken back or written into code, and read again; what a controller owns stays as it is. */
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '@aegis/drift-analysis/noise/same-value'
import { codifyManifest, leftovers, revertManifest } from '@aegis/drift-analysis/remedy/remedies'
import { compareObjects, ownersOf, readKubernetes } from '@aegis/drift-analysis/sources/kubernetes'
import { AppsV1Api, CoreV1Api, KubernetesObjectApi, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from './kubernetes-cluster.ts'

const root = path.resolve(import.meta.dirname, '../..')
const { controlPlane } = (await import(path.join(root, 'tools/setup/kubernetes.mjs'))) as {
  controlPlane: () => Promise<string | undefined>
}
const home = await controlPlane()
const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
const namespace = 'shop'
const plain = (v: unknown): JsonObject => JSON.parse(JSON.stringify(v)) as JsonObject

describe.skipIf(!home)('drift on a real API server', () => {
  let cluster: TestCluster
  let apps: AppsV1Api
  let core: CoreV1Api
  let objects: KubernetesObjectApi

  const deployment = (name: string): JsonObject =>
    plain({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels: { app: name } },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            containers: [
              {
                name: 'web',
                image: 'shop:1',
                resources: { limits: { cpu: '0.5', memory: '1Gi' } },
                ports: [{ containerPort: 80 }],
              },
            ],
          },
        },
      },
    })
  /** Server-side apply, as delivery tools do it. */
  const apply = (object: JsonObject, manager: string) =>
    objects.patch(object as never, undefined, undefined, manager, true, PatchStrategy.ServerSideApply)
  const read = async (name: string): Promise<JsonObject> => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    ...plain(await apps.readNamespacedDeployment({ name, namespace })),
  })
  const byHand = (name: string, body: object) =>
    apps.patchNamespacedDeployment({ name, namespace, body, fieldManager: 'kubectl-edit' }, MERGE)
  const revert = async (wanted: JsonObject, name: string) => {
    const live = await read(name)
    const manifest = revertManifest(wanted, live)
    if (manifest) await apply(manifest, 'delivery')
    const gone = leftovers(wanted, await read(name))
    if (gone) await apps.patchNamespacedDeployment({ name, namespace, body: gone, fieldManager: 'delivery' }, MERGE)
  }

  beforeAll(async () => {
    cluster = await startCluster(home as string)
    const config = cluster.as(cluster.adminToken)
    apps = config.makeApiClient(AppsV1Api)
    core = config.makeApiClient(CoreV1Api)
    objects = KubernetesObjectApi.makeApiClient(config)
    await core.createNamespace({ body: { metadata: { name: namespace } } })
  }, 120_000)
  afterAll(() => cluster?.stop())

  it('a fresh object with all that the server fills in is no drift', async () => {
    const wanted = deployment('fresh')
    await apply(wanted, 'delivery')
    const live = await read('fresh')
    expect(compareObjects(wanted, live).changes).toEqual([])
    expect(ownersOf(live)['spec.replicas']).toEqual(['delivery'])
  })

  it('what a person changed is found with its owner, taken back, and read again as the code says', async () => {
    const wanted = deployment('edited')
    await apply(wanted, 'delivery')
    await byHand('edited', {
      metadata: { labels: { hot: 'fix' } },
      spec: { template: { spec: { containers: [{ name: 'web', image: 'shop:2', env: [{ name: 'DEBUG', value: '1' }] }] } } },
    })
    const found = readKubernetes([await read('edited')], [wanted]).findings[0]
    expect([...(found?.attributes ?? [])].sort()).toEqual(['metadata.labels', 'spec.template'])
    expect(found?.changes.find(c => c.path === 'metadata.labels.hot')?.owners).toEqual(['kubectl-edit'])
    await revert(wanted, 'edited')
    expect(compareObjects(wanted, await read('edited')).changes).toEqual([])
  })

  it('replicas that an autoscaler owns are no drift and are never reverted', async () => {
    const wanted = deployment('scaled')
    await apply(wanted, 'delivery')
    const body = await apps.readNamespacedDeploymentScale({ name: 'scaled', namespace })
    body.spec = { replicas: 7 }
    await apps.replaceNamespacedDeploymentScale({ name: 'scaled', namespace, body, fieldManager: 'keda-operator' })
    await byHand('scaled', { spec: { template: { spec: { containers: [{ name: 'web', image: 'shop:3' }] } } } })
    const found = readKubernetes([await read('scaled')], [wanted])
    expect(found.findings[0]?.attributes).toEqual(['spec.template'])
    await revert(wanted, 'scaled')
    const after = await read('scaled')
    expect((after.spec as JsonObject).replicas).toBe(7)
    expect(compareObjects(wanted, after).changes).toEqual([])
  })

  it('a change that is kept is written into code, and applying that code changes nothing', async () => {
    const wanted = deployment('kept')
    await apply(wanted, 'delivery')
    await byHand('kept', { spec: { replicas: 5 } })
    const live = await read('kept')
    const code = codifyManifest(wanted, live, ['spec.replicas'])
    expect(compareObjects(code, live).changes).toEqual([])
    await apply(code, 'delivery')
    await sleep(200)
    expect((await read('kept')).spec).toEqual(live.spec)
  })
})
