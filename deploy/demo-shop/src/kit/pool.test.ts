import { describe, expect, it } from 'vitest'
import { Pool } from './pool.ts'

const small = (over = {}) => new Pool({ name: 'db', limit: 2, acquireTimeoutMs: 10_000, maxWaiting: 2, ...over })

describe('Pool', () => {
  it('never hands out more than its limit, and serves in order', async () => {
    const pool = small()
    const first = await pool.acquire()
    await pool.acquire()
    const order: string[] = []
    const third = pool.acquire().finally(() => order.push('third'))
    const fourth = pool.acquire().finally(() => order.push('fourth'))
    expect([pool.used, pool.waiting]).toEqual([2, 2])
    first()
    first() // giving back twice gives back once
    const release = await third
    expect([pool.used, pool.waiting, order]).toEqual([2, 1, ['third']])
    release()
    await fourth
    expect(order).toEqual(['third', 'fourth'])
  })

  it('refuses at once when too many wait, and after the time-out', async () => {
    const pool = small({ limit: 1, maxWaiting: 1, acquireTimeoutMs: 5 })
    await pool.acquire()
    const waiting = pool.acquire()
    await expect(pool.acquire()).rejects.toThrow(/already waiting/)
    await expect(waiting).rejects.toThrow(/timeout acquiring db/)
    expect(pool.waiting).toBe(0)
  })

  it('admits those who wait when the limit is raised, and a failing use gives back', async () => {
    const pool = small({ limit: 1 })
    await pool.acquire()
    const waiting = pool.use(() => Promise.reject(new Error('no')))
    pool.setLimit(2)
    await expect(waiting).rejects.toThrow('no')
    expect(pool.used).toBe(1)
  })
})
