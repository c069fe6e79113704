/** Programs of other people as plain processes of this one: started with a log of their own, ended by their process ids. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import net from 'node:net'
import { promisify } from 'node:util'
import { AegisError } from '@aegis/domain'

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const run = promisify(execFile)

export interface Program {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** File its two outputs are added to. */
  readonly log: string
  /** User it runs as where this process may choose. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** Port it listens on once it is ready. */
  readonly port?: number
}

export class Programs {
  readonly #running = new Map<string, ChildProcess>()

  pid(name: string): number {
    const pid = this.#running.get(name)?.pid
    if (pid === undefined) throw new AegisError('INPUT_INVALID', `${name} does not run`)
    return pid
  }

  async start(name: string, program: Program): Promise<void> {
    const out = openSync(program.log, 'a')
    const [command, ...args] = program.argv
    const child = spawn(command, args, {
      cwd: program.cwd,
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', TZ: 'UTC', ...program.env },
      stdio: ['ignore', out, out],
      // A group of its own, so that workers end with it.
      detached: true,
      ...program.user,
    })
    closeSync(out)
    let lost: string | undefined
    child.once('error', error => (lost = error.message))
    child.once('exit', (code, signal) => {
      lost = `ended with ${signal ?? code}`
      if (this.#running.get(name) === child) this.#running.delete(name)
    })
    this.#running.set(name, child)
    if (program.port === undefined) return
    for (let i = 0; i < 600; i++) {
      if (lost) throw new AegisError('INPUT_INVALID', `${name} does not start: ${lost}; see ${program.log}`)
      if (await answers(program.port)) return
      await sleep(200)
    }
    throw new AegisError('INPUT_INVALID', `${name} does not listen on ${program.port} within two minutes; see ${program.log}`)
  }

  /** Ends it and what it started; politely first unless the signal is another. */
  async stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#running.get(name)
    if (!child?.pid) return
    this.#running.delete(name)
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    signalGroup(child.pid, signal)
    const hard = setTimeout(() => signalGroup(child.pid!, 'SIGKILL'), 5000)
    await gone
    clearTimeout(hard)
  }

  signal(name: string, signal: NodeJS.Signals): void {
    process.kill(this.pid(name), signal)
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].reverse().map(name => this.stop(name)))
  }
}
const signalGroup = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(-pid, signal)
  } catch {
    // Gone already.
  }
}

export const answers = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1')
    const end = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .setTimeout(1000, () => end(false))
  })

/** Runs a command to its end; throws with its last words. */
export const call = async (
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; uid?: number; gid?: number; timeout?: number } = {},
): Promise<string> => {
  const [command, ...args] = argv
  try {
    const { stdout } = await run(command, args, {
      maxBuffer: 1 << 24,
      ...options,
      env: { PATH: process.env.PATH ?? '', TZ: 'UTC', ...options.env },
    })
    return stdout
  } catch (error) {
    const { stderr = '', stdout = '', message } = error as { stderr?: string; stdout?: string; message: string }
    const words = (stderr || stdout || message).trim().split('\n').slice(-3).join(' ')
    throw new AegisError('INPUT_INVALID', `${command} ${args[0] ?? ''} failed: ${words.slice(0, 400)}`)
  }
}
