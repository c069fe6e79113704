import { normal, seededRandom } from '@aegis/learning/random'
import { expect, it } from 'vitest'
import { SeasonalBaseline } from './seasonal-baseline.ts'

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

/** Metrics over weeks of `step` seconds: one that is busy from nine to twelve but at weekends, one that is every day, one of noise. */
const weeks = (from: number, to: number, step: number, seed: number, left: (t: number) => boolean = () => false) => {
  const random = seededRandom(seed)
  const times: number[] = []
  for (let t = from * 604_800; t < to * 604_800; t += step) if (!left(t)) times.push(t)
  const busy = (t: number) => (t % 86_400 >= 9 * 3600 && t % 86_400 < 12 * 3600 ? 4 : 0)
  const weekend = (t: number) => Math.floor(t / 86_400) % 7 >= 5
  const values = times.flatMap(t => [weekend(t) ? 0 : busy(t), busy(t), 0].map(x => x + 0.2 * normal(random)))
  return { count: times.length, metrics: 3, values: Float64Array.from(values), times }
}
const fitted = (rows: ReturnType<typeof weeks>) => {
  const model = new SeasonalBaseline()
  model.fit(rows)
  return {
    model,
    at: (day: number, hour: number, values: number[]) => {
      model.at(10 * 604_800 + day * 86_400 + hour * 3600)
      return model.score(Float64Array.from(values), new Float64Array(3))
    },
  }
}

it.each([60, 300, 900])('knows weekends from two weeks of rows every %i s on, for the metrics that have them', step => {
  const { model, at } = fitted(weeks(0, 2, step, 5))
  expect(model.weekly).toEqual([0])
  const usual = Math.max(at(1, 10, [4, 4, 0]), at(6, 10, [0, 4, 0]), at(6, 3, [0, 0, 0]))
  // Work on a Saturday is as strange as none on a Tuesday; one metric of three is strange.
  expect(at(6, 10, [4, 4, 0])).toBeGreaterThan(usual + 2)
  expect(at(1, 10, [0, 4, 0])).toBeGreaterThan(usual + 2)
  // Only the day is known of the second.
  expect(at(6, 10, [0, 0, 0])).toBeGreaterThan(usual + 2)
  const again = new SeasonalBaseline()
  again.load(JSON.parse(JSON.stringify(model.save())))
  again.at(10 * 604_800 + 6 * 86_400 + 36_000)
  expect(again.score(Float64Array.from([4, 4, 0]), new Float64Array(3))).toBe(at(6, 10, [4, 4, 0]))
})

it('goes by the day where there is less than two weeks, and where weeks tell nothing', () => {
  expect(fitted(weeks(0, 1.8, 300, 6)).model.weekly).toEqual([])
  for (const seed of [7, 8, 9]) {
    const rows = weeks(0, 4, 300, seed)
    const days = { ...rows, values: rows.values.map((x, i) => (i % 3 === 0 ? rows.values[i + 2] : x)) }
    const { model, at } = fitted(days)
    expect(model.weekly).toEqual([])
    expect(at(3, 10, [0, 0, 0])).toBe(at(6, 10, [0, 0, 0]))
  }
})

it('takes gaps: a day of the week that was left out is judged by that time of all days', () => {
  const { model, at } = fitted(weeks(0, 3, 300, 10, t => Math.floor(t / 86_400) % 7 === 2))
  expect(model.weekly).toEqual([0])
  expect(at(2, 10, [4, 4, 0])).toBeLessThan(at(2, 10, [0, 0, 0]))
})

it('stays as small with a year of rows as with three weeks', () => {
  const size = (weeksOf: number) => JSON.stringify(fitted(weeks(0, weeksOf, 900, 11)).model.save()).length
  expect(size(52)).toBeLessThan(2 * size(3))
})
