import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BoundedMap } from './bounded-map.ts'
import { keyOf, partsOf } from './keys.ts'

it('gives up what was used longest ago, and says so', () => {
  const left: string[] = []
  const map = new BoundedMap<string, number>(2, (_, key) => left.push(key))
  map.set('a', 1).set('b', 2)
  expect(map.touch('a')).toBe(1)
  map.set('c', 3)
  expect([...map.keys()]).toEqual(['a', 'c'])
  expect(left).toEqual(['b'])
  expect(map.touch('b')).toBeUndefined()
})

it('is never larger than it may be, and goes on from its entries as it would have', () => {
  const step = fc.tuple(fc.constantFrom('set', 'touch'), fc.constantFrom(...'abcdef'))
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), fc.array(step), (most, before, after) => {
      const run = (map: BoundedMap<string, number>, steps: readonly (readonly [string, string])[]) => {
        for (const [what, key] of steps) what === 'set' ? map.set(key, 1) : map.touch(key)
        expect(map.size).toBeLessThanOrEqual(most)
        return map
      }
      const one = run(new BoundedMap(most), before)
      const two = new BoundedMap<string, number>(most)
      two.load(JSON.parse(JSON.stringify(one)))
      expect([...run(two, after).keys()]).toEqual([...run(one, after).keys()])
    }),
  )
})

it('keys fall apart into what they were made of', () => {
  expect(partsOf(keyOf('prod', 'service:a', 'cpu', 3))).toEqual(['prod', 'service:a', 'cpu', '3'])
})
