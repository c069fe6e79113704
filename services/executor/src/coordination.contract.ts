import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Coordination } from './coordination.ts'

/** What leases, claims and the mirrored kill switch must keep to; run for the twin in memory and for Redis. */
export const coordinationContract = (name: string, make: () => Coordination): void => {
  describe(`coordination contract: ${name}`, () => {
    let c: Coordination
    beforeAll(() => {
      c = make()
    })
    afterAll(() => c.close())
    const fresh = () => randomUUID()

    it('lets one holder claim a decision, and the same one again', async () => {
      const d = fresh()
      expect(await c.claim(d, 'a')).toBe(true)
      expect(await c.claim(d, 'b')).toBe(false)
      expect(await c.claim(d, 'a')).toBe(true)
    })
    it('leases an entity to one holder at a time, until released or run out', async () => {
      const e = fresh()
      expect(await c.lease('test', e, 'a', 5000)).toBe(true)
      expect(await c.lease('test', e, 'b', 5000)).toBe(false)
      await c.release('test', e, 'b')
      expect(await c.lease('test', e, 'b', 5000)).toBe(false)
      await c.release('test', e, 'a')
      expect(await c.lease('test', e, 'b', 50)).toBe(true)
      await new Promise(resolve => setTimeout(resolve, 120))
      expect(await c.lease('test', e, 'a', 50)).toBe(true)
    })
    it('tells silence from stop, and never takes an older word for a newer one', async () => {
      const env = fresh()
      expect(await c.mayAct(env)).toBe('silent')
      await c.mirror(env, 0, false)
      expect(await c.mayAct(env)).toBe('go')
      await c.mirror(env, 2, true)
      await c.mirror(env, 1, false)
      expect(await c.mayAct(env)).toBe('stop')
      await c.mirror(env, 3, false)
      expect(await c.mayAct(env)).toBe('go')
    })
  })
}
