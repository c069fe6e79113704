import fc from 'fast-check'
import { expect, test } from 'vitest'
import { differences } from './differences.ts'

test('a record does not differ from itself, and any changed leaf is named', () => {
  expect(differences({ a: [1, { b: null }] }, { a: [1, {}] })).toEqual([])
  expect(differences({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] })).toEqual([{ path: 'a[1].b', recorded: '2', now: '3' }])
  expect(differences({ a: [1] }, { a: [1, 2] })).toEqual([{ path: 'a[1]', recorded: 'null', now: '2' }])
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      expect(differences(value, structuredClone(value))).toEqual([])
    }),
  )
})
