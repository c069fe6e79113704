import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { ladderCommand } from './ladder.ts'

const said: { method?: string; url?: string; body: string }[] = []
const server = createServer((request, response) => {
  let body = ''
  request.on('data', chunk => (body += chunk))
  request.on('end', () => {
    said.push({ method: request.method, url: request.url, body })
    const control = {
      environment: 'prod',
      version: 3,
      default_mode: '',
      kill_switch: true,
      ladder: { restart: 'approve' },
      protected: ['service:ledger'],
      maintenance: [{ from: 0, to: 3600e6, reason: 'move', entities: ['host:a'] }],
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(control))
  })
})
afterEach(() => {
  server.close()
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('sets the mode of all actions or of one, and shows what is set', async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  vi.stubEnv('AEGIS_GATEWAY_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation(line => void lines.push(String(line)))
  const run = (...args: string[]) => ladderCommand().parseAsync(args, { from: 'user' })
  await run('prod', 'suggest')
  await run('prod', 'act', '--action', 'start')
  await run('prod')
  await expect(run('prod', 'fast')).rejects.toThrow(/the mode is one of refuse, observe/)
  expect(said.map(s => `${s.method} ${s.url}`)).toEqual([
    'PUT /api/v1/controls/prod',
    'PUT /api/v1/controls/prod',
    'GET /api/v1/controls/prod',
  ])
  expect(JSON.parse(said[0].body)).toMatchObject({ default_mode: 'suggest' })
  expect(JSON.parse(said[1].body)).toMatchObject({ ladder: { start: 'act' } })
  expect(lines).toEqual([
    'every action not named in prod: suggest from the next tick on',
    'start in prod: act from the next tick on',
    'every action not named: as the settings of the remediator say, but the kill switch is on',
    'restart: approve',
    'protected: service:ledger',
    'maintenance from 1970-01-01T00:00Z to 1970-01-01T01:00Z of host:a: move',
  ])
})
