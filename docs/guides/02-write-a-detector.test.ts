/**
 * Guide 2: write a detector of metrics. Read it from top to bottom; it runs with the unit tests.
 *
 * All metrics of an entity at one time are a row. A row model learns from rows taken as mostly normal, then says of each new one how strange it is and
 * which metrics are to blame. Thresholds, alarms and events are made of its scores by others.
 */
import { Ensemble } from '@aegis/anomaly-detection/ensemble'
import { type RowModel, type Rows, rowOf } from '@aegis/anomaly-detection/row-model'
import { rowModelContract } from '@aegis/anomaly-detection/row-model.contract'
import { expect, it } from 'vitest'

// 1. The name the literature uses, and the paper in the header of the file. This one: distance from the mean of what was learned (Mahalanobis 1936,
//    without the covariances).
class FarFromUsual implements RowModel {
  readonly name = 'far-from-usual'
  #mean = new Float64Array(0)
  #spread = new Float64Array(0)

  // 2. Learn once, from many rows.
  fit(rows: Rows): void {
    this.#mean = new Float64Array(rows.metrics)
    this.#spread = new Float64Array(rows.metrics)
    for (let i = 0; i < rows.count; i++) for (let j = 0; j < rows.metrics; j++) this.#mean[j] += rowOf(rows, i)[j] / rows.count
    for (let i = 0; i < rows.count; i++)
      for (let j = 0; j < rows.metrics; j++) this.#spread[j] += (rowOf(rows, i)[j] - this.#mean[j]) ** 2 / rows.count
  }
  // 3. A score is continuous, higher is stranger, and scoring changes nothing that can be seen. Guilt is each metric's share.
  score(row: Float64Array, guilt: Float64Array): number {
    for (let j = 0; j < row.length; j++) guilt[j] = (row[j] - this.#mean[j]) ** 2 / (this.#spread[j] + 1e-9)
    return Math.sqrt(guilt.reduce((a, b) => a + b))
  }
  // 4. Whoever looks back at recent rows keeps them here. This one does not.
  push(): void {}
  // 5. Parameters as plain data: they travel on the `models` stream.
  save() {
    return { mean: [...this.#mean], spread: [...this.#spread] }
  }
  load(state: { mean: number[]; spread: number[] }): void {
    this.#mean = Float64Array.from(state.mean)
    this.#spread = Float64Array.from(state.spread)
  }
}

// 6. Every row model keeps this contract: anomalies above anything normal, blame where it belongs, the same after a restart.
rowModelContract('far-from-usual', () => new FarFromUsual())

// 7. An ensemble brings scores of any kind to one scale: how surprising they are beside those learned.
it('its score becomes a surprise: about 1 in normal life, 20 where nothing like it was seen', () => {
  const values = Float64Array.from({ length: 600 }, (_, i) => Math.sin(i))
  const detector = new Ensemble({ members: [{ model: new FarFromUsual(), weight: 1 }] })
  detector.fit({ count: 300, metrics: 2, values })
  expect(detector.score(Float64Array.of(0.1, 0.2), new Float64Array(2))).toBeLessThan(4)
  expect(detector.score(Float64Array.of(30, 0.2), new Float64Array(2))).toBeGreaterThan(10)
})

// 8. A line in `libs/anomaly-detection/src/make-detector.ts` gives it a name. Measure before it is used:
//    `npm run aegis -- eval metric-anomaly --detector far-from-usual --data D --out O`.
