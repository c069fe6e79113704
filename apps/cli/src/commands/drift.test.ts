import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, type MockInstance, vi } from 'vitest'
import { driftCommand } from './drift.ts'

let printed: MockInstance<(text: string) => void>
beforeEach(() => {
  printed = vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  printed.mockRestore()
})
const folder = mkdtempSync(join(tmpdir(), 'aegis-drift-'))
const file = (name: string, content: unknown) => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const run = async (...args: string[]) => {
  await driftCommand().parseAsync(args, { from: 'user' })
  return printed.mock.calls.flat().join('\n')
}
const plan = file('plan.json', {
  format_version: '1.2',
  terraform_version: '1.9',
  timestamp: '2026-05-05T12:00:00Z',
  resource_drift: [
    {
      address: 'aws_db_instance.pay',
      type: 'aws_db_instance',
      change: {
        actions: ['update'],
        before: { id: 'pay', deletion_protection: true, password: 'planted-1', etag: 'a' },
        after: { id: 'pay', deletion_protection: false, password: 'planted-2', etag: 'b' },
      },
    },
  ],
})
const trail = file('trail.json', {
  Records: [
    {
      eventID: 'e-7',
      eventTime: '2026-05-05T09:00:00Z',
      eventName: 'ModifyDBInstance',
      eventSource: 'rds.amazonaws.com',
      userAgent: 'aws-cli/2',
      userIdentity: { type: 'IAMUser', userName: 'nia' },
      requestParameters: { dBInstanceIdentifier: 'pay', deletionProtection: false, masterUserPassword: 'planted-3' },
    },
  ],
})

it('tells who, how bad, what to do and what was no drift, and shows no secret', async () => {
  const text = await run(plan, '--audit', trail, '--noise')
  expect(text).toContain('nia did it by cli with ModifyDBInstance')
  expect(text).toContain('deletion_protection: true -> false')
  expect(text).toContain('password: changed (hidden)')
  expect(text).toContain('etag: computed by the provider')
  expect(text).toContain('escalate_review')
  expect(text).not.toContain('planted')
})
it('as JSON, with the very entry and no secret', async () => {
  const text = await run(plan, '--audit', trail, '--json')
  expect(JSON.parse(text).drifts[0]).toMatchObject({
    address: 'aws_db_instance.pay',
    made: { actor: 'nia', event: { eventID: 'e-7' } },
  })
  expect(text).not.toContain('planted')
})
it('says what is missing', async () => {
  await expect(run(join(folder, 'none.json'))).rejects.toThrow(/cannot be read/)
  await expect(run(file('odd.txt', 'hello'))).rejects.toThrow(/this is no plan/)
  await expect(run(file('live.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n'))).rejects.toThrow(/--desired/)
  await expect(run(plan, '--git', folder)).rejects.toThrow(/no git repository/)
})
