/** What tests of commands talk to in place of a gateway. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, vi } from 'vitest'

export interface Asked {
  readonly method: string
  readonly url: string
  readonly body: string
}

/** Answers as told for all tests of a file, and keeps what each test asked of it and printed. */
export const standInGateway = (answer: (asked: Asked) => unknown): { readonly asked: Asked[]; readonly printed: string[] } => {
  const asked: Asked[] = []
  const printed: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request
      .on('data', part => {
        body += part
      })
      .on('end', () => {
        const one = { method: String(request.method), url: String(request.url), body }
        asked.push(one)
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer(one)))
      })
  })
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    vi.stubEnv('AEGIS_GATEWAY_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    vi.spyOn(console, 'log').mockImplementation((...words) => void printed.push(words.join(' ')))
  })
  beforeEach(() => {
    asked.length = 0
    printed.length = 0
  })
  afterAll(() => {
    server.close()
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })
  return { asked, printed }
}
