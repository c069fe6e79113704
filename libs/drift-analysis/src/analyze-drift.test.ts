import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { analyzeFinding, analyzeReading, joinAlike } from './analyze-drift.ts'
import type { Json, JsonObject } from './noise/same-value.ts'
import { adviseChange, LOOSENS } from './remedy/recommend.ts'
import { codifyManifest, codifyTerraform, leftovers, revertManifest } from './remedy/remedies.ts'
import { severityOfChange } from './severity/severity.ts'
import { changeOf, type DriftFinding } from './sources/finding.ts'
import { compareObjects } from './sources/kubernetes.ts'
import { readDrift } from './sources/read-drift.ts'
import { CAUSES, readingOf } from './why/causes.ts'

const window = { from: 0, to: 1_770_000_000_000 }
const finding = (path: string, before: Json | undefined, after: Json | undefined, type = 'aws_thing'): DriftFinding => ({
  address: `${type}.a`,
  type,
  attributes: [path.split('.')[0]],
  changes: [changeOf(path, before, after)],
})
const PATHS = [
  'ingress',
  'cidr_blocks',
  'publicly_accessible',
  'policy',
  'privileged',
  'storage_encrypted',
  'min_tls_version',
  'enable_logging',
  'retention_in_days',
  'replicas',
  'instance_type',
  'tags',
  'timeout',
  'acl',
  'assume_role_policy',
  'description',
  'deletion_protection',
  'password',
  'spec.template',
  'mfa_delete',
]
const VALUES: Json[] = [
  true,
  false,
  null,
  0,
  1,
  7,
  300,
  '10.0.0.0/8',
  '0.0.0.0/0',
  'public-read',
  'private',
  'AdministratorAccess',
  'ReadOnly',
  '*',
  ['0.0.0.0/0'],
  ['10.0.0.0/8'],
  'TLS1_0',
  'TLS1_2',
  't3.nano',
  'm5.8xlarge',
  { Principal: '*' },
  {},
  'Suspended',
  'Enabled',
]

describe('advice', () => {
  it('of 10,000 random changes none that loosens security is accepted or written into code', () => {
    const pick = <T>(list: readonly T[]) => fc.constantFrom(...list)
    const causes = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: CAUSES.length, maxLength: CAUSES.length })
    fc.assert(
      fc.property(pick(PATHS), pick(VALUES), pick(VALUES), causes, (path, before, after, chances) => {
        const f = finding(path, before, after)
        const { security } = severityOfChange({ type: f.type, attribute: path, before, after })
        const { action } = adviseChange(f, f.changes[0], readingOf(chances.map(x => x / chances.reduce((a, b) => a + b))))
        if (security >= LOOSENS) expect(['accept_exception', 'codify_iac']).not.toContain(action)
      }),
      { numRuns: 10_000 },
    )
  })
  it('what a controller owns is never taken back', () => {
    const f: DriftFinding = {
      ...finding('spec.replicas', 2, 9, 'Deployment'),
      changes: [{ path: 'spec.replicas', before: 2, after: 9, owners: ['keda-operator'] }],
    }
    expect(analyzeFinding(f, { window }).action).toBe('accept_exception')
  })
  it('in an incident more capacity is an emergency fix to be kept in code', () => {
    const a = analyzeFinding(finding('max_size', 4, 12), {
      window,
      context: { incidents: [{ start: window.to - 600_000, severity: 0.9 }], alerts: [window.to - 300_000] },
    })
    expect(a.cause).toMatchObject({ cause: 'emergency_fix', abstain: false })
    expect(a.action).toBe('codify_iac')
    expect(a.codify).toContain('max_size = 12')
    expect(a.features.incident_window).toBe(1)
  })
  it('where nothing tells why, it abstains and asks a person', () => {
    expect(analyzeFinding(finding('label', 'a', 'b'), { window })).toMatchObject({
      action: 'manual_review',
      cause: { abstain: true },
    })
  })
  it('one cause over many resources is one row', () => {
    const many = ['a', 'b', 'c'].map(n => ({ ...finding('engine', '1', '2'), address: `aws_thing.${n}` }))
    expect(joinAlike(many.map(f => analyzeFinding(f, { window })))).toMatchObject([
      { addresses: ['aws_thing.a', 'aws_thing.b', 'aws_thing.c'] },
    ])
  })
})

describe('secrets', () => {
  it('of 1,000 planted ones none is in what is told, advised or written as code', () => {
    const name = fc.constantFrom(
      'password',
      'db_password',
      'secret_key',
      'api_token',
      'client_secret',
      'private_key',
      'user_data',
    )
    fc.assert(
      fc.property(
        name,
        fc.stringMatching(/^planted-[a-z0-9]{8}$/),
        fc.stringMatching(/^planted-[a-z0-9]{8}$/),
        fc.integer({ min: 0, max: 2 }),
        (key, before, after, how) => {
          const value = (v: string): JsonObject => (how === 0 ? { [key]: v } : how === 1 ? { box: [{ [key]: v }] } : { plain: v })
          const plan = {
            resource_drift: [
              {
                address: 'a.b',
                type: 'a',
                change: {
                  actions: ['update'],
                  before: value(before),
                  after: value(after),
                  ...(how === 2 ? { after_sensitive: { plain: true } } : {}),
                },
              },
            ],
          }
          const analyses = analyzeReading(readDrift([plan as unknown as JsonObject]), { window })
          expect(JSON.stringify(analyses)).not.toContain('planted')
          for (const a of analyses)
            expect(
              codifyTerraform(
                a.finding,
                a.finding.changes.map(c => ({ path: c.path, action: 'codify_iac', reason: '' })),
              ) ?? '',
            ).not.toContain('planted')
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('the deed', () => {
  const wanted = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: { replicas: 2, template: { spec: { containers: [{ name: 'web', image: 'w:1' }] } } },
  } as unknown as JsonObject
  const live = (over: { replicas?: number; image?: string; managedFields?: Json; labels?: JsonObject }) =>
    ({
      ...wanted,
      metadata: { name: 'web', labels: over.labels ?? { app: 'web' }, managedFields: over.managedFields ?? [] },
      spec: {
        replicas: over.replicas ?? 2,
        template: { spec: { containers: [{ name: 'web', image: over.image ?? 'w:1', imagePullPolicy: 'Always' }] } },
      },
    }) as unknown as JsonObject
  it('reverting sets what the code says and leaves out what a controller owns', () => {
    const managedFields = [
      {
        manager: 'kube-controller-manager',
        operation: 'Update',
        subresource: 'scale',
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      },
    ] as unknown as Json
    const manifest = revertManifest(wanted, live({ replicas: 9, image: 'w:evil', managedFields }))
    expect(manifest).toMatchObject({ spec: { template: { spec: { containers: [{ image: 'w:1' }] } } } })
    expect((manifest as { spec: JsonObject }).spec.replicas).toBeUndefined()
    expect(revertManifest(wanted, live({ replicas: 9, managedFields }))).toBeUndefined()
  })
  it('keys that the code does not have are taken away', () => {
    const byHand = [
      { manager: 'kubectl-label', operation: 'Update', fieldsV1: { 'f:metadata': { 'f:labels': { 'f:hot': {} } } } },
    ] as unknown as Json
    expect(leftovers(wanted, live({ labels: { app: 'web', hot: 'fix' }, managedFields: byHand }))).toEqual({
      metadata: { labels: { hot: null } },
    })
    expect(leftovers(wanted, live({}))).toBeUndefined()
  })
  it('code that took the change over is as the cluster is', () => {
    const now = live({ replicas: 5, image: 'w:2' })
    expect(
      compareObjects(codifyManifest(wanted, now, ['spec.replicas', 'spec.template.spec.containers.image']), now).changes,
    ).toEqual([])
  })
})
