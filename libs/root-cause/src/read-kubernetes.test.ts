// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of other tools
import { describe, expect, it } from 'vitest'
import type { DescribedSystem } from './described-system.ts'
import { systemOfKubernetes } from './read-kubernetes.ts'

const short = ({ edges }: DescribedSystem) => edges.map(e => `${e.from} ${e.kind} ${e.to}${e.inferred ? ' ?' : ''}`)

describe('edges of Kubernetes objects', () => {
  it('of manifests: through the Service that selects, config maps and ingress', () => {
    const deployment = (name: string, app: string, container: object) => ({
      kind: 'Deployment',
      metadata: { name },
      spec: { template: { metadata: { labels: { app } }, spec: { containers: [container] } } },
    })
    const system = systemOfKubernetes([
      deployment('web-v2', 'web', {
        image: 'web',
        env: [{ name: 'PAY', value: 'pay.shop.svc.cluster.local:80' }],
        envFrom: [{ configMapRef: { name: 'web' } }],
      }),
      deployment('pay', 'pay', { image: 'pay' }),
      { kind: 'ConfigMap', metadata: { name: 'web' }, data: { BROKER: 'bus:9092', NOTE: 'pay attention' } },
      deployment('bus', 'bus', { image: 'apache/kafka:4' }),
      { kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' } } },
      {
        kind: 'Ingress',
        metadata: { name: 'front' },
        spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'web' } } }] } }] },
      },
    ])
    expect(short(system)).toEqual([
      'external:front calls service:web-v2',
      'service:web-v2 calls queue:bus ?',
      'service:web-v2 calls service:pay ?',
    ])
  })
  it('of a running Kubernetes: pods are what a workload runs on, not workloads of their own', () => {
    const owned = (kind: string, name: string, ownerKind: string, owner: string, spec: object) => ({
      kind,
      metadata: { name, namespace: 'shop', ownerReferences: [{ kind: ownerKind, name: owner, controller: true }] },
      spec,
    })
    const template = { metadata: { labels: {} }, spec: { containers: [{ image: 'pay' }] } }
    const system = systemOfKubernetes([
      { kind: 'Deployment', metadata: { name: 'pay', namespace: 'shop' }, spec: { template } },
      owned('ReplicaSet', 'pay-1', 'Deployment', 'pay', { template }),
      owned('Pod', 'pay-1-x', 'ReplicaSet', 'pay-1', { ...template.spec, nodeName: 'n1' }),
      owned('Pod', 'pay-1-y', 'ReplicaSet', 'pay-1', template.spec),
    ])
    expect(short(system)).toEqual([
      'pod:pay-1-x runs_on host:n1',
      'service:pay runs_on pod:pay-1-x',
      'service:pay runs_on pod:pay-1-y',
    ])
  })
})

describe('addresses of a workload', () => {
  const workload = (name: string, pod: object = {}, more: object = {}) => ({
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: { template: { metadata: { labels: { app: name } }, spec: { containers: [{ image: name, ...pod }], ...more } } },
  })
  const service = (name: string, app = name, namespace = 'shop') => ({
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app } },
  })
  const called = (pod: object, more: object = {}, others: object[] = []) =>
    systemOfKubernetes([
      workload('web', pod, more),
      workload('pay-v1'),
      workload('orders'),
      service('pay', 'pay-v1'),
      service('orders'),
      ...others,
    ])
      .edges.filter(e => e.from === 'service:web')
      .map(e => e.to.slice(e.to.indexOf(':') + 1))
  it.each([
    'pay',
    'pay:80',
    'pay.shop',
    'pay.shop.svc',
    'pay.shop.svc.cluster.local',
    'pay.shop.svc.cluster.local.:80',
    'pay-v1-0.pay.shop.svc.corp.example',
    'pay-v1-0.pay:9092,elsewhere:9092',
    'http://user:pa55@pay/x?y',
    'jdbc:postgresql://elsewhere:5432,pay:5432/db?ssl=true',
    'jdbc:oracle:thin:@pay:1521/x',
    'jdbc:sqlserver://pay;databaseName=x',
    'mongodb+srv://u:p@pay.shop.svc/db',
    'user:pw@tcp(pay:3306)/db',
    'host=pay port=5432 dbname=orders',
    'Server=pay;Database=orders;User Id=orders',
    'amqps://pay:5671/%2f',
    'PLAINTEXT://pay:9092',
  ])('finds the host in %s', value => {
    expect(called({ env: [{ name: 'PAY', value }] })).toEqual(['pay-v1'])
  })
  it.each([
    ['DB_NAME', 'orders'],
    ['POSTGRES_USER', 'orders'],
    ['KAFKA_TOPIC', 'orders'],
    ['SERVICE_TYPE', 'pay'],
    ['CORS_ORIGINS', 'http://pay:80'],
    ['NO_PROXY', 'pay,orders'],
    ['GREETING', 'we pay for orders'],
    ['PAY', 'pay.other.svc'],
    ['IMAGE', 'registry/pay:80'],
    ['PAY', 'pays:80'],
  ])('%s=%s calls nobody', (name, value) => {
    expect(called({ env: [{ name, value }] })).toEqual([])
  })
  it('resolves variables made of others, of Services and of Secrets, and flags', () => {
    const env = [
      { name: 'HOST', value: 'pay' },
      { name: 'URL', value: 'http://$(HOST):80' },
    ]
    expect(called({ env })).toEqual(['pay-v1'])
    expect(called({ env: [{ name: 'URL', value: 'http://$(ORDERS_SERVICE_HOST):80' }] })).toEqual(['orders'])
    expect(called({ args: ['--pay-url=http://pay', '--orders-addr', 'orders'] })).toEqual(['orders', 'pay-v1'])
    expect(called({ command: ['sh', '-c', 'until nc -z pay 5432; do sleep 1; done; exec run orders'] })).toEqual(['pay-v1'])
    const secret = {
      kind: 'Secret',
      metadata: { name: 's', namespace: 'shop' },
      data: { url: Buffer.from('redis://:x@orders').toString('base64') },
    }
    expect(called({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'url' } } }] }, {}, [secret])).toEqual([
      'orders',
    ])
    expect(called({ envFrom: [{ prefix: 'X_', secretRef: { name: 's' } }] }, {}, [secret])).toEqual(['orders'])
  })
  it('reads files of settings that are mounted, with their variables', () => {
    const files = {
      kind: 'ConfigMap',
      metadata: { name: 'files', namespace: 'shop' },
      data: {
        'app.yaml':
          '# was: http://orders:80\nspring:\n  kafka:\n    client: pay-x\n  url: ${PAY_URL:http://pay:80}\n  orders.size: 5\n',
        'other.conf': 'upstream x { server orders; }',
      },
    }
    const volume = (v: object) => ({ volumes: [v] })
    expect(called({}, volume({ configMap: { name: 'files' } }), [files])).toEqual(['orders', 'pay-v1'])
    const some = { projected: { sources: [{ configMap: { name: 'files', items: [{ key: 'app.yaml', path: 'a' }] } }] } }
    expect(called({}, volume(some), [files])).toEqual(['pay-v1'])
  })
  it('follows a Service to another name or out of the cluster, and to all that it selects', () => {
    const external = (name: string, externalName: string) => ({
      kind: 'Service',
      metadata: { name, namespace: 'shop' },
      spec: { externalName },
    })
    const env = [{ name: 'A_HOST', value: 'there' }]
    expect(called({ env }, {}, [external('there', 'orders.shop.svc.cluster.local')])).toEqual(['orders'])
    expect(called({ env }, {}, [external('there', 'db.example.org')])).toEqual(['db.example.org'])
    const other = { ...workload('orders-v2'), metadata: { name: 'orders-v2', namespace: 'shop' } }
    other.spec.template.metadata.labels.app = 'orders'
    expect(called({ env: [{ name: 'A', value: 'http://orders' }] }, {}, [other])).toEqual(['orders', 'orders-v2'])
  })
})

describe('kinds of objects', () => {
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ image: 'a', env: [{ name: 'B', value: 'http://b' }] }] },
  }
  const b = { kind: 'Pod', metadata: { name: 'b', labels: {} }, spec: { containers: [{ image: 'b' }] } }
  it.each([
    ['Rollout', { template }],
    ['DeploymentConfig', { template }],
    ['ReplicationController', { template }],
    ['CronJob', { jobTemplate: { spec: { template } } }],
    ['Service', { template }],
    ['CloneSet', { template }],
  ])('%s is a workload, since it has a pod template', (kind, spec) => {
    expect(short(systemOfKubernetes([{ kind, metadata: { name: 'a' }, spec }, b]))).toEqual(['service:a calls service:b ?'])
  })
  it('opens lists and templates of OpenShift, keeps who calls nobody, and tells of what it does not know', () => {
    const job = { kind: 'Job', metadata: { name: '${NAME}' }, spec: { template: { spec: { containers: [{ image: 'x' }] } } } }
    const system = systemOfKubernetes([
      { kind: 'List', items: [b] },
      { kind: 'Template', parameters: [{ name: 'NAME', value: 'nightly' }], objects: [job] },
      { kind: 'Certificate', metadata: { name: 'tls' } },
      { kind: 'Namespace', metadata: { name: 'n' } },
      null,
      'text',
    ])
    expect(system.entities).toEqual(['service:b', 'service:nightly'])
    expect(system.notes).toEqual(['left out, since only its operator knows what it stands for: Certificate tls'])
  })
  it.each([
    ['Ingress', { defaultBackend: { service: { name: 'b' } } }],
    ['Ingress', { rules: [{ http: { paths: [{ backend: { serviceName: 'b' } }] } }] }],
    ['HTTPRoute', { rules: [{ backendRefs: [{ name: 'b', port: 80 }] }] }],
    ['IngressRoute', { routes: [{ services: [{ name: 'b' }] }] }],
    ['Route', { to: { kind: 'Service', name: 'b' } }],
    ['VirtualService', { gateways: ['front'], http: [{ route: [{ destination: { host: 'b.shop.svc.cluster.local' } }] }] }],
    ['Mapping', { service: 'http://b:8080' }],
  ])('%s is where requests come in', (kind, spec) => {
    expect(short(systemOfKubernetes([b, { kind, metadata: { name: 'front' }, spec }]))).toEqual([
      'external:front calls service:b',
    ])
  })
  it('says when two namespaces hold workloads of one name', () => {
    const of = (namespace: string) => ({ ...b, metadata: { name: 'b', namespace } })
    expect(systemOfKubernetes([of('x'), of('y')]).notes[0]).toContain('service:b stands in x and y')
  })
})
