import { ACTIONS, type Cause } from '@aegis/domain'
import { expect, test } from 'vitest'
import { confidenceIn, OPTIONS, optionsOf } from './options.ts'

const cause = (entity: string, confidence: number) => ({ entity, confidence }) as Cause
const causes = [cause('store', 0.6), cause('inventory', 0.3)]

test('every action can be done to the first suspect, all but paging to the second', () => {
  expect(new Set(OPTIONS.map(o => o.name)).size).toBe(2 * Object.keys(ACTIONS).length - 1)
  const open = optionsOf(causes, [], 0.2).filter(o => o.allowed)
  expect(open.filter(o => o.target === 'store')).toHaveLength(Object.keys(ACTIONS).length)
  expect(open.filter(o => o.target === 'inventory')).toHaveLength(Object.keys(ACTIONS).length - 1)
})

test('the second suspect is acted on once the confidence in it is enough: attempts that failed on the first leave it more', () => {
  const restart = { action: 'restart', target: 'store' }
  expect(confidenceIn(causes, 'inventory', [])).toBeCloseTo(0.3)
  expect(confidenceIn(causes, 'inventory', [restart])).toBeCloseTo(0.3 / 0.52)
  expect(confidenceIn(causes, 'store', [restart])).toBe(0.6)
  expect(confidenceIn(causes, 'nobody', [])).toBe(0)
  const open = (tried: (typeof restart)[]) => optionsOf(causes, tried, 0.4).filter(o => o.allowed && o.target === 'inventory')
  expect(open([])).toEqual([])
  expect(open([restart])).toHaveLength(Object.keys(ACTIONS).length - 1)
})

test('nothing is tried twice on one entity, and a person can always be called', () => {
  const tried = Object.keys(ACTIONS).flatMap(action => causes.map(c => ({ action, target: c.entity })))
  expect(
    optionsOf(causes, tried, 0)
      .filter(o => o.allowed)
      .map(o => o.action),
  ).toEqual(['page'])
  expect(optionsOf([causes[0]], [], 0).filter(o => o.allowed && o.target !== 'store')).toEqual([])
})
