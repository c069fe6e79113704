/** How bad a line says it is: from the field the producer filled, else from the words of the text. */

import { matchFault } from './fault-patterns.ts'

export const severities = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'] as const
export type Severity = (typeof severities)[number]

const NAMES: Record<string, Severity> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  fine: 'DEBUG',
  finer: 'DEBUG',
  finest: 'DEBUG',
  verbose: 'DEBUG',
  dbg: 'DEBUG',
  trc: 'DEBUG',
  d: 'DEBUG',
  v: 'DEBUG',
  info: 'INFO',
  information: 'INFO',
  informational: 'INFO',
  notice: 'INFO',
  log: 'INFO',
  inf: 'INFO',
  i: 'INFO',
  config: 'INFO',
  note: 'INFO',
  n: 'INFO',
  warn: 'WARN',
  warning: 'WARN',
  wrn: 'WARN',
  w: 'WARN',
  error: 'ERROR',
  err: 'ERROR',
  eror: 'ERROR',
  severe: 'ERROR',
  e: 'ERROR',
  failure: 'ERROR',
  failed: 'ERROR',
  critical: 'CRITICAL',
  crit: 'CRITICAL',
  fatal: 'CRITICAL',
  ftl: 'CRITICAL',
  emerg: 'CRITICAL',
  emergency: 'CRITICAL',
  alert: 'CRITICAL',
  panic: 'CRITICAL',
  f: 'CRITICAL',
  c: 'CRITICAL',
}

/** The severity a producer's word or number stands for: level names, syslog 0–7, pino and Bunyan 10–60, OpenTelemetry 1–24 where said so. */
export function severityNamed(value: unknown): Severity | undefined {
  if (typeof value === 'number') return severityNumbered(value)
  if (typeof value !== 'string') return undefined
  const text = value.trim().toLowerCase()
  if (/^\d{1,2}$/.test(text)) return severityNumbered(Number(text))
  // "ERROR2" of OpenTelemetry, "[error]", "level=error"
  return NAMES[text] ?? NAMES[text.replace(/[^a-z]/g, '')]
}

function severityNumbered(n: number): Severity | undefined {
  if (n >= 0 && n <= 7) return ofSyslog(n)
  if (n >= 10 && n <= 60 && n % 10 === 0)
    return n >= 60 ? 'CRITICAL' : n >= 50 ? 'ERROR' : n >= 40 ? 'WARN' : n >= 30 ? 'INFO' : 'DEBUG'
  return undefined
}

export function ofSyslog(severity: number): Severity {
  return severity <= 2 ? 'CRITICAL' : severity === 3 ? 'ERROR' : severity === 4 ? 'WARN' : severity <= 6 ? 'INFO' : 'DEBUG'
}

export function ofOpenTelemetry(n: number): Severity {
  return n >= 21 ? 'CRITICAL' : n >= 17 ? 'ERROR' : n >= 13 ? 'WARN' : n >= 9 ? 'INFO' : 'DEBUG'
}

/** A level word where levels stand: at the start of the text, possibly in brackets. */
const LEADING =
  /^[\s[(<|-]*(TRACE|DEBUG|VERBOSE|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|CRITICAL|CRIT|FATAL|ALERT|EMERG|PANIC|trace|debug|info|notice|warn|warning|error|err|severe|critical|crit|fatal|panic|Warning|Error|Fatal|Info|Debug)(?=[\s\]):>|,-]|$)/

export function leadingSeverity(text: string): { severity: Severity; end: number } | undefined {
  const m = LEADING.exec(text)
  if (m === null) return undefined
  const severity = severityNamed(m[1])
  return severity === undefined ? undefined : { severity, end: m[0].length }
}

const CRITICAL_WORDS =
  /\b(?:panic(?:ked|king)?|fatal|segfault|segmentation fault|core dumped|out of memory|oom[- ]?kill(?:ed|er)?|kernel bug|emergency|unrecoverable|data loss|corrupt(?:ed|ion)?)\b/i
const ERROR_WORDS =
  /\b(?:error|errors|fail|fails|failed|failure|failures|exception|traceback|refused|denied|unreachable|aborted|abort|crash(?:ed)?|cannot|could not|couldn't|unable to|not found|no route to host|no space left|timed out|rejected|illegal|fault|unexpected(?:ly)?|broken pipe|assertion|forbidden|mismatch|violat(?:es|ed|ion)|duplicate key|bad gateway|HTTP 5\d\d)\b|[a-z](?:Error|Exception)\b/i
/** Names of system errors: ECONNREFUSED, EIO. */
const ERRNO = /\bE(?:CONN|TIMED|NO[A-Z]{2}|ACCES|PERM|PIPE|ADDR|HOST|NET|MFILE|NFILE|IO\b|BUSY\b|INVAL\b|ROFS\b|AI_)/
const WARN_WORDS =
  /\b(?:warn(?:ing)?|deprecated|retry(?:ing)?|retries|slow|timeout|throttl(?:ed|ing)|exceed(?:s|ed)|degraded|stale|lost|missing|unknown|invalid|backing off|too many|interrupt(?:ed)?|terminated|halted|killed)\b/i
/** Words that take the weight off the ones above: "0 errors", "no error", "without failures", "error rate: 0". */
const NEGATED =
  /\b(?:0|no|without|zero|any|not an?) (?:errors?|failures?|exceptions?|warnings?)\b|\b(?:errors?|failures?|failed|warnings?|exceptions?)\s*[:=]\s*0\b/gi

/** From the text alone. Only the first part of a long text is read. */
export function severityOfText(text: string): Severity {
  const leading = leadingSeverity(text)
  if (leading !== undefined) return leading.severity
  const head = text.slice(0, 2000).replace(NEGATED, ' ')
  const byWords: Severity = CRITICAL_WORDS.test(head)
    ? 'CRITICAL'
    : ERROR_WORDS.test(head) || ERRNO.test(head)
      ? 'ERROR'
      : WARN_WORDS.test(head)
        ? 'WARN'
        : 'INFO'
  const byFault = matchFault(head)?.severity
  return byFault !== undefined && severities.indexOf(byFault) > severities.indexOf(byWords) ? byFault : byWords
}
