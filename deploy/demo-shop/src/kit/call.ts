/** The client side of a call: picks a replica, propagates the trace, times out, and reports as a client span and metric. */
import { Agent, request as httpRequest } from 'node:http'
import { metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { HttpError } from './serve.ts'
import { traceparentOf } from './traceparent.ts'

interface Replica {
  port: number
  inFlight: number
  /** Recent latency in milliseconds, failures counted as slow. */
  latencyMs: number
  chosen: number
}

export class Upstream {
  readonly #name: string
  readonly #caller: string
  readonly #timeoutMs: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #duration
  #replicas: Replica[] = []
  #turn = 0

  constructor(caller: string, name: string, timeoutMs: number) {
    this.#caller = caller
    this.#name = name
    this.#timeoutMs = timeoutMs
    this.#duration = metrics.getMeter(caller).createHistogram('http.client.request.duration', { unit: 's' })
  }

  setPorts(ports: readonly number[]) {
    this.#replicas = ports.map(
      port => this.#replicas.find(r => r.port === port) ?? { port, inFlight: 0, latencyMs: 0, chosen: 0 },
    )
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const replica = this.#pick()
    const attributes = {
      'http.request.method': method,
      'server.address': this.#name,
      ...(replica && { 'server.port': replica.port }),
    }
    const span = trace.getTracer(this.#caller).startSpan(`${method} ${this.#name}`, {
      kind: SpanKind.CLIENT,
      attributes: { ...attributes, 'peer.service': this.#name, 'url.full': `http://${this.#name}${path}` },
    })
    const started = performance.now()
    let status = 0
    let failure: string | undefined
    try {
      if (!replica) throw new HttpError(503, `no address known for ${this.#name}`)
      replica.inFlight++
      const answer = await this.#send(replica.port, method, path, body, traceparentOf(span))
      status = answer.status
      if (status >= 500) failure = String(status)
      if (status >= 400)
        throw new HttpError(status >= 500 ? 502 : status, `${this.#name} answered ${status}: ${answer.body.error ?? ''}`)
      return answer.body as T
    } catch (error) {
      if (!status) {
        failure = (error as NodeJS.ErrnoException).code ?? (error as Error).name
        span.recordException(error as Error)
        throw error instanceof HttpError
          ? error
          : new HttpError(502, `call to ${this.#name} failed: ${(error as Error).message}`, { cause: error })
      }
      throw error
    } finally {
      const elapsedMs = performance.now() - started
      if (replica) {
        replica.inFlight--
        replica.latencyMs += 0.2 * ((failure ? elapsedMs + 1000 : elapsedMs) - replica.latencyMs)
      }
      if (status) span.setAttribute('http.response.status_code', status)
      if (failure) span.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR })
      span.end()
      this.#duration.record(elapsedMs / 1000, {
        'http.request.method': method,
        'server.address': this.#name,
        ...(status && { 'http.response.status_code': status }),
        ...(failure && { 'error.type': failure }),
      })
    }
  }

  /** The replica that promises the shortest wait; one call in 20 goes round robin, so that a recovered replica is noticed. */
  #pick(): Replica | undefined {
    const turn = this.#turn++
    if (turn % 20 === 0) return this.#replicas[(turn / 20) % Math.max(1, this.#replicas.length)]
    const cost = (r: Replica) => (r.latencyMs + 1) * (r.inFlight + 1)
    let best: Replica | undefined
    for (const replica of this.#replicas) {
      if (!best || cost(replica) < cost(best) || (cost(replica) === cost(best) && replica.chosen < best.chosen)) best = replica
    }
    if (best) best.chosen = turn
    return best
  }

  async #send(port: number, method: string, path: string, body: unknown, traceparent: string) {
    return new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
      const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
      const headers = { traceparent, ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }) }
      const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: this.#agent }, response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          clearTimeout(timer)
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) })
          } catch (error) {
            reject(error)
          }
        })
      })
      const timer = setTimeout(
        () => request.destroy(Object.assign(new Error(`timeout of ${this.#timeoutMs} ms exceeded`), { code: 'ETIMEDOUT' })),
        this.#timeoutMs,
      )
      request.on('error', error => {
        clearTimeout(timer)
        reject(error)
      })
      request.end(bytes)
    })
  }
}
