import type { Anomaly } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { hasImpact } from './group-incidents.ts'

const anomaly = (severity: string, ...series: [metric: string, value: number, low: number, high: number][]): Anomaly => ({
  id: 'a',
  environment: 'test',
  time: 1,
  state: 'open',
  entity: 'service:a',
  kind: 'metric',
  severity,
  score: 20,
  threshold: 6,
  summary: '',
  started: 1,
  ended: null,
  series: series.map(([metric, value, expected_low, expected_high]) => ({
    metric,
    unit: '',
    value,
    expected_low,
    expected_high,
    score: 20,
  })),
  templates: [],
  evidence: [],
  detector: 'test',
  model_version: '1',
})

describe('hasImpact', () => {
  it('what a rule foresees is an incident as what it sees, of any metric and by its own severity', () => {
    const foreseen = (severity: string) => ({ ...anomaly(severity, ['system.disk.used', 0.9, 0, 0.95]), kind: 'predicted' })
    expect(['low', 'medium', 'high'].map(s => hasImpact(foreseen(s)))).toEqual([false, true, true])
  })
  it('is what people notice: errors, latency and silence at any severity', () => {
    for (const metric of ['calls.error_share', 'calls.latency_p95', 'telemetry'])
      expect(hasImpact(anomaly('low', [metric, 9, 0, 1])), metric).toBe(true)
  })
  it('is the high use of a resource only when it is critical, and high traffic never', () => {
    const memory = ['process.memory.usage', 9, 0, 1] as const
    const surge = ['http.server.request.duration.count{http.route=/orders}', 90, 0, 10] as const
    expect(['high', 'critical'].map(s => hasImpact(anomaly(s, [...memory])))).toEqual([false, true])
    expect(hasImpact(anomaly('critical', [...surge], ['calls.rate', 90, 0, 10]))).toBe(false)
    expect(hasImpact(anomaly('critical', [...surge], [...memory]))).toBe(true)
    expect(hasImpact(anomaly('critical', ['calls.rate', 0, 5, 10]))).toBe(true)
    expect(hasImpact(anomaly('critical'))).toBe(true)
  })
})
