/** key=value key="quoted value" ...: the whole line must be made of them, with a level, message, time or status among them. */
import { fromFields, MAX_FIELDS } from '../fields.ts'
import type { Format } from './format.ts'

const TELLING =
  /(?:^|\s)(?:level|lvl|severity|loglevel|msg|message|time|ts|timestamp|t|at|status|err|error|event|date|@timestamp)=/i
export const logfmt: Format = {
  name: 'logfmt',
  parse(text, hints) {
    if (text.indexOf('=') < 1 || !/^[A-Za-z_@][\w.@/-]{0,63}=/.test(text) || !TELLING.test(text)) return undefined
    const all = new Map<string, unknown>()
    let i = 0
    let loose = 0
    while (i < text.length) {
      while (text.charCodeAt(i) === 32) i++
      if (i >= text.length) break
      const keyStart = i
      while (i < text.length && text.charCodeAt(i) !== 61 && text.charCodeAt(i) > 32 && text.charCodeAt(i) !== 34) i++
      const key = text.slice(keyStart, i)
      if (text.charCodeAt(i) !== 61) {
        if (++loose > 1 || text.charCodeAt(i) === 34) return undefined
        i++
        continue
      }
      i++
      let value = ''
      if (text.charCodeAt(i) === 34) {
        const start = ++i
        let escaped = false
        while (i < text.length && text.charCodeAt(i) !== 34) {
          if (text.charCodeAt(i) === 92) {
            escaped = true
            i++
          }
          i++
        }
        value = text.slice(start, Math.min(i, text.length))
        if (escaped) value = value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c === 't' ? '\t' : c))
        i++
      } else {
        const start = i
        while (i < text.length && text.charCodeAt(i) > 32) i++
        value = text.slice(start, i)
      }
      if (key === '') return undefined
      if (all.size < 2 * MAX_FIELDS && !all.has(key)) all.set(key, value)
    }
    return all.size >= 2 ? fromFields(all, text, hints) : undefined
  },
  examples: [
    [
      'time=2026-01-02T03:04:05Z level=info msg="listening on :8080" service=api',
      { format: 'logfmt', severity: 'INFO', body: 'listening on :8080', service: 'api' },
    ],
    [
      'ts=2026-01-02T03:04:05.123Z caller=main.go:17 level=warn msg="slow \\"scrape\\"" duration=4.2s',
      { severity: 'WARN', body: 'slow "scrape"' },
    ],
    ['at=error code=H12 desc="Request timeout" method=GET path="/pay" status=503', { severity: 'ERROR' }],
    ['level=ERRO msg=down', { severity: 'ERROR', body: 'down' }],
  ],
}
