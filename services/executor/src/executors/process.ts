import { type Action, type Executor, type Found, nameOf, type Receipt } from '@aegis/domain'

interface Described {
  limit: number
  replicas: readonly unknown[]
}
/** Operation of the supervisor for each action, and the body it takes, given how the service stands now. */
const OPERATIONS: Readonly<Record<string, { path: string; body?: (now: Described) => object }>> = {
  restart: { path: 'restart' },
  start: { path: 'start' },
  scale_out: { path: 'scale', body: now => ({ replicas: now.replicas.length + 1 }) },
  rollback_deploy: { path: 'rollback' },
  revert_config: { path: 'revert-config' },
  raise_limit: { path: 'raise-limit', body: now => ({ limit: Math.ceil(now.limit * 2) }) },
  clean_disk: { path: 'clean-disk' },
}

/**
 * Services under a process supervisor with an HTTP API: `POST /services/:name/:operation` with an Idempotency-Key. The supervisor remembers
 * the key, so that a second call with one id is answered with what the first one did.
 */
export class ProcessSupervisor implements Executor {
  readonly name = 'process'
  readonly actions = Object.keys(OPERATIONS)
  readonly #url: string

  constructor(url: string) {
    this.#url = url.replace(/\/$/, '')
  }

  async execute(action: Action, id: string, signal: AbortSignal): Promise<Receipt> {
    const operation = OPERATIONS[action.action]
    if (!operation) throw new Error(`the process supervisor has no operation for ${action.action}`)
    const service = `${this.#url}/services/${encodeURIComponent(nameOf(action.target))}`
    let body: object = {}
    if (operation.body) {
      const described = await fetch(service, { signal })
      if (!described.ok) throw new Error(`${action.target} is not known to the supervisor: ${described.status}`)
      body = operation.body((await described.json()) as Described)
    }
    const answer = await fetch(`${service}/${operation.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': id },
      body: JSON.stringify(body),
      signal,
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`the supervisor answered ${answer.status}: ${text.slice(0, 300)}`)
    return { text: text.slice(0, 1000) }
  }

  /** The supervisor answers a repeated key with what it did, so asking again is how to find out. */
  async find(): Promise<Found> {
    return 'ask-again'
  }
}
