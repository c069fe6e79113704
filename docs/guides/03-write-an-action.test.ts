/**
 * Guide 3: write an executor for an action. Read it from top to bottom; it runs with the unit tests.
 *
 * A decision names an action and a target. An executor carries it out. It may be called twice with one id, because a service can die between the deed and
 * writing it down: the second call must find the work done.
 */
import { ACTIONS, type Action, type Executor, type Found, isDisruptive, type Receipt } from '@aegis/domain'
import { expect, it } from 'vitest'

/** The system that is acted on: here a list of caches. */
const caches = new Map([['service:cart', { entries: 900, clearedBy: '' }]])

// 1. Which actions it can carry out, and how. The id is left where the deed was done.
const clearCache: Executor = {
  name: 'cache',
  actions: ['clean_disk'],
  async execute(action: Action, id: string): Promise<Receipt> {
    const cache = caches.get(action.target)
    // 2. What cannot be done throws, and names the thing, the place and the next step.
    if (!cache) throw new Error(`${action.target} has no cache; caches are ${[...caches.keys()].join(', ')}`)
    if (cache.clearedBy !== id) Object.assign(cache, { entries: 0, clearedBy: id })
    return { text: `${action.target}: cache cleared` }
  },
  // 3. After a restart this is asked first: was it done, was it not, or can nobody tell?
  async find(action: Action, id: string): Promise<Found> {
    return caches.get(action.target)?.clearedBy === id ? { text: `${action.target}: cache was cleared` } : 'not-done'
  },
}

const action: Action = { action: 'clean_disk', target: 'service:cart', environment: 'prod', parameters: {} }
const signal = new AbortController().signal

it('does the work once, whoever calls how often', async () => {
  expect(await clearCache.find(action, 'd-1', signal)).toBe('not-done')
  await clearCache.execute(action, 'd-1', signal)
  Object.assign(caches.get('service:cart')!, { entries: 5 })
  await clearCache.execute(action, 'd-1', signal)
  expect(caches.get('service:cart')?.entries).toBe(5)
  expect(await clearCache.find(action, 'd-1', signal)).toEqual({ text: 'service:cart: cache was cleared' })
})

it('says what is wrong where it cannot', async () => {
  await expect(clearCache.execute({ ...action, target: 'service:x' }, 'd-2', signal)).rejects.toThrow(
    'service:x has no cache; caches are',
  )
})

// 4. A new action is a line in `ACTIONS` (libs/domain/src/action.ts): what it does, and whether users notice. What nobody knows counts as disruptive, and
//    the guard holds it to stricter limits.
it('an unknown action counts as disruptive', () => {
  expect(isDisruptive('clean_disk')).toBe(ACTIONS.clean_disk.disruptive)
  expect(isDisruptive('flush-everything')).toBe(true)
})

// 5. When it is right: the runbook in `libs/remediation/src/rules-policy.ts`. How far it may go: `aegis ladder`. A fault in `deploy/demo-shop` that only it
//    heals, and a line in the scenario test, show that it works.
