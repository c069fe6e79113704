import { describe, expect, it } from 'vitest'
import { channelOf, readAuditEvent } from './audit-event.ts'
import { AuditTrail, type Question } from './find-maker.ts'

let next = 0
const at = (minute: number) => `2026-02-03T10:${String(minute).padStart(2, '0')}:00Z`
const call = (minute: number, eventName: string, requestParameters: object, over: object = {}) => ({
  eventID: `e${next++}`,
  eventTime: at(minute),
  eventName,
  eventSource: 'rds.amazonaws.com',
  userAgent: 'aws-cli/2.9',
  userIdentity: { type: 'IAMUser', userName: 'nia', arn: 'arn:aws:iam::1:user/nia' },
  requestParameters,
  ...over,
})
const trailOf = (rows: object[]) => new AuditTrail(rows.map(r => readAuditEvent(r)!))
const ask = (type: string, id: string, changed: string[]): Question => ({
  type,
  id,
  changed,
  from: Date.parse(at(0)),
  to: Date.parse(at(59)),
})

describe('which entry made a change', () => {
  it('the last that sets the attribute: not a refused one, not of a sibling, not of another attribute, not a look', () => {
    const rows = [
      call(
        1,
        'ModifyDBInstance',
        { dBInstanceIdentifier: 'pay', deletionProtection: true },
        { userAgent: 'HashiCorp Terraform/1.7' },
      ),
      call(5, 'ModifyDBInstance', { dBInstanceIdentifier: 'pay', deletionProtection: false }),
      call(6, 'ModifyDBInstance', { dBInstanceIdentifier: 'pay', deletionProtection: false }, { errorCode: 'AccessDenied' }),
      call(7, 'ModifyDBInstance', { dBInstanceIdentifier: 'pay-replica', deletionProtection: false }),
      call(8, 'ModifyDBInstance', { dBInstanceIdentifier: 'pay', allocatedStorage: 80 }),
      call(9, 'DescribeDBInstances', { dBInstanceIdentifier: 'pay' }, { readOnly: true }),
    ]
    const { found, others, confidence } = trailOf(rows).find(ask('aws_db_instance', 'pay', ['deletion_protection']))
    expect(found?.event.raw).toBe(rows[1])
    expect(found).toMatchObject({ actor: 'nia', channel: 'cli' })
    expect(others[0].event.raw).toBe(rows[0])
    expect(confidence).toBeGreaterThan(0.8)
  })
  it('a resource that came or went: the call that makes its kind, named in the answer too', () => {
    const rows = [
      call(2, 'AllocateAddress', { domain: 'vpc' }, { responseElements: { allocationId: 'eipalloc-9' } }),
      call(3, 'AssociateAddress', { allocationId: 'eipalloc-9' }),
      call(4, 'PutRolePolicy', { roleName: 'ops', policyName: 'p' }),
    ]
    const trail = trailOf(rows)
    expect(trail.find(ask('aws_eip', 'eipalloc-9', ['(resource)'])).found?.event.raw).toBe(rows[0])
    expect(trail.find(ask('aws_iam_role', 'ops', ['(resource)'])).found).toBeUndefined()
    expect(trail.find(ask('aws_iam_role', 'ops', ['inline_policy'])).found?.event.raw).toBe(rows[2])
    expect(trail.find(ask('aws_iam_role', 'ops', ['managed_policy_arns'])).found).toBeUndefined()
  })
  it('many ways to say it: synonyms, deletions that are scheduled, keys of the call', () => {
    const fits = (eventName: string, type: string, attribute: string, more: object = {}) =>
      trailOf([call(2, eventName, { id: 'x-1', ...more })]).find(ask(type, 'x-1', [attribute])).found !== undefined
    expect(fits('ScheduleKeyDeletion', 'aws_kms_key', '(resource)')).toBe(true)
    expect(fits('DisableKeyRotation', 'aws_kms_key', 'enable_key_rotation')).toBe(true)
    expect(fits('StopLogging', 'aws_cloudtrail', 'enable_logging')).toBe(true)
    expect(fits('SetDesiredCapacity', 'aws_autoscaling_group', 'desired_capacity')).toBe(true)
    expect(fits('ModifyListener', 'aws_lb_listener', 'default_action', { defaultActions: [{}] })).toBe(true)
    expect(fits('PutBucketPublicAccessBlock', 'aws_s3_bucket', 'public_access_block')).toBe(true)
    expect(fits('PutBucketLogging', 'aws_s3_bucket', 'versioning')).toBe(false)
  })
  it('nothing where nothing fits, and surely so where nothing names it', () => {
    const trail = trailOf([call(2, 'TagUser', { userName: 'bo', tags: [{ key: 'a', value: 'b' }] })])
    expect(trail.find(ask('aws_iam_user', 'bo', ['access_keys'])).found).toBeUndefined()
    expect(trail.find(ask('aws_iam_user', 'someone', ['access_keys'])).confidence).toBeGreaterThan(0.95)
    expect(trail.find(ask('aws_iam_user', 'bo', ['tags'])).found?.actor).toBe('nia')
  })
})

describe('logs of other providers', () => {
  it('Kubernetes: who patched, and controllers apart', () => {
    const patch = (minute: number, username: string, requestObject: object) => ({
      auditID: `k${minute}`,
      verb: 'patch',
      stageTimestamp: at(minute),
      user: { username },
      userAgent: 'kubectl/v1.31',
      objectRef: { resource: 'deployments', name: 'web', namespace: 'shop' },
      requestObject,
      responseStatus: { code: 200 },
    })
    const { found } = trailOf([
      patch(1, 'lea', { spec: { replicas: 4 } }),
      patch(2, 'lea', { metadata: { labels: { a: 'b' } } }),
    ]).find(ask('Deployment', 'web', ['spec.replicas']))
    expect(found?.event.id).toBe('k1')
    expect(found).toMatchObject({ actor: 'lea', channel: 'cli' })
    expect(
      readAuditEvent({ ...patch(3, 'system:serviceaccount:kube-system:hpa', {}), userAgent: 'kube-controller-manager' })?.channel,
    ).toBe('controller')
  })
  it('Google Cloud and Azure: actor, refusal, names in paths', () => {
    const google = readAuditEvent({
      insertId: 'g',
      timestamp: at(3),
      protoPayload: {
        methodName: 'v1.compute.firewalls.patch',
        serviceName: 'compute.googleapis.com',
        resourceName: 'projects/p/global/firewalls/open',
        authenticationInfo: { principalEmail: 'kim@example.org' },
        requestMetadata: { callerSuppliedUserAgent: 'gcloud/400' },
        request: { sourceRanges: ['0.0.0.0/0'] },
        status: {},
      },
    })!
    expect(google).toMatchObject({ channel: 'cli', denied: false })
    expect(new AuditTrail([google]).find(ask('google_compute_firewall', 'open', ['source_ranges'])).found?.actor).toBe(
      'kim@example.org',
    )
    const azure = readAuditEvent({
      eventDataId: 'a',
      eventTimestamp: at(4),
      operationName: { value: 'Microsoft.Network/networkSecurityGroups/write' },
      caller: 'jo@example.org',
      resourceId: '/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/networkSecurityGroups/edge',
      status: { value: 'Failed' },
    })!
    expect(azure).toMatchObject({ denied: true, actors: ['jo@example.org', 'jo'] })
  })
})

it('channels by what called', () => {
  const of = (agent: string, over = {}) =>
    channelOf({ agent, invokedBy: '', console: false, kind: 'IAMUser', actor: '', ...over })
  expect(of('APN/1.0 HashiCorp/1.0 Terraform/1.9 aws-sdk-go')).toBe('iac')
  expect(of('Boto3/1.34 Python/3.12')).toBe('script')
  expect(of('Mozilla/5.0 (X11; Linux)')).toBe('console')
  expect(of('autoscaling.amazonaws.com')).toBe('service')
  expect(of('console.amazonaws.com')).toBe('console')
  expect(of('', { invokedBy: 'cloudformation.amazonaws.com' })).toBe('iac')
})
it('what is no audit log is passed over', () => {
  for (const raw of [null, 3, [], {}, { eventName: 'x' }]) expect(readAuditEvent(raw)).toBeUndefined()
})
