import { createConnection } from 'node:net'

export interface PartHealth {
  readonly status: 'up' | 'down' | 'embedded'
  readonly detail?: string
}
const WITHIN_MS = 1000

/** Whether something at the address answers these first bytes as it should, without a library or a login. */
const knock = (host: string, port: number, hello: string | Uint8Array, fits: (answer: Buffer) => boolean): Promise<PartHealth> =>
  new Promise(resolve => {
    const socket = createConnection({ host, port })
    const end = (health: PartHealth) => {
      socket.destroy()
      resolve(health)
    }
    socket.setTimeout(WITHIN_MS, () => end({ status: 'down', detail: `${host}:${port} does not answer within ${WITHIN_MS} ms` }))
    socket.on('error', error =>
      end({ status: 'down', detail: `${host}:${port}: ${(error as NodeJS.ErrnoException).code ?? error.message}` }),
    )
    socket.on('connect', () => socket.write(hello))
    socket.on('data', answer =>
      end(fits(answer) ? { status: 'up' } : { status: 'down', detail: `${host}:${port} answers something else` }),
    )
  })
const addressOf = (uri: string, port: number): { host: string; port: number } => {
  const url = new URL(uri)
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || port }
}
/** Bolt: magic, then four versions it could speak; the server says one. @see https://neo4j.com/docs/bolt/current/bolt/handshake/ */
const BOLT = Uint8Array.from([0x60, 0x60, 0xb0, 0x17, 0, 4, 4, 5, 0, 2, 4, 4, 0, 0, 0, 3, 0, 0, 0, 2])

export const neo4jHealth = async (uri: string): Promise<PartHealth> => {
  if (uri === 'memory') return { status: 'embedded' }
  // With TLS, that somebody listens must do.
  if (/^(?:bolt|neo4j)\+s/.test(uri)) return { status: 'up', detail: 'not asked over TLS' }
  const { host, port } = addressOf(uri, 7687)
  return knock(host, port, BOLT, answer => answer.length === 4)
}
export const redisHealth = async (url: string): Promise<PartHealth> => {
  if (url === 'memory') return { status: 'embedded' }
  if (/^rediss:/.test(url)) return { status: 'up', detail: 'not asked over TLS' }
  const { host, port } = addressOf(url, 6379)
  return knock(host, port, 'PING\r\n', answer => /^(?:\+PONG|-NOAUTH|-ERR)/.test(answer.toString()))
}
