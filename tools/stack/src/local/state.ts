import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerName } from './places.ts'
import type { Ports } from './ports.ts'
import { StackError } from './stack-error.ts'

export interface RunningServer {
  readonly pid: number
  /** When the process began, as the system tells it: a pid alone may have been given to somebody else since. */
  readonly born: string
  readonly log: string
}

export interface StackState {
  readonly by: 'jvm' | 'docker'
  readonly startedAt: string
  readonly ports: Ports
  readonly env: Record<string, string>
  /** Servers run by us as processes; empty under docker. */
  readonly processes: Partial<Record<ServerName, RunningServer>>
  /** Compose project, under docker. */
  readonly project?: string
}

const stateFile = (folder: string) => join(folder, 'stack.json')

export function readState(folder: string): StackState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(folder), 'utf8')) as StackState
  } catch {
    return undefined // never started, wiped, or cut short by a full disk: in each case there is nothing to trust
  }
}

/** Written beside and renamed, so that a reader never sees half of it; private, for it holds the password. */
export function writePrivately(file: string, text: string): void {
  const beside = `${file}.${process.pid}`
  writeFileSync(beside, text, { mode: 0o600 })
  chmodSync(beside, 0o600)
  renameSync(beside, file)
}

export const writeState = (folder: string, state: StackState): void =>
  writePrivately(stateFile(folder), `${JSON.stringify(state, null, 2)}\n`)

/** Ports chosen last time are wanted again: addresses people wrote down stay true. */
export function readPorts(folder: string): Ports | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'ports.json'), 'utf8')) as Ports
  } catch {
    return undefined
  }
}

export const writePorts = (folder: string, ports: Ports): void =>
  writePrivately(join(folder, 'ports.json'), `${JSON.stringify(ports)}\n`)

export const forgetState = (folder: string): void => rmSync(stateFile(folder), { force: true })

/** Made at the first start and kept with the data it protects. */
export function neo4jPassword(folder: string): string {
  const file = join(folder, 'data', 'neo4j-password')
  if (!existsSync(file)) writePrivately(file, `${randomBytes(18).toString('base64url')}\n`)
  return readFileSync(file, 'utf8').trim()
}

export function prepareFolder(folder: string, neededBytes = 512 * 2 ** 20): void {
  try {
    for (const part of ['data', 'logs', 'conf']) mkdirSync(join(folder, part), { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new StackError('NO_SPACE', `cannot make the folder for the stack's state, ${folder}: ${(cause as Error).message}`, {
      cause,
    })
  }
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  if (free < neededBytes)
    throw new StackError(
      'NO_SPACE',
      `${mib(free)} free where the stack keeps its data (${folder}), and it needs ${mib(neededBytes)}: free some space or set AEGIS_STATE_DIR`,
    )
}

const mib = (bytes: number) => `${Math.floor(bytes / 2 ** 20)} MiB`
