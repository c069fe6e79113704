/** The life of one service process: identity, telemetry, routes, ready, address updates, shutdown. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listenForDrills } from '../faults/drill.ts'
import { Upstream } from './call.ts'
import { type FromService, type Identity, readIdentity, type ToService } from './identity.ts'
import { Pool, type PoolOptions } from './pool.ts'
import { Disk, observePool, observeProcess } from './process-metrics.ts'
import { createHttpServer, type Routes } from './serve.ts'
import { type Log, startTelemetry } from './telemetry.ts'

export interface Kit {
  identity: Identity
  log: Log
  disk: Disk
  upstream(name: string, timeoutMs: number): Upstream
  /** The pool whose size is this service's limit; the supervisor may change it while the service runs. */
  limitedPool(prefix: string, options: Omit<PoolOptions, 'limit'>): Pool
}

export async function runService(define: (kit: Kit) => Routes | Promise<Routes>, afterStart?: (server: Server) => void) {
  const identity = readIdentity()
  const { log, shutdown } = startTelemetry(identity)
  const upstreams = new Map<string, Upstream>()
  let pool: Pool | undefined

  observeProcess(identity.service)
  const kit: Kit = {
    identity,
    log,
    disk: new Disk(identity.service, identity.dataDir, identity.diskQuotaBytes),
    upstream(name, timeoutMs) {
      const upstream = new Upstream(identity.service, name, timeoutMs)
      upstream.setPorts(identity.endpoints[name] ?? [])
      upstreams.set(name, upstream)
      return upstream
    },
    limitedPool(prefix, options) {
      pool = new Pool({ ...options, limit: identity.limit })
      observePool(identity.service, prefix, pool)
      return pool
    },
  }

  let server: Server | undefined
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    log.info(`${identity.service} ${identity.version} shutting down`)
    server?.close()
    await Promise.race([shutdown(), new Promise(resolve => setTimeout(resolve, 400))])
    process.exit(0)
  }
  process.on('SIGTERM', () => void stop())
  process.on('SIGINT', () => {}) // Ctrl-C reaches the whole group; the supervisor decides
  process.on('disconnect', () => process.exit(0)) // the supervisor is gone
  process.on('message', (message: ToService) => {
    if ('endpoints' in message)
      for (const [name, ports] of Object.entries(message.endpoints)) upstreams.get(name)?.setPorts(ports)
    else if (pool) {
      log.info(`limit of pool ${pool.name} changed from ${pool.limit} to ${message.limit}`)
      pool.setLimit(message.limit)
    }
  })

  server = createHttpServer(identity.service, await define(kit), log)
  afterStart?.(server)
  const port = await listen(server, identity.port)
  const drillPort = await listenForDrills(identity, pool, log)
  log.info(`${identity.service} ${identity.version} listening on port ${port}, configuration ${identity.configHash}`)
  process.send?.({ ready: { port, drillPort } } satisfies FromService)
}

/** The port of the last start if it is still free, so that callers need no new address; else any. */
async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    if (port === 0) throw error
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  return (server.address() as AddressInfo).port
}
