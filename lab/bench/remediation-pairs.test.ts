import { expect, test } from 'vitest'
import {
  barsOf,
  type Drilled,
  figuresOf,
  minutesLeft,
  type PolicyName,
  pairsOf,
  rightFirst,
  tableOf,
} from './remediation-pairs.ts'

const drilled = (
  round: number,
  fault: string,
  policy: PolicyName,
  acts: [action: string, target: string][],
  rest: Partial<Drilled['report']> = {},
  seconds = 45,
): Drilled => ({
  round,
  fault,
  policy,
  load: 1,
  seconds,
  report: {
    fault,
    broken: true,
    healed: true,
    verified: true,
    secondsToHeal: 10,
    causeRank: 1,
    acts: acts.map(([action, target]) => ({ action, target, seconds: 5 })),
    policy: policy === 'rules' ? 'rules 1' : 'learned 2',
    ...rest,
  } as Drilled['report'],
})
const LEAK = 'memory-leak'
const both = (round: number, rules: Partial<Drilled['report']>, learned: Partial<Drilled['report']>): Drilled[] => [
  drilled(round, LEAK, 'rules', [['restart', 'service:catalog']], rules),
  drilled(round, LEAK, 'learned', [['scale_out', 'service:catalog']], learned),
]

test('only complete pairs in which both felt the fault count', () => {
  const held = [
    ...both(1, {}, {}),
    ...both(2, {}, { broken: false }),
    drilled(3, LEAK, 'rules', []),
    drilled(3, 'disk-full', 'learned', []),
  ]
  expect(pairsOf(held).map(([a, b]) => [a.round, a.policy, b.policy])).toEqual([[1, 'rules', 'learned']])
  expect(figuresOf(held)).toMatchObject({ pairs: 1, notFelt: 1 })
  expect(figuresOf([])).toBeUndefined()
})

test('right is what was measured to heal, on the service that is broken', () => {
  const first = (action: string, target: string) => rightFirst(drilled(1, LEAK, 'rules', [[action, target]]))
  expect([first('restart', 'service:catalog'), first('clean_disk', 'service:catalog'), first('restart', 'service:cart')]).toEqual(
    [true, false, false],
  )
  expect(rightFirst(drilled(1, LEAK, 'rules', []))).toBe(false)
})

test('the bars are held against the pairs, unhealed ones last as long as a person takes', () => {
  const rounds = Array.from({ length: 40 }, (_, i) => i)
  const fewer = figuresOf(rounds.flatMap(i => both(i, i < 5 ? { healed: false } : {}, {})))!
  expect(fewer).toMatchObject({ rules: { healed: 35, disruptive: 40 }, learned: { healed: 40, disruptive: 0 } })
  expect(fewer.p.healed).toBeCloseTo(0.0625, 6)
  expect(barsOf(fewer).map(b => /reached|MISSED|no room/.exec(b)?.[0])).toEqual(['reached', 'reached', 'no room'])
  const same = figuresOf(rounds.slice(1).flatMap(i => both(i, { acts: [] }, { acts: [] })))!
  expect(barsOf(same).map(b => /reached|MISSED|no room/.exec(b)?.[0])).toEqual(['MISSED', 'MISSED', 'reached'])
  const never = figuresOf(both(1, { healed: false, secondsToHeal: null }, {}))!
  expect([never.rules.medianSecondsToHeal, never.learned.medianSecondsToHeal]).toEqual([300, 10])
  expect(tableOf(fewer)).toContain('memory-leak (40)')
})

test('what is left is estimated by fault where that is known', () => {
  const held = [drilled(1, 'overload', 'rules', [], {}, 120), drilled(1, LEAK, 'rules', [], {}, 40)]
  expect(minutesLeft([{ fault: 'overload' }, { fault: LEAK }, { fault: 'disk-full' }], held, 50)).toBeCloseTo(
    (120 + 40 + 80) / 60,
  )
  expect(minutesLeft([{ fault: LEAK }], [], 50)).toBeCloseTo(50 / 60)
})
