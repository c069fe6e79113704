import type { Observation } from '@aegis/domain'
import { expect, it } from 'vitest'
import { PastRounds } from './past-rounds.ts'

const point = (entity: string, second: number, metric: string, value: number, over: Partial<Observation> = {}): Observation => ({
  id: `${entity}${metric}${second}`,
  environment: 'test',
  time: second * 1_000_000,
  entity,
  metric_name: metric,
  metric_type: 'gauge',
  unit: '',
  value,
  dimensions: {},
  history: true,
  ...over,
})
const shown = (rounds: readonly (ReturnType<PastRounds['add']> | undefined)[]) =>
  rounds
    .filter(r => r !== undefined)
    .map(r => [r.entity, r.time / 1e6, Object.fromEntries(r.values.map(v => [v.series.metric, v.value]))])

it('makes a round of each time of an entity, with rates of counters and instances put together', () => {
  const past = new PastRounds()
  const counter = { metric_type: 'counter' } as const
  const rounds = [
    ...[0, 60, 120].flatMap(s => [
      past.add(point('a', s, 'cpu', s, { dimensions: { instance: '1' } })),
      past.add(point('a', s, 'cpu', s + 2, { dimensions: { instance: '2' } })),
      past.add(point('a', s, 'requests', 3 * s, counter)),
      past.add(point('b', s, 'cpu', 7)),
    ]),
  ]
  expect(shown(rounds)).toEqual([
    ['a', 0, { cpu: 1 }],
    ['b', 0, { cpu: 7 }],
    ['a', 60, { cpu: 61, requests: 3 }],
    ['b', 60, { cpu: 7 }],
  ])
  expect(past.rest()).toEqual([])
  expect(shown(past.rest())).toEqual([
    ['a', 120, { cpu: 121, requests: 3 }],
    ['b', 120, { cpu: 7 }],
  ])
  expect(past.rest()).toEqual([])
})

it('learns nothing from a past that comes again, before or after a restart, and goes on with a later one', () => {
  let past = new PastRounds()
  const send = (...seconds: number[]) => shown(seconds.map(s => past.add(point('a', s, 'cpu', s))))
  expect(send(0, 60, 120)).toHaveLength(2)
  past = restarted(past)
  expect(send(0, 60)).toEqual([])
  expect(send(180)).toEqual([['a', 120, { cpu: 120 }]])
  past.rest()
  expect(shown(past.rest())).toEqual([['a', 180, { cpu: 180 }]])
  past = restarted(past)
  expect([...send(0, 60, 120, 180), ...shown(past.rest())]).toEqual([])
  expect(send(240, 300)).toEqual([['a', 240, { cpu: 240 }]])
})

const restarted = (past: PastRounds): PastRounds => {
  const again = new PastRounds()
  again.fromJSON(JSON.parse(JSON.stringify(past)))
  return again
}
