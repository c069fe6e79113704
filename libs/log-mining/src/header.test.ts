import { describe, expect, it } from 'vitest'
import { parseLine } from './parse-line.ts'

const observedTimeUs = Date.UTC(2026, 2, 2) * 1000

describe('usual headers give time, level and the bare message', () => {
  it.each([
    [
      '05-Feb-2026 07:08:09.123 SEVERE [main] org.example.Door.open hinge broke',
      'ERROR',
      '2026-02-05T07:08:09.123Z',
      /hinge broke$/,
    ],
    ['05.02.2026 07:08:09 WARN hinge broke', 'WARN', '2026-02-05T07:08:09.000Z', /^hinge broke$/],
    ['2026-02-05 07:08:09 PM ERROR hinge broke', 'ERROR', '2026-02-05T19:08:09.000Z', /^hinge broke$/],
    ['2026-02-05 07:08:09.5 CET WARNING hinge broke', 'WARN', '2026-02-05T06:08:09.500Z', /^hinge broke$/],
    ['[2026-02-05 07:08:09,123: ERROR/Worker-2] hinge broke', 'ERROR', '2026-02-05T07:08:09.123Z', /^hinge broke$/],
    ['[2026-02-05T07:08:09Z DEBUG door::hinge] oiled', 'DEBUG', '2026-02-05T07:08:09.000Z', /^oiled$/],
    ['ERROR 2026-02-05 07:08:09,123 doors 812 hinge broke', 'ERROR', '2026-02-05T07:08:09.123Z', /hinge broke$/],
    ['ERROR [Pool-2] 2026-02-05 07:08:09,123 Door.java:226 - hinge broke', 'ERROR', '2026-02-05T07:08:09.123Z', /^hinge broke$/],
    ['2026-02-05 07:08:09 - house.doors - ERROR - hinge broke', 'ERROR', '2026-02-05T07:08:09.000Z', /^hinge broke$/],
    [
      '2026-02-05 07:08:09.123 | ERROR    | house.doors:open:31 - hinge broke',
      'ERROR',
      '2026-02-05T07:08:09.123Z',
      /^hinge broke$/,
    ],
    ['2026-02-05T07:08:09.1Z\tERROR\tdoors/main.go:12\thinge broke', 'ERROR', '2026-02-05T07:08:09.100Z', /^hinge broke$/],
    ['2026-02-05 07:08:09.1234|ERROR|House.Doors|hinge broke', 'ERROR', '2026-02-05T07:08:09.123Z', /^hinge broke$/],
    [
      '2026-02-05T07:08:09.123456Z 8 [ERROR] [MY-012345] [InnoDB] hinge broke',
      'ERROR',
      '2026-02-05T07:08:09.123Z',
      /^hinge broke$/,
    ],
    ['1770275289.5 [error] hinge broke', 'ERROR', '2026-02-05T07:08:09.500Z', /^hinge broke$/],
    ['07:08:09,123 ERROR [house] (main) hinge broke', 'ERROR', undefined, /hinge broke$/],
    ['[INFO ] 2026-02-05 07:08:09.123 [main] Door - oiled', 'INFO', '2026-02-05T07:08:09.123Z', /^oiled$/],
    ['1 févr. 2026 07:08:09 ERROR hinge broke', 'ERROR', '2026-02-01T07:08:09.000Z', /^hinge broke$/],
    ['Do., 05 Februar 2026 07:08:09 ERROR hinge broke', 'ERROR', '2026-02-05T07:08:09.000Z', /^hinge broke$/],
    ['info: the door was oiled', 'INFO', undefined, /^the door was oiled$/],
  ])('%s', (line, severity, time, body) => {
    const read = parseLine(line, { observedTimeUs })
    expect(read.severity).toBe(severity)
    expect(read.timeUs === undefined ? undefined : new Date(read.timeUs / 1000).toISOString()).toBe(time)
    expect(read.body).toMatch(body)
  })

  it.each([
    ['GET /logs?level=error was asked', undefined],
    ['the ERROR was in the hinge', undefined],
    ['2026-02-05 07:08:09 info: errors since start: none', 'INFO'],
    ['{"level":"info","msg":"panic handler oiled"}', 'INFO'],
    ['Error: hinge broke', 'ERROR'],
  ])('a word of the text is no level: %s', (line, severity) => {
    expect(parseLine(line, { observedTimeUs }).severity).toBe(severity)
  })

  it('takes the clock of the wrapper where that of the line says no zone and disagrees', () => {
    const { timeUs } = parseLine('2026-02-05T07:08:09Z stdout F 2026-02-05 09:08:09 INFO oiled', { observedTimeUs })
    expect(timeUs).toBe(Date.UTC(2026, 1, 5, 7, 8, 9) * 1000)
  })

  it('knows a header whose message is on the next line', () => {
    expect(parseLine('Feb 05, 2026 7:08:09 AM org.example.Door open')).toMatchObject({ heading: true, body: '' })
    expect(parseLine('fail: House.Door[7]')).toMatchObject({ heading: true, severity: 'ERROR' })
  })
})
