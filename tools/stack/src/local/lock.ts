import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { born, isRunning } from './processes.ts'
import { StackError } from './stack-error.ts'

interface Holder {
  readonly pid: number
  readonly born: string
}

/** Who holds the lock, or nobody: a holder that died without letting go does not count. */
export function holderOf(file: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Holder
    return isRunning(holder) ? holder : undefined
  } catch {
    return undefined
  }
}

/** Takes the lock or says who has it. A link is made in one step, with the holder's name already inside. */
function take(file: string): boolean {
  const beside = `${file}.${process.pid}`
  writeFileSync(beside, JSON.stringify({ pid: process.pid, born: born(process.pid) }))
  try {
    linkSync(beside, file)
    return true
  } catch {
    if (holderOf(file)) return false
    rmSync(file, { force: true })
    try {
      linkSync(beside, file)
      return true
    } catch {
      return false
    }
  } finally {
    rmSync(beside, { force: true })
  }
}

export interface LockOptions {
  readonly patienceMs?: number
  readonly signal?: AbortSignal
  readonly onWait?: (pid: number) => void
}

/** Runs `work` while no other process of this user does the same. */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  { patienceMs = 180_000, signal, onWait }: LockOptions = {},
): Promise<T> {
  let told = false
  for (const until = performance.now() + patienceMs; !take(file); await sleep(100)) {
    const holder = holderOf(file)
    if (holder && !told) onWait?.(holder.pid)
    told ||= holder !== undefined
    if (signal?.aborted) throw new StackError('INTERRUPTED', 'interrupted while waiting for another start of the stack')
    if (performance.now() > until)
      throw new StackError('BUSY', `process ${holder?.pid} has been starting the stack for ${patienceMs / 1000} s (lock ${file})`)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}
