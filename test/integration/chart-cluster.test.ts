/**
 * The chart on a real API server (nodes and pods played by kwok): dry run, install, upgrade, rollback, uninstall; the services run outside as
 * processes, by the environment that the chart gave their pods, on the real servers of the tests.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Decision, decisions, type LogEvent, logsParsed } from '@aegis/domain'
import { connect, RUNTIME_SETTINGS, readConfig, silentLog } from '@aegis/runtime'
import { StreamClient } from '@aegis/stack/pipeline/client'
import {
  ApiextensionsV1Api,
  AppsV1Api,
  AuthorizationV1Api,
  BatchV1Api,
  CoreV1Api,
  KubernetesObjectApi,
  loadAllYaml,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VALUE_SETS } from './chart-values.ts'
import { CHART, type Helm, helmOf, type Manifest } from './helm.ts'
import { startCluster, type TestCluster } from './kubernetes-cluster.ts'
import { stackEnv } from './stack-env.ts'

const root = path.resolve(import.meta.dirname, '../..')
const tool = (file: string) => import(path.join(root, 'tools/setup', file))
const [plane, tools] = [await (await tool('kubernetes.mjs')).controlPlane(), await (await tool('go-tools.mjs')).goTools()] as (
  | string
  | undefined
)[]
const lacking = plane && tools ? '' : ' (left out: neither Helm and a control plane in the cache, nor Go to build them)'
const NAMESPACE = 'aegis'
/** Of Strimzi there is no schema to be had without its images: its resources are checked as far as their form goes. */
const OPEN = ['kafkatopics', 'kafkausers'].map(plural => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.kafka.strimzi.io` },
  spec: {
    group: 'kafka.strimzi.io',
    scope: 'Namespaced',
    names: { plural, singular: plural.slice(0, -1), kind: plural === 'kafkatopics' ? 'KafkaTopic' : 'KafkaUser' },
    versions: [
      {
        name: 'v1beta2',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}))

describe.skipIf(lacking !== '')(`the chart on a real API server${lacking}`, () => {
  let cluster: TestCluster
  let helm: Helm
  let core: CoreV1Api
  let apps: AppsV1Api
  let objects: KubernetesObjectApi
  let client: StreamClient
  let before: Set<string> | undefined
  let older: string
  let newer: string
  const children = new Map<string, ChildProcess>()

  /** Every object there is, of every kind that can be listed. */
  const everything = async (): Promise<Set<string>> => {
    const names = new Set<string>()
    const config = cluster.as(cluster.adminToken)
    const get = async (at: string): Promise<any> => {
      const response = await fetch(`${config.getCurrentCluster()?.server}${at}`, {
        headers: { authorization: `Bearer ${cluster.adminToken}` },
      })
      return response.ok ? response.json() : { resources: [], groups: [], items: [] }
    }
    const groups = (await get('/apis')).groups.map((g: any) => `/apis/${g.preferredVersion.groupVersion}`)
    for (const at of ['/api/v1', ...groups])
      for (const { name, verbs, kind } of (await get(at)).resources)
        if (
          verbs.includes('list') &&
          !name.includes('/') &&
          !['Event', 'Lease', 'Pod', 'EndpointSlice', 'Endpoints'].includes(kind)
        )
          for (const { metadata } of (await get(`${at}/${name}`)).items ?? [])
            names.add(`${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
    return names
  }
  const values = (more: object = {}) => {
    const { NEO4J_USER, ...stack } = stackEnv()
    return helm.values({
      settings: {
        KAFKA_BROKERS: stack.KAFKA_BROKERS,
        SCHEMA_REGISTRY_URL: stack.SCHEMA_REGISTRY_URL,
        NEO4J_URI: stack.NEO4J_URI,
        NEO4J_USER,
        AEGIS_DATA_PARTITIONS: 2,
        AEGIS_ENVIRONMENT_PARTITIONS: 1,
        AEGIS_SETTLE_MS: 1000,
        LOG_LEVEL: 'warn',
      },
      services: { gateway: { settings: { AEGIS_OTLP_GRPC_PORT: 'off' }, ports: [] } },
      rbac: { executor: { namespaces: ['shop'] }, watch: { namespaces: ['shop'] } },
      ...more,
    })
  }
  const at = ['--namespace', NAMESPACE, '--wait', '--timeout', '90s']
  const deployed = async (service: string) =>
    (await apps.readNamespacedDeployment({ namespace: NAMESPACE, name: `aegis-${service}` })).spec!.template.spec!.containers[0]
  /** The environment that a pod of this service gets, secrets looked up as the kubelet would. */
  const environmentOf = async (service: string): Promise<Record<string, string>> => {
    const env: Record<string, string> = {}
    for (const { name, value, valueFrom } of (await deployed(service)).env ?? []) {
      const ref = valueFrom?.secretKeyRef
      const secret = ref && (await core.readNamespacedSecret({ namespace: NAMESPACE, name: ref.name! })).data?.[ref.key]
      env[name] = ref ? Buffer.from(secret ?? '', 'base64').toString() : (value ?? '')
    }
    return env
  }
  const launch = async (service: string): Promise<{ child: ChildProcess; port: number }> => {
    const { command, args } = await deployed(service)
    expect([command, args]).toEqual([undefined, undefined])
    const env = {
      PATH: process.env.PATH,
      ...(await environmentOf(service)),
      AEGIS_HOST: '127.0.0.1',
      AEGIS_PORT: '0',
      AEGIS_STOP_WITH_PARENT: '1',
    }
    const child = spawn(process.execPath, [path.join(root, 'services', service, 'src/main.ts')], {
      cwd: root,
      env,
      stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
    })
    const { port } = await new Promise<{ port: number }>((resolve, reject) => {
      child.once('message', message => resolve(message as { port: number }))
      child.once('exit', code => reject(new Error(`${service} ended with ${code} while starting`)))
    })
    return { child, port }
  }
  const end = async (child: ChildProcess | undefined): Promise<number | null> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return null
    const gone = new Promise<number | null>(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    return gone
  }

  beforeAll(async () => {
    cluster = await startCluster(plane as string)
    const config = cluster.as(cluster.adminToken)
    core = config.makeApiClient(CoreV1Api)
    apps = config.makeApiClient(AppsV1Api)
    objects = KubernetesObjectApi.makeApiClient(config)
    // The API server of the tests signs for itself.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    helm = helmOf(tools as string, config.exportConfig())
    for (const name of [NAMESPACE, 'shop', 'till']) await core.createNamespace({ body: { metadata: { name } } })
    const allocatable = { cpu: '32', memory: '64Gi', pods: '110', 'ephemeral-storage': '64Gi' }
    await core.createNode({
      body: {
        metadata: { name: 'node', annotations: { 'kwok.x-k8s.io/node': 'fake' } },
        status: { allocatable, capacity: allocatable },
      },
    })
    const crds = config.makeApiClient(ApiextensionsV1Api)
    const folder = path.join(tools as string, 'crds')
    const defined = readdirSync(folder).flatMap(file => loadAllYaml(readFileSync(path.join(folder, file), 'utf8')))
    for (const body of [...defined, ...OPEN]) await crds.createCustomResourceDefinition({ body: body as never })
    const { NEO4J_PASSWORD, REDIS_URL } = stackEnv()
    await core.createNamespacedSecret({
      namespace: NAMESPACE,
      body: {
        metadata: { name: 'aegis' },
        stringData: { 'api-token': randomUUID(), 'neo4j-password': NEO4J_PASSWORD, 'redis-url': REDIS_URL },
      },
    })
    client = new StreamClient(connect(readConfig(RUNTIME_SETTINGS, stackEnv()), 'chart', silentLog()))
    // The API server of the tests was built without a version, so the chart must not ask for one.
    const copy = (name: string, edits: Readonly<Record<string, readonly [RegExp, string]>>) => {
      const to = path.join(helm.scratch, name)
      cpSync(CHART, to, { recursive: true })
      for (const [file, [from, into]] of Object.entries({ 'Chart.yaml': [/^kubeVersion: .*$/m, ''], ...edits } as typeof edits)) {
        const text = readFileSync(path.join(to, file), 'utf8')
        expect(text).toMatch(from)
        writeFileSync(path.join(to, file), text.replace(from, into))
      }
      return to
    }
    newer = copy('newer', {})
    // The version before: the same chart with an older name, and so older images, and a shorter drain.
    older = copy('older', { 'values.yaml': [/terminationGracePeriodSeconds: 20/, 'terminationGracePeriodSeconds: 15'] })
    const sheet = path.join(older, 'Chart.yaml')
    writeFileSync(sheet, readFileSync(sheet, 'utf8').replace(/^(version|appVersion): .*$/gm, '$1: 0.0.9'))
    for (let i = 0; ; i++) {
      const { items } = await crds.listCustomResourceDefinition()
      if (items.every(c => c.status?.conditions?.some(x => x.type === 'Established' && x.status === 'True')) || i > 100) break
      await sleep(100)
    }
    // The cluster makes accounts, roles and certificates of its own for a while.
    for (let still = 0; still < 4; await sleep(500)) {
      const now = await everything()
      still = before && [...now].every(name => before?.has(name)) ? still + 1 : 0
      before = now
    }
  }, 120_000)
  afterAll(async () => {
    await Promise.all([...children.values()].map(end))
    await client?.close()
    await cluster?.stop()
    if (helm) rmSync(helm.scratch, { recursive: true, force: true })
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  })

  it.each(Object.entries(VALUE_SETS))('the server takes every object: %s', async (_, set) => {
    for (const manifest of await helm.template(set, 'aegis', NAMESPACE)) {
      const namespaced = !/^(Cluster|Namespace)/.test(manifest.kind)
      const body = {
        ...manifest,
        metadata: { ...manifest.metadata, ...(namespaced ? { namespace: manifest.metadata.namespace ?? NAMESPACE } : {}) },
      } as Manifest
      await objects.create(body as never, undefined, 'All', undefined).catch((error: Error) => {
        throw new Error(`${manifest.kind} ${manifest.metadata.name}: ${error.message}`)
      })
    }
  })

  it('installs, and comes to a first decision within a minute', async () => {
    const began = performance.now()
    await helm('install', 'aegis', older, '-f', values(), ...at)
    const ports: Record<string, number> = {}
    await Promise.all(
      ['clock', 'gateway', 'log-parser', 'anomaly-detector', 'root-cause-analyzer', 'remediator', 'executor'].map(
        async service => {
          const { child, port } = await launch(service)
          children.set(service, child)
          ports[service] = port
        },
      ),
    )
    const environment = `chart-${randomUUID()}`
    const token = (await environmentOf('gateway')).AEGIS_API_TOKEN
    const found: Decision[] = []
    const tail = await client.tail([decisions as never], 'end', seen => {
      for (const { value } of seen)
        if ((value as Decision | undefined)?.environment === environment) found.push(value as Decision)
    })
    for (let second = 0; found.length === 0 && second < 50; second++) {
      const line = {
        entity: 'service:ledger',
        environment,
        severity: second < 13 ? 'INFO' : 'ERROR',
        body: second < 13 ? 'written' : 'cannot write: no space left on device',
      }
      const response = await fetch(`http://127.0.0.1:${ports.gateway}/api/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(Array.from({ length: 4 }, () => line)),
      })
      expect(response.ok, await response.text()).toBe(true)
      await sleep(1000)
    }
    await tail.close()
    const seconds = (performance.now() - began) / 1000
    console.log(`install to first decision: ${seconds.toFixed(1)} s`)
    expect(found[0]?.environment).toBe(environment)
  }, 120_000)

  it('runs helm test', async () => {
    expect(await helm('test', 'aegis', '--namespace', NAMESPACE, '--timeout', '60s')).toMatch(/Phase:\s+Succeeded/)
  })

  // The jobs of the hooks are played by kwok as well; what they run is run here, by the environment they are given.
  it('runs what the hooks run: fit as it stands, and not with more partitions', async () => {
    const run = async (more: Record<string, string>, ...args: string[]) => {
      const env = { PATH: process.env.PATH, ...(await environmentOf('log-parser')), ...more }
      const child = spawn(process.execPath, [path.join(root, 'libs/runtime/src/preflight.ts'), ...args], { env })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', bytes => (said += bytes))
      const code = await new Promise(resolve => child.once('close', resolve))
      return { code, said }
    }
    expect(await run({}, '--ready')).toEqual({ code: 0, said: 'topics and schemas fit this version\n' })
    expect(await run({ AEGIS_DATA_PARTITIONS: '12' })).toEqual({
      code: 1,
      said: expect.stringContaining('topic logs.raw has 2 partitions and the settings say 12'),
    })
  })

  it('is upgraded and rolled back under traffic: nothing lost, nothing twice', async () => {
    const environment = `chart-${randomUUID()}`
    const seen = new Map<string, number>()
    const tail = await client.tail([logsParsed as never], 'end', list => {
      for (const { value } of list) {
        const event = value as LogEvent | undefined
        if (event?.environment === environment) seen.set(event.body, (seen.get(event.body) ?? 0) + 1)
      }
    })
    let sent = 0
    let flowing = true
    const { AEGIS_API_TOKEN: token } = await environmentOf('gateway')
    const second = await launch('gateway')
    children.set('gateway-2', second.child)
    const traffic = (async () => {
      while (flowing) {
        const lines = Array.from({ length: 50 }, () => ({
          entity: `service:s${sent % 7}`,
          environment,
          severity: 'INFO',
          body: `step ${sent++} done`,
        }))
        const response = await fetch(`http://127.0.0.1:${second.port}/api/v1/logs`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify(lines),
        })
        if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
        await sleep(50)
      }
    })()
    /** As the Deployment rolls: the new one first, then the old one is told to go. */
    const roll = async () => {
      const old = children.get('log-parser')
      const next = await launch('log-parser')
      children.set('log-parser', next.child)
      expect(await end(old)).toBe(0)
    }
    const image = async () => (await deployed('log-parser')).image
    await sleep(1000)
    expect(await image()).toMatch(/:0\.0\.9$/)
    await helm('upgrade', 'aegis', newer, '-f', values({ image: { tag: '0.1.0' } }), ...at)
    expect(await image()).toMatch(/:0\.1\.0$/)
    await roll()
    await sleep(1500)
    await helm('rollback', 'aegis', '1', ...at)
    expect(await image()).toMatch(/:0\.0\.9$/)
    await roll()
    await sleep(1500)
    flowing = false
    await traffic
    for (let i = 0; seen.size < sent && i < 300; i++) await sleep(100)
    await sleep(1000) // A line told twice would come after.
    await tail.close()
    console.log(`upgrade and rollback: ${sent} lines`)
    expect({ lines: seen.size, twice: [...seen.values()].filter(n => n > 1).length }).toEqual({ lines: sent, twice: 0 })
  }, 180_000)

  it('gives the executor and the watcher the rights in the namespaces named, and no other', async () => {
    const as = async (account: string) => {
      const made = await core.createNamespacedServiceAccountToken({
        name: account,
        namespace: NAMESPACE,
        body: { spec: { audiences: ['https://kubernetes.default.svc'], expirationSeconds: 600 } } as never,
      })
      return cluster.as(made.status!.token as string)
    }
    const rights = async (account: string, namespace: string, resource: string, verb: string, group = '') => {
      const review = (await as(account)).makeApiClient(AuthorizationV1Api)
      return (
        (
          await review.createSelfSubjectAccessReview({
            body: { spec: { resourceAttributes: { namespace, verb, resource, group } } },
          })
        ).status?.allowed ?? false
      )
    }
    const rows: [string, string, string, string, string, boolean][] = [
      ['aegis-executor', 'shop', 'deployments', 'patch', 'apps', true],
      ['aegis-executor', 'shop', 'pods', 'delete', '', true],
      ['aegis-executor', 'till', 'deployments', 'patch', 'apps', false],
      ['aegis-executor', 'till', 'pods', 'delete', '', false],
      ['aegis-executor', NAMESPACE, 'deployments', 'patch', 'apps', false],
      ['aegis-executor', 'shop', 'secrets', 'get', '', false],
      ['aegis-executor', 'shop', 'deployments', 'delete', 'apps', false],
      ['aegis-executor', 'shop', 'nodes', 'patch', '', false],
      ['aegis-watch', 'shop', 'pods', 'list', '', true],
      ['aegis-watch', 'shop', 'pods', 'delete', '', false],
      ['aegis-watch', 'till', 'pods', 'list', '', false],
      ['aegis-watch', 'shop', 'secrets', 'list', '', false],
      ...['gateway', 'log-parser', 'remediator'].map(
        s => [`aegis-${s}`, 'shop', 'pods', 'list', '', false] as [string, string, string, string, string, boolean],
      ),
    ]
    for (const [account, namespace, resource, verb, group, allowed] of rows)
      expect(await rights(account, namespace, resource, verb, group), `${account} ${verb} ${resource} in ${namespace}`).toBe(
        allowed,
      )
    // Not only said but refused.
    const executor = await as('aegis-executor')
    const answer = (call: Promise<unknown>) =>
      call.then(
        () => 200,
        (error: { code?: number }) => error.code,
      )
    expect(await answer(executor.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'shop' }))).toBe(200)
    expect(await answer(executor.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'till' }))).toBe(403)
    expect(await answer(executor.makeApiClient(CoreV1Api).listNamespacedSecret({ namespace: 'shop' }))).toBe(403)
    expect(await answer(executor.makeApiClient(BatchV1Api).listNamespacedJob({ namespace: 'shop' }))).toBe(403)
    expect(await answer((await as('aegis-gateway')).makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'shop' }))).toBe(403)
  })

  it('is uninstalled and leaves nothing behind', async () => {
    await helm('uninstall', 'aegis', ...at)
    let left: string[] = []
    for (let i = 0; i < 100; i++) {
      left = [...(await everything())].filter(name => !before?.has(name))
      if (left.length === 0) break
      await sleep(200)
    }
    expect(left).toEqual([])
  })
})
