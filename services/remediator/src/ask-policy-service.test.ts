import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Choice, Incident } from '@aegis/domain'
import { afterEach, expect, test } from 'vitest'
import { askPolicyService } from './ask-policy-service.ts'

let server: Server | undefined
afterEach(() => void server?.closeAllConnections())
afterEach(() => void server?.close())
const serving = async (answer: (body: string) => [status: number, text: string] | undefined): Promise<string> => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      const said = answer(body)
      if (said) response.writeHead(said[0], { 'content-type': 'application/json' }).end(said[1])
    })
  })
  await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/policy/evaluate`
}
const incident = {
  id: 'i',
  environment: 'prod',
  severity: 'high',
  causes: [{ entity: 'service:a', fault_kind: 'memory', confidence: 0.8 }],
} as unknown as Incident
const choice = { action: 'restart', target: 'service:a' } as Choice
const never = new AbortController().signal

test('the question has action, resource, type and context; the answer is passed on', async () => {
  const bodies: unknown[] = []
  const url = await serving(body => {
    bodies.push(JSON.parse(body))
    return [200, '{"allowed": false, "reason": "change freeze"}']
  })
  expect(await askPolicyService(url, 2000)(choice, incident, never)).toEqual({
    asked: true,
    answered: true,
    allowed: false,
    reason: 'change freeze',
  })
  expect(bodies).toEqual([
    {
      action: 'restart',
      resource: 'service:a',
      type: 'remediation',
      context: {
        userId: 'aegis',
        role: 'remediator',
        metadata: { environment: 'prod', incident: 'i', severity: 'high', faultKind: 'memory', confidence: 0.8 },
      },
    },
  ])
})

test('an error, an answer without its word, silence and nobody there are all no answer', async () => {
  const reasonOf = async (url: string, timeoutMs = 2000) => {
    const answer = await askPolicyService(url, timeoutMs)(choice, incident, never)
    expect(answer).toMatchObject({ asked: true, answered: false, allowed: false })
    return answer.reason
  }
  expect(await reasonOf(await serving(() => [503, '{}']))).toBe('it answered 503')
  server?.close()
  expect(await reasonOf(await serving(() => [200, '{"allow": true}']))).toBe('its answer has no word on "allowed"')
  server?.close()
  expect(await reasonOf(await serving(() => [200, 'yes']))).toMatch(/JSON/)
  server?.close()
  expect(await reasonOf(await serving(() => undefined), 50)).toBe('nothing within 50 ms')
  server?.closeAllConnections()
  server?.close()
  expect(await reasonOf('http://127.0.0.1:1/x')).toMatch(/fetch failed/)
})
