import { expect, it } from 'vitest'
import { SeasonalBaseline } from './seasonal-baseline.ts'
import { normal, seededRandom } from './seeded-random.ts'

/** Five-minute rows with a peak from nine to twelve each day; every seventh row was left out. */
const days = (from: number, to: number) => {
  const random = seededRandom(9)
  const times = Array.from({ length: (to - from) * 288 }, (_, i) => from * 86_400 + i * 300).filter((_, i) => i % 7 !== 3)
  const busy = (t: number) => (t % 86_400 >= 9 * 3600 && t % 86_400 < 12 * 3600 ? 1 : 0)
  const values = Float64Array.from(times.flatMap(t => [4 * busy(t) + 0.2 * normal(random), 0.3 * normal(random)]))
  return { count: times.length, metrics: 2, values, times }
}

it('knows what belongs to the time of day, by the clock, from two days on', () => {
  const model = new SeasonalBaseline()
  model.fit(days(0, 2))
  const guilt = new Float64Array(2)
  const at = (hour: number, value: number) => {
    model.at(5 * 86_400 + hour * 3600)
    return model.score(Float64Array.from([value, 0]), guilt)
  }
  const usual = Math.max(at(10, 4), at(3, 0))
  // One metric of two is strange: its surprise counts half.
  expect(at(3, 4)).toBeGreaterThan(usual + 2)
  expect(guilt[0]).toBeGreaterThan(guilt[1])
  // The peak that does not come is as strange as one that should not be there.
  expect(at(10, 0)).toBeGreaterThan(usual + 2)
  const again = new SeasonalBaseline()
  again.load(JSON.parse(JSON.stringify(model.save())))
  expect(again.score(Float64Array.from([0, 0]), guilt)).toBe(at(10, 0))
})

it('knows one level for all day before it has seen two days, or without times', () => {
  for (const rows of [days(0, 1), { ...days(0, 4), times: undefined }]) {
    const model = new SeasonalBaseline()
    model.fit(rows)
    const scores = [3, 10].map(hour => {
      model.at(9 * 86_400 + hour * 3600)
      return model.score(Float64Array.from([4, 0]), new Float64Array(2))
    })
    expect(scores[0]).toBe(scores[1])
  }
})
