import { connect } from 'node:net'

/** Each probe asks the question a client would ask first, and throws with a reason until the answer is right. */
export type Probe = (signal: AbortSignal) => Promise<void>

/** Sends bytes and hands what has come back to `judge` until that is satisfied. */
function converse(host: string, port: number, send: Buffer, judge: (got: Buffer) => boolean, signal: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    let got = Buffer.alloc(0)
    const socket = connect({ host, port, signal })
    const end = (error?: Error) => {
      socket.destroy()
      if (error) fail(error)
      else done()
    }
    socket.setTimeout(2_000, () => end(new Error(`${host}:${port} is silent`)))
    socket.once('connect', () => socket.write(send))
    socket.once('error', end)
    socket.once('close', () => end(new Error(`${host}:${port} hung up`)))
    socket.on('data', bytes => {
      got = Buffer.concat([got, bytes])
      try {
        if (judge(got)) end()
      } catch (error) {
        end(error as Error)
      }
    })
  })
}

/** Metadata (api 3, version 4) for no topics: answered only by a broker that knows itself and its controller. */
export const kafkaAnswers =
  (host: string, port: number): Probe =>
  signal => {
    const client = 'aegis-health'
    const body = Buffer.alloc(2 + 2 + 4 + 2 + client.length + 4 + 1)
    body.writeInt16BE(3, 0)
    body.writeInt16BE(4, 2)
    body.writeInt32BE(1, 4)
    body.writeInt16BE(client.length, 8)
    body.write(client, 10)
    const length = Buffer.alloc(4)
    length.writeInt32BE(body.length)
    return converse(
      host,
      port,
      Buffer.concat([length, body]),
      got => {
        if (got.length < 4 || got.length < 4 + got.readInt32BE(0)) return false
        const brokers = got.readInt32BE(12) // length, correlation, throttle, then the list of brokers
        if (brokers < 1) throw new Error('Kafka knows no broker yet')
        return true
      },
      signal,
    )
  }

export const registryAnswers =
  (host: string, port: number): Probe =>
  async signal => {
    const response = await fetch(`http://${host}:${port}/apis/ccompat/v7/subjects`, { signal })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`the registry answers ${response.status}`)
  }

/** The bolt port must agree on a version, and a query over HTTP must run with the password (no driver needed for that). */
export const neo4jAnswers =
  (host: string, bolt: number, http: number, password: string): Probe =>
  async signal => {
    const hello = Buffer.from([0x60, 0x60, 0xb0, 0x17, 0, 4, 4, 5, 0, 0, 0, 5, 0, 0, 4, 4, 0, 0, 0, 4])
    await converse(
      host,
      bolt,
      hello,
      got => {
        if (got.length < 4) return false
        if (got.readUInt32BE(0) === 0) throw new Error('bolt speaks no version we know')
        return true
      },
      signal,
    )
    const response = await fetch(`http://${host}:${http}/db/neo4j/tx/commit`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`neo4j:${password}`).toString('base64')}`,
      },
      body: JSON.stringify({ statements: [{ statement: 'RETURN 1' }] }),
      signal,
    })
    const answer = (await response.json()) as { errors?: { message: string }[] }
    if (!response.ok || answer.errors?.length) throw new Error(answer.errors?.[0]?.message ?? `Neo4j answers ${response.status}`)
  }

export const redisAnswers =
  (host: string, port: number): Probe =>
  signal =>
    converse(
      host,
      port,
      Buffer.from('PING\r\n'),
      got => {
        const text = got.toString('latin1')
        if (text.startsWith('-') && !text.startsWith('-NOAUTH')) throw new Error(text.trim()) // still loading its file
        return /PONG|NOAUTH/.test(text) // who asks for a password answers
      },
      signal,
    )
