/** The demo shop by itself: its telemetry arrives, each fault breaks it, the wrong action does not heal it, the right one does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { faults, isWell, type LoadWindow, p95LimitOf, type ServiceStatus, type Shop, startShop } from '@aegis/demo-shop'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OtlpReceiver } from './otlp-receiver.ts'

const serviceNames = ['cart', 'catalog', 'checkout', 'inventory', 'payment', 'store', 'storefront']
const receiver = new OtlpReceiver()
const stateDir = mkdtempSync(join(tmpdir(), 'demo-shop-'))
let shop: Shop
let p95LimitMs = 0

beforeAll(async () => {
  await receiver.start()
  shop = await startShop({ otlpEndpoint: receiver.url, environment: 'shop-test', stateDir })
  await until(() => shop.load.windows.length >= 6, 30)
  p95LimitMs = p95LimitOf(shop.load.windows.slice(1))
})

afterAll(async () => {
  await shop?.stop()
  receiver.stop()
  rmSync(stateDir, { recursive: true, force: true })
})

async function until(condition: () => boolean, seconds: number): Promise<boolean> {
  for (let waited = 0; waited < seconds * 10; waited++) {
    if (condition()) return true
    await sleep(100)
  }
  return condition()
}

/** The shop's state by the windows from here on. */
function watch(from = shop.load.windows.length) {
  const windows = (): readonly LoadWindow[] => shop.load.windows.slice(from)
  return { windows, well: () => isWell(windows(), { p95LimitMs }) }
}

async function processes(): Promise<number[]> {
  const { services } = (await (await fetch(`${shop.supervisorUrl}/services`)).json()) as { services: ServiceStatus[] }
  const { pid } = (await (await fetch(`${shop.supervisorUrl}/healthz`)).json()) as { pid: number }
  return [pid, ...services.flatMap(service => service.replicas.flatMap(replica => replica.pid ?? []))]
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a healthy shop', () => {
  it('serves every request and reports logs, metrics and traces of each service', async () => {
    expect(isWell(shop.load.windows.slice(1), { p95LimitMs })).toBe(true)
    for (const kind of ['logs', 'metrics', 'spans'] as const) {
      expect([...new Set(receiver[kind].map(item => item.resource['service.name']))].sort()).toEqual(serviceNames)
    }
    const resource = receiver.metrics.find(metric => metric.resource['service.name'] === 'catalog')?.resource
    expect(resource).toMatchObject({
      'service.version': '2.3.1',
      'service.instance.id': 'catalog-0',
      'deployment.environment.name': 'shop-test',
      'service.config.hash': expect.stringMatching(/^[0-9a-f]{12}$/),
    })
    const names = new Set(receiver.metrics.map(metric => metric.name))
    for (const name of [
      'http.server.request.duration',
      'process.cpu.utilization',
      'process.memory.usage',
      'db.client.connections.usage',
      'system.filesystem.usage',
    ]) {
      expect(names).toContain(name)
    }
  })

  it('joins caller and callee in one trace, and log lines to it', async () => {
    const order = receiver.spans.find(span => span.name === 'POST /orders' && span.resource['service.name'] === 'checkout')
    const caller = receiver.spans.find(span => span.spanId === order?.parentId)
    expect(caller).toMatchObject({
      traceId: order?.traceId,
      resource: { 'service.name': 'storefront' },
      attributes: { 'server.address': 'checkout', 'peer.service': 'checkout' },
    })
    const services = receiver.spans.filter(span => span.traceId === order?.traceId).map(span => span.resource['service.name'])
    expect([...new Set(services)].sort()).toEqual(['cart', 'checkout', 'inventory', 'payment', 'store', 'storefront'])
    expect(receiver.logs.some(log => log.traceId === order?.traceId && log.body.includes('placed'))).toBe(true)
  })
})

describe('the supervisor', () => {
  it('does an operation once for a key, and refuses what makes no sense', async () => {
    const post = (path: string, headers: Record<string, string>, body = '{}') =>
      fetch(`${shop.supervisorUrl}/services/${path}`, { method: 'POST', headers, body })
    const key = { 'idempotency-key': 'limit-once' }
    const first = await (await post('cart/raise-limit', key)).json()
    expect(first).toMatchObject({ status: 'done', result: { before: 10, after: 20 } })
    expect(await (await post('cart/raise-limit', key)).json()).toEqual(first)
    expect((await shop.hands.status('cart')).limit).toBe(20)
    expect((await post('cart/restart', key)).status).toBe(422)
    expect((await post('cart/raise-limit', {})).status).toBe(400)
    expect((await post('cart/raise-limit', { 'idempotency-key': 'a' }, 'nonsense')).status).toBe(400)
    expect((await post('cart/dance', { 'idempotency-key': 'b' })).status).toBe(404)
    expect((await post('nobody/restart', { 'idempotency-key': 'c' })).status).toBe(404)
    expect((await post('cart/rollback', { 'idempotency-key': 'd' })).status).toBe(409)
    expect((await post('cart/revert-config', { 'idempotency-key': 'e' })).status).toBe(409)
    expect((await post('cart/scale', { 'idempotency-key': 'f' }, '{"replicas":99}')).status).toBe(409)
  })
})

/** Faults that live in what is deployed, on disk or in the world outside: after a restart they are still there. */
const restartIsNoCure = ['bad-deploy', 'bad-config', 'disk-full', 'overload']

describe.each(faults)('$name', ({ name, rightActions, trueCause, inject }) => {
  it('breaks the shop and stays until the right action', async () => {
    const seen = watch()
    await inject(shop.hands)
    expect(await until(() => !seen.well(), 20)).toBe(true)
    if (restartIsNoCure.includes(name)) {
      await shop.hands.operate(trueCause, 'restart')
      const after = watch()
      expect(await until(() => after.windows().length >= 2 && !after.well(), 10)).toBe(true)
      await until(() => after.windows().length >= 6, 10)
      expect(seen.well()).toBe(false)
    }
    const [{ service, operation }] = rightActions
    await shop.hands.operate(service, operation)
    expect(await until(() => seen.well(), 30)).toBe(true)
    shop.hands.stop()
  })
})

describe('the end', () => {
  it('shows a new version and a new configuration in the telemetry', () => {
    const of = (service: string, attribute: string) => [
      ...new Set(receiver.metrics.filter(m => m.resource['service.name'] === service).map(m => m.resource[attribute])),
    ]
    expect(of('catalog', 'service.version')).toEqual(['2.3.1', '2.4.0'])
    expect(of('checkout', 'service.config.hash')).toHaveLength(2)
    expect(receiver.logs.some(log => log.severity === 'ERROR' && /TypeError.*\n\s+at strikePrice/.test(log.body))).toBe(true)
  })

  it('keeps serving when nobody takes its telemetry', async () => {
    receiver.stop()
    const seen = watch()
    await until(() => seen.windows().length >= 6, 20)
    expect(seen.well()).toBe(true)
  })

  it('leaves no process behind, even when the supervisor is killed', async () => {
    const pids = await processes()
    expect(pids.filter(alive)).toHaveLength(pids.length)
    process.kill(pids[0], 'SIGKILL')
    expect(await until(() => !pids.some(alive), 10)).toBe(true)
    await shop.stop()

    shop = await startShop({ environment: 'shop-test', stateDir })
    const again = await processes()
    await expect(startShop({ environment: 'other', stateDir })).rejects.toThrow(/already runs/)
    await shop.stop()
    expect(again.filter(alive)).toEqual([])
  })
})
