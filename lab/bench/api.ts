/**
 * `npm run bench -- api`: latency of the inference API at a fixed rate on one core, its memory, how long a record takes from the broker to a page, and
 * the size of the console. The floor beside it is `GET /ping` at the same rate: HTTP, routing and keys without a model.
 */
import { fork, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { HEAP_FLAGS } from '@aegis/runtime/collect-garbage'
import autocannon from 'autocannon'

interface Row {
  readonly what: string
  readonly rate: number
  readonly requests: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly failed: number
  /** Microseconds of processor time for each answer. */
  readonly cpu: number
}
interface Usage {
  readonly memory: number
  readonly cpu: number
}
const WINDOW = { service: 'checkout', host: 'a' }
const anomalyBody = (i: number) =>
  JSON.stringify({
    metrics: ['cpu_usage', 'memory_usage', 'latency_ms'].map((metric_type, k) => ({
      metric_type,
      value: 40 + 10 * k + 5 * Math.sin(i / 7 + k) + (i % 13),
      timestamp: 1_790_000_000 + i,
      labels: WINDOW,
    })),
  })
const LINES = [
  'served GET /items in 12 ms',
  'connect ECONNREFUSED 10.0.0.7:5432',
  'request to billing timed out after 5000 ms',
  'cache refreshed',
  'user 17 logged in',
]
const failureBody = (i: number) =>
  JSON.stringify({
    metrics: Array.from({ length: 10 }, (_, k) => ({
      metric_type: k % 2 ? 'memory_usage' : 'latency_ms',
      value: 50 + k + (i % 9),
      timestamp: 1_790_000_000 + k,
    })),
    logs: Array.from({ length: 40 }, (_, k) => ({
      timestamp: 1_790_000_000 + k,
      level: k % 5 === 1 || k % 5 === 2 ? 'ERROR' : 'INFO',
      message: `${LINES[k % 5]} #${i * 40 + k}`,
      service: `s${k % 3}`,
    })),
  })

const measure = async (
  base: string,
  what: string,
  url: string,
  rate: number,
  seconds: number,
  body: ((i: number) => string) | undefined,
  usage: () => Promise<Usage>,
): Promise<Row> => {
  let i = 0
  const before = await usage()
  const result = await autocannon({
    url: `${base}${url}`,
    connections: 20,
    overallRate: rate,
    duration: seconds,
    ...(body && {
      method: 'POST' as const,
      headers: { 'content-type': 'application/json' },
      requests: [{ setupRequest: (request: object) => ({ ...request, body: body(i++) }) }],
    }),
  })
  const { latency, requests, non2xx, errors, timeouts } = result
  const { cpu } = await usage()
  return {
    what,
    rate,
    cpu: (cpu - before.cpu) / requests.total,
    requests: requests.total,
    p50: latency.p50,
    p99: latency.p99,
    p999: latency.p99_9,
    failed: non2xx + errors + timeouts,
  }
}

/** Milliseconds from the broker to a reader of events, at so many a second. */
const eventsTo = async (base: string, send: (id: string) => void, rate: number, seconds: number): Promise<number[]> => {
  const sent = new Map<string, number>()
  const took: number[] = []
  const abort = new AbortController()
  const response = await fetch(`${base}/api/v1/events`, { signal: abort.signal })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  void (async () => {
    let rest = ''
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      rest += Buffer.from(value).toString()
      for (const [, id] of rest.matchAll(/"id":"(e\d+)"/g)) {
        const at = sent.get(id)
        if (at !== undefined) took.push(performance.now() - at)
        sent.delete(id)
      }
      rest = rest.slice(-50)
    }
  })().catch(() => undefined)
  for (let i = 0; i < rate * seconds; i++) {
    sent.set(`e${i}`, performance.now())
    send(`e${i}`)
    await new Promise(resolve => setTimeout(resolve, 1000 / rate))
  }
  await new Promise(resolve => setTimeout(resolve, 500))
  abort.abort()
  return took.sort((a, b) => a - b)
}

/** First paint, and milliseconds from the broker to what a page shows; undefined without a Chromium. */
const inBrowser = async (base: string, send: (id: string) => void, rate: number, seconds: number) => {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(p => existsSync(p))
  if (!executablePath) return undefined
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage()
    await page.goto(`${base}/`)
    await page.locator('main h2').first().waitFor()
    const paint = (await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")) as number
    await page.evaluate(
      "globalThis.seen = new Map(); new MutationObserver(() => { for (const a of document.querySelectorAll('a[href^=\"/i/p\"]')) { const id = a.getAttribute('href').slice(3); if (!globalThis.seen.has(id)) globalThis.seen.set(id, Date.now()) } }).observe(document.body, { subtree: true, childList: true, attributes: true })",
    )
    const sent = new Map<string, number>()
    for (let i = 0; i < rate * seconds; i++) {
      sent.set(`p${i}`, Date.now())
      send(`p${i}`)
      await new Promise(resolve => setTimeout(resolve, 1000 / rate))
    }
    await page.waitForTimeout(1000)
    const seen = (await page.evaluate('[...globalThis.seen]')) as [string, number][]
    const took = seen.flatMap(([id, at]) => (sent.has(id) ? [at - (sent.get(id) as number)] : [])).sort((a, b) => a - b)
    return { paint, took, missed: sent.size - took.length }
  } finally {
    await browser.close()
  }
}
const quantile = (sorted: readonly number[], q: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN

const consoleBytes = async (base: string): Promise<number> => {
  const queue = ['/', '/console/app.js', '/console/app.css', '/console/vendor/uplot.css', '/console/icon.svg']
  const known = new Set(queue)
  let total = 0
  for (let url = queue.shift(); url; url = queue.shift()) {
    const text = await (await fetch(base + url)).text()
    // Of the page itself too: the import map names what the modules ask for.
    for (const [, next] of text.matchAll(/["'(](\/console\/[\w./-]+\.js)["')]/g))
      if (!known.has(next)) {
        known.add(next)
        queue.push(next)
      }
    total += Number((await import('node:zlib')).gzipSync(text, { level: 9 }).length)
  }
  return total
}

export const run = async (args: string[]): Promise<void> => {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '20' }, write: { type: 'boolean', default: false } },
  })
  const seconds = Number(values.seconds)
  const pinned = spawnSync('taskset', ['--version']).status === 0
  const child = fork(path.join(import.meta.dirname, 'api-server.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...HEAP_FLAGS],
  })
  try {
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', m => resolve((m as { port: number }).port))
      child.once('exit', code => reject(new Error(`the service ended with ${code}`)))
    })
    if (pinned) spawnSync('taskset', ['-apc', '0', String(child.pid)])
    const base = `http://127.0.0.1:${port}`
    const send = (id: string) => void child.send({ what: 'incident', id })
    const usage = async (): Promise<Usage> => {
      child.send({ what: 'usage' })
      return new Promise(resolve => child.once('message', m => resolve(m as Usage)))
    }
    await measure(base, 'warm-up', '/api/v1/detect-anomaly', 500, 4, anomalyBody, usage)
    await measure(base, 'warm-up', '/api/v1/detect-failure', 250, 4, failureBody, usage)
    const rows = [
      await measure(base, 'GET /ping (floor)', '/ping', 1000, seconds, undefined, usage),
      await measure(base, 'detect-anomaly, 3 metrics', '/api/v1/detect-anomaly', 1000, seconds, anomalyBody, usage),
      await measure(base, 'detect-failure, 10 metrics, 40 lines', '/api/v1/detect-failure', 500, seconds, failureBody, usage),
    ]
    const { memory } = await usage()
    const events = await eventsTo(base, send, 50, 10)
    const page = await inBrowser(base, send, 50, 6)
    const size = await consoleBytes(base)
    console.log(`api service on one process${pinned ? ', pinned to one core' : ''}; ${seconds} s each, milliseconds`)
    console.log(
      `${'what'.padEnd(40)} ${'rate/s'.padStart(7)} ${'answers'.padStart(8)} ${'p50'.padStart(6)} ${'p99'.padStart(6)} ${'p99.9'.padStart(6)} ${'failed'.padStart(7)} ${'CPU us'.padStart(7)}`,
    )
    for (const r of rows)
      console.log(
        `${r.what.padEnd(40)} ${String(r.rate).padStart(7)} ${String(r.requests).padStart(8)} ${String(r.p50).padStart(6)} ${String(r.p99).padStart(6)} ${String(r.p999).padStart(6)} ${String(r.failed).padStart(7)} ${r.cpu.toFixed(0).padStart(7)}`,
      )
    console.log(`memory at most: ${Math.round(memory / 1e6)} MB`)
    console.log(
      `event from the broker to a reader at 50/s: p50 ${quantile(events, 0.5).toFixed(1)}, p95 ${quantile(events, 0.95).toFixed(1)} ms (${events.length} of 500)`,
    )
    if (page)
      console.log(
        `event from the broker to the page in Chromium at 50/s: p50 ${quantile(page.took, 0.5)}, p95 ${quantile(page.took, 0.95)} ms (${page.missed} not seen); first paint ${page.paint.toFixed(0)} ms`,
      )
    console.log(`console, all files, gzip: ${(size / 1024).toFixed(1)} KB`)
    if (values.write)
      writeFileSync(
        path.join(import.meta.dirname, 'api.json'),
        `${JSON.stringify({ rows, memory_mb: Math.round(memory / 1e6), event_p95_ms: quantile(events, 0.95), page_p95_ms: page ? quantile(page.took, 0.95) : null, first_paint_ms: page?.paint ?? null, console_gzip_bytes: size }, null, 2)}\n`,
      )
  } finally {
    child.kill()
  }
}
