import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { analyzeFailure } from './analyze-failure.ts'
import { GitHub } from './client.ts'

const LOG = (extra = '') =>
  [
    '2026-01-02T03:04:05.0000000Z ##[group]Run pytest -q',
    '2026-01-02T03:04:05.0000001Z shell: /usr/bin/bash -e {0}',
    '2026-01-02T03:04:05.0000002Z ##[endgroup]',
    `2026-01-02T03:04:06.0000000Z E       assert 3 == 4${extra}`,
    '2026-01-02T03:04:06.0000001Z FAILED tests/test_cart.py::test_total - assert 3 == 4',
    '2026-01-02T03:04:06.0000002Z ##[error]Process completed with exit code 1.',
    '2026-01-02T03:04:07.0000000Z Post job cleanup.',
  ].join('\n')

interface World {
  readonly jobs: { id: number; name: string; conclusion: string }[]
  readonly log: string
  /** Answers with these statuses before it works. */
  trouble: { status: number; headers?: Record<string, string>; times: number } | undefined
  readonly comments: { id: number; body: string }[]
  readonly asked: string[]
}
let server: Server | undefined
afterEach(() => new Promise<void>(done => (server ? server.close(() => done()) : done())))

/** Speaks GitHub's documented shapes: pages, redirects of logs, limits, refusals. */
const start = async (over: Partial<World> = {}) => {
  const world: World = {
    jobs: [{ id: 1, name: 'Backend Tests', conclusion: 'failure' }],
    log: LOG(),
    trouble: undefined,
    comments: [],
    asked: [],
    ...over,
  }
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const url = new URL(req.url ?? '/', 'http://x')
    world.asked.push(`${req.method} ${url.pathname}`)
    const json = (value: unknown, status = 200, headers: Record<string, string> = {}) => {
      res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
      res.end(JSON.stringify(value))
    }
    if (url.pathname === '/blob') {
      expect(req.headers.authorization).toBeUndefined()
      res.writeHead(200, { 'content-type': 'text/plain' })
      return res.end(world.log)
    }
    if (world.trouble && world.trouble.times > 0) {
      world.trouble.times--
      return json(
        { message: world.trouble.status === 403 ? 'Resource not accessible by integration' : 'no' },
        world.trouble.status,
        world.trouble.headers,
      )
    }
    const page = Number(url.searchParams.get('page') ?? 1)
    const slice = <T>(all: readonly T[]) => all.slice((page - 1) * 100, page * 100)
    if (/\/pulls\/7$/.test(url.pathname)) return json({ number: 7, head: { sha: 'abc' } })
    if (/\/actions\/runs$/.test(url.pathname)) return json({ total_count: 1, workflow_runs: [{ id: 9, conclusion: 'failure' }] })
    if (/\/jobs$/.test(url.pathname))
      return json({
        total_count: world.jobs.length,
        jobs: slice(world.jobs.map(j => ({ ...j, html_url: `https://example.org/job/${j.id}` }))),
      })
    if (/\/logs$/.test(url.pathname)) {
      const { port } = (server as Server).address() as AddressInfo
      res.writeHead(302, { location: `http://localhost:${port}/blob` })
      return res.end()
    }
    if (req.method === 'GET') return json(slice(world.comments))
    let body = ''
    for await (const chunk of req) body += chunk
    const text = (JSON.parse(body) as { body: string }).body
    if (req.method === 'POST') world.comments.push({ id: 100 + world.comments.length, body: text })
    else {
      const at = world.comments.findIndex(c => url.pathname.endsWith(`/${c.id}`))
      world.comments[at] = { id: (world.comments[at] as { id: number }).id, body: text }
    }
    return json({ id: 1 }, req.method === 'POST' ? 201 : 200)
  }
  server = createServer((req, res) => void answer(req, res))
  await new Promise<void>(done => (server as Server).listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { world, github: new GitHub({ token: 't', repository: 'shop/cart', baseUrl: `http://127.0.0.1:${port}` }) }
}
const ask = { jobs: ['Backend Tests', 'Critical Security Checks'], dryRun: false, say: () => {} }

test('one comment for a cause of many jobs, written once and then left or updated', async () => {
  const jobs = Array.from({ length: 120 }, (_, i) => ({ id: i + 1, name: `Backend Tests (${i})`, conclusion: 'failure' }))
  const { world, github } = await start({ jobs })
  const first = await analyzeFailure(github, { ...ask, pull: 7, run: 9 })
  expect(first).toMatchObject({ posted: 1, updated: 0 })
  expect(world.comments).toHaveLength(1)
  const body = (world.comments[0] as { body: string }).body
  expect(body).toContain('assert 3 == 4')
  expect(body).toContain('and 117 more')
  for (const word of ['**Root cause**', '**Fix**', '**Prevention**']) expect(body).toContain(word)
  expect((body.split('<details>')[0] as string).split('\n').length).toBeLessThanOrEqual(25)
  expect(await analyzeFailure(github, { ...ask, pull: 7, run: 9 })).toMatchObject({ posted: 0, same: 1 })
  world.jobs.length = 1
  expect(await analyzeFailure(github, { ...ask, pull: 7, run: 9 })).toMatchObject({ posted: 0, updated: 1 })
  expect(world.comments).toHaveLength(1)
}, 60_000)

test('a run alone, and a dry run, write nothing', async () => {
  const { world, github } = await start()
  expect((await analyzeFailure(github, { ...ask, run: 9 })).causes).toHaveLength(1)
  expect((await analyzeFailure(github, { ...ask, pull: 7, dryRun: true })).causes).toHaveLength(1)
  expect(world.asked.filter(a => !a.startsWith('GET'))).toEqual([])
})

test('jobs of other names are passed over and named', async () => {
  const { github } = await start({ jobs: [{ id: 1, name: 'Docs', conclusion: 'failure' }] })
  expect(await analyzeFailure(github, { ...ask, run: 9 })).toMatchObject({ causes: [], passedOver: ['Docs'] })
})

test('a limit is waited for', async () => {
  const { github } = await start({ trouble: { status: 429, headers: { 'retry-after': '1' }, times: 1 } })
  expect((await analyzeFailure(github, { ...ask, run: 9 })).causes).toHaveLength(1)
}, 30_000)

test('a refusal is handed on', async () => {
  const { github } = await start({ trouble: { status: 403, times: 9 } })
  await expect(analyzeFailure(github, { ...ask, run: 9 })).rejects.toMatchObject({ status: 403 })
}, 30_000)

test('secrets and what a log asks for do not get into a comment', async () => {
  const { world, github } = await start({ log: LOG(' password=hunter2hunter2 ``` <!-- --> @everyone') })
  await analyzeFailure(github, { ...ask, pull: 7, run: 9 })
  const body = (world.comments[0] as { body: string }).body
  expect(body).not.toContain('hunter2')
  expect(body.match(/```/g)?.length).toBe(4)
})
