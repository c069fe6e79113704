import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BuildFailed } from '@aegis/domain'
import { sign } from '@octokit/webhooks-methods'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { githubWebhook } from './webhook.ts'

const SECRET = 'shared with GitHub'
let server: Server
let base: string
let kept: BuildFailed[]
let log: () => Promise<string>
beforeAll(async () => {
  const take = githubWebhook({
    secret: SECRET,
    environment: 'shop',
    now: () => 7,
    log: (repository, job) => (expect([repository, job]).toEqual(['shop/cart', 99]), log()),
    publish: async failed => void kept.push(failed),
  })
  server = createServer(take)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  kept = []
  log = async () => 'token=ghp_abcdefghijklmnopqrstuvwxyz0123456789\nError: boom\n'
})
const job = (over: object = {}) => ({
  id: 99,
  run_id: 12,
  name: 'test (node 22)',
  conclusion: 'failure',
  html_url: 'https://github.example/shop/cart/actions/runs/12/job/99',
  head_branch: 'main',
  head_sha: 'abc',
  completed_at: '2026-01-02T03:04:05Z',
  ...over,
})
const deliver = async (body: object, { event = 'workflow_job', secret = SECRET, url = '/api/v1/ci/github' } = {}) => {
  const text = JSON.stringify(body)
  const headers = { 'x-github-event': event, 'x-hub-signature-256': await sign(secret, text), 'content-type': 'application/json' }
  const answer = await fetch(base + url, { method: 'POST', body: text, headers })
  return { status: answer.status, message: ((await answer.json()) as { message: string }).message }
}
const completed = (over: object = {}) => ({
  action: 'completed',
  repository: { full_name: 'shop/cart' },
  workflow_job: job(over),
})

test('a job that failed is kept with its whole log, without its secrets, before GitHub is answered', async () => {
  expect(await deliver(completed())).toEqual({ status: 202, message: 'it will be looked at' })
  await deliver(completed())
  expect(kept[0]).toMatchObject({
    environment: 'shop',
    time: Date.parse('2026-01-02T03:04:05Z') * 1000,
    provider: 'github',
    repository: 'shop/cart',
    run: '12',
    job: 'test (node 22)',
    commit: 'abc',
  })
  expect(kept[0].log).toContain('Error: boom')
  expect(kept[0].log).not.toContain('ghp_')
  // Delivered twice, it is one failure.
  expect(kept[1].id).toBe(kept[0].id)
})

test('what is not GitHub’s, or no failure, is not kept', async () => {
  expect((await deliver(completed(), { secret: 'guessed' })).status).toBe(401)
  expect((await fetch(`${base}/api/v1/ci/github`, { method: 'POST', body: '{}' })).status).toBe(401)
  expect(await deliver({ zen: 'x' }, { event: 'ping' })).toMatchObject({ status: 200 })
  expect((await deliver({}, { event: 'push' })).message).toContain('workflow_job is')
  expect((await deliver(completed({ conclusion: 'success' }))).status).toBe(202)
  expect((await deliver({ ...completed(), repository: { full_name: '../../etc' } })).status).toBe(400)
  expect((await deliver(completed(), { url: '/elsewhere' })).status).toBe(404)
  expect(kept).toEqual([])
})

test('a log that cannot be had fails the delivery, so that it can be sent again', async () => {
  log = async () => {
    throw new Error('Not Found')
  }
  expect(await deliver(completed())).toMatchObject({ status: 502, message: expect.stringContaining('Not Found') })
  expect(kept).toEqual([])
})
