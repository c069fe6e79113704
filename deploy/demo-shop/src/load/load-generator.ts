/**
 * Customers. Open loop: requests leave at their time whether or not earlier ones were answered, and latency counts from that time.
 * One JSON line a second on standard output. `--crowd` is a flash sale: buyers only, no report.
 */
import { Agent, request } from 'node:http'
import { parseArgs } from 'node:util'
import { productCount } from '../services/seed.ts'
import type { LoadWindow } from './is-well.ts'

const { values: settings } = parseArgs({
  options: { url: { type: 'string' }, rate: { type: 'string', default: '30' }, crowd: { type: 'boolean', default: false } },
})
const target = new URL(settings.url ?? '')
const agent = new Agent({ keepAlive: true, maxSockets: 512 })
const timeoutMs = 3000
const words = ['oak', 'linen', 'steel', 'lamp', 'chair', 'rug', 'mirror', 'basket', 'teak']
const pick = (count: number) => Math.floor(Math.random() * count)

/** 35 % look at a product, 20 % search, 25 % put into the cart, 20 % buy. */
function nextRequest(): { method: string; path: string; body?: unknown } {
  const customer = `c-${pick(400)}`
  const kind = settings.crowd ? 1 : Math.random()
  if (kind < 0.35) return { method: 'GET', path: `/products/p-${pick(productCount)}` }
  if (kind < 0.55) return { method: 'GET', path: `/search?q=${words[pick(words.length)]}` }
  if (kind < 0.8) {
    return {
      method: 'POST',
      path: `/carts/${customer}/lines`,
      body: { product: `p-${pick(productCount)}`, quantity: 1 + pick(3) },
    }
  }
  return { method: 'POST', path: `/orders/${customer}`, body: {} }
}

let latencies: number[] = []
let failed = 0

function send() {
  const started = performance.now()
  const { method, path, body } = nextRequest()
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  let counted = false
  const done = (ok: boolean) => {
    if (counted) return
    counted = true
    clearTimeout(timer)
    latencies.push(performance.now() - started)
    if (!ok) failed++
  }
  const headers = bytes ? { 'content-type': 'application/json', 'content-length': bytes.length } : {}
  const sent = request({ host: target.hostname, port: target.port, method, path, headers, agent }, response => {
    response.resume()
    response.on('error', () => done(false))
    response.on('end', () => done((response.statusCode ?? 500) < 400))
  })
  const timer = setTimeout(() => sent.destroy(new Error('timeout')), timeoutMs)
  sent.on('error', () => done(false))
  sent.end(bytes)
}

const rate = Number(settings.rate)
const began = performance.now()
let sentCount = 0
setInterval(() => {
  const due = Math.floor(((performance.now() - began) / 1000) * rate)
  for (; sentCount < due; sentCount++) send()
}, 10)

if (!settings.crowd) {
  setInterval(() => {
    const sorted = latencies.sort((a, b) => a - b)
    const at = (share: number) => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1))
    const window: LoadWindow = {
      time: Date.now(),
      requests: sorted.length,
      failed,
      success: sorted.length ? (sorted.length - failed) / sorted.length : 0,
      p50Ms: at(0.5),
      p95Ms: at(0.95),
    }
    latencies = []
    failed = 0
    process.stdout.write(`${JSON.stringify(window)}\n`)
  }, 1000)
}

process.on('SIGINT', () => {}) // the one who started it decides
process.on('disconnect', () => process.exit(0))
