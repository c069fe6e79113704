import { expect, it } from 'vitest'
import { ourAction, theirAction } from './action-words.ts'
import { advise } from './advise.ts'

const kinds = (metrics: { metric_type: string; value: number }[], evidence: string[] = []) =>
  advise({ metrics, evidence }).map(s => s.kind)

it('suggests by the briefed limits, and nothing below them', () => {
  expect(kinds([{ metric_type: 'cpu_usage', value: 81 }])[0]).toBe('scaling')
  expect(kinds([{ metric_type: 'memory_usage', value: 86 }])[0]).toBe('scaling')
  expect(kinds([{ metric_type: 'query_time_ms', value: 1001 }]).slice(0, 2)).toEqual(['index', 'query'])
  expect(kinds([{ metric_type: 'query_time_seconds', value: 1.4 }])[0]).toBe('index')
  expect(
    kinds([
      { metric_type: 'cpu_usage', value: 80 },
      { metric_type: 'memory_usage', value: 85 },
      { metric_type: 'query_time_ms', value: 1000 },
    ]),
  ).toEqual([])
})
it('says what speaks for it and what to expect, the best founded first', () => {
  const [first] = advise({
    metrics: [{ metric_type: 'cpu_usage', value: 40 }],
    evidence: ['FATAL: remaining connection slots are reserved', 'too many connections'],
  })
  expect(first).toMatchObject({ category: 'database', kind: 'pooling' })
  expect(first.evidence).toHaveLength(2)
  expect(first.expected_effect).not.toBe('')
})
it('has one table of words for actions', () => {
  expect([ourAction('scale_up'), ourAction('restart_pod'), ourAction('drain')]).toEqual(['scale_out', 'restart', 'drain'])
  expect([theirAction('scale_out'), theirAction('restart'), theirAction('drain')]).toEqual(['scale_up', 'restart_pod', 'drain'])
})
