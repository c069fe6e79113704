import type { Cause, Graph } from '@aegis/domain'
import { expect, it } from 'vitest'
import { holdCause } from './hold-cause.ts'
import type { Ranking } from './rank-causes.ts'

const ranking = (...entities: string[]): Ranking => ({
  verdict: 'cause_named',
  causes: entities.map((entity, i) => ({ entity, confidence: 0.7 / (i + 1), fault_kind: 'crash' }) as Cause),
  health: [],
  margin: 0.5,
})
const graph: Graph = {
  nodes: [],
  edges: [
    { from: 'a', to: 'b', kind: 'calls' },
    { from: 'b', to: 'c', kind: 'calls' },
  ],
}
const names = (r: Ranking) => r.causes.map(c => c.entity)

it('keeps a cause that is gone before those who depend on it, however long', () => {
  const held = holdCause(ranking('c', 'a'), undefined, { graph, now: 0, isGone: () => true }).held
  const later = holdCause(ranking('a', 'c'), held, { graph, now: 60_000_000, isGone: () => true })
  const latest = holdCause(ranking('a', 'c'), later.held, { graph, now: 120_000_000, isGone: () => true })
  expect(names(latest.ranking)).toEqual(['c', 'a'])
  expect(latest.ranking.causes[0].confidence).toBeGreaterThan(latest.ranking.causes[1].confidence)
})
it('gives way to another that stays first for a while', () => {
  const at = (now: number) => ({ graph, now, isGone: () => false })
  const first = holdCause(ranking('c', 'a'), { entity: 'c' }, at(0))
  const soon = holdCause(ranking('a', 'c'), first.held, at(1_000_000))
  const late = holdCause(ranking('a', 'c'), soon.held, at(6_000_000))
  expect([names(soon.ranking)[0], names(late.ranking)[0], late.held?.entity]).toEqual(['c', 'a', 'a'])
})
