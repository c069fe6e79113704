import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseBounded } from '@aegis/api'
import type { ServiceContext, ServiceParts } from '@aegis/runtime'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gateway } from './service.ts'

const NOW = 1_800_000_000_000_000
let published: unknown[] = []
const context = {
  now: () => NOW,
  log: { info() {}, debug() {}, warn() {} },
  publish: async (_: unknown, values: readonly unknown[]) => void published.push(...values),
  latest: () => undefined,
} as unknown as ServiceContext
const config = Object.fromEntries(
  Object.entries(gateway.settings).map(([name, { schema }]) => [name, schema.parse(undefined)]),
) as Parameters<typeof gateway.create>[0]
let parts: ServiceParts
let server: Server
let base: string
beforeAll(async () => {
  parts = await gateway.create(config, context)
  server = createServer(parts.http)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.close()
  await parts.stop?.()
})
const send = (path: string, body: string, headers: Record<string, string> = {}, method = 'POST') =>
  fetch(base + path, { method, body, headers: { 'content-type': 'application/json', ...headers } })
/** Every route that changes something, as the gateway itself lists them. */
const routes = async (): Promise<{ method: string; path: string }[]> => {
  const { paths } = (await (await fetch(`${base}/openapi.json`)).json()) as { paths: Record<string, object> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter(method => method !== 'get')
      .map(method => ({ method: method.toUpperCase(), path: path.replace(/\{\w+\}/g, 'x') })),
  )
}

describe('hostile bodies', () => {
  it.each([
    ['lists', '['.repeat(400) + ']'.repeat(400)],
    ['objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['a bomb in a known member', `{"resourceLogs":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['unended brackets', '['.repeat(100_000)],
  ])('%s nested deep are refused on every route', async (_, body) => {
    for (const { method, path } of await routes()) {
      const { status } = await send(path, body, {}, method)
      expect([204, 400, 401, 404, 415], path).toContain(status)
    }
  })
  it('refuses more values than a body may hold, and reads brackets in strings as text', () => {
    expect(() => parseBounded(`[${'[],'.repeat(1_100_000)}[]]`)).toThrow(/more than 1000000 values/)
    expect(parseBounded(JSON.stringify({ a: '['.repeat(1000), b: '\\"[' }))).toEqual({ a: '['.repeat(1000), b: '\\"[' })
  })
  it('no shape of body is answered with 5xx', async () => {
    const all = await routes()
    const member = fc.constantFrom(
      'resourceLogs',
      'scopeLogs',
      'logRecords',
      'body',
      'attributes',
      'key',
      'value',
      'stringValue',
      'kvlistValue',
      'values',
      'resourceMetrics',
      'scopeMetrics',
      'metrics',
      'gauge',
      'dataPoints',
      'resourceSpans',
      'scopeSpans',
      'spans',
      'alerts',
      'labels',
      'annotations',
      'status',
      'entity',
      'time',
      'metric_name',
      'severity',
      'name',
      'timeUnixNano',
      'traceId',
      '__proto__',
      'constructor',
    )
    const { tree } = fc.letrec(tie => ({
      tree: fc.oneof(
        { maxDepth: 8 },
        fc.oneof(
          fc.string(),
          fc.double(),
          fc.integer(),
          fc.boolean(),
          fc.constant(null),
          fc.constantFrom('service:a', 'deploy', '\u0000', '9'.repeat(40), 'ERROR', 'firing'),
        ),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(member, tie('tree'), { maxKeys: 5 }),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...all), tree, async ({ method, path }, value) => {
        const response = await send(path, JSON.stringify(value) ?? '', {}, method)
        expect(response.status, await response.text()).toBeLessThan(500)
      }),
      { seed: 21, numRuns: 1500 },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...all),
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('application/json', 'application/x-protobuf', 'text/plain', ''),
        async ({ method, path }, bytes, type) => {
          const response = await fetch(base + path, {
            method,
            body: bytes as never,
            headers: type === '' ? {} : { 'content-type': type },
          })
          expect(response.status, await response.text()).toBeLessThan(500)
        },
      ),
      { seed: 22, numRuns: 500 },
    )
  })
})

describe('Idempotency-Key', () => {
  it('counts a request sent again once, and refuses another body under the same key', async () => {
    published = []
    const body = JSON.stringify({ body: 'x', entity: 'service:a' })
    const first = await send('/api/v1/logs', body, { 'idempotency-key': 'k1' })
    const again = await send('/api/v1/logs', body, { 'idempotency-key': 'k1' })
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([202, 202, 'true'])
    expect(await again.json()).toEqual(await first.json())
    expect(published).toHaveLength(1)
    expect((await send('/api/v1/logs', JSON.stringify({ body: 'y' }), { 'idempotency-key': 'k1' })).status).toBe(422)
    await send('/api/v1/logs', body)
    expect(published).toHaveLength(2)
  })
})
