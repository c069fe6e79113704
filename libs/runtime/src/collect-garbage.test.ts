import { expect, it } from 'vitest'
import { collectGarbage } from './collect-garbage.ts'

it('collects what nobody holds, again and again', async () => {
  collectGarbage(5)
  for (let round = 0; round < 2; round++) {
    const gone = new WeakRef({ round })
    await expect.poll(() => gone.deref() === undefined, { timeout: 20_000 }).toBe(true)
  }
})
