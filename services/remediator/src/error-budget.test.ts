import type { Incident } from '@aegis/domain'
import { expect, test } from 'vitest'
import { ErrorBudget } from './error-budget.ts'

const MINUTE = 60e6
const DAY = 1440 * MINUTE
const incident = (id: string, state: string, started: number, time: number, severity = 'high') =>
  ({ id, environment: 'e', state, started: started * MINUTE, time: time * MINUTE, severity }) as Incident
const left = (incidents: readonly Incident[], now: number): number => {
  const budget = new ErrorBudget(10 * MINUTE)
  for (const i of incidents) budget.see(i)
  const again = new ErrorBudget(10 * MINUTE)
  again.fromJSON(JSON.parse(JSON.stringify(budget)))
  expect(again.left('e', now * MINUTE)).toBe(budget.left('e', now * MINUTE))
  return Math.round((budget.left('e', now * MINUTE) as number) * 1000) / 1000
}

test('time in incidents is spent once, however many were open', () => {
  expect(left([], 5)).toBe(1)
  expect(left([incident('a', 'open', 0, 1)], 4)).toBe(0.6)
  expect(left([incident('a', 'open', 0, 1), incident('a', 'mitigated', 0, 3)], 60)).toBe(0.7)
  expect(left([incident('a', 'open', 0, 1), incident('b', 'open', 2, 2), incident('a', 'closed', 0, 3)], 4)).toBe(0.6)
  expect(left([incident('a', 'open', 0, 1), incident('a', 'mitigated', 0, 2), incident('a', 'closed', 0, 9)], 60)).toBe(0.8)
  expect(left([incident('a', 'open', 0, 1)], 500)).toBe(0)
})
test('what hardly anybody notices costs nothing, and a month later all is forgotten', () => {
  expect(left([incident('a', 'open', 0, 1, 'medium')], 9)).toBe(1)
  expect(left([incident('a', 'open', 0, 1, 'medium'), incident('a', 'updated', 0, 2, 'critical')], 4)).toBe(0.6)
  expect(left([incident('a', 'open', 0, 1), incident('a', 'closed', 0, 9)], 31 * (DAY / MINUTE))).toBe(1)
  expect(new ErrorBudget(0).left('e', 0)).toBeUndefined()
})
