import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Load, type Measured, planFor } from './plan.ts'

const measured: Measured = {
  transport: 10,
  logParser: 20,
  logDetection: 5,
  metricDetection: 10,
  bytesPerSeries: 2000,
  snapshotBytesPerSeries: 1000,
}

describe('capacity', () => {
  it('gives a small load one instance of each', () => {
    const { needs, partitions } = planFor({ lines: 1000, series: 1000, intervalSeconds: 15 }, measured)
    expect(needs.every(n => n.instances === 1)).toBe(true)
    expect(partitions).toBe(6)
  })

  it('reckons cores from microseconds, and leaves 40 % of them free', () => {
    const { needs } = planFor({ lines: 90_000, series: 0, intervalSeconds: 15 }, measured)
    expect(needs.find(n => n.service === 'log-parser')).toEqual({
      service: 'log-parser',
      cores: 1.8,
      instances: 3,
      megabytes: 200,
    })
  })

  it('makes partitions of many series, so that a snapshot fits its record', () => {
    expect(planFor({ lines: 0, series: 1_000_000, intervalSeconds: 60 }, measured).partitions).toBe(96)
  })

  it('never needs less of anything for more load, and always more partitions than instances', () => {
    const load = fc.record({
      lines: fc.nat(300_000),
      series: fc.nat(2_000_000),
      intervalSeconds: fc.integer({ min: 1, max: 120 }),
    })
    const cores = (l: Load) => planFor(l, measured).needs.reduce((sum, n) => sum + n.cores, 0)
    fc.assert(
      fc.property(load, load, (a, b) => {
        const both = { lines: a.lines + b.lines, series: a.series + b.series, intervalSeconds: a.intervalSeconds }
        const plan = planFor(both, measured)
        expect(cores(both)).toBeGreaterThanOrEqual(cores(a) - 1e-9)
        for (const n of plan.needs) expect(plan.partitions).toBeGreaterThanOrEqual(n.instances)
      }),
    )
  })
})
