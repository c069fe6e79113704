import { seededRandom } from '@aegis/domain'
import { estimateOnset } from '@aegis/lab/evaluation/estimate-onset'
import { AlertHistory, rankAlertCases, rankAlerts } from '@aegis/lab/evaluation/rank-alerts'
import { simulateCase } from '@aegis/lab/root-cause/simulate-cases'
import { describe, expect, it } from 'vitest'
import { fuseEvidence } from './fuse-evidence.ts'
import { meaningOf } from './metric-meaning.ts'

describe('fuseEvidence', () => {
  it('finds most causes of incidents it did not learn from, and says the same each time', () => {
    let right = 0
    for (let seed = 0; seed < 40; seed++) {
      const s = simulateCase(seededRandom(900_000 + seed), { entities: 20 })
      const ranking = fuseEvidence(s.evidence, { alert: s.alert })
      if (ranking.suspects.slice(0, 3).some(x => x.entity === s.cause)) right++
      if (seed < 3) expect(JSON.stringify(fuseEvidence(s.evidence, { alert: s.alert }))).toBe(JSON.stringify(ranking))
    }
    expect(right).toBeGreaterThanOrEqual(28)
  })
  it('says nothing of nothing', () => {
    const ranking = fuseEvidence({
      entities: ['a', 'b'],
      edges: [['a', 'b']],
      series: [{ entity: 'a', metric: 'cpu', before: [1, 1, 1, 1], after: [1, 1] }],
    })
    expect(ranking).toMatchObject({ incident: false, verdict: 'not_enough_evidence' })
  })
})
describe('meaningOf', () => {
  it('reads common names', () => {
    for (const [name, meaning] of [
      ['container_cpu_usage_seconds_total', 'cpu'],
      ['jvm.memory.used', 'memory'],
      ['http_server_errors_total', 'error'],
      ['availability', 'success'],
      ['http_client_latency_p99', 'outbound_latency'],
      ['node_memory_percent', 'host'],
      ['requests', 'traffic'],
      ['http.server.request.duration.count{http.response.status_code=200}', 'traffic'],
      ['http.server.request.duration.count{http.response.status_code=503}', 'error'],
    ])
      expect(meaningOf(name).meaning, name).toBe(meaning)
  })
})
describe('estimateOnset', () => {
  it('is where most series break', () => {
    const random = seededRandom(3)
    const times = Array.from({ length: 40 }, (_, i) => i)
    const columns = new Map(
      Array.from({ length: 6 }, (_, k) => [`${k}`, times.map(t => random() + (t >= 25 && k < 4 ? 3 : 0))] as const),
    )
    expect(estimateOnset(times, columns)).toBe(25)
  })
})
describe('rankAlerts', () => {
  it('blames the one with rare alerts, instances of a service together', () => {
    const noise = Array.from({ length: 9 }, (_, i) => ({
      case: `${i}`,
      nodes: ['a-0', 'b-0'],
      metric_alerts: [['a-0', 'cpu', 'up']],
    }))
    const case_ = {
      case: 'x',
      nodes: ['a-0', 'b-0'],
      metric_alerts: [['a-0', 'cpu', 'up']],
      trace_alerts: [['a-0', 'b-0', 'get', 'slow']],
    }
    const all = rankAlertCases([...noise, case_])
    expect(all.at(-1)).toMatchObject({ case: 'x', ranked: ['b', 'a'] })
    expect(rankAlerts({ case: 'y', nodes: ['a-0'] }, new AlertHistory()).confidence).toBe(0)
  })
})
