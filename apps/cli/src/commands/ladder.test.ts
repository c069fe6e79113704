import { expect, test } from 'vitest'
import { ladderCommand } from './ladder.ts'
import { standInGateway } from './stand-in-gateway.cases.ts'

const { asked: said, printed: lines } = standInGateway(() => ({
  environment: 'prod',
  version: 3,
  default_mode: '',
  kill_switch: true,
  ladder: { restart: 'approve' },
  protected: ['service:ledger'],
  maintenance: [{ from: 0, to: 3600e6, reason: 'move', entities: ['host:a'] }],
}))

test('sets the mode of all actions or of one, and shows what is set', async () => {
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
