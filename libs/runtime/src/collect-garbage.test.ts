import { expect, it } from 'vitest'
import { collectGarbage } from './collect-garbage.ts'

it('collects what nobody holds', async () => {
  const gone = new WeakRef({ held: 'by nobody' })
  collectGarbage(5)
  await expect.poll(() => gone.deref() === undefined, { timeout: 20_000 }).toBe(true)
})
