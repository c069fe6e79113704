import { impossibility, seededRandom, unitOf } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { detectAnomaly } from './detect-anomaly.ts'
import { MetricForest } from './metric-forest.ts'
import { meaningOf } from './metric-meaning.ts'

const normal = (seed: number) => {
  const random = seededRandom(seed)
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
const point = (metric_type: string, value: number, time = 0, labels?: Record<string, string>) => ({
  metric_type,
  value,
  time,
  labels,
})
const learned = (n: number, value: (i: number) => number, metric = 'cpu_usage') => {
  const forest = new MetricForest()
  for (let i = 0; i < n; i++) detectAnomaly(forest, [point(metric, value(i), i)])
  return forest
}

describe('detectAnomaly', () => {
  it('says of one point without history that it knows too little', () => {
    expect(detectAnomaly(new MetricForest(), [point('cpu_usage', 97)])).toMatchObject({
      is_anomaly: false,
      severity: 'low',
      confidence: 0.1,
      recommended_action: 'none',
      details: { reason: 'insufficient_history' },
    })
  })
  it.each([
    ['cpu_usage', 250],
    ['memory_percent', -1],
    ['error_rate', 140],
    ['request_latency_ms', -5],
    ['queue_depth', -1],
  ])('knows without history that %s is never %d', (metric, value) => {
    const answer = detectAnomaly(new MetricForest(), [point(metric, value)])
    expect(answer).toMatchObject({ is_anomaly: true, severity: 'critical', affected_metrics: [metric] })
    expect(answer.details.reason).toContain(metric)
  })
  it.each([
    ['temperature', -5],
    ['replication_offset', -3],
    ['cpu_usage', 100],
    ['error_rate', 0.5],
    ['memory_usage_bytes', 4e9],
    ['latency_ms', 90_000],
  ])('takes %s of %d for possible', (metric, value) => expect(impossibility(metric, value)).toBeUndefined())

  it('goes by statistics until it has samples enough, and by the forest from then on', () => {
    const random = normal(1)
    const forest = learned(60, () => 50 + 3 * random())
    expect(detectAnomaly(forest, [point('cpu_usage', 96, 1e9)])).toMatchObject({
      is_anomaly: true,
      severity: 'critical',
      recommended_action: 'scale_up',
      details: { model: 'statistics' },
    })
    const grown = learned(300, () => 50 + 3 * random())
    const answer = detectAnomaly(grown, [point('cpu_usage', 88, 1e9)])
    expect(answer).toMatchObject({ is_anomaly: true, details: { model: 'isolation-forest' } })
    expect(answer.anomaly_score).toBeGreaterThanOrEqual(0.85)
    expect(answer.details.affected_features[0]).toMatch(/^cpu_usage_(normalized_value|rate_of_change|max)$/)
    expect(detectAnomaly(grown, [point('cpu_usage', 51, 1e9 + 1)])).toMatchObject({
      is_anomaly: false,
      details: { reason: 'within what is usual' },
    })
  })
  it('is quiet on what is usual, noise or pattern', () => {
    for (const [name, value] of Object.entries({
      noise: (n: () => number) => () => 50 + 5 * n(),
      day: (n: () => number) => (i: number) => 50 + 20 * Math.sin(i / 60) + 2 * n(),
      constant: () => () => 42,
      saw: () => (i: number) => 10 + (i % 7),
    })) {
      const forest = new MetricForest()
      const next = value(normal(3))
      let found = 0
      for (let i = 0; i < 1500; i++) if (detectAnomaly(forest, [point(`some_${name}`, next(i), i)]).is_anomaly) found++
      expect(found / 1500, name).toBeLessThan(0.01)
    }
  })
  it('takes another level that stays for the usual one', () => {
    const random = normal(5)
    const forest = learned(200, () => 20 + random())
    let last = true
    for (let i = 0; i < 120; i++) last = detectAnomaly(forest, [point('cpu_usage', 60 + random(), 1000 + i)]).is_anomaly
    expect(last).toBe(false)
  })
  it('keeps series apart by their labels, and points in the order of their times', () => {
    const forest = new MetricForest()
    const random = normal(6)
    for (let i = 0; i < 50; i++)
      detectAnomaly(forest, [
        point('cpu_usage', 90 + random(), i, { host: 'busy' }),
        point('cpu_usage', 10 + random(), i, { host: 'idle' }),
      ])
    expect(detectAnomaly(forest, [point('cpu_usage', 90, 99, { host: 'busy' })]).is_anomaly).toBe(false)
    expect(detectAnomaly(forest, [point('cpu_usage', 90, 99, { host: 'idle' })]).is_anomaly).toBe(true)
    const shuffled = Array.from({ length: 40 }, (_, i) => point('queue_depth', i < 39 ? 5 + (i % 3) : 500, i)).reverse()
    expect(detectAnomaly(new MetricForest(), shuffled)).toMatchObject({ is_anomaly: true, affected_metrics: ['queue_depth'] })
  })
  it('goes on after a restart where it was', () => {
    const random = normal(8)
    const forest = learned(250, () => 30 + random())
    const again = new MetricForest()
    again.load(JSON.parse(JSON.stringify(forest.save())))
    const ask = (f: MetricForest) => detectAnomaly(f, [point('cpu_usage', 70, 1e9)])
    expect(ask(again).is_anomaly).toBe(ask(forest).is_anomaly)
    expect(again.trained).toBe(1)
  })
  it('answers in bounds whatever comes', () => {
    const forest = new MetricForest({ minSamples: 5 })
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            metric_type: fc.constantFrom('a', 'cpu_usage', 'x_ratio', ''),
            value: fc.double({ noNaN: true, noDefaultInfinity: true }),
            time: fc.integer(),
          }),
          { maxLength: 30 },
        ),
        points => {
          const { anomaly_score, confidence } = detectAnomaly(forest, points)
          return anomaly_score >= 0 && anomaly_score <= 1 && confidence >= 0 && confidence <= 1
        },
      ),
    )
  })
})

it.each([
  ['cpu_usage', 'percent', 'cpu'],
  ['memoryUsagePercent', 'percent', 'memory'],
  ['http.server.duration', 'amount', 'latency'],
  ['error_rate', 'share', 'errors'],
  ['disk_used_bytes', 'amount', 'disk'],
  ['temperature_celsius', 'any', 'other'],
  ['up', 'any', 'availability'],
])('reads off the name %s that it is %s of %s', (name, unit, meaning) =>
  expect([unitOf(name), meaningOf(name)]).toEqual([unit, meaning]),
)
