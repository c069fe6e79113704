import { describe, expect, it } from 'vitest'
import { detectorContract } from './detector.contract.ts'
import { evaluateMetrics } from './evaluate-metrics.ts'
import { DETECTOR_NAMES, isDetector, MODEL_NAMES, makeDetector, makeModel, needsTensorFlow } from './make-detector.ts'
import { RobustBaseline } from './robust-baseline.ts'
import { rowModelContract } from './row-model.contract.ts'

detectorContract('robust-baseline', () => new RobustBaseline(), { warmUp: 12 })
for (const name of MODEL_NAMES) rowModelContract(`${name}, bare`, () => makeModel(name))
// Held scores pass the cap of what can be said only by a little.
for (const name of DETECTOR_NAMES.filter(name => !needsTensorFlow(name)))
  for (const streaming of [false, true])
    rowModelContract(`${name}, calibrated${streaming ? ', streaming' : ''}`, () => makeDetector(name, { streaming }), {
      margin: 0.99,
    })

describe('makeDetector', () => {
  it('makes an ensemble of those named: of all members the ensemble itself, of fewer another', () => {
    const rows = (count: number, from: number) => ({
      count,
      metrics: 3,
      values: Float64Array.from({ length: count * 3 }, (_, i) => Math.sin((from + i) / 7) + ((from + i) % 5) / 10),
    })
    const scores = (detector: string) => evaluateMetrics(rows(300, 0), rows(60, 900), { detector, stepSeconds: 60 }).scores
    expect(scores('ridge+sub-pca+k-means')).toEqual(scores('ensemble'))
    expect(scores('ridge+k-means')).not.toEqual(scores('ensemble'))
  })
  it('knows names, and several joined, and no others', () => {
    expect(['ensemble', 'ridge', 'ridge+vae'].map(isDetector)).toEqual([true, true, true])
    expect(['ensemble+ridge', 'ridge+', 'nonsense', ''].map(isDetector)).toEqual([false, false, false, false])
    expect(() => makeDetector('ridge+vae')).toThrow(/needs TensorFlow/)
  })
})
