import { anomalies, type DriftReport, driftAnalyses, driftEvents } from '@aegis/domain'
import { stageContract } from '@aegis/runtime/stage.contract'
import { received, runStage } from '@aegis/runtime/testing'
import { describe, expect, it } from 'vitest'
import { AnalyzeDrifts } from './analyze-drifts.ts'

const HOUR = 3_600_000_000
const T = 1_770_000_000_000_000
const report = (over: Partial<DriftReport> = {}): DriftReport => ({
  id: 'r1',
  environment: 'shop',
  time: T,
  state: 'open',
  started: T - HOUR,
  tool: 'terraform-plan',
  address: 'aws_security_group.web',
  type: 'aws_security_group',
  resource: 'sg-1',
  entity: 'service:web',
  attributes: ['ingress'],
  changes: [{ path: 'ingress', before: '["10.0.0.0/8"]', after: '["0.0.0.0/0"]', hidden: false, owners: [] }],
  audit: [
    JSON.stringify({
      eventID: 'e1',
      eventTime: new Date((T - HOUR) / 1000).toISOString(),
      eventName: 'AuthorizeSecurityGroupIngress',
      eventSource: 'ec2.amazonaws.com',
      userAgent: 'console.amazonaws.com',
      userIdentity: { type: 'IAMUser', userName: 'nia' },
      requestParameters: { groupId: 'sg-1', ipPermissions: {}, password: 'planted-1' },
    }),
  ],
  commits: [],
  incidents: [],
  ...over,
})
const run = (value: DriftReport) => runStage(new AnalyzeDrifts(), [[received(driftEvents, value)]])

describe('analyze-drifts', () => {
  it('tells who, how bad, what to do, and the spine of what weakens', async () => {
    const { of } = await run(report())
    expect(of(driftAnalyses)[0]).toMatchObject({ report: 'r1', actor: 'nia', channel: 'console', action: 'auto_revert' })
    expect(JSON.parse(of(driftAnalyses)[0]?.audit_entry ?? '{}').eventID).toBe('e1')
    expect(of(anomalies)[0]).toMatchObject({ kind: 'drift', entity: 'service:web', state: 'open', severity: 'critical' })
  })
  it('closes what it opened when the resource is as the code says again', async () => {
    const [opened, gone] = [await run(report()), await run(report({ state: 'gone', time: T + HOUR }))]
    expect(gone.of(driftAnalyses)).toEqual([])
    expect(gone.of(anomalies)[0]).toMatchObject({ state: 'close', id: opened.of(anomalies)[0]?.id, ended: T + HOUR })
  })
  it('a small thing is no anomaly', async () => {
    const { of } = await run(
      report({
        attributes: ['description'],
        changes: [{ path: 'description', before: '"a"', after: '"b"', hidden: false, owners: [] }],
      }),
    )
    expect(of(driftAnalyses)).toHaveLength(1)
    expect(of(anomalies)).toEqual([])
  })
  it('secrets that came in do not go out', async () => {
    const changes = [
      { path: 'master_password', before: '"planted-2"', after: '"planted-3"', hidden: false, owners: [] },
      { path: 'url', before: null, after: '"postgres://u:planted-4@db/x"', hidden: false, owners: [] },
    ]
    const { of } = await run(report({ attributes: ['master_password', 'url'], changes }))
    expect(JSON.stringify([of(driftAnalyses), of(anomalies)])).not.toContain('planted')
  })
})

stageContract(
  'analyze-drifts',
  () => new AnalyzeDrifts(),
  [0, 1, 2].map(i => received(driftEvents, report({ id: `r${i}` }), i)),
)
