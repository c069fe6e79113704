import { expect, test } from 'vitest'
import { localZone } from './local-zone.ts'
import { parseLine } from './parse-line.ts'
import { userFormats } from './user-formats.ts'

const till = {
  name: 'till',
  pattern: '^#(?<time>\\S+ \\S+)# (?<level>\\w+) <(?<service>\\w+)> (?<body>.*)$',
  levels: { OUCH: 'ERROR' },
  examples: [
    {
      line: '#2026-02-05 07:08:09# OUCH <till> no ink',
      severity: 'ERROR',
      service: 'till',
      body: 'no ink',
      time: '2026-02-05T07:08:09Z',
    },
  ],
}

test('a format of the user is read before all others', () => {
  const formats = userFormats({ formats: [till] })
  expect(parseLine('#2026-02-05 07:08:09# OUCH <till> no ink', { formats })).toMatchObject({ format: 'till', severity: 'ERROR' })
  expect(parseLine('{"level":"warn","msg":"slow"}', { formats }).format).toBe('json')
})

test.each([
  [{}, 'has no list "formats"'],
  [{ formats: [{ pattern: 'x' }] }, 'format 1 has no name'],
  [{ formats: [{ name: 'a' }] }, 'format a has no pattern'],
  [{ formats: [{ name: 'a', pattern: '(' }] }, 'the pattern is no regular expression'],
  [{ formats: [{ name: 'a', pattern: 'x' }] }, 'names no group'],
  [{ formats: [{ ...till, levels: { OUCH: 'pain' } }] }, 'level OUCH stands for pain'],
  [{ formats: [{ ...till, examples: [{ line: 'else' }] }] }, 'does not match its example: else'],
  [{ formats: [{ ...till, examples: [{ ...till.examples[0], body: 'ink' }] }] }, 'body of its example is no ink, not ink'],
])('what is wrong is named: %j', (settings, message) => {
  expect(() => userFormats(settings)).toThrow(message)
})

test('a place has its summer time, and an offset is one', () => {
  const zoneMinutes = localZone('Europe/Berlin')
  const at = (text: string) => new Date((parseLine(text, { zoneMinutes }).timeUs as number) / 1000).toISOString()
  expect(at('2026-02-05 07:08:09 INFO x')).toBe('2026-02-05T06:08:09.000Z')
  expect(at('2026-07-05 07:08:09 INFO x')).toBe('2026-07-05T05:08:09.000Z')
  expect(at('2026-07-05 07:08:09Z INFO x')).toBe('2026-07-05T07:08:09.000Z')
  expect(localZone('-03:30')).toBe(-210)
  expect(() => localZone('Nowhere/None')).toThrow()
})
