/** Events of security products: CEF of ArcSight, LEEF of QRadar. */
import { MAX_FIELDS } from '../fields.ts'
import { ofSecurity, type Severity } from '../severity.ts'
import { stampOf } from '../timestamps.ts'
import type { Format } from './format.ts'

const WORDS: Readonly<Record<string, Severity>> = {
  unknown: 'INFO',
  low: 'INFO',
  medium: 'WARN',
  high: 'ERROR',
  'very-high': 'CRITICAL',
}
const severityOf = (text: string | undefined): Severity | undefined =>
  text === undefined || text === ''
    ? undefined
    : (WORDS[text.toLowerCase()] ?? (Number.isNaN(Number(text)) ? undefined : ofSecurity(Number(text))))

/** The parts of a header between bars, in which a bar is escaped. Returns undefined when there are fewer. */
function bars(text: string, count: number): { parts: string[]; rest: string } | undefined {
  const parts: string[] = []
  let part = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '\\' && i + 1 < text.length) part += text[++i]
    else if (c === '|') {
      parts.push(part.trim())
      part = ''
      if (parts.length === count) return { parts, rest: text.slice(i + 1) }
    } else part += c
  }
  return parts.length === count - 1 ? { parts: [...parts, part.trim()], rest: '' } : undefined
}

/** key=value with blanks in values: a value goes on up to the next key. "\=" and "\n" are escaped. */
function pairs(text: string): Record<string, string> {
  const fields: Record<string, string> = {}
  const keys = [...text.matchAll(/(?:^|\s)([\w.[\]-]{1,64})(?<!\\)=/g)].slice(0, MAX_FIELDS)
  keys.forEach((m, i) => {
    const value = text.slice(m.index + m[0].length, keys[i + 1]?.index).trim()
    fields[m[1]] = value.replace(/\\([=|\\nr])/g, (_, c: string) => (c === 'n' || c === 'r' ? '\n' : c))
  })
  return fields
}

const timed = (fields: Readonly<Record<string, string>>, keys: readonly string[], hints: Parameters<Format['parse']>[1]) => {
  for (const key of keys) {
    const stamp = fields[key] === undefined ? undefined : stampOf(fields[key], hints)
    if (stamp !== undefined) return { timeUs: stamp.timeUs, zoned: stamp.zoned }
  }
  return {}
}

export const cef: Format = {
  name: 'cef',
  parse(text, hints) {
    const header = text.startsWith('CEF:') ? bars(text.slice(4), 7) : undefined
    if (header === undefined) return undefined
    const [, vendor, product, version, event, name, level] = header.parts
    const fields = pairs(header.rest)
    const severity = severityOf(level)
    const { msg } = fields
    return {
      body: msg === undefined || msg === name ? name : `${name}: ${msg}`,
      ...timed(fields, ['rt', 'deviceReceiptTime', 'end', 'start'], hints),
      ...(severity === undefined ? {} : { severity }),
      service: product,
      ...(fields.dvchost === undefined ? {} : { host: fields.dvchost }),
      fields: { vendor, version, event, ...fields },
      format: '',
    }
  },
  first: 'C',
  examples: [
    [
      'CEF:0|Acme|Wall|1.2|100|Too many \\| logons|9|src=192.0.2.7 msg=seven in a\\=row rt=1767322800000',
      {
        format: 'cef',
        severity: 'CRITICAL',
        service: 'Wall',
        body: 'Too many | logons: seven in a=row',
        time: '2026-01-02T03:00:00.000Z',
      },
    ],
    ['<134>Jan  2 03:04:05 fw CEF:0|Acme|Wall|1.2|drop|drop|Low|dpt=443', { format: 'syslog cef', severity: 'INFO', host: 'fw' }],
  ],
}

export const leef: Format = {
  name: 'leef',
  first: 'L',
  parse(text, hints) {
    if (!text.startsWith('LEEF:')) return undefined
    const two = text.startsWith('LEEF:2')
    const header = bars(text.slice(5), two ? 6 : 5)
    if (header === undefined) return undefined
    const [, vendor, product, version, event, mark] = header.parts
    const hex = /^(?:0?x)([0-9A-Fa-f]{1,4})$/.exec(mark ?? '')
    const separator = hex === null ? mark || '\t' : String.fromCharCode(Number.parseInt(hex[1], 16))
    const fields: Record<string, string> = {}
    for (const pair of header.rest.split(header.rest.includes(separator) ? separator : '\t').slice(0, MAX_FIELDS)) {
      const sign = pair.indexOf('=')
      if (sign > 0) fields[pair.slice(0, sign).trim()] = pair.slice(sign + 1)
    }
    const severity = severityOf(fields.sev ?? fields.severity)
    return {
      body: fields.msg === undefined ? event : `${event}: ${fields.msg}`,
      ...timed(fields, ['devTime', 'devtime'], hints),
      ...(severity === undefined ? {} : { severity }),
      service: product,
      fields: { vendor, version, ...fields },
      format: '',
    }
  },
  examples: [
    [
      'LEEF:2.0|Acme|Gate|4.2|refused|^|devTime=2026-01-02T03:00:00.000+0000^sev=8^usrName=ann',
      { format: 'leef', severity: 'ERROR', service: 'Gate', body: 'refused', time: '2026-01-02T03:00:00.000Z' },
    ],
  ],
}
