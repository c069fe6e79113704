import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLine, TRUNCATED } from './parse-line.ts'
import { severityNamed } from './severity.ts'
import { severityOfText } from './text-severity.ts'
import { readTimestamp, timestampOf } from './timestamps.ts'

const observedTimeUs = Date.UTC(2026, 0, 2) * 1000
const at = (iso: string) => Date.parse(iso) * 1000

describe('formats', () => {
  it.each([
    [
      '2026-01-02 03:04:05,678 ERROR [main] a.b.Logger: boom',
      { body: 'boom', timeUs: at('2026-01-02T03:04:05.678Z'), severity: 'ERROR', format: 'plain' },
    ],
    [
      '[2026-01-02T03:04:05+02:00] WARN disk nearly full',
      { body: 'disk nearly full', timeUs: at('2026-01-02T01:04:05Z'), severity: 'WARN' },
    ],
    [
      '{"level":"warn","msg":"slow","ts":1767322800.5,"service":"cart","trace_id":"ab"}',
      { body: 'slow', timeUs: 1767322800500000, severity: 'WARN', service: 'cart', traceId: 'ab', format: 'json' },
    ],
    [
      '{"level":50,"msg":"boom","time":1767322800500,"hostname":"n1","stack":"Error: boom\\n  at f (a.js:1:2)"}',
      { body: 'boom\nError: boom\n  at f (a.js:1:2)', severity: 'ERROR', host: 'n1' },
    ],
    [
      'time=2026-01-02T03:04:05Z level=error msg="connection \\"refused\\"" peer=db',
      { body: 'connection "refused"', severity: 'ERROR', format: 'logfmt', fields: { peer: 'db' } },
    ],
    [
      "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
      {
        body: "'su root' failed",
        timeUs: at('2025-10-11T22:14:15Z'),
        severity: 'CRITICAL',
        service: 'su',
        host: 'mymachine',
        format: 'syslog',
      },
    ],
    [
      'Jan  2 03:04:05 web1 sshd[123]: Failed password',
      { body: 'Failed password', service: 'sshd', host: 'web1', fields: { pid: '123' } },
    ],
    [
      '<165>1 2003-10-11T22:14:15.003Z host.example evntslog - ID47 [ex@1 iut="3" s="a\\"]b"] An event',
      {
        body: 'An event',
        severity: 'INFO',
        service: 'evntslog',
        fields: { facility: '20', msgid: 'ID47', 'ex@1.iut': '3', 'ex@1.s': 'a"]b' },
        format: 'syslog5424',
      },
    ],
    [
      '2026-01-02T03:04:05.123456789Z stdout F {"level":"info","msg":"hi"}',
      { body: 'hi', timeUs: at('2026-01-02T03:04:05.123Z') + 456, severity: 'INFO', format: 'cri json' },
    ],
    ['2026-01-02T03:04:05.1Z stderr P half a line', { body: 'half a line', partial: true, format: 'cri' }],
    [
      '{"log":"E0102 03:04:05.123456   12 a.go:33] failed\\n","stream":"stderr","time":"2026-01-02T03:04:05.1Z"}',
      { body: 'failed', severity: 'ERROR', format: 'docker klog' },
    ],
    [
      '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 503 2326',
      { body: 'GET /a.gif 503 2326', timeUs: at('2000-10-10T20:55:36Z'), severity: 'ERROR', format: 'access' },
    ],
    [
      '2026/01/02 03:04:05 [error] 12#12: *1 connect() failed',
      { body: 'connect() failed', severity: 'ERROR', format: 'server-error' },
    ],
    [
      '[Sun Dec 04 04:47:44 2005] [error] [client 1.2.3.4] no such file',
      { body: 'no such file', timeUs: at('2005-12-04T04:47:44Z'), severity: 'ERROR', fields: { client: '1.2.3.4' } },
    ],
    ['\u001b[31mred\u001b[0m text\r\n', { body: 'red text' }],
    ['Error: boom', { body: 'Error: boom', severity: 'ERROR' }],
    ['{"broken": ', { body: '{"broken": ', format: 'plain' }],
    [
      'unit.log.1 2026-01-02 03:04:05.5 25746 INFO a.b.server [req-1 - -] done',
      { body: '[req-1 - -] done', severity: 'INFO', timeUs: at('2026-01-02T03:04:05.5Z'), fields: { logger: 'a.b.server' } },
    ],
    ['- R02-M1:J12 RAS KERNEL FATAL data error', { body: 'data error', severity: 'CRITICAL' }],
    [
      '- 1767322800 2026.01.02 dn1 Jan 2 03:00:00 dn1/dn1 crond(pam_unix)[29]: session closed',
      { body: 'session closed', service: 'crond', timeUs: 1767322800e6, format: 'collected' },
    ],
    [
      '01-02 03:04:05.678  1702  2395 D WindowManager: going to hide',
      { body: 'going to hide', severity: 'DEBUG', timeUs: at('2026-01-02T03:04:05.678Z'), fields: { logger: 'WindowManager' } },
    ],
    ['20260102-03:04:05:606|Step|30002312|reset', { body: 'reset', timeUs: at('2026-01-02T03:04:05.606Z') }],
    ['2026-01-02 03:04:05,678 INFO [main] a.b.C: up', { body: 'up', severity: 'INFO' }],
    ['ALERT exited abnormally', { body: 'ALERT exited abnormally', severity: 'CRITICAL' }],
    ['we saw an ERROR in it', { body: 'we saw an ERROR in it' }],
    ['', { body: '' }],
  ])('%s', (line, expected) => {
    expect(parseLine(line, { observedTimeUs })).toMatchObject(expected)
  })

  it('replaces bytes that are no UTF-8', () => {
    expect(parseLine(new Uint8Array([0x61, 0xff, 0x62])).body).toBe('a\ufffdb')
  })

  it('cuts very long lines with a mark, never inside a pair', () => {
    const { body } = parseLine(`${'x'.repeat(99)}😀 tail`, { maxLength: 100 })
    expect(body).toBe(`${'x'.repeat(99)}${TRUNCATED}`)
  })

  it('takes any text and bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.uint8Array()), raw => {
        const parsed = parseLine(raw)
        expect(typeof parsed.body).toBe('string')
        expect(parsed.timeUs === undefined || Number.isFinite(parsed.timeUs)).toBe(true)
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})

describe('timestamps', () => {
  it.each([
    ['2026-01-02T03:04:05.123456Z', at('2026-01-02T03:04:05.123Z') + 456],
    ['2026-01-02 03:04:05 -0500', at('2026-01-02T08:04:05Z')],
    ['2026/01/02 03:04:05', at('2026-01-02T03:04:05Z')],
    ['Fri, 02 Jan 2026 03:04:05 GMT', at('2026-01-02T03:04:05Z')],
    ['Fri Jan  2 03:04:05 2026', at('2026-01-02T03:04:05Z')],
    ['02/Jan/2026:03:04:05 +0100', at('2026-01-02T02:04:05Z')],
    ['17/06/09 20:10:40', at('2017-06-09T20:10:40Z')],
    ['081109 203615', at('2008-11-09T20:36:15Z')],
    ['1767322800', 1767322800000000],
    ['1767322800123', 1767322800123000],
    ['Dec 31 23:59:59', at('2025-12-31T23:59:59Z')],
    ['Jan  2 12:00:00', at('2026-01-02T12:00:00Z')],
    ['2026-02-31 00:00:00', undefined],
    ['2026-13-01 00:00:00', undefined],
    ['10.0.0.1:80', undefined],
    ['Fri Jan  2 03:04:05 CET 2026', at('2026-01-02T02:04:05Z')],
    ['01/02/2026 03:04:05 PM', at('2026-01-02T15:04:05Z')],
    ['02/01/2026 15:04:05', at('2026-01-02T15:04:05Z')],
    ['13/01/2026 15:04:05', at('2026-01-13T15:04:05Z')],
    ['January 2, 2026 at 3:04:05 PM UTC', at('2026-01-02T15:04:05Z')],
    ['2 enero 2026 03:04:05', at('2026-01-02T03:04:05Z')],
    ['2026 Jan  2 03:04:05', at('2026-01-02T03:04:05Z')],
    ['20260102T030405Z', at('2026-01-02T03:04:05Z')],
    ['2026-01-02T03:04:05+01:00[Europe/Berlin]', at('2026-01-02T02:04:05Z')],
    ['1970-01-01 00:00:05', Number.NaN],
    ['May the door stay shut', undefined],
  ])('%s', (text, expected) => {
    expect(readTimestamp(text, 0, { observedTimeUs })?.timeUs).toBe(expected)
  })

  it('tells the unit of an epoch by its size', () => {
    for (const value of [1767322800, 1767322800e3, 1767322800e6, 1767322800e9]) expect(timestampOf(value)).toBe(1767322800e6)
  })
})

describe('severity', () => {
  it.each([
    ['warning', 'WARN'],
    ['ERR', 'ERROR'],
    ['fatal', 'CRITICAL'],
    [30, 'INFO'],
    ['3', 'ERROR'],
    ['ERROR2', 'ERROR'],
    ['nonsense', undefined],
    ['SEVERE', 'ERROR'],
    ['FINEST', 'DEBUG'],
    ['ERRO', 'ERROR'],
    ['trce', 'DEBUG'],
    ['VRB', 'DEBUG'],
    ['ERROR+2', 'ERROR'],
    ['LogLevel.Critical', 'CRITICAL'],
    ['LOG_ERR', 'ERROR'],
    ['E_WARNING', 'WARN'],
    ['D3', 'DEBUG'],
    ['[warning]', 'WARN'],
    [250, 'INFO'],
    [400, 'ERROR'],
    [900, 'WARN'],
    [40000, 'ERROR'],
    [8, undefined],
  ])('%s', (value, expected) => {
    expect(severityNamed(value)).toBe(expected)
  })

  it.each([
    ['[ERROR] x', 'ERROR'],
    ['kernel panic - not syncing', 'CRITICAL'],
    ['Connection refused by peer', 'ERROR'],
    ['retrying in 5s', 'WARN'],
    ['finished with 0 errors', 'INFO'],
    ['no errors found', 'INFO'],
    ['server started', 'INFO'],
    ['java.lang.IllegalStateException: x', 'ERROR'],
    ['DEBUG: entering loop', 'DEBUG'],
  ])('%s', (text, expected) => {
    expect(severityOfText(text)).toBe(expected)
  })
})
