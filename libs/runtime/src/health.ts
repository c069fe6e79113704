import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Telemetry } from './telemetry.ts'

export interface HealthChecks {
  /** Undefined when alive; else why not. */
  readonly alive: () => string | undefined
  readonly ready: () => Promise<string | undefined>
}

/** Answers `/livez`, `/readyz` and `/metrics`; true when the request was one of them. */
export const healthRoutes =
  (telemetry: Telemetry, checks: HealthChecks) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const answer = (reason: string | undefined) =>
      response.writeHead(reason ? 503 : 200, { 'content-type': 'text/plain' }).end(reason ? `${reason}\n` : 'ok\n')
    switch (request.url?.split('?')[0]) {
      case '/livez':
        answer(checks.alive())
        return true
      case '/readyz':
        answer(await checks.ready())
        return true
      case '/metrics':
        response.writeHead(200, { 'content-type': telemetry.registry.contentType }).end(await telemetry.registry.metrics())
        return true
      default:
        return false
    }
  }

/** A server for services that have no other. */
export const serveHealth = async (
  host: string,
  port: number,
  routes: ReturnType<typeof healthRoutes>,
): Promise<{ server: Server; port: number }> => {
  const server = createServer((request, response) => {
    routes(request, response).then(
      found => found || response.writeHead(404).end('not found: try /livez, /readyz or /metrics\n'),
      error => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  return { server, port: (server.address() as AddressInfo).port }
}
