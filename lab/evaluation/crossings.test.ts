import { normal, seededRandom } from '@aegis/learning/random'
import { expect, it } from 'vitest'
import { evaluateCrossings } from './crossings.ts'

const MINUTES = 600
/** A level with noise; from `from` on it climbs by `slope` a minute, until `to`, where it goes back. */
const series = (slope: number, from = 100, to = MINUTES, every = 1) => {
  const random = seededRandom(3)
  const at = Array.from({ length: MINUTES / every }, (_, i) => i * every)
  return {
    times: at.map(m => m * 60),
    values: at.map(m => 50 + (m < to ? slope * Math.max(0, m - from) : 0) + 0.5 * normal(random)),
  }
}

it('gives the lead of a ramp that crosses, at any distance of points', () => {
  for (const every of [1, 5]) {
    const { times, values } = series(0.2, 100, MINUTES, every)
    const found = evaluateCrossings(times, values, 100, 7200)
    expect([every, found.crossings, found.leads.length]).toEqual([every, 1, 1])
    // Looks two hours ahead: it is told about then, and not the five hours before that sixty of the coarser points would reach.
    expect(found.leads[0]).toBeGreaterThan(3600)
    expect(found.leads[0]).toBeLessThan(1.5 * 7200)
    expect(Math.abs(found.errors[0])).toBeLessThan(3600)
    expect(found.vain).toBe(0)
  }
})

it('counts as vain what was taken back, and nothing where nothing moves', () => {
  const climbed = series(0.2, 100, 300)
  const taken = evaluateCrossings(climbed.times, climbed.values, 100, 7200)
  expect([taken.crossings, taken.predictions > 0, taken.vain]).toEqual([0, true, taken.predictions])
  const calm = series(0)
  expect(evaluateCrossings(calm.times, calm.values, 100, 7200)).toEqual({
    crossings: 0,
    leads: [],
    errors: [],
    predictions: 0,
    vain: 0,
  })
})

it('has no lead where the limit is passed in one step', () => {
  const { times, values } = series(0)
  values.fill(200, 400)
  expect(evaluateCrossings(times, values, 100, 7200)).toMatchObject({ crossings: 1, leads: [], vain: 0 })
})
