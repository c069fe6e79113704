import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { Upstream } from './call.ts'
import { createHttpServer, HttpError, type Routes } from './serve.ts'
import type { Log } from './telemetry.ts'

const lines: string[] = []
const log: Log = { debug() {}, info() {}, warn: text => lines.push(text), error: text => lines.push(text) }
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
  lines.length = 0
})

async function serve(routes: Routes): Promise<number> {
  const server = createHttpServer('quotes', routes, log)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function upstream(timeoutMs: number, ...ports: number[]) {
  const quotes = new Upstream('reader', 'quotes', timeoutMs)
  quotes.setPorts(ports)
  return quotes
}

describe('a call', () => {
  it('carries parameters, query and body there and the answer back', async () => {
    const port = await serve({
      'POST /quotes/:id/lines': async ({ params, query, body }) => ({
        status: 201,
        body: { ...params, q: query.get('q'), body },
      }),
    })
    expect(await upstream(1000, port).call('POST', '/quotes/a%20b/lines?q=1', { x: 2 })).toEqual({
      id: 'a b',
      q: '1',
      body: { x: 2 },
    })
  })

  it('tells our own failures from those passed on, and logs both where they happen', async () => {
    const port = await serve({
      'GET /bug': async () => JSON.parse('{'),
      'GET /behind': async () => {
        throw new HttpError(502, 'call to store failed')
      },
      'GET /missing': async () => {
        throw new HttpError(404, 'no quote')
      },
    })
    const quotes = upstream(1000, port)
    await expect(quotes.call('GET', '/bug')).rejects.toMatchObject({ status: 502 })
    await expect(quotes.call('GET', '/behind')).rejects.toThrow('quotes answered 502: call to store failed')
    await expect(quotes.call('GET', '/missing')).rejects.toMatchObject({ status: 404 })
    await expect(quotes.call('GET', '/nowhere')).rejects.toMatchObject({ status: 404 })
    expect(lines).toEqual([
      expect.stringMatching(/^unhandled error in GET \/bug/),
      'GET /behind answered 502: call to store failed',
    ])
  })

  it('fails when nobody answers, nobody listens, or no address is known', async () => {
    const port = await serve({ 'GET /slow': () => new Promise(() => {}) })
    await expect(upstream(30, port).call('GET', '/slow')).rejects.toThrow('call to quotes failed: timeout of 30 ms exceeded')
    servers[0].closeAllConnections()
    servers.pop()?.close()
    await sleep(10)
    await expect(upstream(1000, port).call('GET', '/slow')).rejects.toThrow(/ECONNREFUSED/)
    await expect(upstream(1000).call('GET', '/slow')).rejects.toThrow('no address known for quotes')
  })

  it('prefers the replica that answers over the one that fails', async () => {
    const answered = [0, 0]
    const broken = await serve({
      'GET /': async () => {
        answered[0]++
        throw new Error('broken')
      },
    })
    const sound = await serve({
      'GET /': async () => {
        answered[1]++
        return { body: {} }
      },
    })
    const quotes = upstream(1000, broken, sound)
    for (let i = 0; i < 60; i++) await quotes.call('GET', '/').catch(() => {})
    expect(answered[0]).toBeLessThan(10)
    expect(answered[0] + answered[1]).toBe(60)
  })
})
