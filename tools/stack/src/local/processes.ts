import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningServer } from './state.ts'

/** Every server carries this in its environment, so that its owner can be told even when the state file is lost. */
export const ownerVariable = 'AEGIS_STACK_OWNER'

const procfs = existsSync('/proc/self/stat')

/** When a process began, or nothing when it is gone (a zombie is gone: nobody is left in it). */
export function born(pid: number): string | undefined {
  try {
    if (procfs) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name may hold spaces and brackets
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
    }
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim() || undefined
    )
  } catch {
    return undefined
  }
}

export const isRunning = (server: Pick<RunningServer, 'pid' | 'born'>): boolean => born(server.pid) === server.born

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env?: Record<string, string>
}

/** Starts a server in a session of its own (Ctrl-C at the terminal must reach us, who stop it in order, and not it). */
export function start(command: Command, log: string, owner: string): RunningServer & { exited: Promise<number | string> } {
  if (existsSync(log)) renameSync(log, `${log}.previous`)
  const fd = openSync(log, 'a', 0o600)
  try {
    const child = spawn(command.file, command.args, {
      cwd: command.cwd,
      detached: true,
      stdio: ['ignore', fd, fd],
      env: { ...process.env, ...command.env, [ownerVariable]: owner },
    })
    const exited = new Promise<number | string>(done => {
      child.once('error', error => done(error.message))
      child.once('exit', (code, signal) => done(code ?? signal ?? 'unknown'))
    })
    child.unref()
    const pid = child.pid ?? 0
    return { pid, born: born(pid) ?? '', log, exited }
  } finally {
    closeSync(fd)
  }
}

/** Asks politely, waits, then insists. Never touches a process that is not the one we started. */
export async function stop(
  server: Pick<RunningServer, 'pid' | 'born'>,
  patienceMs = 10_000,
): Promise<'stopped' | 'killed' | 'gone'> {
  if (!isRunning(server)) return 'gone'
  signal(server.pid, 'SIGTERM')
  if (await ends(server, patienceMs)) return 'stopped'
  signal(server.pid, 'SIGKILL')
  await ends(server, 5_000)
  return 'killed'
}

async function ends(server: Pick<RunningServer, 'pid' | 'born'>, withinMs: number): Promise<boolean> {
  for (let waited = 0; waited < withinMs; waited += 25) {
    if (!isRunning(server)) return true
    await sleep(25)
  }
  return !isRunning(server)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // gone between the look and the signal
  }
}

/** Processes that carry our mark but are in no state file: what a kill -9 in the wrong instant could leave. Linux only. */
export function orphansOf(owner: string): Pick<RunningServer, 'pid' | 'born'>[] {
  if (!procfs) return []
  const mark = `${ownerVariable}=${owner}\0`
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(name => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'latin1').includes(mark)
      } catch {
        return false
      }
    })
    .flatMap(name => {
      const since = born(Number(name))
      return since === undefined ? [] : [{ pid: Number(name), born: since }]
    })
}
