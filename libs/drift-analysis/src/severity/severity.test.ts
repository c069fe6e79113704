import { describe, expect, it } from 'vitest'
import { severityOfEvent } from './event-severity.ts'
import { machineSize, severityOfAll, severityOfChange } from './severity.ts'

describe('how bad a change is', () => {
  const of = severityOfChange
  it('security: opened, rights, encryption and watching taken away above what is said about it', () => {
    const open = of({ type: 'cloud_firewall', attribute: 'source_ranges', before: ['10.0.0.0/8'], after: ['0.0.0.0/0'] })
    const admin = of({ type: 'iam_user', attribute: 'policies', before: 'Viewer', after: 'Administrator' })
    const closed = of({ type: 'cloud_firewall', attribute: 'source_ranges', before: '0.0.0.0/0', after: '10.0.0.0/8' })
    expect(Math.min(open.security, admin.security)).toBeGreaterThan(0.9)
    expect(closed.security).toBeLessThan(0.3)
    expect(of({ type: 'disk', attribute: 'encrypted', before: true, after: false }).security).toBeGreaterThan(0.9)
    expect(of({ type: 'iam_user', attribute: 'description', before: 'a', after: 'b' }).security).toBe(0)
  })
  it('performance and cost: less is slow, more is dear', () => {
    const less = of({ type: 'deployment', attribute: 'spec.replicas', before: 8, after: 1 })
    const more = of({ type: 'deployment', attribute: 'spec.replicas', before: 1, after: 8 })
    expect(less.performance).toBeGreaterThan(more.performance)
    expect(more.cost).toBeGreaterThan(less.cost)
    expect(of({ type: 'vm', attribute: 'instance_type', before: 'm5.large', after: 'm5.8xlarge' }).cost).toBeGreaterThan(0.8)
    expect(machineSize('t3.nano')!).toBeLessThan(machineSize('t3.large')!)
  })
  it('compliance: what can no longer be brought back or proven', () => {
    expect(of({ type: 'database', attribute: 'backup_retention_period', before: 30, after: 1 }).compliance).toBeGreaterThan(0.9)
    expect(of({ type: 'database', attribute: 'backup_retention_period', before: 1, after: 30 }).compliance).toBeLessThan(0.2)
    const all = severityOfAll([
      { type: 'x', attribute: 'logging', before: true, after: false },
      { type: 'x', attribute: 'memory', before: '1Gi', after: '8Gi' },
    ])
    expect(all.compliance).toBeGreaterThan(0.9)
    expect(all.cost).toBeGreaterThan(0.5)
    expect(all.counted[0].sign).toBe('nobody watches any more')
  })
})
describe('how bad an entry is', () => {
  const call = (eventName: string, over: object = {}) => severityOfEvent({ eventName, eventSource: 'x', ...over }).security
  it('taking away backups above making a network, a refusal below the deed, a look at the bottom', () => {
    expect(call('DeleteBackupVault')).toBeGreaterThan(call('CreateSubnet'))
    expect(call('DeleteBackupVault', { errorCode: 'AccessDenied' })).toBeLessThan(call('DeleteBackupVault'))
    expect(call('DescribeSubnets')).toBeLessThan(call('CreateSubnet'))
    expect(call('PutBucketPolicy', { requestParameters: { policy: '{"Principal":"*"}' } })).toBeGreaterThan(
      call('PutBucketPolicy'),
    )
  })
  it('any object has a severity', () => {
    for (const event of [
      {},
      { properties: { log: '{broken' } },
      { verb: 'create', objectRef: { resource: 'pods', subresource: 'exec' } },
    ])
      expect(severityOfEvent(event).security).toBeGreaterThanOrEqual(0)
  })
})
