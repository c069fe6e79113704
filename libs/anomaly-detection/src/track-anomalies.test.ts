import { expect, test } from 'vitest'
import { TrackAnomalies } from './track-anomalies.ts'

const MINUTE = 60_000_000
const scored = (metric: string, score: number) => ({
  entity: 'service:a',
  environment: 'e',
  metric,
  unit: '1',
  value: 9,
  score,
  low: 0,
  high: 1,
})
const opened = (track: TrackAnomalies) => [0, 1, 2].flatMap(i => track.round('e', i * MINUTE, [scored('m', 10)]))

test('a series that never reports again takes its anomaly along, after an hour and not before', () => {
  const track = new TrackAnomalies('d', 'metric')
  expect(opened(track).map(a => a.state)).toEqual(['open'])
  expect([...track.environments]).toEqual(['e'])
  expect(track.round('e', 50 * MINUTE, [])).toEqual([])
  const restored = new TrackAnomalies('d', 'metric')
  restored.fromJSON(JSON.parse(JSON.stringify(track)))
  for (const t of [track, restored]) {
    expect(t.round('e', 63 * MINUTE, []).map(a => a.state)).toEqual(['close'])
    expect([...t.environments]).toEqual([])
    expect(JSON.parse(JSON.stringify(t)).streaks).toEqual([])
  }
})

test('one of two series that is gone leaves the other in charge', () => {
  const track = new TrackAnomalies('d', 'metric')
  for (let i = 0; i < 3; i++) track.round('e', i * MINUTE, [scored('m', 10), scored('n', 10)])
  let told: string[] = []
  for (let i = 3; i < 70; i++)
    told = [
      ...told,
      ...track.round('e', i * MINUTE, [scored('n', 10)]).map(a => `${a.state} ${(a.series ?? []).map(s => s.metric)}`),
    ]
  expect(told).toEqual(['update n'])
})
