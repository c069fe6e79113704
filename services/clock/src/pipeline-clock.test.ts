import type { Control } from '@aegis/domain'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PipelineClock } from './pipeline-clock.ts'

let inForce: Partial<Control> | undefined
const ticks: { time: number; version: number | undefined }[] = []
let clock: PipelineClock
let broker: Promise<void>
beforeEach(() => {
  vi.useFakeTimers()
  inForce = undefined
  ticks.length = 0
  broker = Promise.resolve()
  let time = 0
  clock = new PipelineClock({
    now: () => ++time,
    latest: () => inForce as never,
    log: { info: () => undefined, warn: () => undefined } as never,
    tick: async words => {
      ticks.push({ time: words.time, version: inForce?.version })
      await broker
    },
  })
})
afterEach(() => {
  clock.stop()
  vi.useRealTimers()
})
const control = { environment: 'prod', version: 3 }

test('a control is named by a tick of its own as soon as it was heard', async () => {
  clock.lead(true)
  await vi.advanceTimersByTimeAsync(1000)
  const done = clock.tickOn(control)
  await vi.advanceTimersByTimeAsync(40)
  expect(ticks).toHaveLength(1)
  inForce = { version: 3 }
  await vi.advanceTimersByTimeAsync(20)
  await done
  expect(ticks.map(t => t.version)).toEqual([undefined, 3])
  await vi.advanceTimersByTimeAsync(940)
  expect(ticks.map(t => t.time)).toEqual([1, 2, 3])
})

test('one that is not heard waits for the next tick, and nothing ticks that does not lead', async () => {
  clock.lead(true)
  void clock.tickOn(control)
  await vi.advanceTimersByTimeAsync(900)
  expect(ticks).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(100)
  expect(ticks).toHaveLength(1)
  clock.lead(false)
  inForce = { version: 3 }
  await clock.tickOn(control)
  await vi.advanceTimersByTimeAsync(5000)
  expect(ticks).toHaveLength(1)
})

test('ticks do not pile up while the broker is away', async () => {
  let back = () => {}
  broker = new Promise(resolve => {
    back = resolve
  })
  clock.lead(true)
  await vi.advanceTimersByTimeAsync(30_000)
  expect(ticks).toHaveLength(1)
  back()
  await vi.advanceTimersByTimeAsync(10)
  expect(ticks).toHaveLength(2)
})
