import { describe, expect, it } from 'vitest'
import { StopRate } from './stop-rate.ts'

const SECOND = 1_000_000
const readings = (counts: readonly (readonly [visits: number, stopped: number])[], rate = new StopRate()) => {
  const state = StopRate.fresh()
  return counts.map(([visits, stopped], i) => rate.read(state, { visits, stopped }, (i + 1) * SECOND))
}
const quiet = (seconds: number, stopped = 0) => Array.from({ length: seconds }, () => [5, stopped] as const)

describe('StopRate', () => {
  it.each([
    ['a fault after a quiet minute', [...quiet(60), ...quiet(10, 2)], true],
    ['a quiet time', quiet(100), false],
    ['what was always so', quiet(100, 2), false],
    ['half as much again', [...quiet(300, 2), ...quiet(60, 3)], false],
    ['two stops are chance', [...quiet(60), [5, 2]] as const, false],
    ['nothing is known yet', quiet(20, 2), false],
  ])('%s', (_what, counts, strange) => expect(readings(counts).at(-1)?.strange).toBe(strange))
  it('finds when it began, and what would have been usual for so many visits', () => {
    const last = readings([...quiet(60, 1), ...quiet(10, 4)]).at(-1)!
    expect(last).toMatchObject({ visits: 50, stopped: 40 })
    expect(last.expected).toBeCloseTo(10, 0)
  })
  it('waits longer where visits are few', () => {
    const rare = [...Array(60)].map((_, i) => [i % 10 === 0 ? 1 : 0, 0] as const)
    const fault = [...Array(120)].map((_, i) => (i % 10 === 0 ? ([1, 1] as const) : ([0, 0] as const)))
    const first = readings([...rare, ...fault]).findIndex(r => r.strange)
    expect(first).toBeGreaterThan(80)
    expect(first).toBeLessThan(180)
  })
  it('keeps finding a fault strange that lasts for minutes', () => {
    const fault = readings([...quiet(60), ...quiet(300, 2)]).slice(70)
    expect(fault.every(r => r.strange)).toBe(true)
  })
})
