import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isWell, type LoadWindow, p95LimitOf } from './is-well.ts'

const second = (success: number, p95Ms = 40, requests = 100): LoadWindow => ({
  time: 0,
  requests,
  failed: Math.round(requests * (1 - success)),
  success,
  p50Ms: p95Ms / 2,
  p95Ms,
})
const good = second(1)
const times = (count: number, window: LoadWindow) => Array.from({ length: count }, () => window)
const options = { p95LimitMs: 250 }

describe('isWell', () => {
  it('is well before anything is known, and through one bad second', () => {
    expect(isWell([], options)).toBe(true)
    expect(isWell([...times(10, good), second(0.2), ...times(3, good)], options)).toBe(true)
  })

  it('is broken after two bad seconds of three, by failures, by latency, or by silence', () => {
    for (const bad of [second(0.8), second(1, 900), second(0, 0, 0)]) {
      expect(isWell([...times(5, good), bad, good, bad], options)).toBe(false)
      expect(isWell([...times(5, good), bad, good, good, bad], options)).toBe(true)
    }
  })

  it('is well again only after five good seconds together', () => {
    const broken = [...times(5, good), second(0.5), second(0.5)]
    expect(isWell([...broken, ...times(4, good)], options)).toBe(false)
    expect(isWell([...broken, ...times(5, good)], options)).toBe(true)
    expect(isWell([...broken, ...times(4, good), second(0.9), ...times(4, good)], options)).toBe(false)
  })

  it('does not call a success of 98 % well again, nor break for it', () => {
    const low = second(0.98)
    expect(isWell(times(20, low), options)).toBe(true)
    expect(isWell([second(0.5), second(0.5), ...times(20, low)], options)).toBe(false)
  })

  it('always ends well after five perfect seconds and broken after two dead ones', () => {
    const any = fc.record({
      success: fc.double({ min: 0, max: 1, noNaN: true }),
      p95Ms: fc.double({ min: 1, max: 3000, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), history => {
        const windows = history.map(({ success, p95Ms }) => second(success, p95Ms))
        expect(isWell([...windows, ...times(5, good)], options)).toBe(true)
        expect(isWell([...windows, ...times(2, second(0))], options)).toBe(false)
      }),
      { seed: 7, numRuns: 200 },
    )
  })
})

describe('p95LimitOf', () => {
  it('is four times the healthy percentile within 250 to 400 ms', () => {
    expect(p95LimitOf([])).toBe(250)
    expect(p95LimitOf([second(1, 20), second(1, 30), second(1, 2000)])).toBe(250)
    expect(p95LimitOf([second(1, 80)])).toBe(320)
    expect(p95LimitOf([second(1, 300)])).toBe(400)
  })
})
