/**
 * What the log lines of each entity say beside those of a quiet time: templates never seen, templates much more or less common, exceptions,
 * and statements that no longer follow each other (in the line of the event patterns of Yu et al., FSE 2023: a fault in code shows as
 * one statement that is not followed by the next). Strengths are signed roots of log-likelihood ratios (Dunning 1993), so that counts of
 * any size compare.
 */
import { keyOf, partsOf } from '@aegis/domain'
import type { CaseLine, CaseSpan, Finding } from './case-evidence.ts'

const SEVERE = /^(err|error|fatal|crit|critical|alert|emerg|panic|severe)/i
const EXCEPTION = /\b\w*(Exception|Error)\b|\bpanic\b|Traceback|\bfailed\b|\bfailure\b|\btimed? ?out\b|\brefused\b/

/** A line that tells of an error, by its level or its words. */
export const isSevere = (line: CaseLine): boolean => SEVERE.test(line.severity ?? '') || EXCEPTION.test(line.text)

interface Tally {
  lines: number
  severe: number
  templates: Map<string, { count: number; example: CaseLine; severe: boolean }>
  next: Map<string, { count: number; example: CaseLine }>
}

const tally = (lines: readonly CaseLine[]): Map<string, Tally> => {
  const found = new Map<string, Tally>()
  const last = new Map<string, CaseLine>()
  for (const line of lines) {
    let t = found.get(line.entity)
    if (!t) found.set(line.entity, (t = { lines: 0, severe: 0, templates: new Map(), next: new Map() }))
    t.lines++
    const severe = isSevere(line)
    if (severe) t.severe++
    const seen = t.templates.get(line.template)
    if (seen) seen.count++
    else t.templates.set(line.template, { count: 1, example: line, severe })
    if (!line.trace) continue
    const thread = keyOf(line.entity, line.trace, line.span ?? '')
    const before = last.get(thread)
    if (before) {
      const pair = keyOf(before.template, line.template)
      const known = t.next.get(pair)
      if (known) known.count++
      else t.next.set(pair, { count: 1, example: before })
    }
    last.set(thread, line)
  }
  return found
}

/** Signed root of the log-likelihood ratio of two shares; half a count is added to each side. */
export const rootLlr = (a: number, n: number, b: number, m: number): number => {
  const x = a + 0.5
  const y = b + 0.5
  const N = n + 1
  const M = m + 1
  const p = (x + y) / (N + M)
  const part = (k: number, total: number) => {
    const q = Math.min(1 - 1e-9, k / total)
    return k * Math.log(q / p) + (total - k) * Math.log((1 - q) / Math.max(1e-9, 1 - p))
  }
  return Math.sign(x / N - y / M) * Math.sqrt(Math.max(0, 2 * (part(x, N) + part(y, M))))
}

export const logEvidence = (now: readonly CaseLine[], before: readonly CaseLine[]): Finding[] => {
  const findings: Finding[] = []
  const is = tally(now)
  const was = tally(before)
  for (const entity of new Set([...is.keys(), ...was.keys()])) {
    const a = is.get(entity)
    const b = was.get(entity)
    const n = a?.lines ?? 0
    const m = b?.lines ?? 0
    const add = (kind: string, strength: number, name: string, x: number, y: number, example?: CaseLine) => {
      if (strength > 1)
        findings.push({
          entity,
          kind,
          strength: Math.min(strength, 50),
          name,
          before: y,
          after: x,
          text: example?.text,
          time: example?.time,
        })
    }
    add(
      'log_severe',
      rootLlr(a?.severe ?? 0, n, b?.severe ?? 0, m),
      'severe lines',
      a?.severe ?? 0,
      b?.severe ?? 0,
      [...(a?.templates.values() ?? [])].find(t => t.severe)?.example,
    )
    for (const [template, { count, example, severe }] of a?.templates ?? []) {
      const old = b?.templates.get(template)?.count ?? 0
      const s = rootLlr(count, n, old, m)
      add(old === 0 ? (severe ? 'log_new_severe' : 'log_new') : 'log_more', s, template, count, old, example)
    }
    for (const [template, { count, example }] of b?.templates ?? [])
      add(
        'log_less',
        -rootLlr(a?.templates.get(template)?.count ?? 0, n, count, m),
        template,
        a?.templates.get(template)?.count ?? 0,
        count,
        example,
      )
    // After the statement A, how often came B?
    const pairs = new Set([...(a?.next.keys() ?? []), ...(b?.next.keys() ?? [])])
    for (const pair of pairs) {
      const first = partsOf(pair)[0]
      const x = a?.next.get(pair)?.count ?? 0
      const y = b?.next.get(pair)?.count ?? 0
      const s = rootLlr(x, a?.templates.get(first)?.count ?? 0, y, b?.templates.get(first)?.count ?? 0)
      const turn = a?.templates.get(partsOf(pair)[1])
      if (s < 0) add('log_broken', -s, pair, x, y, a?.templates.get(first)?.example ?? b?.next.get(pair)?.example)
      else if (y === 0)
        add(
          turn?.severe ? 'log_turn_severe' : 'log_turn',
          s,
          pair,
          x,
          y,
          turn?.severe ? turn.example : a?.next.get(pair)?.example,
        )
    }
  }
  return findings
}

interface Written {
  spans: number
  /** Spans of the operation in which the statement was written. */
  statements: Map<string, { count: number; example: CaseLine; severe: boolean }>
}
const written = (lines: readonly CaseLine[], spans: readonly CaseSpan[]): Map<string, Written> => {
  const found = new Map<string, Written>()
  const of = new Map<string, string>()
  for (const s of spans) {
    const key = keyOf(s.entity, s.operation)
    of.set(keyOf(s.trace, s.id), key)
    const w = found.get(key)
    if (w) w.spans++
    else found.set(key, { spans: 1, statements: new Map() })
  }
  const seen = new Set<string>()
  for (const line of lines) {
    const id = keyOf(line.trace, line.span)
    const key = of.get(id)
    if (!key || seen.has(keyOf(id, line.template))) continue
    seen.add(keyOf(id, line.template))
    const statements = found.get(key)!.statements
    const s = statements.get(line.template)
    if (s) s.count++
    else
      statements.set(line.template, {
        count: 1,
        example: line,
        severe: isSevere(line),
      })
  }
  return found
}

/** Statements that an operation used to write and no longer does, or writes now for the first time: free of what is asked how often. */
export const writtenEvidence = (
  now: { readonly lines: readonly CaseLine[]; readonly spans: readonly CaseSpan[] },
  before: { readonly lines: readonly CaseLine[]; readonly spans: readonly CaseSpan[] },
): Finding[] => {
  const findings: Finding[] = []
  if (now.lines.length === 0 || before.lines.length === 0) return findings
  const is = written(now.lines, now.spans)
  const was = written(before.lines, before.spans)
  for (const [key, a] of is) {
    const b = was.get(key)
    if (!b) continue
    const [entity, operation] = partsOf(key)
    for (const template of new Set([...a.statements.keys(), ...b.statements.keys()])) {
      const x = a.statements.get(template)
      const y = b.statements.get(template)
      const s = rootLlr(x?.count ?? 0, a.spans, y?.count ?? 0, b.spans)
      if (Math.abs(s) <= 1) continue
      const example = x?.example ?? y?.example
      const kind =
        s < 0
          ? (y?.count ?? 0) >= 0.95 * b.spans && b.spans >= 4
            ? 'span_log_broken'
            : 'span_log_less'
          : x?.severe
            ? 'span_log_severe'
            : y
              ? 'span_log_more'
              : 'span_log_new'
      findings.push({
        entity,
        kind,
        strength: Math.min(50, Math.abs(s)),
        name: `${operation}: ${template}`,
        before: (y?.count ?? 0) / b.spans,
        after: (x?.count ?? 0) / a.spans,
        text: example?.text,
        time: example?.time,
      })
    }
  }
  return findings
}
