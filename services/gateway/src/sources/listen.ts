import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'

export interface Listener {
  readonly port: number
  close(): Promise<void>
}
const plainAddress = (address = ''): string => address.replace(/^::ffff:/, '')

/** Datagrams of a port. Resolves when bound; port 0 picks a free one. */
export const listenUdp = (host: string, port: number, onDatagram: (data: Buffer, source: string) => void): Promise<Listener> => {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (data, from) => onDatagram(data, plainAddress(from.address)))
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, host, () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve({ port: socket.address().port, close: () => new Promise(done => socket.close(() => done())) })
    })
  })
}

/** Takes a stream of bytes apart; what is not complete yet is kept. */
export interface Framer {
  /** The messages that are complete now. Throws where the stream cannot be followed any more. */
  push(chunk: Buffer): string[]
  /** What was left when the sender went. */
  end(): string[]
}
export interface TcpOptions {
  readonly host: string
  readonly port: number
  readonly framer: () => Framer
  /** The connection is read on when it resolves. */
  readonly onMessages: (messages: readonly string[], source: string) => Promise<void>
  readonly onBad: (source: string, error: Error) => void
}
/** Connections of a port. Resolves when bound. */
export const listenTcp = (options: TcpOptions): Promise<Listener> => {
  const open = new Set<Socket>()
  const server = createServer(socket => {
    const framer = options.framer()
    const source = plainAddress(socket.remoteAddress)
    const hand = (messages: readonly string[]) => {
      if (messages.length === 0) return
      socket.pause()
      void options.onMessages(messages, source).finally(() => socket.resume())
    }
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', chunk => {
      try {
        hand(framer.push(chunk as Buffer))
      } catch (error) {
        options.onBad(source, error as Error)
        socket.destroy()
      }
    })
    socket.on('end', () => hand(framer.end()))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      server.on('error', () => undefined)
      resolve({
        port: (server.address() as { port: number }).port,
        close: async () => {
          for (const socket of open) socket.destroy()
          await new Promise<void>(done => server.close(() => done()))
        },
      })
    })
  })
}

/** Lines, ended by a line feed or a NUL; a longer one than allowed is cut into pieces. */
export class LineFramer implements Framer {
  readonly #most: number
  #rest = Buffer.alloc(0)

  constructor(most = 64 * 1024) {
    this.#most = most
  }
  push(chunk: Buffer): string[] {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    const lines: string[] = []
    let start = 0
    for (let i = 0; i < data.length; i++) {
      if (data[i] !== 10 && data[i] !== 0) continue
      lines.push(data.subarray(start, i).toString())
      start = i + 1
    }
    data = data.subarray(start)
    for (; data.length > this.#most; data = data.subarray(this.#most)) lines.push(data.subarray(0, this.#most).toString())
    this.#rest = Buffer.from(data)
    return lines
  }
  end(): string[] {
    const rest = this.#rest.toString()
    this.#rest = Buffer.alloc(0)
    return rest === '' ? [] : [rest]
  }
}
