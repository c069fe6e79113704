import type { Sample } from './prometheus-series.ts'

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s+(\S+)(?:\s+(-?\d+(?:\.\d+)?))?\s*(?:#.*)?$/
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/y

/**
 * The text exposition format (0.0.4, and OpenMetrics as far as both agree). Lines that cannot be read are counted, not fatal: one bad exporter line must not
 * cost the rest. `now` in microseconds, for samples without a time.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parseExposition(text: string, now: number): { readonly samples: Sample[]; readonly bad: number } {
  const types = new Map<string, string>()
  const samples: Sample[] = []
  let bad = 0
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (line === '') continue
    if (line.startsWith('#')) {
      const [, word, name, type] = line.split(/\s+/)
      if (word === 'TYPE') types.set(name, type)
      continue
    }
    const found = LINE.exec(line)
    const labels = found && labelsOf(found[2] ?? '')
    const value = found ? numberOf(found[3]) : undefined
    if (!found || !labels || value === undefined) {
      bad++
      continue
    }
    const name = found[1]
    const type = types.get(name) ?? types.get(name.replace(/_(sum|count|bucket|total)$/, ''))
    samples.push({ name, labels, value, time: found[4] ? Math.round(Number(found[4]) * 1000) : now, type })
  }
  return { samples, bad }
}

function labelsOf(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const at = LABEL.lastIndex
    const found = LABEL.exec(text)
    if (!found) return text.slice(at).trim() === '' ? labels : undefined
    labels[found[1]] = found[2].replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c))
  }
  return labels
}
const numberOf = (text: string): number | undefined => {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (/^nan$/i.test(text)) return Number.NaN
  const value = Number(text)
  return Number.isNaN(value) ? undefined : value
}
