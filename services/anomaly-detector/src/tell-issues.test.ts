import { anomalies, type ExternalIssue, type Input, issuesExternal } from '@aegis/domain'
import { rankCauses } from '@aegis/root-cause'
import { describe, expect, it } from 'vitest'
import { anomalyOfIssue, TellIssues } from './tell-issues.ts'

const issue = (more: Partial<ExternalIssue> = {}): ExternalIssue => ({
  id: 'i1',
  environment: 'one',
  time: 10_000_000,
  entity: 'service:store',
  kind: 'crash_loop',
  name: 'BackOff',
  state: 'firing',
  severity: 'high',
  summary: 'back-off restarting failed container',
  ...more,
})
const received = (value: ExternalIssue, offset: number) =>
  ({
    kind: 'value',
    stream: issuesExternal,
    time: value.time,
    value,
    partition: 2,
    offset,
    clamped: false,
    random: () => 0,
  }) as Input

describe('issues from outside', () => {
  it('open and close one anomaly, which points at the record', async () => {
    const out = await new TellIssues().process([
      received(issue(), 7),
      received(issue({ state: 'resolved', time: 20_000_000 }), 8),
      received(issue({ entity: null }), 9),
    ])
    const told = out.map(r =>
      r.kind === 'emit' && r.stream.name === anomalies.name ? (r.value as ReturnType<typeof anomalyOfIssue>) : undefined,
    )
    expect(told.map(a => a?.state)).toEqual(['open', 'close'])
    expect(told[0]?.id).toBe(told[1]?.id)
    expect(told[0]?.evidence[0]).toMatchObject({ kind: 'issue', stream: 'issues.external', partition: 2, offset: 7 })
  })
  it.each(['crash_loop', 'probe', 'alert'])('%s counts as evidence against its entity', kind => {
    const at = { partition: 0, offset: 1 }
    const slow = anomalyOfIssue(issue({ id: 'i2', entity: 'service:web', kind: 'event', name: 'slow', severity: 'low' }), at)!
    const ranked = rankCauses({
      anomalies: [slow, anomalyOfIssue(issue({ kind, name: 'X' }), at)!],
      graph: {
        nodes: [{ id: 'service:store' }, { id: 'service:web' }],
        edges: [{ from: 'service:web', to: 'service:store', kind: 'calls' }],
      },
      changes: [],
    })
    expect(ranked.causes[0].entity).toBe('service:store')
    expect(ranked.causes[0].evidence.some(e => e.stream === 'issues.external')).toBe(true)
  })
})
