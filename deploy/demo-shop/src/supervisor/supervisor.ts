/** Keeps all services, tells each where the others are, and offers the operations over HTTP with idempotency keys. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { join } from 'node:path'
import { shopPlan } from './plan.ts'
import {
  type OperationBody,
  type OperationName,
  operationNames,
  Refused,
  type ShopSettings,
  SupervisedService,
} from './supervised-service.ts'

interface Answer {
  status: number
  body: Record<string, unknown>
}
const rememberedKeys = 1000

export class Supervisor {
  readonly services: ReadonlyMap<string, SupervisedService>
  readonly #settings: ShopSettings
  readonly #answers = new Map<string, { request: string; answer: Promise<Answer> }>()
  #known = ''

  constructor(settings: ShopSettings) {
    this.#settings = settings
    mkdirSync(settings.stateDir, { recursive: true })
    this.services = new Map(
      shopPlan.map(plan => [
        plan.name,
        new SupervisedService(
          plan,
          settings,
          () => this.#endpoints(),
          () => this.#announce(),
        ),
      ]),
    )
  }

  async start(): Promise<void> {
    await Promise.all([...this.services.values()].map(service => service.run('start', {})))
  }

  async stop(): Promise<void> {
    // Edge first, so that nothing is called that is already gone.
    const services = [...this.services.values()].reverse()
    await Promise.all(services.map(service => Promise.all(service.replicas.map(replica => replica.stop()))))
  }

  createServer(): Server {
    return createServer((request, response) => {
      void this.#handle(request)
        .catch((error): Answer => ({ status: 500, body: { error: (error as Error).message } }))
        .then(({ status, body }) => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
        })
    })
  }

  async #handle(request: IncomingMessage): Promise<Answer> {
    const [, collection, name, operation] = (request.url ?? '/').split('?')[0].split('/')
    if (collection === 'healthz') return { status: 200, body: { ok: true, pid: process.pid, stateDir: this.#settings.stateDir } }
    if (collection !== 'services') return { status: 404, body: { error: 'try GET /services' } }
    if (!name)
      return {
        status: 200,
        body: { services: await Promise.all([...this.services.values()].map(service => service.describe())) },
      }
    const service = this.services.get(name)
    if (!service) return { status: 404, body: { error: `no service ${name}; there are ${[...this.services.keys()].join(', ')}` } }
    if (!operation) return { status: 200, body: await service.describe() }
    if (request.method !== 'POST' || !operationNames.includes(operation as OperationName)) {
      return {
        status: 404,
        body: { error: `no operation ${request.method} ${operation}; POST one of ${operationNames.join(', ')}` },
      }
    }
    let body: OperationBody
    try {
      body = await readBody(request)
    } catch {
      return { status: 400, body: { error: 'request body is not a JSON object' } }
    }
    const key = request.headers['idempotency-key']
    if (typeof key !== 'string' || key === '') return { status: 400, body: { error: 'an Idempotency-Key header is needed' } }
    const asked = JSON.stringify([name, operation, body])
    const remembered = this.#answers.get(key)
    if (remembered && remembered.request !== asked)
      return { status: 422, body: { error: `key ${key} was used for another request` } }
    if (remembered) return remembered.answer
    const answer = this.#operate(service, operation as OperationName, body, key)
    this.#answers.set(key, { request: asked, answer })
    if (this.#answers.size > rememberedKeys) this.#answers.delete(this.#answers.keys().next().value as string)
    return answer
  }

  async #operate(service: SupervisedService, operation: OperationName, body: OperationBody, id: string): Promise<Answer> {
    const head = { id, service: service.plan.name, operation }
    const startedAt = new Date().toISOString()
    try {
      const result = await service.run(operation, body)
      return { status: 200, body: { ...head, status: 'done', result, startedAt, endedAt: new Date().toISOString() } }
    } catch (error) {
      const status = error instanceof Refused ? 409 : 500
      return {
        status,
        body: { ...head, status: error instanceof Refused ? 'refused' : 'failed', error: (error as Error).message, startedAt },
      }
    }
  }

  #endpoints(): Record<string, number[]> {
    return Object.fromEntries([...this.services.values()].map(service => [service.plan.name, service.ports]))
  }

  /** Tells every process the current addresses, and writes for the injector where drills are accepted. */
  #announce() {
    if (!this.services) return
    const services = [...this.services.values()]
    const endpoints = this.#endpoints()
    for (const service of services) service.broadcast({ endpoints })
    const ports = Object.fromEntries(
      services.map(service => [service.plan.name, service.replicas.filter(r => r.state === 'running').map(r => r.drillPort)]),
    )
    const drill = JSON.stringify({ token: this.#settings.drillToken, ports })
    if (drill === this.#known) return
    this.#known = drill
    const file = join(this.#settings.stateDir, 'drill.json')
    writeFileSync(`${file}.new`, drill, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}

async function readBody(request: IncomingMessage): Promise<OperationBody> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString().trim()
  const value = text ? JSON.parse(text) : {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object')
  return value
}
