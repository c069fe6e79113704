import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Docker } from './docker.ts'

// What the engine of the integration test may not be able to do: this one keeps limits, and forgets them where it is told to.
const folder = mkdtempSync(path.join(tmpdir(), 'docker-'))
const socket = path.join(folder, 's')
const limits: Record<string, number> = { Memory: 100, NanoCpus: 0 }
let server: Server
let can = true
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => (text += chunk))
    request.on('end', () => {
      const update = request.url === '/v1.41/containers/cart/update'
      if (update && can) Object.assign(limits, JSON.parse(text))
      if (update && !can) response.writeHead(404)
      response.end(JSON.stringify({ State: { Running: true, StartedAt: '1' }, HostConfig: limits }))
    })
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})
const raise = (parameters = {}) =>
  new Docker({ socket }).execute(
    { action: 'raise_limit', target: 'service:cart', environment: 'test', parameters },
    'id',
    AbortSignal.timeout(5000),
  )

it('raises the limits there are by half, sets those it is given, and knows the way back', async () => {
  const { text, undo } = await raise()
  expect(text).toBe('set limits of container "cart": memory 150')
  expect(limits).toEqual({ Memory: 150, MemorySwap: 300, NanoCpus: 0 })
  await raise(undo!.parameters)
  expect(limits).toMatchObject({ Memory: 100, NanoCpus: 0 })
  await raise({ nanocpus: '500000000' })
  expect(limits).toMatchObject({ Memory: 100, NanoCpus: 500_000_000 })
  await expect(raise({ memory: '1g' })).rejects.toThrow(/whole number, not "1g"/)
})
it('says so where the engine cannot', async () => {
  can = false
  await expect(raise()).rejects.toThrow(/cannot change limits of a running container/)
})
