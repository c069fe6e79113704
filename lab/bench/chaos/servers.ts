/** The four servers of one run, each of which can be killed and brought back on the same data and port, and the broker's disk, which can be filled. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerName } from '@aegis/stack/local/places'
import { isFree } from '@aegis/stack/local/ports'
import { isRunning } from '@aegis/stack/local/processes'
import { type Stack, up } from '@aegis/stack/local/stack'
import { prepareFolder, readState, writePorts } from '@aegis/stack/local/state'

/** Disk the broker gets where its disk is to be filled, MiB. */
const BOUND_MIB = 1024
/** How long a broker is left on its full disk before it is ended, should it not have stopped by itself. */
const FULL_MS = 8000

export class Servers {
  readonly env: Readonly<Record<string, string>>
  readonly #folder: string
  readonly #stack: Stack
  #bounded = false

  private constructor(stack: Stack, folder: string) {
    this.#stack = stack
    this.#folder = folder
    this.env = stack.env
  }

  static async start(folder: string): Promise<Servers> {
    const at = path.join(folder, 'stack')
    // Ports of its own: a stack that is slow to bind its ports would be given those of another that starts meanwhile.
    prepareFolder(at)
    const first = 21_000 + (process.pid % 900) * 10
    writePorts(at, {
      kafka: first,
      controller: first + 1,
      registry: first + 2,
      bolt: first + 3,
      http: first + 4,
      redis: first + 5,
    })
    return new Servers(await up({ by: 'jvm', attached: true, folder: at }), at)
  }

  async #kill(name: ServerName): Promise<void> {
    const server = readState(this.#folder)?.processes[name]
    if (!server) throw new Error(`${name} is not running in ${this.#folder}`)
    if (isRunning(server)) process.kill(server.pid, 'SIGKILL')
    while (isRunning(server)) await sleep(10)
    // The first thread of a dead program may be gone while others still hold its ports.
    const { kafka, controller, registry, bolt, http, redis } = this.#stack.ports
    const ports = { kafka: [kafka, controller], registry: [registry], neo4j: [bolt, http], redis: [redis] }[name]
    for (const port of ports) while (!(await isFree(port))) await sleep(20)
  }
  async #bringBack(): Promise<void> {
    const again = await up({ by: 'jvm', folder: this.#folder })
    if (JSON.stringify(again.env) !== JSON.stringify(this.env)) throw new Error('a server came back on another port')
  }

  /** SIGKILL, a while of absence, and back: resolves when the server answers again. */
  async restart(name: ServerName, awayMs: number): Promise<void> {
    await this.#kill(name)
    await sleep(awayMs)
    await this.#bringBack()
  }

  get #data(): string {
    return path.join(this.#folder, 'data', 'kafka')
  }

  /** Puts the broker's data on a file system of its own in memory, so that filling it harms nobody else. False where mounting is not allowed. */
  async boundDisk(): Promise<boolean> {
    await this.#kill('kafka')
    const before = `${this.#data}.before`
    renameSync(this.#data, before)
    mkdirSync(this.#data)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${BOUND_MIB}m`, 'tmpfs', this.#data], { stdio: 'ignore' })
      this.#bounded = true
      execFileSync('cp', ['-a', `${before}/.`, this.#data])
    } catch {
      if (!this.#bounded) {
        rmSync(this.#data, { recursive: true })
        renameSync(before, this.#data)
      }
    }
    rmSync(before, { recursive: true, force: true })
    await this.#bringBack()
    return this.#bounded
  }

  /** Fills the broker's disk to the last byte, leaves it so for a while, frees it and brings the broker back. */
  async fillDisk(): Promise<'stopped by itself' | 'had to be ended'> {
    if (!this.#bounded) throw new Error('the disk of the broker is not bounded')
    const filler = path.join(this.#data, 'filler')
    const fd = openSync(filler, 'w')
    try {
      for (const block = Buffer.alloc(2 ** 20); ; ) writeSync(fd, block)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(fd)
    }
    await sleep(FULL_MS)
    const server = readState(this.#folder)?.processes.kafka
    const stopped = server === undefined || !isRunning(server)
    await this.#kill('kafka')
    rmSync(filler)
    await this.#bringBack()
    return stopped ? 'stopped by itself' : 'had to be ended'
  }

  async stop(): Promise<void> {
    await this.#stack.stop()
    if (this.#bounded) execFileSync('umount', [this.#data], { stdio: 'ignore' })
  }
}
