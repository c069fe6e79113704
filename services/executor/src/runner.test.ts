import { setTimeout as sleep } from 'node:timers/promises'
import { type Decision, type Executor, type Found, type Outcome, type Receipt, Unverified } from '@aegis/domain'
import { describe, expect, it } from 'vitest'
import { MemoryCoordination } from './coordination.ts'
import { Runner } from './runner.ts'

const decision = {
  decision: 'd1',
  environment: 'test',
  incident: 'i1',
  action: 'restart',
  target: 'service:a',
  mode: 'act',
  parameters: {},
}
const undoAction = { action: 'start', target: 'service:a', environment: 'test', parameters: {} }
type Fake = { execute?: (signal: AbortSignal, id: string) => Promise<Receipt>; find?: () => Promise<Found> }

/** A runner, its executor, and what it tells. */
const make = async (
  fake: Fake,
  {
    word = 'go' as 'go' | 'stop' | 'silent',
    coordination = new MemoryCoordination(() => performance.now()),
    timeoutMs = 2000,
  } = {},
) => {
  const words: Outcome[] = []
  let executed = 0
  if (word !== 'silent') await coordination.mirror('test', 1, word === 'stop')
  const executor: Executor = {
    name: 'fake',
    actions: ['restart'],
    execute: (_action, id, signal) => {
      executed++
      return fake.execute?.(signal, id) ?? Promise.resolve({ text: 'ok' })
    },
    find: () => fake.find?.() ?? Promise.resolve('unknown'),
  }
  const context = {
    now: () => 5,
    publish: async (_s: unknown, values: readonly Outcome[]) => void words.push(...values),
    log: { warn: () => undefined },
  }
  const runner = new Runner(context as never, coordination, { timeoutMs, permissionMs: 300, executorFor: () => executor })
  const told = async (n = 1) => {
    while (words.length < n) await sleep(5)
    return words
  }
  return { runner, coordination, told, words, executed: () => executed }
}
const until = (signal: AbortSignal): Promise<Receipt> =>
  new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason), { once: true }))
const d = (over: object = {}) => ({ ...decision, ...over }) as unknown as Decision

describe('Runner', () => {
  it('tells what the executor said, with the way back', async () => {
    const { runner, told } = await make({ execute: async () => ({ text: 'scaled', undo: undoAction }) })
    runner.start(d(), false)
    expect(await told()).toMatchObject([{ status: 'carried_out', receipt: 'fake: scaled', undo: JSON.stringify(undoAction) }])
  })
  it('does nothing while the kill switch is on or silent, except calling a person', async () => {
    for (const word of ['stop', 'silent'] as const) {
      const { runner, told, executed } = await make({}, { word })
      runner.start(d(), false)
      expect((await told())[0]).toMatchObject({ status: 'failed', error: expect.stringContaining('not done') })
      expect(executed()).toBe(0)
      runner.start(d({ decision: 'd2', action: 'page' }), false)
      expect((await told(2))[1].status).toBe('carried_out')
    }
  })
  it('leaves a decision to the process that claimed it', async () => {
    const first = await make({})
    const second = await make({}, { coordination: first.coordination })
    first.runner.start(d(), false)
    await first.told()
    second.runner.start(d(), false)
    await sleep(50)
    expect([second.words, second.executed()]).toEqual([[], 0])
  })
  it('after a restart looks first, and acts only on what was surely not done', async () => {
    const cases: [Found, number, object][] = [
      [{ text: 'was there' }, 0, { status: 'carried_out', receipt: 'was there' }],
      ['unknown', 0, { status: 'unfinished' }],
      ['not-done', 1, { status: 'carried_out', receipt: 'fake: ok' }],
      ['ask-again', 1, { status: 'carried_out', receipt: 'fake: ok' }],
    ]
    for (const [found, times, word] of cases) {
      const { runner, told, executed } = await make({ find: async () => found })
      runner.start(d(), true)
      expect(await told()).toMatchObject([word])
      expect(executed()).toBe(times)
    }
  })
  it('looks what became of an attempt that ran out of time', async () => {
    const cases: [Found, string][] = [
      [{ text: 'was there' }, 'carried_out'],
      ['not-done', 'failed'],
      ['unknown', 'unfinished'],
      ['ask-again', 'unfinished'],
    ]
    for (const [found, status] of cases) {
      const { runner, told } = await make({ execute: until, find: async () => found }, { timeoutMs: 30 })
      runner.start(d(), false)
      expect((await told())[0].status).toBe(status)
    }
  })
  it('does not wait for ever on an executor that does not hear', async () => {
    const { runner, told } = await make({ execute: () => new Promise(() => undefined) }, { timeoutMs: 30 })
    runner.start(d(), false)
    expect((await told())[0].status).toBe('unfinished')
  })
  it('says failed of what was refused, and unfinished when even looking fails', async () => {
    const refuse = async (): Promise<Receipt> => Promise.reject(new Error('no such service'))
    const refused = await make({ execute: refuse })
    refused.runner.start(d(), false)
    expect(await refused.told()).toMatchObject([{ status: 'failed', error: 'no such service' }])
    const blind = await make({ execute: refuse, find: () => Promise.reject(new Error('gone')) })
    blind.runner.start(d(), false)
    expect(await blind.told()).toMatchObject([{ status: 'unfinished', error: expect.stringContaining('gone') }])
  })
  it('stops what is cancelled, by decision or by environment', async () => {
    for (const which of [{ decision: 'd1' }, { environment: 'test' }]) {
      const { runner, told } = await make({ execute: until, find: async () => 'not-done' })
      runner.start(d(), false)
      await sleep(20)
      runner.cancel(which, 'ann said stop')
      expect(await told()).toMatchObject([{ status: 'failed', error: 'ann said stop' }])
    }
  })
  it('tells what was done and not seen to work apart from what was not done', async () => {
    const { runner, told } = await make({
      execute: () => Promise.reject(new Unverified('rolled back, but stuck', { text: 'rolled back', undo: undoAction })),
    })
    runner.start(d(), false)
    expect(await told()).toMatchObject([
      { status: 'unverified', error: 'rolled back, but stuck', undo: JSON.stringify(undoAction) },
    ])
  })
  it('takes back under an id of its own', async () => {
    const ids: string[] = []
    const { runner, told } = await make({
      execute: async (_s, id) => {
        ids.push(id)
        return { text: 'back', undo: undoAction }
      },
    })
    runner.undo(d(), undoAction, false)
    expect(await told()).toMatchObject([{ status: 'taken_back', undo: '', action: 'restart' }])
    expect(ids).toEqual(['d1-undo'])
    const broken = await make({ execute: () => Promise.reject(new Error('no')) })
    broken.runner.undo(d(), undoAction, false)
    expect(await broken.told()).toMatchObject([{ status: 'failed', error: 'did not help, and could not be taken back: no' }])
  })
  it('says nothing of what it leaves behind when it stops', async () => {
    const { runner, words } = await make({ execute: until })
    runner.start(d(), false)
    await sleep(20)
    runner.stop()
    await sleep(50)
    expect(words).toEqual([])
  })
})
