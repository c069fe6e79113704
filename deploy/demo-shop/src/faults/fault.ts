/** What a fault is, and the hands that set it off. Only drills, tests and the demo's judge know any of this. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OperationBody, OperationName } from '../supervisor/supervised-service.ts'

export interface RightAction {
  operation: OperationName
  service: string
}

export interface Fault {
  name: string
  /** One sentence: what goes wrong in the world. */
  sentence: string
  /** The service truly at fault. */
  trueCause: string
  /** Each of these alone heals it. */
  rightActions: readonly RightAction[]
  inject(hands: Hands): Promise<void>
}

/** `SupervisedService.describe` as it comes over HTTP. */
export interface ServiceStatus {
  name: string
  state: string
  version: string
  limit: number
  disk: { directory: string; usedBytes: number; quotaBytes: number }
  replicas: { instance: string; state: string; address: string | null; pid: number | null }[]
}

export class Hands {
  readonly supervisorUrl: string
  readonly stateDir: string
  readonly #crowds: ChildProcess[] = []

  constructor(supervisorUrl: string, stateDir: string) {
    this.supervisorUrl = supervisorUrl
    this.stateDir = stateDir
  }

  async status(service: string): Promise<ServiceStatus> {
    const answer = await fetch(`${this.supervisorUrl}/services/${service}`)
    if (!answer.ok) throw new Error(`supervisor answered ${answer.status} for ${service}: ${await answer.text()}`)
    return (await answer.json()) as ServiceStatus
  }

  async operate(
    service: string,
    operation: OperationName,
    body: OperationBody = {},
    key: string = randomUUID(),
  ): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.supervisorUrl}/services/${service}/${operation}`, {
      method: 'POST',
      headers: { 'idempotency-key': key, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const result = (await answer.json()) as Record<string, unknown>
    if (!answer.ok) throw new Error(`${operation} of ${service}: ${result.error}`)
    return result
  }

  /** Sets something off inside the running processes of a service. */
  async drill(service: string, name: string): Promise<void> {
    const { token, ports } = JSON.parse(await readFile(join(this.stateDir, 'drill.json'), 'utf8'))
    if (!ports[service]?.length) throw new Error(`${service} is not running`)
    const answer = await fetch(`http://127.0.0.1:${ports[service][0]}/${name}`, { headers: { authorization: `Bearer ${token}` } })
    if (answer.status !== 202) throw new Error(`drill ${name} of ${service} answered ${answer.status}`)
  }

  /** More customers than usual, until `stop`. */
  async crowd(rate: number): Promise<void> {
    const { replicas } = await this.status('storefront')
    const script = fileURLToPath(new URL('../load/load-generator.ts', import.meta.url))
    const args = [script, '--crowd', '--rate', String(rate), '--url', String(replicas[0].address)]
    this.#crowds.push(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }))
  }

  get hasCrowd(): boolean {
    return this.#crowds.length > 0
  }

  stop() {
    for (const crowd of this.#crowds.splice(0)) crowd.kill('SIGKILL')
  }
}
