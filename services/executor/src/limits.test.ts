import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Limits, readLimits } from './limits.ts'

const restart = { action: 'restart', target: 'service:cart', environment: 'prod' }

test('what is not allowed, protected, elsewhere or too much is not done', () => {
  let now = 0
  const limits = new Limits(
    { actions: ['restart'], environments: ['prod'], protected: ['service:bank', 'node:*'], perHour: 2 },
    () => now,
  )
  expect(limits.objection({ ...restart, action: 'drain_node' })).toMatch(/do not allow drain_node/)
  expect(limits.objection({ ...restart, target: 'service:bank' })).toMatch(/protect service:bank/)
  expect(limits.objection({ ...restart, target: 'node:a' })).toMatch(/protect node:a/)
  expect(limits.objection({ ...restart, environment: 'other' })).toMatch(/do not name other/)
  expect([limits.objection(restart), limits.objection(restart)]).toEqual([undefined, undefined])
  expect(limits.objection(restart)).toMatch(/2 actions an hour/)
  expect(limits.objection({ ...restart, action: 'page' })).toBeUndefined()
  now = 3_600_000_001
  expect(limits.objection(restart)).toBeUndefined()
})

test('a file that says something else stops the executor', () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'aegis-')), 'limits.yaml')
  writeFileSync(file, 'actions: [restart]\nprotectd: [x]\n')
  expect(() => readLimits(file)).toThrow(/protectd/)
  writeFileSync(file, 'actions: [restart]\n')
  expect(readLimits(file)).toEqual({ actions: ['restart'], protected: [] })
})
