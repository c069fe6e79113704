import { mkdtempSync } from 'node:fs'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ClockStandIn } from '@aegis/api/testing'
import { makeKey, SCOPES, type Scope, writeKeys } from '@aegis/authority'
import type { ServiceContext, ServiceParts } from '@aegis/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gateway } from '../service.ts'
import { scopeOf } from './scopes.ts'

const NOW = 1_800_000_000_000_000
const published: { stream: string; value: Record<string, unknown> }[] = []
const clock = new ClockStandIn()
const context = {
  now: () => NOW,
  log: { info() {}, debug() {}, warn() {} },
  publish: async (stream: { name: string }, values: readonly Record<string, unknown>[]) => {
    published.push(...values.map(value => ({ stream: stream.name, value })))
    clock.heard(stream.name, values)
  },
  latest: clock.latest,
  tail: clock.tail,
} as unknown as ServiceContext
const defaults = Object.fromEntries(
  Object.entries(gateway.settings).map(([name, { schema }]) => [name, schema.parse(undefined)]),
) as Parameters<typeof gateway.create>[0]
const file = path.join(mkdtempSync(path.join(tmpdir(), 'aegis-')), 'keys.json')
const secrets = new Map<string, string>()
let parts: ServiceParts
let server: Server
let port: number
beforeAll(async () => {
  const made = [
    ...SCOPES.map(scope => makeKey({ name: scope, scopes: [scope], environments: ['*'] }, NOW)),
    makeKey({ name: 'old', scopes: ['admin'], environments: ['*'] }, NOW, NOW - 1),
    makeKey({ name: 'bound', scopes: ['control'], environments: ['staging'] }, NOW),
  ]
  for (const { secret, key } of made) secrets.set(key.name, secret)
  writeKeys(
    file,
    made.map(({ key }) => key),
  )
  parts = await gateway.create({ ...defaults, keysFile: file }, context)
  server = createServer(parts.http)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await parts.stop?.()
})
/** fetch would not let us name another host. */
const send = (method: string, url: string, headers: Record<string, string>, body?: string) =>
  new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const r = httpRequest({ port, host: '127.0.0.1', method, path: url, headers }, response => {
      const done = (text: string) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
      if (response.headers['content-type'] === 'text/event-stream') {
        r.destroy()
        return done('')
      }
      let text = ''
      response.on('data', chunk => (text += chunk)).on('end', () => done(text))
    })
    r.on('error', error => (r.destroyed ? undefined : reject(error)))
    r.end(body)
  })
const as = (name: string | undefined, more: Record<string, string> = {}) => ({
  'content-type': 'application/json',
  ...(name && { authorization: `Bearer ${secrets.get(name)}` }),
  ...more,
})
const routes = async () => {
  const { paths } = JSON.parse((await send('GET', '/openapi.json', {})).body) as { paths: Record<string, object> }
  return Object.entries(paths).flatMap(([url, methods]) =>
    Object.keys(methods).map(method => ({ method: method.toUpperCase(), url, route: url.replace(/\{(\w+)\}/g, ':$1') })),
  )
}

describe('scopes', () => {
  it('every route lets in those with its scope, and nobody else', async () => {
    const all = await routes()
    expect(all.length).toBeGreaterThan(20)
    for (const { method, url, route } of all) {
      const scope = scopeOf(method, route)
      expect(scope, `${method} ${route}`).toBeDefined()
      if (scope === 'open') continue
      const at = url.replace(/\{\w+\}/g, 'x')
      expect((await send(method, at, as(undefined), method === 'GET' ? undefined : '{')).status, `nobody ${method} ${at}`).toBe(
        401,
      )
      expect((await send(method, at, as('old'), method === 'GET' ? undefined : '{')).status, `old ${method} ${at}`).toBe(401)
      for (const name of SCOPES) {
        const { status } = await send(method, at, as(name), method === 'GET' ? undefined : '{')
        const may = name === scope || name === ('admin' as Scope)
        expect([401, 403].includes(status), `${name} ${method} ${at}: ${status}`).toBe(!may)
      }
    }
  })
  it('a key bound to an environment changes no other', async () => {
    const put = (environment: string) =>
      send('PUT', `/api/v1/controls/${environment}`, as('bound'), JSON.stringify({ kill_switch: true }))
    expect([(await put('staging')).status, (await put('prod')).status]).toEqual([202, 403])
  })
})

describe('words of people', () => {
  it('stand under the name of the key, on the audit stream before their own', async () => {
    published.length = 0
    const answer = await send(
      'PUT',
      '/api/v1/controls/prod',
      as('control'),
      JSON.stringify({ kill_switch: true, who: 'mallory' }),
    )
    expect(JSON.parse(answer.body)).toMatchObject({ who: 'control', kill_switch: true })
    expect(published.map(p => p.stream)).toEqual(['audit', 'controls.wanted'])
    expect(published[0].value).toMatchObject({
      who: 'control',
      what: 'controls.wanted',
      subject: 'prod',
      environment: 'prod',
      details: { address: '127.0.0.1' },
    })
  })
  it.each([
    ['a foreign host', { host: 'evil.example' }],
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['no JSON', { 'content-type': 'text/plain' }],
  ])('%s is refused', async (_, headers) => {
    const session = await login()
    const { status } = await send(
      'PUT',
      '/api/v1/controls/prod',
      { 'content-type': 'application/json', cookie: session, ...(headers as Record<string, string>) },
      '{"kill_switch":true}',
    )
    expect(status).toBe(403)
  })
})

const login = async (name = 'admin') => {
  const answer = await send('POST', '/api/v1/session', as(undefined), JSON.stringify({ key: secrets.get(name) }))
  return String(answer.headers['set-cookie']).split(';')[0]
}
describe('sessions', () => {
  it('a browser logs in with a key, and out', async () => {
    expect((await send('GET', '/', {})).headers.location).toBe('/login')
    expect((await send('GET', '/login', {})).headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    const answer = await send('POST', '/api/v1/session', as(undefined), JSON.stringify({ key: secrets.get('read') }))
    expect(String(answer.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict/)
    const cookie = await login('read')
    expect((await send('GET', '/', { cookie })).status).toBe(200)
    expect((await send('PUT', '/api/v1/controls/prod', { cookie, 'content-type': 'application/json' }, '{}')).status).toBe(403)
    await send('DELETE', '/api/v1/session', { cookie })
    expect((await send('GET', '/api/v1/incidents', { cookie })).status).toBe(401)
    expect((await send('POST', '/api/v1/session', as(undefined), '{"key":"aegis_no"}')).status).toBe(401)
  })
})

describe('an address that others reach', () => {
  it('needs keys, a token, or somebody in front who asks', async () => {
    const open = { ...defaults, listenHost: '0.0.0.0' }
    await expect(gateway.create(open, context)).rejects.toThrow(/AEGIS_KEYS_FILE/)
    for (const more of [{ apiToken: 't' }, { keysFile: file }, { authentication: 'off' as const }])
      await (await gateway.create({ ...open, ...more }, context)).stop?.()
  })
})
