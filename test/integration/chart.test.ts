/** What the chart renders, without a cluster: ten ways to install it, values it must refuse, what a linter finds, and whom its network lets talk to whom. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { V1NetworkPolicy } from '@kubernetes/client-node'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { ServiceFacts } from '../../tools/generate/chart.ts'
import { BRINGS, REFUSED, VALUE_SETS } from './chart-values.ts'
import { CHART, type Helm, helmOf, type Manifest } from './helm.ts'
import { allows, type End } from './network-policies.ts'

const root = path.resolve(import.meta.dirname, '../..')
const { goTools } = (await import(path.join(root, 'tools/setup/go-tools.mjs'))) as { goTools: () => Promise<string | undefined> }
const home = await goTools()
const facts = parse(readFileSync(path.join(CHART, 'files/services.generated.yaml'), 'utf8')) as Record<string, ServiceFacts>
const lacking = home ? '' : ' (left out: neither Helm in the cache nor Go to build it)'

/** What kube-score finds and we do not mend, and why. */
const ARGUED: Readonly<Record<string, string>> = {
  'container-resources': 'a limit of CPU throttles an instance until it loses its place in the group; memory is limited',
  'container-security-context-user-group-id': 'the id of the images is 1001; volumes of the cluster see it, the host does not',
  'container-image-pull-policy': 'tags are versions and never move; digests can be given',
  'deployment-has-host-podantiaffinity': 'spread over hosts and zones by constraints, which leave no pod pending',
  'statefulset-has-host-podantiaffinity': 'the same',
}

describe.skipIf(!home)(`the chart, rendered${lacking}`, () => {
  const helm = helmOf(home as string) as Helm
  afterAll(() => rmSync(helm.scratch, { recursive: true, force: true }))

  it('passes helm lint', async () => {
    expect(await helm('lint', '--strict', '--kube-version', '1.34.0', CHART)).toMatch(/0 chart\(s\) failed/)
  })

  it.each(Object.entries(VALUE_SETS))('renders %s, with nothing that a linter would object to', async (name, values) => {
    const manifests = await helm.template(values)
    const workloads = manifests.filter(m => ['Deployment', 'StatefulSet'].includes(m.kind))
    const off = Object.entries((values as { services?: Record<string, { enabled?: boolean }> }).services ?? {}).filter(
      ([, s]) => s.enabled === false,
    )
    expect(workloads.map(w => w.metadata.labels?.['app.kubernetes.io/component']).sort()).toEqual(
      Object.keys(facts)
        .filter(s => !off.some(([o]) => o === s))
        .sort(),
    )
    for (const { metadata, spec } of workloads) {
      const service = metadata.labels?.['app.kubernetes.io/component'] as string
      const pod = spec.template.spec
      const [container] = pod.containers
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1001 })
      expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } })
      expect(pod.automountServiceAccountToken).toBe(service === 'executor')
      // Least knowledge: a service is handed what it reads and nothing else.
      const known = new Set([
        ...facts[service].settings,
        ...facts[service].secrets,
        'AEGIS_HOST',
        'AEGIS_PORT',
        'AEGIS_AUTHORITY_FOLDER',
      ])
      for (const { name, value } of container.env) {
        expect(known).toContain(name)
        if (facts[service].secrets.includes(name)) expect(value).toBeUndefined()
      }
    }
    expect([...new Set(manifests.map(m => m.kind))].sort()).toEqual(
      [...BRINGS[name], 'Deployment', 'Service', 'ServiceAccount'].sort(),
    )

    const file = path.join(helm.scratch, 'rendered.yaml')
    const known = /^(v1|apps\/v1|batch\/v1|policy\/v1|autoscaling\/v2|networking\.k8s\.io\/v1|rbac\.authorization\.k8s\.io\/v1)$/
    writeFileSync(
      file,
      manifests
        .filter(m => known.test(m.apiVersion))
        .map(m => JSON.stringify(m))
        .join('\n---\n'),
    )
    const found = spawnSync(
      path.join(home as string, 'bin/kube-score'),
      ['score', '--kubernetes-version', 'v1.34', '--output-format', 'json', '--ignore-test', Object.keys(ARGUED).join(','), file],
      { encoding: 'utf8' },
    )
    const critical = (
      JSON.parse(found.stdout) as {
        object_name: string
        checks: { grade: number; skipped: boolean; check: { id: string }; comments: { summary: string }[] | null }[]
      }[]
    ).flatMap(o =>
      o.checks
        .filter(c => !c.skipped && c.grade < 5)
        .map(c => `${o.object_name}: ${c.check.id}: ${c.comments?.map(x => x.summary).join()}`),
    )
    // A policy for those whom nobody disrupts, and policies of the network, are left out where the values say so.
    const chosen = /^without what is optional$/.test(name) ? /pod-networkpolicy|has-poddisruptionbudget/ : /$^/
    expect(critical.filter(c => !chosen.test(c))).toEqual([])
  })

  it.each(REFUSED)('refuses %s, and names it', async (_, values, names) => {
    await expect(helm.template(values)).rejects.toThrow(names)
  })

  it('keeps numbers as they were written', async () => {
    const manifests = await helm.template({
      settings: { AEGIS_MAX_BODY_BYTES: 16777216, AEGIS_MINIMUM_CONFIDENCE: 0.35, KAFKA_SSL: true },
    })
    const env = (service: string) =>
      Object.fromEntries(
        manifests
          .find(m => m.kind === 'Deployment' && m.metadata.name === `aegis-${service}`)
          ?.spec.template.spec.containers[0].env.map((e: { name: string; value: string }) => [e.name, e.value]),
      )
    expect(env('gateway')).toMatchObject({ AEGIS_MAX_BODY_BYTES: '16777216', KAFKA_SSL: 'true' })
    expect(env('remediator')).toMatchObject({ AEGIS_MINIMUM_CONFIDENCE: '0.35' })
  })

  it('has a runbook for every alert, and it exists', async () => {
    const rules = (await helm.template(VALUE_SETS.watched)).find(m => m.kind === 'PrometheusRule') as Manifest
    for (const { annotations } of rules.spec.groups[0].rules) {
      const [, file] = /\/docs\/runbooks\/(\w+\.md)$/.exec(annotations.runbook_url) as RegExpExecArray
      expect(existsSync(path.join(root, 'docs/runbooks', file)), file).toBe(true)
    }
  })
})

describe.skipIf(!home)(`the network policies, by their written semantics${lacking}`, async () => {
  const helm = helmOf(home as string) as Helm
  afterAll(() => rmSync(helm.scratch, { recursive: true, force: true }))
  const to = (app: string) => [{ podSelector: { matchLabels: { app } } }]
  const values = {
    networkPolicy: {
      kafka: { ports: [9092], to: to('kafka') },
      registry: { ports: [8080], to: to('registry') },
      neo4j: { ports: [7687], to: to('neo4j') },
      redis: { ports: [6379], to: to('redis') },
      kubernetes: { ports: [6443], to: [{ ipBlock: { cidr: '10.0.0.1/32' } }] },
      callers: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } }],
    },
  }
  const manifests = await helm.template(values)
  const policies = manifests
    .filter(m => m.kind === 'NetworkPolicy')
    .map(m => ({ ...m, metadata: { ...m.metadata, namespace: 'aegis' } })) as unknown as V1NetworkPolicy[]
  const server = (app: string): End => ({ namespace: 'aegis', labels: { app } })
  const service = (name: string): End => {
    const spec = manifests.find(m => ['Deployment', 'StatefulSet'].includes(m.kind) && m.metadata.name === `aegis-${name}`)?.spec
      .template
    const ports = Object.fromEntries(
      spec.spec.containers[0].ports.map((p: { name: string; containerPort: number }) => [p.name, p.containerPort]),
    )
    return { namespace: 'aegis', labels: spec.metadata.labels, ports }
  }
  const apiServer: End = { namespace: '', labels: {}, address: '10.0.0.1' }
  const elsewhere: End = { namespace: '', labels: {}, address: '203.0.113.7' }
  const dns: End = { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } }
  const SERVERS = { kafka: 9092, registry: 8080, neo4j: 7687, redis: 6379 }

  it.each(Object.keys(facts))('%s reaches what it needs and nothing else', name => {
    const from = service(name)
    for (const [app, port] of Object.entries(SERVERS))
      expect(allows(policies, { from, to: server(app), port }), `${name} to ${app}`).toBe(
        ['kafka', 'registry', ...facts[name].needs].includes(app),
      )
    expect(allows(policies, { from, to: server('kafka'), port: 22 })).toBe(false)
    expect(allows(policies, { from, to: apiServer, port: 6443 })).toBe(name === 'executor')
    expect(allows(policies, { from, to: elsewhere, port: 443 })).toBe(name === 'build-analyzer')
    expect(allows(policies, { from, to: elsewhere, port: 80 })).toBe(false)
    expect(allows(policies, { from, to: dns, port: 53, protocol: 'UDP' })).toBe(true)
    // No service calls another: all they say goes over Kafka.
    for (const other of Object.keys(facts))
      expect(allows(policies, { from, to: service(other), port: facts[other].port }), `${name} to ${other}`).toBe(false)
  })

  it.each(Object.keys(facts))('%s is called by those named, if it answers at all', name => {
    const to = service(name)
    const from = (namespace: string): End => ({ namespace, labels: {} })
    expect(allows(policies, { from: from('shop'), to, port: facts[name].port })).toBe(facts[name].api)
    expect(allows(policies, { from: from('till'), to, port: facts[name].port })).toBe(false)
    expect(allows(policies, { from: from('monitoring'), to, port: facts[name].port })).toBe(true)
    expect(allows(policies, { from: from('shop'), to, port: 9229 })).toBe(false)
  })
})
