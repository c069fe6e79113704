import type { Decision, Outcome } from '@aegis/domain'
import { createExperiment, experimentResults } from '@aegis/remediation'
import { expect, test } from 'vitest'
import { armOf, countOutcomes } from './experiment.ts'

test('arms are read as written, and told when they are not', () => {
  expect(armOf('a=rules:50')).toEqual({ name: 'a', policy: 'rules', share: 50 })
  expect(() => armOf('a=magic:50')).toThrow(/name=policy:share/)
})

test('results count the first decision of each incident once, by its last word', () => {
  const experiment = createExperiment('x', [armOf('a=rules:50'), armOf('b=learned:50')])
  const decision = (n: number, arm: string, attempt = 0) =>
    ({ decision: `d${n}`, attempt, status: 'decided', reasons: ['ok', `experiment x: arm ${arm}`] }) as unknown as Decision
  const outcome = (n: number, status: string) => ({ decision: `d${n}`, status }) as unknown as Outcome
  const made = Array.from({ length: 80 }, (_, n) => decision(n, n % 2 ? 'b' : 'a'))
  const ended = made.flatMap((_, n) => [outcome(n, 'started'), outcome(n, n % 2 || n % 4 ? 'done' : 'failed')])
  const counted = countOutcomes(experiment, [...made, decision(0, 'a', 1)], [...ended, ...ended])
  expect(counted.counts).toEqual([
    { outcomes: 40, successes: 20 },
    { outcomes: 40, successes: 40 },
  ])
  expect(experimentResults(counted)[1].verdict).toBe('better')
})
