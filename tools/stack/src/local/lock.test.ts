import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holderOf, withLock } from './lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('holds while the work runs and lets go after, even when it fails', async () => {
  const file = join(folder, 'lock')
  await withLock(file, async () => expect(holderOf(file)?.pid).toBe(process.pid))
  expect(existsSync(file)).toBe(false)
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(existsSync(file)).toBe(false)
})

test('breaks a lock whose holder is gone', async () => {
  const file = join(folder, 'lock')
  writeFileSync(file, JSON.stringify({ pid: process.pid, born: 'another time' })) // our pid, but not us: it was given again
  expect(holderOf(file)).toBeUndefined()
  expect(await withLock(file, async () => 'done')).toBe('done')
})

test('waits for a holder that lives, and gives up when asked to', async () => {
  const file = join(folder, 'lock')
  await withLock(file, async () => {
    await expect(withLock(file, async () => 'never', { patienceMs: 50 })).rejects.toMatchObject({ code: 'BUSY' })
    await expect(withLock(file, async () => 'never', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
  })
})
