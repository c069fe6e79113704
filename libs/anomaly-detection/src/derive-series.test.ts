import type { Observation } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { DeriveSeries } from './derive-series.ts'
import { RobustBaseline } from './robust-baseline.ts'

const HOUR = 3_600_000_000
const gauge = (entity: string, time: number): Observation =>
  ({ environment: 'test', entity, metric_name: 'cpu', metric_type: 'gauge', unit: '1', value: 1, time }) as Observation

describe('DeriveSeries', () => {
  it('forgets what fell silent, gives its handle out again, and keeps the rest', () => {
    const series = new DeriveSeries()
    series.add(gauge('pod:old', 0))
    series.add(gauge('pod:lasting', 0))
    series.add(gauge('pod:lasting', 20 * HOUR))
    expect(series.forget(() => 24 * HOUR, 24 * HOUR)).toEqual([])
    expect(series.forget(() => 25 * HOUR, 24 * HOUR)).toEqual([0])
    const restored = new DeriveSeries()
    restored.fromJSON(JSON.parse(JSON.stringify(series)))
    restored.add(gauge('pod:new', 25 * HOUR))
    restored.add(gauge('pod:newer', 25 * HOUR))
    expect([0, 1, 2].map(handle => restored.info(handle).entity)).toEqual(['pod:new', 'pod:lasting', 'pod:newer'])
  })

  it('is not held against a new series what its handle meant before', () => {
    const detector = new RobustBaseline({ warmUp: 2 })
    const round = (value: number) => ({ time: 0, series: Int32Array.of(0), values: Float64Array.of(value) })
    for (let i = 0; i < 5; i++) detector.learn(round(1), [false])
    expect(detector.score(round(100))[0]).toBeGreaterThan(6)
    detector.forget([0])
    expect(detector.score(round(100))[0]).toBeNaN()
  })
})
