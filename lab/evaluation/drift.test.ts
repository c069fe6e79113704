import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { answerCase } from './drift/cases.ts'
import { evalDrift } from './drift.ts'

const folder = async (files: Record<string, object[]>): Promise<string> => {
  const root = mkdtempSync(join(tmpdir(), 'drift-'))
  for (const [name, rows] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, `${name}.jsonl.gz`), gzipSync(rows.map(r => `${JSON.stringify(r)}\n`).join('')))
  }
  return root
}
const answers = (out: string, task: string) =>
  readFileSync(join(out, `${task}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map(l => JSON.parse(l))
const event = {
  eventID: 'e',
  eventTime: '2026-01-01T10:00:00Z',
  eventName: 'DeleteQueue',
  eventSource: 'sqs.amazonaws.com',
  userAgent: 'aws-cli/2',
  userIdentity: { type: 'IAMUser', userName: 'zoe' },
  requestParameters: { queueName: 'jobs' },
}

describe('aegis eval drift', () => {
  it('answers every task that is there, a line for each row', async () => {
    const data = await folder({
      'noise/resources': [
        { id: 'n1', type: 'X', declared: { Size: 1 }, live: { Size: 2 }, schema: {}, context: {} },
        { id: 'n2', type: 'X', declared: { Size: 1 }, live: { Size: '1' }, schema: {}, context: {} },
      ],
      'who/windows': [
        {
          id: 'w1',
          trail: 't',
          from: '2026-01-01T09:00:00Z',
          to: '2026-01-01T11:00:00Z',
          resource: { type: 'aws_sqs_queue', id: 'jobs' },
          changed: ['(resource)'],
        },
      ],
      'who/trails/t': [event],
      'plans/files': [
        { id: 'p1', format: 'terraform-state', input: '{"version":4,"resources":[{"mode":"managed","instances":[{}]}]}' },
        { id: 'p2', input: ':\n- [' },
      ],
      'severity/events': [{ id: 's1', log_type: 'x', event }],
      'severity/changes': [{ id: 's2', type: 'vm', attribute: 'size', before: 1, after: 2 }],
    })
    const out = join(data, 'out')
    await evalDrift({ data, out, progress: () => {} })
    expect(answers(out, 'noise').map(r => r.drift)).toEqual([true, false])
    expect(answers(out, 'who')[0]).toMatchObject({ id: 'w1', event: 'e', actor: 'zoe', channel: 'cli' })
    expect(answers(out, 'plans')).toMatchObject([{ parsed: true, resources: 1 }, { parsed: false }])
    expect(answers(out, 'severity').map(r => r.id)).toEqual(['s1', 's2'])
  })
  it('says what is wrong with a folder or a task', async () => {
    const data = await folder({})
    await expect(evalDrift({ data, out: join(data, 'o'), progress: () => {} })).rejects.toThrow(/holds no drift data/)
    await expect(evalDrift({ data, out: join(data, 'o'), task: 'x', progress: () => {} })).rejects.toThrow(/none of/)
  })
  it('a case of any form is answered', () => {
    expect(
      answerCase({ id: 'c1', events: [event, { ...event, eventID: 'f', errorCode: 'AccessDenied' }] } as never, () => []),
    ).toMatchObject({ channels: ['cli', 'cli'], happened: [true, false], actors: ['zoe', 'zoe'] })
    expect(
      answerCase(
        { id: 'c2', type: 'firewall', attribute: 'source_ranges', before: '10.0.0.0/8', after: '0.0.0.0/0' } as never,
        () => [],
      ),
    ).toMatchObject({ action: 'auto_revert' })
    expect(answerCase({ id: 'c3' } as never, () => [])).toMatchObject({ drift: false, event: null, cause: null })
  })
})
