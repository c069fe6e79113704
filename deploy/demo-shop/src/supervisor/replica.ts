/** One process of a service: start, readiness, limits, stop. A process that dies stays dead until someone starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { type FromService, type Identity, identityVariable, type ToService } from '../kit/identity.ts'
import { compileCache } from './compile-cache.ts'

export type ReplicaState = 'starting' | 'running' | 'stopped' | 'crashed'
const startTimeoutMs = 15_000
const stopTimeoutMs = 1500

export class Replica {
  readonly instance: string
  state: ReplicaState = 'stopped'
  port = 0
  drillPort = 0
  since = 0
  exit?: string
  readonly #changed: () => void
  #child?: ChildProcess

  constructor(instance: string, changed: () => void) {
    this.instance = instance
    this.#changed = changed
  }

  get pid(): number | undefined {
    return this.state === 'running' || this.state === 'starting' ? this.#child?.pid : undefined
  }

  async start(entry: string, identity: Identity, logDir: string): Promise<void> {
    this.#become('starting')
    mkdirSync(logDir, { recursive: true })
    mkdirSync(identity.dataDir, { recursive: true })
    const output = openSync(join(logDir, `${this.instance}.log`), 'a')
    const child = spawn(process.execPath, ['--max-old-space-size=128', '--max-semi-space-size=4', entry], {
      stdio: ['ignore', output, output, 'ipc'],
      env: {
        PATH: process.env.PATH,
        ...compileCache,
        [identityVariable]: JSON.stringify({ ...identity, instance: this.instance, port: this.port }),
      },
    })
    closeSync(output)
    this.#child = child
    child.once('exit', (code, signal) => {
      if (this.#child !== child) return
      this.exit = signal ? `killed by ${signal}` : `exit code ${code}`
      this.#become(this.state === 'stopped' ? 'stopped' : 'crashed')
    })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        reject(new Error(`${this.instance} not ready after ${startTimeoutMs} ms`))
      }, startTimeoutMs)
      child.once('error', reject)
      child.once('exit', () => {
        clearTimeout(timer)
        reject(new Error(`${this.instance} ended before it was ready, see ${join(logDir, `${this.instance}.log`)}`))
      })
      child.once('message', (message: FromService) => {
        clearTimeout(timer)
        this.port = message.ready.port
        this.drillPort = message.ready.drillPort
        this.#become('running')
        resolve()
      })
    })
  }

  send(message: ToService) {
    if (this.state === 'running' && this.#child?.connected) this.#child.send(message, () => {})
  }

  /** Asks, then kills: a process whose event loop is stuck does not hear the first. */
  async stop(): Promise<void> {
    const child = this.#child
    const alive = child && child.exitCode === null && child.signalCode === null
    this.#become('stopped')
    if (!alive) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    await gone
    clearTimeout(timer)
  }

  #become(state: ReplicaState) {
    this.state = state
    this.since = Date.now()
    this.#changed()
  }
}
