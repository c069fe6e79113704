/** How bad a line says it is: the words and numbers of every logger and protocol. */

export const severities = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'] as const
export type Severity = (typeof severities)[number]

/** Every word that a logger, server or protocol writes for a level, without case. One table for fields, headers and every protocol. */
const WORDS: Readonly<Record<Severity, string>> = {
  DEBUG: 'trace trc trac trce tra debug dbg debu dbug deb fine finer finest verbose vrb verb silly spam entry exit all d v t',
  INFO: 'info information informational informative inf infos infor i notice ntc noti note n log config conf statement detail hint context query location success ok http normal progress message msg audit report r',
  WARN: 'warn warning warnings wrn warni w deprecated deprecation caution',
  ERROR: 'error errors err eror erro erreur fehler severe svr e failure failed fail exception recoverable',
  CRITICAL:
    'critical crit crt fatal ftl fata emerg emergency alert alrt panic pani pnc dpanic crash assert abort catastrophic unrecoverable off f c a',
}
const LEVELS = new Map<string, Severity>(
  severities.flatMap(severity => WORDS[severity].split(' ').map(word => [word, severity] as const)),
)
/** Level numbers of one protocol, ascending: the last that is not above the number counts. */
type Scale = readonly (readonly [from: number, severity: Severity])[]
const PINO: Scale = [
  [10, 'DEBUG'],
  [30, 'INFO'],
  [40, 'WARN'],
  [50, 'ERROR'],
  [60, 'CRITICAL'],
]
const PYTHON: Scale = [
  [0, 'DEBUG'],
  [20, 'INFO'],
  [30, 'WARN'],
  [40, 'ERROR'],
  [50, 'CRITICAL'],
]
const MONOLOG: Scale = [
  [100, 'DEBUG'],
  [200, 'INFO'],
  [300, 'WARN'],
  [400, 'ERROR'],
  [500, 'CRITICAL'],
]
const JUL: Scale = [
  [700, 'INFO'],
  [900, 'WARN'],
  [1000, 'ERROR'],
]
const LOGBACK: Scale = [
  [5000, 'DEBUG'],
  [20000, 'INFO'],
  [30000, 'WARN'],
  [40000, 'ERROR'],
  [50000, 'CRITICAL'],
]
const OPENTELEMETRY: Scale = [
  [0, 'DEBUG'],
  [9, 'INFO'],
  [13, 'WARN'],
  [17, 'ERROR'],
  [21, 'CRITICAL'],
]
/** CEF counts from 0 to 10: 4 and more is medium, 7 high, 9 very high. */
const SECURITY: Scale = [
  [0, 'INFO'],
  [4, 'WARN'],
  [7, 'ERROR'],
  [9, 'CRITICAL'],
]
const on = (scale: Scale, n: number): Severity | undefined => scale.findLast(([from]) => n >= from)?.[1]

/** The severity a word or number stands for: any usual level name in any dress ("[error]", "ERROR+2", "LogLevel.Error", "LOG_ERR"); numbers by their size: syslog 0–7, pino and bunyan 10–60, Monolog 100–600, java.util.logging 700–1000, Logback 5000–50000. */
export function severityNamed(value: unknown): Severity | undefined {
  if (typeof value === 'number') return severityNumbered(value)
  if (typeof value !== 'string' || value.length > 32) return undefined
  const known = LEVELS.get(value) ?? LEVELS.get(value.toLowerCase())
  if (known !== undefined) return known
  const text = value.trim().toLowerCase()
  if (/^\d{1,5}$/.test(text)) return severityNumbered(Number(text))
  const word = text
    .replace(/^.*[.:](?=[a-z])/, '')
    .replace(/^(?:log|e|level|severity|lvl|user|core|compile)[_-](?=[a-z])/, '')
    .replace(/[+-]?\d+$/, '')
  return LEVELS.get(word) ?? LEVELS.get(word.replace(/^[^a-z]+|[^a-z]+$/g, ''))
}

function severityNumbered(n: number): Severity | undefined {
  if (!Number.isInteger(n) || n < 0) return undefined
  if (n <= 7) return ofSyslog(n)
  if (n < 10) return undefined
  if (n <= 60) return on(PINO, n)
  if (n < 100) return undefined
  if (n <= 600) return on(MONOLOG, n)
  if (n <= 1000) return on(JUL, n)
  return n >= 5000 && n <= 50_000 ? on(LOGBACK, n) : undefined
}

/** RFC 5424, 6.2.1: 0 emergency to 7 debug. */
export function ofSyslog(severity: number): Severity {
  return severity <= 2 ? 'CRITICAL' : severity === 3 ? 'ERROR' : severity === 4 ? 'WARN' : severity <= 6 ? 'INFO' : 'DEBUG'
}

/** SeverityNumber of OpenTelemetry, 1 to 24; 0 is "unspecified". */
export const ofOpenTelemetry = (n: number): Severity => on(OPENTELEMETRY, n) ?? 'DEBUG'
/** levelno of Python's logging and number of loguru, 0 to 50. */
export const ofPython = (n: number): Severity => on(PYTHON, n) ?? 'DEBUG'
/** Severity of CEF and LEEF, 0 to 10. */
export const ofSecurity = (n: number): Severity => on(SECURITY, n) ?? 'INFO'
/** What the answer to a request says where nothing else does. */
export const ofStatus = (status: number): Severity => (status >= 500 ? 'ERROR' : status >= 400 ? 'WARN' : 'INFO')

/** A level word where levels stand: at the start of the text, possibly in brackets. */
const LEADING =
  /[\s[(<|-]*(TRACE|TRAC|TRCE|TRC|DEBUG\d?|DEBU|DBUG|DBG|VERBOSE|VRB|FINE|FINER|FINEST|CONFIG|INFO|INFORMATION|INF|NOTICE|NOTE|WARN|WARNING|WRN|ERROR|ERRO|ERR|EROR|SEVERE|CRITICAL|CRIT|FATAL|FATA|FTL|ALERT|EMERG|EMERGENCY|PANIC|PANI|DPANIC|LOG|STATEMENT|DETAIL|HINT|CONTEXT|trace|trce|debug\d?|dbug|dbg|verbose|info|information|notice|warn|warning|error|fail|err|severe|critical|crit|fatal|panic|alert|emerg|success|SUCCESS|Warning|Error|Fatal|Info|Information|Debug|Trace|Critical|Notice|Note|Verbose|Severe)(?=[\s\]):>|,/\-[]|$)/y

export function leadingSeverity(text: string, at = 0): { severity: Severity; end: number } | undefined {
  LEADING.lastIndex = at
  const m = LEADING.exec(text)
  if (m === null) return undefined
  const severity = LEVELS.get(m[1].toLowerCase())
  return severity === undefined ? undefined : { severity, end: at + m[0].length }
}
