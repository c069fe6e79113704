import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../noise/same-value.ts'
import { attributeOf, isController, ownersOf, quantity } from './kubernetes.ts'
import { documentsOf, readDrift } from './read-drift.ts'
import { identitiesIn } from './terraform.ts'

const noYaml = () => {
  throw new Error('no YAML here')
}
const drift = (before: Json, after: Json, over: object = {}, plan: object = {}): JsonObject =>
  ({
    format_version: '1.2',
    terraform_version: '1.9',
    resource_drift: [
      { address: 'cloud_box.a', type: 'cloud_box', mode: 'managed', change: { actions: ['update'], before, after, ...over } },
    ],
    ...plan,
  }) as unknown as JsonObject
const told = (d: Json, wanted: Json[] = []) => readDrift([d], wanted).findings.map(f => `${f.address} ${f.attributes.join(',')}`)

describe('plans', () => {
  it('what changed outside, and what has gone', () => {
    expect(told(drift({ id: 'b1', size: 2 }, { id: 'b1', size: 3 }))).toEqual(['cloud_box.a size'])
    expect(told(drift({ id: 'b1' }, null, { actions: ['delete'] }))).toEqual(['cloud_box.a (resource)'])
    expect(told(drift({ id: 'b1', tags: null }, { id: 'b1', tags: { owner: 'me' } }))).toEqual(['cloud_box.a tags'])
  })
  it('no drift: empties, order, what is computed, moves, reads of data', () => {
    expect(told(drift({ tags: null, rules: ['b', 'a'], etag: 'x' }, { tags: {}, rules: ['a', 'b'], etag: 'y' }))).toEqual([])
    const moved = {
      format_version: '1',
      terraform_version: '1',
      resource_drift: [
        { address: 'a.new', previous_address: 'a.old', change: { actions: ['no-op'], before: { x: 1 }, after: { x: 1 } } },
      ],
    }
    expect(told(moved as unknown as JsonObject)).toEqual([])
    expect(
      told({
        format_version: '1',
        terraform_version: '1',
        resource_changes: [{ address: 'a.b', change: { actions: ['update'], before: { x: 1 }, after: { x: 2 } } }],
      } as unknown as JsonObject),
    ).toEqual([])
  })
  it('no drift: what a sibling of the same code puts onto it', () => {
    const sibling = {
      prior_state: {
        values: {
          root_module: {
            resources: [
              { address: 'cloud_box_rule.r', type: 'cloud_box_rule', values: { box: 'b1', port: 443, from: '10.0.0.0/8' } },
            ],
          },
        },
      },
    }
    const before = { id: 'b1', rules: [] }
    expect(told(drift(before, { id: 'b1', rules: [{ port: 443, from: '10.0.0.0/8' }] }, {}, sibling))).toEqual([])
    expect(told(drift(before, { id: 'b1', rules: [{ port: 22, from: '0.0.0.0/0' }] }, {}, sibling))).toEqual([
      'cloud_box.a rules',
    ])
  })
  it('secrets are told as changed and never shown: by schema, by name, by look', () => {
    const before = { motto: 'hush-1', db_password: 'hush-2', note: 'postgres://u:hush-3@h/db', env: [{ API_TOKEN: 'hush-4' }] }
    const after = { motto: 'hush-5', db_password: 'hush-6', note: 'postgres://u:hush-7@h/db', env: [{ API_TOKEN: 'hush-8' }] }
    const reading = readDrift([drift(before, after, { before_sensitive: { motto: true } })])
    expect([...reading.findings[0].attributes].sort()).toEqual(['db_password', 'env', 'motto', 'note'])
    expect(JSON.stringify(reading)).not.toContain('hush')
  })
  it('messages of a run, one a line', () => {
    const lines = [
      { '@level': 'info', type: 'version' },
      { '@level': 'info', type: 'resource_drift', change: { resource: { addr: 'a.b', resource_type: 'a' }, action: 'delete' } },
    ]
    const documents = documentsOf(lines.map(l => JSON.stringify(l)).join('\n'), noYaml)
    expect(readDrift(documents).findings).toMatchObject([{ address: 'a.b', attributes: ['(resource)'] }])
  })
})

describe('states count what is managed', () => {
  it('version 4, version 3, and as shown', () => {
    const v4 = {
      version: 4,
      resources: [
        {
          mode: 'managed',
          type: 't',
          name: 'n',
          instances: [{ index_key: 0, attributes: { id: 'i-0' } }, { index_key: 1 }, { deposed: 'x' }],
        },
        { mode: 'data', instances: [{}] },
      ],
    } as unknown as JsonObject
    expect(readDrift([v4]).resources).toBe(2)
    expect(identitiesIn(v4).get('t.n[0]')).toBe('i-0')
    expect(readDrift([{ version: 3, modules: [{ resources: { 'a.b': {}, 'data.c.d': {} } }] }]).resources).toBe(1)
    expect(
      readDrift([
        {
          format_version: '1',
          values: {
            root_module: {
              resources: [{ mode: 'managed' }],
              child_modules: [{ resources: [{ mode: 'managed' }, { mode: 'data' }] }],
            },
          },
        },
      ]).resources,
    ).toBe(2)
    expect(
      readDrift([
        {
          deployment: {
            resources: [
              { custom: true, type: 'aws:s3' },
              { custom: true, type: 'pulumi:providers:aws' },
            ],
          },
        },
      ]).resources,
    ).toBe(1)
  })
})

it('CloudFormation: modified, gone, in sync, the same in other words', () => {
  const row = (LogicalResourceId: string, over: object) => ({
    LogicalResourceId,
    ResourceType: 'AWS::SQS::Queue',
    StackResourceDriftStatus: 'MODIFIED',
    ...over,
  })
  const d = {
    StackResourceDrifts: [
      row('A', {
        PropertyDifferences: [
          { PropertyPath: '/Redrive/Max', ExpectedValue: '3', ActualValue: '9' },
          { PropertyPath: '/Tags/0', ExpectedValue: '{"Key":"b"}', ActualValue: '{ "Key": "b" }' },
        ],
      }),
      row('B', { StackResourceDriftStatus: 'DELETED' }),
      row('C', { StackResourceDriftStatus: 'IN_SYNC', PropertyDifferences: [] }),
    ],
  } as unknown as JsonObject
  expect(told(d)).toEqual(['A Redrive', 'B (resource)'])
})
it('Pulumi tells of drift in refresh steps', () => {
  const d = {
    steps: [
      {
        op: 'refresh',
        urn: 'urn:pulumi:s::p::aws:s3/bucket::b',
        oldState: { id: 'b', outputs: { acl: 'private' } },
        newState: { id: 'b', outputs: { acl: 'public-read' } },
      },
      { op: 'same' },
    ],
  } as unknown as JsonObject
  expect(told(d)).toEqual(['urn:pulumi:s::p::aws:s3/bucket::b acl'])
})

describe('Kubernetes', () => {
  const owned = (manager: string, fieldsV1: object, over: object = {}) => ({ manager, operation: 'Update', fieldsV1, ...over })
  const deployment = (spec: object, metadata: object = {}) =>
    ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', ...metadata }, spec }) as unknown as JsonObject
  it('defaults, quantities and machinery are no drift; changed and missing things are', () => {
    const wanted = deployment({
      replicas: 2,
      template: { spec: { containers: [{ name: 'web', image: 'w:1', resources: { limits: { cpu: '0.5', memory: '1Gi' } } }] } },
    })
    const live = deployment(
      {
        replicas: 2,
        progressDeadlineSeconds: 600,
        template: {
          spec: {
            dnsPolicy: 'ClusterFirst',
            containers: [
              { name: 'web', image: 'w:1', imagePullPolicy: 'Always', resources: { limits: { cpu: '500m', memory: '1024Mi' } } },
            ],
          },
        },
      },
      { annotations: { 'deployment.kubernetes.io/revision': '3' } },
    )
    expect(told(live, [wanted])).toEqual([])
    expect(told(deployment({ ...(live.spec as object), replicas: 5 }), [wanted])).toEqual(['Deployment/web spec.replicas'])
    expect(told({ apiVersion: 'v1', kind: 'List', items: [] }, [wanted])).toEqual(['Deployment/web (resource)'])
  })
  it('what a controller keeps is its business; what a person set by hand is drift', () => {
    const wanted = deployment({ replicas: 2 })
    const scaled = (manager: string, over: object) =>
      deployment({ replicas: 7 }, { managedFields: [owned(manager, { 'f:spec': { 'f:replicas': {} } }, over)] })
    expect(told(scaled('kube-controller-manager', { subresource: 'scale' }), [wanted])).toEqual([])
    expect(told(scaled('kubectl-edit', {}), [wanted])).toEqual(['Deployment/web spec.replicas'])
    const labelled = deployment(
      { replicas: 2 },
      { labels: { hot: 'fix' }, managedFields: [owned('kubectl-label', { 'f:metadata': { 'f:labels': { 'f:hot': {} } } })] },
    )
    expect(told(labelled, [wanted])).toEqual(['Deployment/web metadata.labels'])
    expect(isController({ manager: 'keda-operator', subresource: '' })).toBe(true)
  })
  it('what the code once had and has no more; secrets stay hidden', () => {
    const map = (data: object, kind = 'ConfigMap') =>
      ({ apiVersion: 'v1', kind, metadata: { name: 'c' }, data }) as unknown as JsonObject
    expect(told(map({ a: '1', b: '2' }), [map({ a: '1' })])).toEqual(['ConfigMap/c data'])
    expect(told(map({ level: 'Debug' }), [map({ level: 'debug' })])).toEqual(['ConfigMap/c data'])
    const secret = readDrift(
      [map({ pin: 'aHVzaA==' }, 'Secret')],
      [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'c' }, stringData: { pin: 'other' } }],
    )
    expect(secret.findings[0]).toMatchObject({ attributes: ['data'], changes: [{ hidden: true }] })
    expect(JSON.stringify(secret)).not.toMatch(/aHVz|other/)
    expect(
      told(map({ pin: 'aHVzaA==' }, 'Secret'), [
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'c' }, stringData: { pin: 'hush' } },
      ]),
    ).toEqual([])
  })
  it('owners by field', () => {
    expect(
      ownersOf(
        deployment(
          {},
          {
            managedFields: [
              owned('b', { 'f:spec': { 'f:replicas': {} } }),
              owned('a', { 'f:spec': { 'f:replicas': {}, '.': {} } }),
            ],
          },
        ),
      ),
    ).toEqual({ 'spec.replicas': ['a', 'b'] })
    expect([quantity('1500m'), quantity('2Ki'), quantity('soon'), attributeOf('data.key'), attributeOf('spec.a.b')]).toEqual([
      1.5,
      2048,
      undefined,
      'data',
      'spec.a',
    ])
  })
})

describe('any text', () => {
  it('is read, or refused with a reason', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map(j => `{"resource_drift":[${j}]}`),
        ),
        text => {
          try {
            readDrift(documentsOf(text, noYaml))
          } catch (error) {
            expect((error as { code?: string }).code).toBe('INPUT_INVALID')
          }
        },
      ),
    )
  })
})
