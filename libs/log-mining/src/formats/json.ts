/** JSON objects of any dialect: the roles of their keys are in fields.ts. */
import { flatten, fromFields } from '../fields.ts'
import { stampOf } from '../timestamps.ts'
import type { Format } from './format.ts'

export function objectOf(text: string): Record<string, unknown> | undefined {
  if (text.charCodeAt(0) !== 123) return undefined
  const trimmed = text.trimEnd()
  if (trimmed.charCodeAt(trimmed.length - 1) !== 125) return undefined
  try {
    const value = JSON.parse(trimmed)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Docker's json-file driver: one object per write, which does not end in a line end while the line goes on. */
export const docker: Format = {
  name: 'docker',
  first: '{',
  wraps: true,
  parse(text, hints) {
    if (!text.startsWith('{"') || !text.includes('"stream"')) return undefined
    const value = objectOf(text)
    if (
      value === undefined ||
      typeof value.log !== 'string' ||
      typeof value.time !== 'string' ||
      (value.stream !== 'stdout' && value.stream !== 'stderr')
    )
      return undefined
    const stamp = stampOf(value.time, hints)
    const partial = !value.log.endsWith('\n')
    return {
      body: (hints.before ?? '') + value.log.replace(/[\r\n]+$/, ''),
      ...(stamp === undefined ? {} : { timeUs: stamp.timeUs, zoned: true }),
      fields: { stream: value.stream },
      writer: value.stream,
      format: '',
      ...(partial ? { partial } : {}),
    }
  },
  examples: [
    [
      '{"log":"{\\"level\\":\\"warn\\",\\"msg\\":\\"slow\\"}\\n","stream":"stderr","time":"2026-01-02T03:04:05.1Z"}',
      { format: 'docker json', body: 'slow', severity: 'WARN', time: '2026-01-02T03:04:05.100Z' },
    ],
    ['{"log":"half a ","stream":"stdout","time":"2026-01-02T03:04:05.1Z"}', { partial: true, body: 'half a ' }],
  ],
}

export const json: Format = {
  name: 'json',
  first: '{ \t[',
  parse(text, hints) {
    // A list of one, as some forwarders write it, is its only member.
    const trimmed = text.trimStart()
    const value = objectOf(
      trimmed.startsWith('[{') && trimmed.trimEnd().endsWith('}]') ? trimmed.trimEnd().slice(1, -1) : trimmed,
    )
    if (value === undefined) return undefined
    const all = new Map<string, unknown>()
    flatten(value, '', 0, all)
    return all.size === 0 ? undefined : fromFields(all, text, hints)
  },
  examples: [
    [
      '{"level":"warn","msg":"slow","ts":1767322800.5,"service":"cart"}',
      { body: 'slow', severity: 'WARN', service: 'cart', time: '2026-01-02T03:00:00.500Z' },
    ],
    [
      '{"Timestamp":"2026-01-02T03:00:00Z","Level":"Warning","MessageTemplate":"{Count} left in {Place}","Properties":{"Count":3,"Place":"north"}}',
      { body: '3 left in north', severity: 'WARN' },
    ],
    [
      '{"@t":"2026-01-02T03:00:00Z","@mt":"moved {Id}","@l":"Error","Id":7,"@x":"System.IO.IOException: no\\n   at A.B()"}',
      { body: 'moved 7\nSystem.IO.IOException: no\n   at A.B()', severity: 'ERROR', exception: 'System.IO.IOException' },
    ],
    [
      '{"t":{"$date":"2026-01-02T03:00:00.000+00:00"},"s":"W","c":"STORAGE","id":22,"ctx":"main","msg":"slow sync"}',
      { body: 'slow sync', severity: 'WARN', time: '2026-01-02T03:00:00.000Z' },
    ],
    [
      '{"instant":{"epochSecond":1767322800,"nanoOfSecond":5000000},"level":"FATAL","loggerName":"a.B","message":"gone","thrown":{"name":"java.io.IOException","message":"x"}}',
      { body: 'gone', severity: 'CRITICAL', time: '2026-01-02T03:00:00.005Z', exception: 'java.io.IOException' },
    ],
    [
      '{"MESSAGE":"unit failed","PRIORITY":"3","_SYSTEMD_UNIT":"pay.service","__REALTIME_TIMESTAMP":"1767322800000000","_HOSTNAME":"n1"}',
      { body: 'unit failed', severity: 'ERROR', service: 'pay', host: 'n1' },
    ],
    ['{"levelno":30,"message":"low on paper","created":1767322800.25}', { severity: 'WARN', time: '2026-01-02T03:00:00.250Z' }],
    [
      '{"level":30,"time":1767322800500,"pid":3,"hostname":"h","name":"till","msg":"open"}',
      { severity: 'INFO', service: 'till' },
    ],
    ['{"time":0.893,"status":502,"method":"GET","path":"/pay"}', { body: 'GET /pay 502', severity: 'ERROR' }],
    [
      '{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"delete","requestURI":"/api/v1/pods/x","responseStatus":{"code":403},"requestReceivedTimestamp":"2026-01-02T03:00:00Z"}',
      { body: 'delete /api/v1/pods/x 403', severity: 'WARN' },
    ],
    [
      '{"log":"2026-01-02 03:00:00 ERROR no ink","kubernetes":{"container_name":"print","pod_name":"print-0"}}',
      { body: 'no ink', severity: 'ERROR', service: 'print', format: 'json plain' },
    ],
    [
      '{"version":"1.1","host":"w","short_message":"no","full_message":"no\\nway","timestamp":1767322800.5,"level":4,"_service":"till"}',
      { body: 'no\nway', severity: 'WARN', service: 'till' },
    ],
  ],
}
