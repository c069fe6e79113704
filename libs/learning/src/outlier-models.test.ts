import { describe, expect, it } from 'vitest'
import { IsolationForest } from './isolation-forest.ts'
import { LocalOutlierFactor } from './local-outlier-factor.ts'
import { outlierModelContract } from './outlier-model.contract.ts'
import { SmallAutoencoder } from './small-autoencoder.ts'

outlierModelContract(() => new IsolationForest({ trees: 64, sample: 64 }))
outlierModelContract(() => new LocalOutlierFactor())
outlierModelContract(() => new SmallAutoencoder())

describe('LocalOutlierFactor', () => {
  it('gives what the definition gives on points of a line', () => {
    // Points 0, 1, 2, 10 with k = 1: 1 and 2 are each other's; from 10 the nearest is 2, 8 away, whose density is 1.
    const model = new LocalOutlierFactor({ neighbours: 1 })
    model.fit([0, 1, 2].map(x => Float64Array.of(x)))
    expect(model.score(Float64Array.of(10))).toBeCloseTo(8)
    expect(model.score(Float64Array.of(1.5))).toBeCloseTo(1)
  })
})
