/**
 * The broker and registry of an embedded stack for other processes of its owner: a socket that only its owner may open, one connection a question,
 * frames of length and V8's own serialisation (buffers stay buffers). What needs a group or a transaction is not served: that is for services.
 */
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { AegisError } from '@aegis/domain'
import type { Broker, Infrastructure, OutRecord, RawRecord, Registry } from '@aegis/runtime'
import { stateFolder } from '../local/places.ts'

type Question = readonly [what: string, ...args: unknown[]]
type Answer =
  | { readonly value: unknown }
  | { readonly records: readonly RawRecord[] }
  | { readonly caughtUp: true }
  | { readonly error: string; readonly code: string }

const send = (socket: Socket, value: unknown): boolean => {
  const bytes = serialize(value)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes.length)
  return socket.write(Buffer.concat([head, bytes]))
}
async function* frames(socket: Socket): AsyncGenerator<unknown> {
  let parts: Buffer[] = []
  let size = 0
  let wanted = 4
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    parts.push(chunk)
    size += chunk.length
    if (size < wanted) continue
    let rest = Buffer.concat(parts)
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0)
      yield deserialize(rest.subarray(4, end))
      rest = rest.subarray(end)
    }
    parts = [rest]
    size = rest.length
    wanted = rest.length < 4 ? 4 : 4 + rest.readUInt32BE(0)
  }
}

/** Records sent in one frame. */
const CHUNK = 500

const noteFile = (): string => path.join(stateFolder(), 'embedded.json')
/** Paths of sockets are short; the folder of the state need not be. */
const socketPath = (): string =>
  path.join(tmpdir(), `aegis-${createHash('sha256').update(stateFolder()).digest('hex').slice(0, 16)}.sock`)

export interface EmbeddedStack {
  readonly pid: number
  readonly socket: string
  readonly gatewayUrl: string
}
/** The embedded stack of this checkout, while its process lives. */
export const embeddedStack = (): EmbeddedStack | undefined => {
  try {
    const found = JSON.parse(readFileSync(noteFile(), 'utf8')) as EmbeddedStack
    process.kill(found.pid, 0)
    return existsSync(found.socket) ? found : undefined
  } catch {
    return undefined
  }
}

const answer = async ({ broker, registry }: Infrastructure, socket: Socket): Promise<void> => {
  const [what, ...args] = (await frames(socket).next()).value as Question
  const records = async (batch: readonly RawRecord[]) => {
    for (let i = 0; i < batch.length && !socket.destroyed; i += CHUNK)
      if (!send(socket, { records: batch.slice(i, i + CHUNK) }))
        await new Promise<void>(resolve => socket.once('drain', resolve).once('close', resolve))
  }
  const [a, b, c, d] = args as never[]
  if (what === 'partitions') send(socket, { value: await broker.partitions(a) })
  else if (what === 'end') send(socket, { value: await broker.end(a, b) })
  else if (what === 'committed') send(socket, { value: await broker.committed(a, b, c) })
  else if (what === 'read') send(socket, { value: await broker.read(a, b, c, d, records) })
  else if (what === 'register') send(socket, { value: await registry.register(a, b) })
  else if (what === 'schema') send(socket, { value: await registry.schema(a) })
  else if (what === 'send') {
    const producer = await broker.producer()
    send(socket, { value: await producer.send(a) })
  } else if (what === 'tail') {
    const tail = await broker.tail(a, { from: b, onRecords: records })
    socket.once('close', () => void tail.close())
    await tail.caughtUp
    send(socket, { caughtUp: true })
    return
  } else throw new AegisError('INPUT_INVALID', `an embedded stack does not serve ${what} to other processes`)
  socket.end()
}

/** Serves until the returned function is called. */
export const share = async (infrastructure: Infrastructure, gatewayUrl: string): Promise<() => Promise<void>> => {
  const at = socketPath()
  const other = embeddedStack()
  if (other)
    throw new AegisError(
      'CONFIG_INVALID',
      `an embedded stack of this checkout runs already (process ${other.pid}); set AEGIS_STATE_DIR for a second one`,
    )
  rmSync(at, { force: true })
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket))
    answer(infrastructure, socket).catch((error: Error & { code?: string }) => {
      if (!socket.destroyed) send(socket, { error: error.message, code: error.code ?? 'BROKER_UNAVAILABLE' })
      socket.end()
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(at, resolve))
  chmodSync(at, 0o600)
  mkdirSync(stateFolder(), { recursive: true })
  writeFileSync(noteFile(), JSON.stringify({ pid: process.pid, socket: at, gatewayUrl } satisfies EmbeddedStack))
  return async () => {
    rmSync(noteFile(), { force: true })
    for (const socket of open) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  }
}

const unavailable = (what: string) => async (): Promise<never> => {
  throw new AegisError(
    'BROKER_UNAVAILABLE',
    `an embedded stack serves no ${what} to other processes; "aegis up --stack real" has a broker of its own`,
  )
}
/** The other side of `share`. */
export const connectShared = ({ socket: at, pid }: EmbeddedStack): Infrastructure => {
  const open = new Set<Socket>()
  const ask = async (
    question: Question,
    onRecords: (records: readonly RawRecord[]) => void | Promise<void> = () => undefined,
    onCaughtUp = () => {},
  ): Promise<unknown> => {
    const socket = createConnection(at)
    open.add(socket)
    socket.on('error', () => undefined).once('close', () => open.delete(socket))
    send(socket, question)
    for await (const frame of frames(socket)) {
      const got = frame as Answer
      if ('error' in got) throw new AegisError(got.code as never, got.error)
      if ('records' in got) await onRecords(got.records)
      else if ('caughtUp' in got) onCaughtUp()
      else return got.value
    }
    throw new AegisError('BROKER_UNAVAILABLE', `the embedded stack (process ${pid}) ended`)
  }
  const broker: Broker = {
    partitions: async topic => (await ask(['partitions', topic])) as number,
    end: async (topic, partition) => (await ask(['end', topic, partition])) as number,
    committed: async (group, topics, partition) => (await ask(['committed', group, topics, partition])) as Record<string, number>,
    read: async (topic, partition, from, to, onRecords) => void (await ask(['read', topic, partition, from, to], onRecords)),
    producer: async () => ({
      send: async (records: readonly OutRecord[]) => void (await ask(['send', records])),
      close: async () => undefined,
    }),
    tail: async (topics, { from, onRecords }) => {
      const caught = Promise.withResolvers<void>()
      const done = ask(['tail', topics, from], onRecords, caught.resolve)
      done.catch(error => caught.reject(error))
      caught.promise.catch(() => undefined)
      return { caughtUp: caught.promise, close: async () => open.forEach(socket => void socket.destroy()) }
    },
    healthy: async () => existsSync(at),
    close: async () => open.forEach(socket => void socket.destroy()),
    ensureTopics: unavailable('topics'),
    transactor: unavailable('transactions'),
    subscribe: unavailable('groups'),
  }
  const registry: Registry = {
    register: async (subject, schema) => (await ask(['register', subject, schema])) as number,
    schema: async id => (await ask(['schema', id])) as never,
    incompatible: async () => undefined,
    healthy: async () => existsSync(at),
  }
  return { broker, registry }
}
