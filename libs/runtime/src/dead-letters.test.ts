import { expect, it } from 'vitest'
import type { RawRecord } from './broker.ts'
import { putBack, waiting } from './dead-letters.ts'

it('a letter that was put back waits no more', () => {
  const letter = (offset: number): RawRecord => ({
    topic: 'logs.raw.dlq',
    partition: 2,
    offset,
    key: null,
    value: Buffer.from('x'),
    headers: {},
    timestamp: 0,
  })
  const all = [letter(4), letter(5), { ...putBack(letter(4)), offset: 6, timestamp: 0 } as RawRecord, letter(7)]
  expect(waiting(all).map(r => r.offset)).toEqual([5, 7])
})
