import type { SessionScore } from '@aegis/anomaly-detection/logs/log-anomaly'
import { describe, expect, it } from 'vitest'
import { SessionStream } from './session-stream.ts'

const MINUTE = 60_000_000
/** Lines as [minute, unit, event], in order of time. */
function run(lines: readonly (readonly [minute: number, unit: string, event: string])[], endMinute: number) {
  const scores = new Map<string, SessionScore>()
  const stream = new SessionStream((unit, score) => scores.set(unit, score), { warmUp: 50 })
  for (const [minute, unit, event] of [...lines].sort((a, b) => a[0] - b[0]))
    stream.line(unit, unit.startsWith('train'), event, minute * MINUTE)
  stream.end(endMinute * MINUTE)
  return { scores, flagged: [...scores].filter(([, { alert }]) => alert).map(([unit]) => unit) }
}
const jobs = (prefix: string, count: number, from: number, events: readonly string[]) =>
  Array.from({ length: count }, (_, i) => events.map((event, k) => [from + i + 0.1 * k, `${prefix}${i}`, event] as const)).flat()

describe('SessionStream', () => {
  const before = [
    ...jobs('train', 100, 0, ['open ', 'write ', 'close ']),
    ...jobs('odd', 1, 150, ['open ', 'explode ', 'write ', 'close ']),
  ]

  it('flags what is strange when it is judged, and gives each unit one score', () => {
    const { scores, flagged } = run([...before, ...jobs('fine', 20, 151, ['open ', 'write ', 'close '])], 400)
    expect(flagged).toEqual(['odd0'])
    expect(scores.size).toBe(121)
  })
  it('does not take back what it said when that becomes common later', () => {
    const later = jobs('trainLater', 400, 200, ['open ', 'explode ', 'write ', 'close '])
    const { flagged } = run([...before, ...later], 900)
    expect(flagged).toContain('odd0')
    expect(flagged).not.toContain('trainLater399')
  })
  it('takes lines hours later for the same session, and misses them only where they are overdue', () => {
    const long = (prefix: string, count: number, from: number, ends: boolean) => [
      ...jobs(prefix, count, from, ['open ', 'close ']),
      ...(ends ? Array.from({ length: count }, (_, i) => [from + i + 300, `${prefix}${i}`, 'delete '] as const) : []),
    ]
    const lines = [...long('train', 100, 0, true), ...long('kept', 1, 500, false), ...long('young', 1, 1990, false)]
    const { flagged } = run(lines, 2000)
    // the first that are deleted are news
    expect(flagged.filter(unit => !/^train[0-4]$/.test(unit))).toEqual(['kept0'])
  })
  it('counts a template that was widened under its new name', () => {
    const scores = new Map<string, SessionScore>()
    const stream = new SessionStream((unit, score) => scores.set(unit, score), { warmUp: 50 })
    for (let i = 0; i < 200; i++) {
      if (i === 120) stream.follow([{ kind: 'widened', from: 'narrow', to: 'wide', text: 'a <*>' }])
      stream.line(`train${i}`, true, i < 120 ? 'narrow ' : 'wide ', i * MINUTE)
    }
    stream.end(500 * MINUTE)
    expect([...scores.values()].some(({ alert }) => alert)).toBe(false)
  })
})
