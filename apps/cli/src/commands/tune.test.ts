import { expect, it } from 'vitest'
import { judge, proposals } from './tune.ts'

it('shows a change with what it would have spared and lost, from what people said', () => {
  const found = new Map<string, { detector: string; score: number; threshold: number }>()
  const of = new Map<string, string[]>()
  const said = new Map<string, string>()
  for (let i = 0; i < 200; i++) {
    const right = i < 120
    found.set(`a${i}`, { detector: 'robust-baseline', score: right ? 20 : 7, threshold: 6 })
    found.set(`b${i}`, { detector: 'log-windows', score: 1, threshold: 1 })
    of.set(`i${i}`, [`a${i}`, `b${i}`, 'forgotten'])
    said.set(`i${i}`, right ? 'service:a' : '')
  }
  said.set('unknown', 'service:b')
  const judged = judge(found, of, said)
  expect(judged.get('robust-baseline')).toHaveLength(200)
  expect(proposals(judged, { ANOMALY_THRESHOLD: '5' })).toEqual([
    'robust-baseline:',
    '- ANOMALY_THRESHOLD=5',
    '+ ANOMALY_THRESHOLD=5.85',
    '  of 80 false ones 80 less; of 120 right ones 0 less (95 %: at most 3.1 in 100)',
    expect.stringMatching(/^log-windows: /),
  ])
  expect(proposals(judged, {}, true)).toEqual(['ANOMALY_THRESHOLD=7.02'])
})
