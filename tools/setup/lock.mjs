import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A process's start as the system tells it, where it does: a pid alone may belong to somebody else by now. */
function born(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return ''
  }
}

function isAlive({ pid, born: since }) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return born(pid) === since
}

/**
 * Who holds the lock, or nobody: a holder that died without letting go does not count, unless a program it had started (npm,
 * Maven) still writes.
 */
export function holderOf(file) {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8'))
    return [holder, holder.child].find(one => one && isAlive(one))
  } catch {
    return undefined
  }
}

/** The link appears in one step with the holder's name already in it, so that no reader finds an empty lock. */
export function take(file) {
  mkdirSync(dirname(file), { recursive: true })
  const beside = `${file}.${process.pid}`
  writeFileSync(beside, JSON.stringify({ pid: process.pid, born: born(process.pid) }))
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        linkSync(beside, file)
        return true
      } catch (error) {
        if (error.code !== 'EEXIST') throw error
        if (holderOf(file)) return false
        rmSync(file, { force: true }) // left by a process that died
      }
    }
    return false
  } finally {
    rmSync(beside, { force: true })
  }
}

/** Notes a program started under the lock, so that the lock outlives us if we are killed and it is not. */
function noteChild(file, pid) {
  const beside = `${file}.${process.pid}`
  writeFileSync(beside, JSON.stringify({ pid: process.pid, born: born(process.pid), child: { pid, born: born(pid) } }))
  renameSync(beside, file)
}

/** Runs `work` while no other process holds `file`; waits for it as long as its holder lives. `work` is given a way to note children. */
export async function withLock(file, onWait, work) {
  let told = false
  while (!take(file)) {
    const holder = holderOf(file)
    if (holder && !told) onWait(holder.pid)
    told = told || holder !== undefined
    await new Promise(done => setTimeout(done, 150))
  }
  try {
    return await work(pid => noteChild(file, pid))
  } finally {
    rmSync(file, { force: true })
  }
}
