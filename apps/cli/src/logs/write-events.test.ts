import { expect, test } from 'vitest'
import { LogReader } from './read-log.ts'
import { EventWriter } from './write-events.ts'

async function events(lines: readonly string[]) {
  const writer = new EventWriter()
  const reader = new LogReader({ arrival: Date.UTC(2026, 1, 2) * 1000, onHeard: (event, heard) => writer.event(event, heard) })
  for (const line of lines) await reader.line(line)
  await reader.finish(1)
  return writer
    .text()
    .split('\n')
    .filter(Boolean)
    .map(text => JSON.parse(text))
}

test('one row an event, by first lines, with the time that the text carries', async () => {
  const rows = await events([
    'a-1  | java.io.IOException: no ink',
    'b-1  | 2026-01-02T03:04:05.123456Z WARN slow',
    'a-1  | \tat a.B.c(B.java:1)',
    'no header',
  ])
  expect(rows).toMatchObject([
    {
      first_line: 1,
      last_line: 3,
      time: null,
      severity: 'ERROR',
      service: 'a',
      exception: 'java.io.IOException',
      trace_id: null,
    },
    {
      first_line: 2,
      last_line: 2,
      time: '2026-01-02T03:04:05.123456Z',
      severity: 'WARN',
      service: 'b',
      body: 'slow',
      exception: null,
    },
    { first_line: 4, body: 'no header', template: 'no header' },
  ])
})

test('an empty line is no event', async () => {
  expect(await events(['', '   ', 'x', '', 'y'])).toMatchObject([
    { first_line: 3, body: 'x' },
    { first_line: 5, body: 'y' },
  ])
})
