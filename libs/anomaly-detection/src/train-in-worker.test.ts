import { expect, it } from 'vitest'
import { trainInWorker } from './train-in-worker.ts'

const request = (rows: number) => ({
  detector: 'ridge',
  metrics: ['a', 'b'],
  rows: { count: rows, metrics: 2, values: Float64Array.from({ length: 2 * rows }, (_, i) => Math.sin(i / 7)) },
  stepSeconds: 1,
  alarmsPerDay: 1,
  youngThreshold: 9,
})

it('takes every training to its end, however quickly its process is gone, one after the other', async () => {
  const order: number[] = []
  await Promise.all([900, 300, 300, 300].map((rows, i) => trainInWorker(request(rows)).then(() => order.push(i))))
  expect(order).toEqual([0, 1, 2, 3])
})
it('goes on after one that failed', async () => {
  const failing = trainInWorker({ ...request(300), detector: 'nobody' })
  const next = trainInWorker(request(300))
  await expect(failing).rejects.toThrow()
  expect((await next).constructor).toBe(Object)
})
