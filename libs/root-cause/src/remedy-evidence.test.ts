import { describe, expect, it } from 'vitest'
import { type Remedy, remedyEvidence } from './remedy-evidence.ts'

const remedy = (target: string, entities: string, healed = true): Remedy => ({
  incident: 'i',
  target,
  entities: entities.split(' '),
  healed,
})
const strengths = (entities: string, ...past: Remedy[]) =>
  Object.fromEntries(remedyEvidence(entities.split(' '), past).map(f => [f.entity, f.strength]))

describe('remedyEvidence', () => {
  it.each([
    ['what healed the same', ['a b c', remedy('c', 'a b c')], { c: 6 }],
    ['what healed something else', ['a b c', remedy('c', 'c x y')], {}],
    ['what did not help', ['a b', remedy('a', 'a b', false)], {}],
    ['what helped as often as not', ['a b', remedy('a', 'a b'), remedy('a', 'a b', false)], {}],
    ['nothing was done', ['a b'], {}],
  ] as const)('%s', (_what, [entities, ...past], expected) => expect(strengths(entities, ...past)).toEqual(expected))
  it('counts more the oftener it healed, and the more alike', () => {
    const once = strengths('a b c', remedy('c', 'a b c')).c
    expect(strengths('a b c', remedy('c', 'a b c'), remedy('c', 'a b c')).c).toBeGreaterThan(once)
    expect(strengths('a b c', remedy('c', 'a b')).c).toBeLessThan(once)
  })
})
