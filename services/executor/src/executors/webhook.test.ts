import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Action } from '@aegis/domain'
import { afterEach, describe, expect, it } from 'vitest'
import { signatureOf, Webhook } from './webhook.ts'

const action: Action = { action: 'restart', target: 'service:a', environment: 'test', parameters: {} }
const secret = 'sixteen characters'
let close: () => void = () => undefined
afterEach(() => close())

/** A receiver that does one key's work once, and answers the first calls with the statuses given. */
const receiver = async (statuses: number[]) => {
  const calls: { headers: IncomingHttpHeaders; body: string }[] = []
  const done = new Set<string>()
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      calls.push({ headers: request.headers, body })
      const status = statuses.shift() ?? 200
      if (status === 0) request.socket.destroy()
      else {
        if (status === 200) done.add(String(request.headers['idempotency-key']))
        response.writeHead(status).end(status === 200 ? 'restarted' : 'no')
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  close = () => server.close()
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, calls, done }
}
const ever = () => new AbortController().signal

describe('webhook', () => {
  it('signs what it posts so that the receiver can check body and time', async () => {
    const { url, calls } = await receiver([])
    const hook = new Webhook({ url, secret, now: () => 1_700_000_000_000_000 })
    expect(await hook.execute(action, 'id1', ever())).toEqual({ text: '200 restarted' })
    const [{ headers, body }] = calls
    expect(JSON.parse(body)).toEqual({ id: 'id1', ...action, time: 1_700_000_000 })
    expect(headers).toMatchObject({ 'idempotency-key': 'id1', 'aegis-timestamp': '1700000000' })
    expect(headers['aegis-signature']).toBe(signatureOf(secret, 1_700_000_000, body))
    expect(headers['aegis-signature']).not.toBe(signatureOf(secret, 1_700_000_001, body))
    expect(headers['aegis-signature']).not.toBe(signatureOf(`${secret}!`, 1_700_000_000, body))
  })
  it('posts again under the same key until it is answered', async () => {
    const { url, calls, done } = await receiver([503, 0, 429])
    const hook = new Webhook({ url, secret, now: () => 1e15 })
    await hook.execute(action, 'id1', ever())
    expect(calls.map(c => c.headers['idempotency-key'])).toEqual(['id1', 'id1', 'id1', 'id1'])
    expect([...done]).toEqual(['id1'])
  })
  it('takes no for an answer, and gives up when the time is up', async () => {
    const { url, calls } = await receiver([403])
    const hook = new Webhook({ url, secret, now: () => 1e15 })
    await expect(hook.execute(action, 'id1', ever())).rejects.toThrow('restart service:a: the webhook answered 403: no')
    expect(calls).toHaveLength(1)
    close()
    const nobody = new Webhook({ url: 'http://127.0.0.1:1/', secret, now: () => 1e15 })
    await expect(nobody.execute(action, 'id1', AbortSignal.timeout(400))).rejects.toThrow(/did not answer|aborted|timeout/i)
  })
  it('posts nothing in a dry run', async () => {
    const { url, calls } = await receiver([])
    expect((await new Webhook({ url, secret, dryRun: true, now: () => 1e15 }).execute(action, 'id1', ever())).text).toContain(
      'dry run',
    )
    expect(calls).toEqual([])
  })
})
