import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LogLine } from '@aegis/domain'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { followLoki, readLoki } from './loki.ts'

/** Answers as Loki's documents say it does: entries within [start, end), oldest first, at most `limit`. */
let entries: { ns: bigint; stream: Record<string, string>; line: string }[]
let asked: { query: string; headers: Record<string, unknown> }[]
let status: number
let server: Server
let url: string
beforeAll(async () => {
  server = createServer((request, response) => {
    const at = new URL(request.url ?? '', 'http://x')
    asked.push({ query: at.searchParams.get('query') ?? '', headers: request.headers })
    if (status !== 200) return response.writeHead(status).end('parse error : syntax error')
    const [start, end, limit] = ['start', 'end', 'limit'].map(name => BigInt(at.searchParams.get(name) ?? 0))
    const found = entries.filter(e => e.ns >= start && e.ns < end).slice(0, Number(limit))
    const streams = new Map<string, { stream: object; values: [string, string][] }>()
    for (const { ns, stream, line } of found) {
      const key = JSON.stringify(stream)
      const s = streams.get(key) ?? { stream, values: [] }
      s.values.push([String(ns), line])
      streams.set(key, s)
    }
    return response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ status: 'success', data: { resultType: 'streams', result: [...streams.values()], stats: {} } }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())
beforeEach(() => {
  entries = []
  asked = []
  status = 200
})
const options = () => ({
  url,
  query: '{app="x"}',
  environment: 'prod',
  redact: (t: string) => t.replace('hunter2', '[redacted]'),
  maxBytes: 1e7,
  token: 'T',
  tenant: 'team',
})
const NS = 1_800_000_000_000_000_000n

it('takes lines with who wrote them, how bad they are and when, secrets removed', async () => {
  entries = [
    {
      ns: NS + 5n,
      stream: { service_name: 'cart', level: 'error', pod: 'cart-7d9f8b6c5-abcde' },
      line: 'password hunter2 was wrong\n',
    },
  ]
  const { lines } = await readLoki(options(), { from: NS, seen: new Set() }, NS + 100n)
  expect(lines).toMatchObject([
    { environment: 'prod', body: 'password [redacted] was wrong', severity: 'ERROR', time: Number(NS / 1000n) },
  ])
  expect(lines[0].entity).toContain('cart')
  expect(asked[0]).toMatchObject({ query: '{app="x"}', headers: { authorization: 'Bearer T', 'x-scope-orgid': 'team' } })
})
it('reads on page by page, each line once, also those of one moment', async () => {
  entries = Array.from({ length: 12_345 }, (_, i) => ({
    ns: NS + BigInt(Math.floor(i / 7)),
    stream: { job: `j${i % 3}` },
    line: `line ${i}`,
  }))
  const found: LogLine[] = []
  let place: Parameters<typeof readLoki>[1] = { from: NS, seen: new Set() }
  for (let more = true; more; ) {
    const page = await readLoki(options(), place, NS + 1_000_000n)
    found.push(...page.lines)
    ;({ place, more } = page)
  }
  expect(new Set(found.map(l => l.body)).size).toBe(12_345)
  expect(found).toHaveLength(12_345)
  expect((await readLoki(options(), place, NS + 1_000_000n)).lines).toEqual([])
})
it('says what Loki objects to, once, and goes on when it can', async () => {
  status = 400
  const troubles: (string | undefined)[] = []
  const lines: string[] = []
  const now = () => Number(NS / 1000n) + 1_000_000
  entries = [{ ns: NS + 900_000_000n, stream: { job: 'a' }, line: 'hello' }]
  const following = followLoki(
    { ...options(), intervalMs: 500 },
    now,
    async l => void lines.push(...l.map(x => x.body)),
    e => troubles.push(e?.message),
  )
  await expect.poll(() => troubles.length).toBe(1)
  status = 200
  await expect.poll(() => lines, { timeout: 5000 }).toEqual(['hello'])
  expect(troubles).toEqual([expect.stringContaining('400: parse error'), undefined])
  following.close()
})
