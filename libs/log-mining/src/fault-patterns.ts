/** Faults that everybody knows, recognised from the first line on, before anything is learned. First match wins: the more telling come first. */
import type { Category } from './categories.ts'
import type { Severity } from './severity.ts'

export interface FaultPattern {
  /** Stable name, kebab-case. */
  readonly kind: string
  readonly severity: Severity
  readonly category: Category
  readonly pattern: RegExp
}

const fault = (kind: string, severity: Severity, category: Category, pattern: RegExp): FaultPattern => ({
  kind,
  severity,
  category,
  pattern,
})

export const faultPatterns: readonly FaultPattern[] = [
  fault(
    'out-of-memory',
    'CRITICAL',
    'memory',
    /\bout ?of ?memory\b|\bOutOfMemory|\bOOM[- ]?kill|\bOOMKilled\b|cannot allocate memory|\bMemoryError\b|heap (?:limit|space)|std::bad_alloc|GC overhead limit/i,
  ),
  fault(
    'stack-overflow',
    'CRITICAL',
    'memory',
    /\bStackOverflow|stack overflow|maximum call stack size|maximum recursion depth/i,
  ),
  fault(
    'segmentation-fault',
    'CRITICAL',
    'memory',
    /segmentation fault|\bsegfault\b|\bSIGSEGV\b|core dumped|null pointer dereference/i,
  ),
  fault(
    'disk-full',
    'CRITICAL',
    'storage',
    /no space left on device|\bENOSPC\b|disk (?:is )?full|disk quota exceeded|filesystem (?:is )?full|not enough (?:disk )?space|\bis full\b/i,
  ),
  fault('read-only-filesystem', 'CRITICAL', 'storage', /read-only file ?system|\bEROFS\b/i),
  fault(
    'io-error',
    'ERROR',
    'storage',
    /\b(?:i\/o|input\/output|buffer i\/o|disk) error\b|\bEIO\b|bad (?:sector|block)|medium error|checksum (?:error|mismatch)|corrupt(?:ed|ion)?\b/i,
  ),
  fault('too-many-open-files', 'ERROR', 'configuration', /too many open files|\bEMFILE\b|\bENFILE\b/i),
  fault(
    'certificate',
    'ERROR',
    'security',
    /certificate (?:has )?(?:expired|is not (?:yet )?valid|verify failed|unknown|revoked|signed by unknown)|x509:|\bPKIX\b|CERT_HAS_EXPIRED|self[- ]signed certificate|ssl handshake|tls handshake|SSLError|SSLHandshakeException|unable to get local issuer/i,
  ),
  fault('connection-refused', 'ERROR', 'network', /connection refused|\bECONNREFUSED\b|actively refused|ConnectionRefused/i),
  fault(
    'connection-reset',
    'ERROR',
    'network',
    /connection reset|\bECONNRESET\b|broken pipe|\bEPIPE\b|connection (?:was )?(?:aborted|closed unexpectedly|lost|dropped)|socket hang up|unexpected eof/i,
  ),
  fault(
    'host-unreachable',
    'ERROR',
    'network',
    /no route to host|\bEHOSTUNREACH\b|network (?:is )?unreachable|host (?:is )?(?:unreachable|down)|\bENETUNREACH\b/i,
  ),
  fault(
    'name-resolution',
    'ERROR',
    'network',
    /\bENOTFOUND\b|\bEAI_AGAIN\b|name or service not known|unknown ?host|could not resolve|temporary failure in name resolution|no such host|NXDOMAIN|\bgetaddrinfo\b.{0,40}fail/i,
  ),
  fault('address-in-use', 'ERROR', 'network', /address already in use|\bEADDRINUSE\b|bind.{0,40}failed/i),
  fault('deadlock', 'ERROR', 'database', /\bdeadlock(?:ed)?\b|lock wait timeout|could not serialize access/i),
  fault(
    'connection-pool-exhausted',
    'ERROR',
    'database',
    /pool (?:is )?(?:exhausted|timed? ?out|empty)|too many (?:connections|clients)|remaining connection slots|unable to (?:acquire|get) (?:a )?(?:jdbc )?connection|connection is not available/i,
  ),
  fault(
    'authentication-failed',
    'WARN',
    'authentication',
    /authentication fail|fail(?:ed|ure)(?: to)? authenticat|failed password|invalid (?:user|password|credentials|token)|login (?:failed|incorrect)|\b401\b.{0,20}unauthori[sz]ed|unauthori[sz]ed|bad credentials|token (?:has )?expired|\baccess denied for user\b/i,
  ),
  fault(
    'permission-denied',
    'ERROR',
    'security',
    /permission denied|\bEACCES\b|\bEPERM\b|access (?:is )?denied|operation not permitted|forbidden\b|not authorized|AccessDenied/i,
  ),
  fault(
    'timeout',
    'ERROR',
    'timeout',
    /\b(?:timed|timing)[- ]?out\b|\btime-out\b|\bETIMEDOUT\b|deadline exceeded|TimeoutException|TimeoutError|\bread timeout|took too long|\btimeout\b.{0,40}(?:exceeded|expired|reached|waiting|after)/i,
  ),
  fault(
    'circuit-open',
    'WARN',
    'dependency',
    /circuit ?breaker.{0,40}open|CallNotPermitted|service unavailable|\b50[234]\b.{0,20}(?:bad gateway|unavailable|gateway time)|bad gateway|upstream (?:connect error|prematurely|timed)|no healthy upstream|backend.{0,20}(?:down|unavailable)/i,
  ),
  fault('rate-limited', 'WARN', 'dependency', /rate limit|too many requests|throttl(?:ed|ing)|\bquota exceeded/i),
  fault(
    'crash-loop',
    'ERROR',
    'dependency',
    /crash ?loop|back-?off restarting|exited (?:with (?:code|status) (?!0\b)|abnormally)|exit (?:code|status) [1-9]|killed by signal|panic(?:ked)?\b|\bfatal error\b|unhandled (?:exception|promise rejection)|uncaught exception/i,
  ),
  fault(
    'file-not-found',
    'ERROR',
    'configuration',
    /no such file or directory|\bENOENT\b|FileNotFound|file not found|cannot open file/i,
  ),
  fault(
    'missing-module',
    'ERROR',
    'configuration',
    /ModuleNotFound|cannot find module|ClassNotFound|NoClassDefFound|ImportError|undefined symbol/i,
  ),
  fault(
    'bad-configuration',
    'ERROR',
    'configuration',
    /(?:invalid|missing|bad|unknown|unsupported) (?:configuration|config|option|setting|property|environment variable|parameter|argument)|configuration (?:error|invalid)|failed to (?:load|parse|read) (?:config|configuration)/i,
  ),
  fault(
    'null-reference',
    'ERROR',
    'dependency',
    /NullPointerException|NullReferenceException|cannot read propert(?:y|ies) of (?:null|undefined)|nil pointer dereference|'NoneType' object/i,
  ),
]

/** The first pattern that the text matches. Only the first part of a long text is read. */
export function matchFault(text: string): FaultPattern | undefined {
  const head = text.length > 4000 ? text.slice(0, 4000) : text
  return faultPatterns.find(({ pattern }) => pattern.test(head))
}

const FAILURE =
  /^(?:error|fatal|failed|failure|cannot|can't|could not|couldn't|unable to|abort(?:ed|ing)?)\b(?![:=] ?(?:0|none|null|false)\b)|\bFailed with result\b|\bcode=(?:killed|dumped)\b|\bstatus=[1-9]\d*\b|\bexited on signal \d|\bdumped core\b|\bterminated by signal\b|\bexited with (?:a )?non-?zero\b|^Failed to | at \S+\.p[lm] line \d+\.?$|^\S{1,64}: (?:line \d+: )?.{1,128}: (?:command not found|No such file or directory)$/i
const WARNED = /^(?:(?:\(node:\d+\) )?\[?\w*Warning\b|warning: |deprecated\b)|\b\w*DeprecationWarning: /i

/** How bad a text is that states no level and matches no known fault: its own first words say that something failed, or that a program ended badly. */
export function failureOf(text: string): Severity | undefined {
  const head = text.length > 2000 ? text.slice(0, 2000) : text
  return FAILURE.test(head) ? 'ERROR' : WARNED.test(head) ? 'WARN' : undefined
}
