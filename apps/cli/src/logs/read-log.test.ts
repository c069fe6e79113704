import { cleanLine } from '@aegis/log-mining'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reportText } from '../commands/logs.ts'
import { LogReader } from './read-log.ts'
import { TimeHistogram } from './time-histogram.ts'

const ARRIVAL = Date.UTC(2026, 0, 2) * 1000
const read = async (lines: readonly string[]) => {
  const reader = new LogReader({ arrival: ARRIVAL })
  for (const line of lines) await reader.line(line)
  return reader.finish(24)
}
const stamp = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString()

test('a report counts every line once, says when, and names what stands out', async () => {
  const lines = Array.from({ length: 600 }, (_, i) => `${stamp(i)} INFO order ${1000 + i} accepted for customer ${i * 7}`)
  lines.splice(
    300,
    0,
    `${stamp(300)} ERROR payment failed: connection refused to 10.0.0.7:5432`,
    'java.lang.IllegalStateException: no route',
    '\tat shop.Pay.charge(Pay.java:17)',
  )
  const report = await read(lines)
  expect(report.lines).toBe(603)
  expect(report.templates.reduce((sum, t) => sum + t.lines, 0)).toBe(603)
  expect(report.from).toBe(Date.parse(stamp(0)) * 1000)
  expect(report.templates[0]).toMatchObject({ template: 'order <*> accepted for customer <*>', lines: 600, first_line: 1 })
  expect(report.templates[0].over_time.reduce((a, b) => a + b, 0)).toBe(600)
  const strange = report.templates.filter(t => t.score >= 1)
  expect(strange.map(t => t.fault)).toEqual(['connection-refused'])
  const text = reportText('shop.log', report, { top: 5, samples: 1, sort: 'lines' })
  expect(text).toMatch(/worth reading:\n {2}line 301 .*connection refused/)
})

test('whatever the lines are, none is lost from the counts and no secret is shown', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ maxLength: 80 }), { maxLength: 60 }), async lines => {
      const report = await read([...lines, 'login with password=hunter2hunter2 done'])
      const counted = report.templates.reduce((sum, t) => sum + t.lines, 0)
      // An empty line counts with the event before it; before the first there is none.
      const empty = lines.filter(line => cleanLine(line).trim() === '').length
      expect(counted).toBeLessThanOrEqual(lines.length + 1)
      expect(counted).toBeGreaterThanOrEqual(lines.length + 1 - empty)
      expect(JSON.stringify(report)).not.toContain('hunter2hunter2')
    }),
    { numRuns: 60 },
  )
})

test('a histogram keeps its sum and its bounds while the span grows either way', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 200 }), times => {
      const histogram = new TimeHistogram(64, 1)
      for (const time of times) histogram.add('a', time)
      const columns = histogram.columns(['a'], 10)
      expect(columns.reduce((a, b) => a + b, 0)).toBe(times.length)
      expect(histogram.span).toEqual({ from: Math.min(...times), to: Math.max(...times) })
    }),
  )
})
