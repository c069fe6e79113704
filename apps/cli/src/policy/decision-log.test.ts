import type { Decision, Outcome } from '@aegis/domain'
import { expect, test } from 'vitest'
import { loggedChoices } from './decision-log.ts'

test('what ended is logged once with its reward, what is under way is not', () => {
  const decision = (id: string, action: string, status = 'decided') =>
    ({
      decision: id,
      action,
      status,
      situation: [1],
      candidates: [{ action, target: 't', probability: 1, value: 2 }],
    }) as unknown as Decision
  const outcome = (id: string, status: string) => ({ decision: id, status }) as unknown as Outcome
  const log = loggedChoices(
    [
      decision('a', 'restart'),
      decision('a', 'restart', 'approved'),
      decision('b', 'page'),
      decision('c', 'restart'),
      decision('d', 'restart'),
    ],
    [
      outcome('a', 'started'),
      outcome('a', 'done'),
      outcome('b', 'failed'),
      outcome('c', 'carried_out'),
      outcome('d', 'undoing'),
      outcome('d', 'undone'),
    ],
  )
  expect(log.map(l => [l.action, l.reward])).toEqual([
    ['restart', 0.9],
    ['page', -0.5],
    ['restart', -0.1],
  ])
  expect(log[0].candidates).toEqual([{ action: 'restart', target: 't', probability: 1 }])
})
