import { describe, expect, it } from 'vitest'
import { edgesOfCompose, edgesOfKubernetes, edgesOfList } from './read-topology.ts'
import { writeTopology } from './write-topology.ts'

const short = (edges: ReturnType<typeof edgesOfList>) => edges.map(e => `${e.from} ${e.kind} ${e.to}${e.inferred ? ' ?' : ''}`)

describe('edges that people wrote down', () => {
  it('of a compose file: what it depends on is known, addresses are inferred', () => {
    const edges = edgesOfCompose({
      services: {
        web: {
          image: 'shop/web',
          depends_on: { cart: { condition: 'service_healthy' } },
          environment: ['CART_URL=http://cart:8080/api', 'MODE=web'],
        },
        cart: { image: 'shop/cart', environment: { STORE: 'redis://:secret@store:6379/0' } },
        store: { image: 'redis:8' },
      },
    })
    expect(short(edges)).toEqual(['service:cart calls database:store ?', 'service:web calls service:cart'])
    expect(() => edgesOfCompose({ kind: 'Pod' })).toThrow('docker-compose')
  })
  it('of manifests: through the Service that selects, config maps and ingress', () => {
    const deployment = (name: string, app: string, container: object) => ({
      kind: 'Deployment',
      metadata: { name },
      spec: { template: { metadata: { labels: { app } }, spec: { containers: [container] } } },
    })
    const edges = edgesOfKubernetes([
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
    expect(short(edges)).toEqual([
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
    const edges = edgesOfKubernetes([
      { kind: 'Deployment', metadata: { name: 'pay', namespace: 'shop' }, spec: { template } },
      owned('ReplicaSet', 'pay-1', 'Deployment', 'pay', { template }),
      owned('Pod', 'pay-1-x', 'ReplicaSet', 'pay-1', { ...template.spec, nodeName: 'n1' }),
      owned('Pod', 'pay-1-y', 'ReplicaSet', 'pay-1', template.spec),
    ])
    expect(short(edges)).toEqual([
      'pod:pay-1-x runs_on host:n1',
      'service:pay runs_on pod:pay-1-x',
      'service:pay runs_on pod:pay-1-y',
    ])
  })
  it('of a list, with the line of a mistake', () => {
    expect(short(edgesOfList('from,to,kind\na -> b # main way\nb,database:orders,reads\n'))).toEqual([
      'service:a calls service:b',
      'service:b reads database:orders',
    ])
    expect(() => edgesOfList('a b\nalone')).toThrow('line 2')
  })
})
describe('writeTopology', () => {
  const graph = {
    nodes: [{ id: 'service:a' }, { id: 'database:"b" & <c>' }],
    edges: [{ from: 'service:a', to: 'database:"b" & <c>', kind: 'reads' as const, inferred: true }],
  }
  it('quotes what other formats would read as their own', () => {
    expect(writeTopology(graph, 'dot')).toContain('"service:a" -> "database:\\"b\\" & <c>" [label="reads", style=dashed]')
    expect(writeTopology(graph, 'graphml')).toContain('target="database:&quot;b&quot; &amp; &lt;c&gt;"')
    expect(JSON.parse(writeTopology(graph, 'json'))).toEqual(graph)
  })
})
