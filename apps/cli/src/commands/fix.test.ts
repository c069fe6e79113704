import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { fixCommand } from './fix.ts'
import { standInGateway } from './stand-in-gateway.cases.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aegis-fix-'))
const INCIDENT = {
  id: 'a1b2c3d4e5f60718293a4b5c',
  environment: 'prod',
  started: Date.parse('2026-03-12T14:00:00Z') * 1000,
  ended: Date.parse('2026-03-12T14:45:00Z') * 1000,
  entities: ['service:cart'],
  causes: [{ entity: 'service:cart' }],
}
const { asked, printed } = standInGateway(({ method, url, body }) =>
  method === 'POST' ? JSON.parse(body) : url.includes('?') ? [INCIDENT] : { incident: INCIDENT },
)
const posted = () => asked.filter(a => a.method === 'POST').map(({ url, body }) => ({ url, body: JSON.parse(body) }))
const aegis = async (...args: string[]) => {
  printed.length = 0
  await fixCommand().parseAsync(args, { from: 'user' })
  return printed.map(line => `${line}\n`).join('')
}
const file = (name: string, text: string) => {
  const at = path.join(folder, name)
  writeFileSync(at, text)
  return at
}

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ISSUES = JSON.stringify([
  {
    number: 41,
    title: 'Cart answers 500',
    body: 'nothing works; mail ada@example.com',
    state: 'CLOSED',
    stateReason: 'COMPLETED',
    createdAt: '2026-03-12T14:05:00Z',
    closedAt: '2026-03-12T16:00:00Z',
    comments: [
      { body: 'Ran `kubectl rollout restart deployment/cart --token=abcdef0123456789abcdef`', createdAt: '2026-03-12T14:20:00Z' },
    ],
  },
  { number: 42, title: 'later', body: '`docker restart cart`', state: 'OPEN', createdAt: '2026-03-12T14:05:00Z', closedAt: null },
])

test('tickets are shown first, without secrets, and sent only with --yes', async () => {
  const at = file('issues.json', ISSUES)
  expect(await aegis('import', '--from', 'tickets', at)).toBe(
    [
      `41 (entry 1) "Cart answers 500" → incident ${INCIDENT.id} in prod, 2026-03-12T14:00:00Z: mentions its first suspect service:cart, and was open at its time`,
      '  helped        kubectl rollout restart deployment/cart --token=<redacted:token>',
      'left out',
      '  42 (entry 2) "later": not resolved (OPEN), so nothing is known to have helped',
      `1 found, none sent: add --yes to record them for ${INCIDENT.id}`,
      '',
    ].join('\n'),
  )
  expect(posted()).toEqual([])
  expect(await aegis('import', '--from', 'tickets', at, '--yes')).toContain(`1 recorded for ${INCIDENT.id}`)
  expect(posted()).toEqual([
    {
      url: `/api/v1/incidents/${INCIDENT.id}/fixes`,
      body: {
        command: 'kubectl rollout restart deployment/cart --token=<redacted:token>',
        success: true,
        time: Date.parse('2026-03-12T14:20:00Z') * 1000,
        note: '41: Cart answers 500',
        who: expect.any(String),
      },
    },
  ])
})

test('one incident, one word and single tickets can be named', async () => {
  const at = file('issues.json', ISSUES)
  await aegis('import', '--from', 'tickets', at, '--incident', INCIDENT.id, '--ticket', '42', '--failure', '--yes')
  expect(posted().map(p => [p.body.command, p.body.success])).toEqual([['docker restart cart', false]])
  await expect(aegis('import', '--from', 'tickets', at, '--ticket', '7')).rejects.toThrow(/has no ticket 7; it has 41, 42/)
})

test('a history goes the same way, and needs an incident and a word', async () => {
  const at = file('history', ': 1700000000:0;kubectl rollout restart deployment/cart\nls\n')
  await expect(aegis('import', at, '--success')).rejects.toThrow(/--incident ID/)
  await expect(aegis('import', at, '--incident', INCIDENT.id)).rejects.toThrow(/either --success or --failure/)
  expect(await aegis('import', at, '--incident', INCIDENT.id, '--success')).toContain('1 found, none sent')
  expect(posted()).toEqual([])
  await aegis('import', at, '--incident', INCIDENT.id, '--success', '--yes')
  expect(posted().map(p => [p.body.command, p.body.time])).toEqual([
    ['kubectl rollout restart deployment/cart', 1_700_000_000_000_000],
  ])
})

test('what cannot be sent is told with how far it came, and what is missing by name', async () => {
  await expect(aegis('import', path.join(folder, 'nothing'), '--incident', 'x', '--success')).rejects.toThrow(/does not exist/)
  const at = file('history', 'docker restart a\n')
  vi.stubEnv('AEGIS_GATEWAY_URL', 'http://127.0.0.1:9')
  await expect(aegis('import', at, '--incident', 'x', '--success', '--yes')).rejects.toThrow(
    /AEGIS_GATEWAY_URL.*\(0 of 1 were recorded/,
  )
})
