import { request } from 'node:http'
import { type Action, type Executor, type Found, nameOf, type Receipt } from '@aegis/domain'
import { untilStatus } from './until-status.ts'

/** Docker's stable API version that Docker Engine 20.10 and later, and podman's compatible service, answer to. */
const API = '/v1.41'
const LIMIT_FACTOR = 1.5

interface Container {
  readonly State: { readonly Running: boolean; readonly StartedAt: string; readonly Health?: { readonly Status: string } }
  readonly HostConfig: { readonly Memory?: number; readonly NanoCpus?: number }
}
export interface DockerOptions {
  readonly socket: string
  readonly dryRun?: boolean
}

/**
 * Containers of a Docker-compatible engine, through its HTTP API on a Unix socket. The five calls it needs go through Node's own HTTP client:
 * dockerode would bring streams, SSH and gRPC along for them.
 *
 * The engine keeps no note of who asked for what, so after a crash only `start` and `stop` can be told from a container's state.
 */
export class Docker implements Executor {
  readonly name = 'docker'
  readonly actions = ['restart', 'start', 'stop', 'raise_limit']
  readonly #socket: string
  readonly #dryRun: boolean

  constructor({ socket, dryRun = false }: DockerOptions) {
    this.#socket = socket
    this.#dryRun = dryRun
  }

  async execute(action: Action, _id: string, signal: AbortSignal): Promise<Receipt> {
    if (!this.actions.includes(action.action))
      throw new Error(`containers have no ${action.action}; they can have ${this.actions.join(', ')}`)
    const name = nameOf(action.target)
    const before = await this.#inspect(name, signal)
    if (this.#dryRun) return { text: `dry run: ${action.action} of container "${name}" was not carried out` }
    if (action.action === 'raise_limit') return this.#raiseLimit(name, action, before, signal)
    // 304: it is as asked already.
    await this.#ask('POST', name, action.action, action.action, signal)
    const opposite = { start: 'stop', stop: 'start' }[action.action]
    const receipt: Receipt = {
      text: `${action.action} of container "${name}"`,
      undo:
        opposite && before.State.Running !== (action.action === 'start')
          ? { action: opposite, target: action.target, environment: action.environment, parameters: {} }
          : undefined,
    }
    await untilStatus(receipt, signal, async () => {
      const { State } = await this.#inspect(name, signal)
      if (action.action === 'stop') return State.Running ? 'it still runs' : undefined
      if (!State.Running) return 'it does not run'
      if (action.action === 'restart' && State.StartedAt === before.State.StartedAt) return 'it has not been restarted'
      // Without a health check the status is absent, empty or "none", as the engine likes.
      const health = State.Health?.Status
      return health === 'starting' || health === 'unhealthy' ? `its health check says ${health}` : undefined
    })
    return receipt
  }

  async #raiseLimit(name: string, action: Action, { HostConfig }: Container, signal: AbortSignal): Promise<Receipt> {
    const present = { memory: HostConfig.Memory ?? 0, nanocpus: HostConfig.NanoCpus ?? 0 }
    const wanted = (key: keyof typeof present): number => {
      const asked = action.parameters[key]
      if (asked === undefined)
        return Object.keys(present).some(k => action.parameters[k]) ? 0 : Math.ceil(present[key] * LIMIT_FACTOR)
      if (!/^\d{1,16}$/.test(asked))
        throw new Error(`raise_limit ${action.target}: ${key} must be a whole number, not "${asked}"`)
      return Number(asked)
    }
    const memory = wanted('memory')
    const nanocpus = wanted('nanocpus')
    if (memory === 0 && nanocpus === 0) throw new Error(`container "${name}" has no memory or cpu limit to raise; page a person`)
    const body = {
      ...(memory > 0 ? { Memory: memory, MemorySwap: memory * 2 } : {}),
      ...(nanocpus > 0 ? { NanoCpus: nanocpus } : {}),
    }
    await this.#ask('POST', name, 'update', action.action, signal, body)
    const said = Object.entries({ memory, nanocpus }).filter(([, n]) => n > 0)
    const receipt: Receipt = {
      text: `set limits of container "${name}": ${said.map(([key, n]) => `${key} ${n}`).join(', ')}`,
      undo: {
        action: 'raise_limit',
        target: action.target,
        environment: action.environment,
        parameters: Object.fromEntries(
          said.flatMap(([key]) => (present[key as 'memory'] > 0 ? [[key, String(present[key as 'memory'])]] : [])),
        ),
      },
    }
    await untilStatus(receipt, signal, async () => {
      const now = (await this.#inspect(name, signal)).HostConfig
      if (memory > 0 && now.Memory !== memory) return `its memory limit is ${now.Memory}`
      return nanocpus > 0 && now.NanoCpus !== nanocpus ? `its cpu limit is ${now.NanoCpus}` : undefined
    })
    return receipt
  }

  async find(action: Action, _id: string, signal: AbortSignal): Promise<Found> {
    if (action.action !== 'start' && action.action !== 'stop') return 'unknown'
    const { State } = await this.#inspect(nameOf(action.target), signal)
    return State.Running === (action.action === 'start') ? { text: `found container "${nameOf(action.target)}" so` } : 'not-done'
  }

  async #inspect(name: string, signal: AbortSignal): Promise<Container> {
    return JSON.parse(await this.#ask('GET', name, 'json', 'inspect', signal))
  }

  #ask(method: string, container: string, operation: string, verb: string, signal: AbortSignal, body?: object): Promise<string> {
    const what = `${verb} container "${container}"`
    return new Promise((resolve, fail) => {
      const call = request(
        {
          socketPath: this.#socket,
          path: `${API}/containers/${encodeURIComponent(container)}/${operation}`,
          method,
          headers: body ? { 'content-type': 'application/json' } : {},
          signal,
        },
        answer => {
          let text = ''
          answer.setEncoding('utf8')
          answer.on('data', chunk => (text += chunk))
          answer.on('error', fail)
          answer.on('end', () => {
            const status = answer.statusCode ?? 0
            if (status < 400) resolve(text)
            else if (status === 404 && operation === 'update')
              fail(
                new Error(
                  `${what}: the engine at ${this.#socket} cannot change limits of a running container (podman can from 5.0)`,
                ),
              )
            else if (status === 404)
              fail(new Error(`${what}: the engine at ${this.#socket} has no such container; check the entity's name`))
            else fail(new Error(`${what}: the engine answered ${status}: ${text.slice(0, 300)}`))
          })
        },
      )
      call.on('error', error =>
        fail(
          signal.aborted
            ? error
            : new Error(`${what}: no engine answers at ${this.#socket} (${error.message}); check AEGIS_EXECUTORS`),
        ),
      )
      call.end(body ? JSON.stringify(body) : undefined)
    })
  }
}
