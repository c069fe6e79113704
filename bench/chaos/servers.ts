/** The four servers of one run, each of which can be killed and brought back on the same data and port. */
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerName } from '../../services/cli/src/stack/places.ts'
import { isRunning } from '../../services/cli/src/stack/processes.ts'
import { type Stack, up } from '../../services/cli/src/stack/stack.ts'
import { readState } from '../../services/cli/src/stack/state.ts'

export class Servers {
  readonly env: Readonly<Record<string, string>>
  readonly #folder: string
  readonly #stack: Stack

  private constructor(stack: Stack, folder: string) {
    this.#stack = stack
    this.#folder = folder
    this.env = stack.env
  }

  static async start(folder: string): Promise<Servers> {
    const at = path.join(folder, 'stack')
    return new Servers(await up({ by: 'jvm', attached: true, folder: at }), at)
  }

  /** SIGKILL, a while of absence, and back: resolves when the server answers again. */
  async restart(name: ServerName, awayMs: number): Promise<void> {
    const server = readState(this.#folder)?.processes[name]
    if (!server) throw new Error(`${name} is not running in ${this.#folder}`)
    process.kill(server.pid, 'SIGKILL')
    while (isRunning(server)) await sleep(10)
    await sleep(awayMs)
    const again = await up({ by: 'jvm', folder: this.#folder })
    if (JSON.stringify(again.env) !== JSON.stringify(this.env)) throw new Error(`${name} came back on another port`)
  }

  stop(): Promise<void> {
    return this.#stack.stop()
  }
}
